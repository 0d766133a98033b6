"""Temporary credentials that this server hands out, and knows when they come back."""

from __future__ import annotations

import secrets
from datetime import timedelta
from xml.etree.ElementTree import Element, SubElement

from ..identity import Credentials
from ..scope import now
from .answers import S3_NAMESPACE, document

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .answers import Answer

ACCOUNT = "123456789012"
_SESSION = timedelta(minutes=5)  # S3 API reference, "CreateSession".


class Issued:
    """Credentials by access key ID, expired or not."""

    def __init__(self) -> None:
        self._known: dict[str, Credentials] = {}
        self._arns: dict[str, str] = {}
        self._current: dict[str, Credentials] = {}

    def get(self, access_key_id: str) -> Credentials | None:
        return self._known.get(access_key_id)

    def arn_of(self, access_key_id: str) -> str:
        """Whose an access key is."""
        return self._arns.get(access_key_id) or f"arn:aws:iam::{ACCOUNT}:user/awsign"

    def issue(self, life: timedelta, arn: str | None = None) -> Credentials:
        """New ones. arn: whose; None is the server's role."""
        made = Credentials(
            f"ASIA{secrets.token_hex(8).upper()}",
            secrets.token_urlsafe(30),
            secrets.token_urlsafe(96),
            now().replace(microsecond=0) + life,
        )
        self._known[made.access_key_id] = made
        self._arns[made.access_key_id] = arn or f"arn:aws:sts::{ACCOUNT}:assumed-role/awsign-role/awsign"
        return made

    def current(self, purpose: str, life: timedelta, arn: str | None = None) -> Credentials:
        """Those for a purpose: the same ones for whoever asks, new ones once half of their life is over."""
        held = self._current.get(purpose)
        if held is None or held.expiration is None or held.expiration - now() < life / 2:
            held = self._current[purpose] = self.issue(life, arn)
        return held

    def session_answer(self) -> Answer:
        """The answer to CreateSession of S3 Express."""
        session = self.issue(_SESSION)
        root = Element("CreateSessionResult", xmlns=S3_NAMESPACE)
        root.append(credentials_element(session))
        return 200, [(b"content-type", b"application/xml")], document(root)


def credentials_element(credentials: Credentials) -> Element:
    """Credentials as S3 and STS write them."""
    told = Element("Credentials")
    assert credentials.expiration is not None
    for name, value in (
        ("AccessKeyId", credentials.access_key_id),
        ("SecretAccessKey", credentials.secret_access_key),
        ("SessionToken", credentials.session_token),
        ("Expiration", f"{credentials.expiration:%Y-%m-%dT%H:%M:%SZ}"),
    ):
        SubElement(told, name).text = value
    return told
