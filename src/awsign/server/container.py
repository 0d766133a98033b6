"""The credential endpoints of containers: ECS's and EKS Pod Identity's. Source: AWS SDKs and tools reference, "Container credential provider"."""

from __future__ import annotations

import json
import re
from datetime import timedelta

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .answers import Answer
    from .issued import Issued

_JSON = [(b"content-type", b"application/json")]
PATH = re.compile(r"/v1/credentials|/v2/credentials/[\w-]+")


class ContainerService:
    """Hands out credentials to whoever has the token. token: the value of Authorization; None asks for none."""

    def __init__(self, issued: Issued, seconds: int, token: str | None = None) -> None:
        self._issued = issued
        self._life = timedelta(seconds=seconds)
        self._token = token

    def answer(self, headers: dict[str, str]) -> Answer:
        """headers: by lower-case name."""
        if self._token is not None and headers.get("authorization") != self._token:
            return 401, _JSON, json.dumps({"code": "AccessDenied", "message": "the authorization token is another"}).encode()
        made = self._issued.current("container", self._life)
        assert made.expiration is not None
        document = {
            "RoleArn": self._issued.arn_of(made.access_key_id),
            "AccessKeyId": made.access_key_id,
            "SecretAccessKey": made.secret_access_key,
            "Token": made.session_token,
            "Expiration": f"{made.expiration:%Y-%m-%dT%H:%M:%SZ}",
        }
        return 200, _JSON, json.dumps(document).encode()
