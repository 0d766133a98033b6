"""Environment variables. Source: AWS CLI user guide, "Environment variables to configure the AWS CLI"."""

from __future__ import annotations

import os
from datetime import UTC, datetime

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
        self._environ = os.environ if environ is None else environ

    def load(self) -> Credentials:
        get = self._environ.get
        access_key_id, secret = get("AWS_ACCESS_KEY_ID"), get("AWS_SECRET_ACCESS_KEY")
        if not access_key_id:
            raise NotHere("AWS_ACCESS_KEY_ID is not set")
        if not secret:
            raise CredentialsError("AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not; set both or neither")
        # AWS_SECURITY_TOKEN is its older name (botocore, EnvProvider).
        token = get("AWS_SESSION_TOKEN") or get("AWS_SECURITY_TOKEN") or None
        return Credentials(
            access_key_id, secret, token, parse_expiration(get("AWS_CREDENTIAL_EXPIRATION"), "AWS_CREDENTIAL_EXPIRATION")
        )


def parse_expiration(text: str | None, where: str) -> datetime | None:
    """An ISO 8601 time as the sources write it -> aware datetime; None for none. A time without a zone is UTC."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise CredentialsError(f"{where} is {text[:40]!r}, not a time as 2026-01-15T12:00:00Z") from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at
