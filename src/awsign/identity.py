"""Who signs: credentials, and what may stand for them.

A provider is anything whose `.get()` gives `Credentials`; `Credentials` are their own. An object with botocore's
`get_frozen_credentials()` serves as one.
"""

from __future__ import annotations

import re
from datetime import datetime

from .errors import CredentialsError
from .scope import now

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    class Provider(Protocol):
        """Where credentials come from: each call gives such as are good for a while."""

        def get(self) -> Credentials: ...


# Access keys may hold a `/` (MinIO); white space, `,` and `;` would take an Authorization header apart.
_ACCESS_KEY = re.compile(r"[!-+\--:<-~]+")
# What AWS itself gives out: IAM user guide, "IAM identifiers", unique ID prefixes.
_AWS_ACCESS_KEY = re.compile(r"(?:AKI|ASI)[A-Z][A-Z0-9]{7,}")
_TOKEN = re.compile(r"[!-~]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def is_access_key(text: str) -> bool:
    """Whether a text can be an access key ID."""
    return _ACCESS_KEY.fullmatch(text) is not None


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_secret(access_key_id: str, secret: str) -> None:
    if secret != secret.strip() or _CONTROL.search(secret):
        raise CredentialsError(
            f"the secret access key of {access_key_id} begins or ends with white space or holds a control character; "
            "a line break copied with it, most likely"
        )
    if not _is_utf8(secret):
        raise CredentialsError(f"the secret access key of {access_key_id} has bytes that are not UTF-8")


def is_session_token(text: str) -> bool:
    """Whether a text can be a session token."""
    return _TOKEN.fullmatch(text) is not None


class Credentials:
    """An access key, its secret, and for temporary ones the session token and when they end. Immutable; `repr` hides secrets.

    access_key_id, secret_access_key, session_token: str. expiration: an aware datetime, or None for those that do not end.
    Raises CredentialsError for an empty or malformed value, and never repeats a secret.
    Source: AWS IAM user guide, "Temporary security credentials".
    """

    __slots__ = ("access_key_id", "expiration", "secret_access_key", "session_token", "signing_keys")

    access_key_id: str
    secret_access_key: str
    session_token: str | None
    expiration: datetime | None
    # Derived keys live and die with the credentials that they come from (scope.py and sigv4a.py fill this, scope.py bounds it).
    signing_keys: dict[tuple[str, ...], Any]

    def __init__(
        self,
        access_key_id: str,
        secret_access_key: str,
        session_token: str | None = None,
        expiration: datetime | None = None,
    ) -> None:
        for what, value in (("access key ID", access_key_id), ("secret access key", secret_access_key)):
            if not isinstance(value, str):
                raise CredentialsError(f"the {what} must be a str, not {type(value).__name__}")
            if not value:
                raise CredentialsError(f"the {what} is empty")
        if _AWS_ACCESS_KEY.fullmatch(secret_access_key):
            raise CredentialsError("the secret access key looks like an access key ID; are the two swapped?")
        if not _ACCESS_KEY.fullmatch(access_key_id):
            raise CredentialsError(
                f"the access key ID {access_key_id[:8]!r}... has a character that an Authorization header cannot carry "
                "(white space, ',', ';' or one outside ASCII); was something else copied with it?"
            )
        # Most secrets are base64: nothing in them to look for.
        if not (secret_access_key.isascii() and secret_access_key.isprintable() and " " not in secret_access_key):
            _check_secret(access_key_id, secret_access_key)
        if session_token is not None:
            if not isinstance(session_token, str):
                raise CredentialsError(f"the session token must be a str or None, not {type(session_token).__name__}")
            if not _TOKEN.fullmatch(session_token):
                raise CredentialsError(
                    f"the session token of {access_key_id} is empty, or has white space or a character outside ASCII; "
                    "pass it as it was given, or None if there is none"
                )
        if expiration is not None and (not isinstance(expiration, datetime) or expiration.tzinfo is None):
            raise CredentialsError(f"expiration must be an aware datetime, as datetime.now(timezone.utc), not {expiration!r}")
        fill = object.__setattr__
        fill(self, "access_key_id", access_key_id)
        fill(self, "secret_access_key", secret_access_key)
        fill(self, "session_token", session_token)
        fill(self, "expiration", expiration)
        fill(self, "signing_keys", {})

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"Credentials cannot be changed; make new ones instead of setting {name}")

    __delattr__ = __setattr__  # type: ignore[assignment]

    def __repr__(self) -> str:
        token = ", session_token=..." if self.session_token else ""
        end = f", expiration={self.expiration.isoformat()}" if self.expiration else ""
        return f"Credentials({self.access_key_id!r}, ...{token}{end})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Credentials):
            return NotImplemented
        return self._values() == other._values()

    def __hash__(self) -> int:
        return hash((self.access_key_id, self.session_token))

    def __reduce__(self) -> tuple[Any, ...]:
        return Credentials, self._values()

    def _values(self) -> tuple[str, str, str | None, datetime | None]:
        return self.access_key_id, self.secret_access_key, self.session_token, self.expiration

    def get(self) -> Credentials:
        """Themselves: credentials are the simplest provider."""
        return self

    async def get_async(self) -> Credentials:
        """Themselves."""
        return self

    def check_not_expired(self, at: datetime | None = None) -> None:
        """Raise CredentialsError if they have ended at a time (now, if None): what they sign would be refused as ExpiredToken."""
        if self.expiration is not None and self.expiration <= (at or now()):
            raise CredentialsError(
                f"the credentials of {self.access_key_id} expired at {self.expiration.isoformat()}; "
                "fetch new ones, or give the signer a provider, which refreshes them"
            )


class _Frozen:
    """A provider over an object with botocore's `get_frozen_credentials()`."""

    def __init__(self, source: Any) -> None:
        self._source = source
        self._last: Credentials | None = None

    def get(self) -> Credentials:
        frozen = self._source.get_frozen_credentials()
        fresh = Credentials(frozen.access_key, frozen.secret_key, frozen.token or None)
        if fresh != self._last:  # The same ones keep their derived keys.
            self._last = fresh
        return self._last


def provider_of(source: object) -> Provider:
    """Credentials, a provider or a botocore credentials object -> a provider. TypeError for anything else."""
    if isinstance(source, Credentials):
        return source
    if hasattr(source, "get_frozen_credentials"):
        return _Frozen(source)
    if callable(getattr(source, "get", None)) and not isinstance(source, dict):
        return source  # type: ignore[return-value]
    raise TypeError(
        f"credentials must be awsign.Credentials, a provider with .get(), or a botocore credentials object, not {type(source).__name__}"
        + ("; awsign.credentials.Refreshing(it) makes a provider of it" if hasattr(source, "load") else "")
    )


def credentials_from(provider: Provider, at: datetime | None) -> Credentials:
    """A provider's credentials, refused if they have ended at the time of signing."""
    if not hasattr(provider, "get"):
        raise TypeError(f"credentials must be awsign.Credentials or a provider, not {type(provider).__name__}")
    credentials = provider.get()
    if not isinstance(credentials, Credentials):
        raise TypeError(f"{type(provider).__name__}.get() gave {type(credentials).__name__}, not awsign.Credentials")
    if credentials.expiration is not None:
        credentials.check_not_expired(at)
    return credentials
