"""Environment variables. Source: AWS CLI user guide, "Environment variables to configure the AWS CLI"."""

from __future__ import annotations

import os

from ..errors import CredentialsError
from ..identity import Credentials
from .provider import NotHere, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class Environment(Source):
    """AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN and AWS_CREDENTIAL_EXPIRATION."""

    name = "environment"

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._environ = environ

    def load(self) -> Credentials:
        get = (os.environ if self._environ is None else self._environ).get
        access_key_id, secret = get("AWS_ACCESS_KEY_ID"), get("AWS_SECRET_ACCESS_KEY")
        if not access_key_id:
            raise NotHere("AWS_ACCESS_KEY_ID is not set")
        if not secret:
            raise CredentialsError("AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not; set both or neither")
        # AWS_SECURITY_TOKEN is its older name, which botocore reads first (credentials.py, EnvProvider.TOKENS).
        token = get("AWS_SECURITY_TOKEN") or get("AWS_SESSION_TOKEN") or None
        end = None
        if text := get("AWS_CREDENTIAL_EXPIRATION"):
            from .document import end_in

            end = end_in(text, "AWS_CREDENTIAL_EXPIRATION")
        return Credentials(access_key_id, secret, token, end)
