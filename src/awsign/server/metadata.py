"""The instance metadata service, versions 1 and 2, with a role whose temporary credentials the server knows.

Source: EC2 user guide, "Use the Instance Metadata Service to access instance metadata", "Retrieve security credentials".
"""

from __future__ import annotations

import json
import secrets
from datetime import datetime, timedelta

from ..scope import now

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .answers import Answer
    from .issued import Issued

_ROLES = "/latest/meta-data/iam/security-credentials/"
_LONGEST = 21600
_TEXT = [(b"content-type", b"text/plain")]


def is_metadata(path: str) -> bool:
    """Whether an unsigned request for this path is one to the metadata service."""
    return path.startswith("/latest/")


class MetadataService:
    """Hands out the role's credentials.

    issued: where they are kept. role: its name. seconds: how long its credentials last.
    """

    def __init__(self, issued: Issued, role: str = "awsign-role", seconds: int = 3600) -> None:
        self._issued = issued
        self.role = role
        self._life = timedelta(seconds=seconds)
        self._tokens: dict[str, datetime] = {}

    def answer(self, method: str, path: str, headers: dict[str, str]) -> Answer:
        """headers: by lower-case name."""
        if path == "/latest/api/token":
            return self._token(method, headers)
        token = headers.get("x-aws-ec2-metadata-token")
        if token is not None and self._tokens.get(token, now()) <= now():
            return 401, _TEXT, b"the session token is unknown or has ended\n"
        if method != "GET":
            return 405, _TEXT, b""
        if path in (_ROLES, _ROLES.rstrip("/")):
            return 200, _TEXT, self.role.encode()
        if path == _ROLES + self.role:
            return 200, [(b"content-type", b"application/json")], self._document()
        if path == "/latest/meta-data/placement/region":
            return 200, _TEXT, b"us-east-1"
        return 404, _TEXT, b""

    def _token(self, method: str, headers: dict[str, str]) -> Answer:
        if method != "PUT":
            return 405, _TEXT, b""
        if "x-forwarded-for" in headers:  # A proxy must not be able to get one.
            return 403, _TEXT, b""
        asked = headers.get("x-aws-ec2-metadata-token-ttl-seconds", "")
        if not (asked.isascii() and asked.isdigit() and len(asked) < 6) or not 1 <= int(asked) <= _LONGEST:
            return 400, _TEXT, b"X-aws-ec2-metadata-token-ttl-seconds must be from 1 to 21600\n"
        token = secrets.token_urlsafe(32)
        self._tokens = {kept: end for kept, end in self._tokens.items() if end > now()}
        self._tokens[token] = now() + timedelta(seconds=int(asked))
        return 200, [*_TEXT, (b"x-aws-ec2-metadata-token-ttl-seconds", asked.encode())], token.encode()

    def _document(self) -> bytes:
        current = self._issued.current("instance metadata", self._life)
        assert current.expiration is not None
        return json.dumps(
            {
                "Code": "Success",
                "LastUpdated": (current.expiration - self._life).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "Type": "AWS-HMAC",
                "AccessKeyId": current.access_key_id,
                "SecretAccessKey": current.secret_access_key,
                "Token": current.session_token,
                "Expiration": current.expiration.strftime("%Y-%m-%dT%H:%M:%SZ"),
            },
            indent=2,
        ).encode()
