"""Time, region and service -> the credential scope, the string to sign and the signing key.

Source: AWS IAM user guide, "Create a signed AWS API request", steps 2 to 4. This is the only place of the core that reads the
clock, and only when no time is given.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256

try:
    # What hmac.compare_digest is: importing all of hmac would add a tenth to what signing once takes.
    from _hashlib import compare_digest
except ImportError:  # A Python built without OpenSSL.
    from hmac import compare_digest

from .errors import InvalidRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from .identity import Credentials

    class Key(Protocol):
        """What signs strings to sign, in hex, and knows its own signatures."""

        def sign(self, string_to_sign: str) -> str: ...
        def matches(self, string_to_sign: str, signature: str) -> bool: ...

    class Algorithm(Protocol):
        """One of the Version 4 family: see HmacSha256."""

        name: str
        names_region_set: bool
        signature_width: int

        def scope(self, date: str, region: str, service: str) -> str: ...
        def key(self, credentials: Credentials, date: str, region: str, service: str) -> Key: ...


ALGORITHM = "AWS4-HMAC-SHA256"
ASYMMETRIC = "AWS4-ECDSA-P256-SHA256"  # sigv4a.py has its keys.
TERMINATOR = "aws4_request"
REGION = r"[a-z]{2,4}(?:-[a-z]+)+-\d{1,2}"  # The form that the names of AWS's regions have; eusc-de-east-1 is the longest kind.
_LENGTH = len("20150830T123600Z")
_TIMESTAMP = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z", re.ASCII)
_BLOCK = 64
_INNER_PAD = bytes(byte ^ 0x36 for byte in range(256))
_OUTER_PAD = bytes(byte ^ 0x5C for byte in range(256))
_KEPT_KEYS = 32

_this_second: tuple[int, str] = (0, "19700101T000000Z")

# Seconds by this machine's clock: for what is made anew only as often as they change.
unix_time = time.time


def now() -> datetime:
    """The time by this machine's clock."""
    return datetime.now(UTC)


def timestamp(at: datetime | None = None) -> str:
    """A time (now, if None) as X-Amz-Date has it: `20150830T123600Z`. Formatted once a second, which saves 1 us a request."""
    global _this_second
    if at is not None:
        return in_utc(at).strftime("%Y%m%dT%H%M%SZ")
    second = int(time.time())
    known, text = _this_second
    if known != second:
        text = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(second))
        _this_second = second, text
    return text


def require_aware(at: datetime) -> datetime:
    """A time with its zone, or InvalidRequest: a naive one is an hour or a day off wherever the local zone is not UTC."""
    if not isinstance(at, datetime):
        raise TypeError(f"at must be a datetime, not {type(at).__name__}")
    if at.tzinfo is None or at.utcoffset() is None:
        raise InvalidRequest(f"the time {at!r} has no time zone; pass an aware one, as datetime.now(timezone.utc)")
    return at


def in_utc(at: datetime) -> datetime:
    """An aware time in UTC; InvalidRequest for a naive one, or one of a year that no signature can mean."""
    if not 1000 <= require_aware(at).year < 9999:
        raise InvalidRequest(f"the time {at.isoformat()} is not one that a signature can have")
    return at.astimezone(UTC)


def plausible(at: datetime) -> datetime | None:
    """A time that arrived, in UTC (which one without a zone is taken to be); None where arithmetic with it could fail."""
    if not 1900 <= at.year < 9999:
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def parse_timestamp(text: str) -> datetime | None:
    """`20150830T123600Z` -> the time, or None for what is not one."""
    return _known_time(text) if len(text) == _LENGTH else None  # What is longer may be a stranger's, and is not to be kept.


@lru_cache(maxsize=256)  # Requests of one second, and links of one batch, have one.
def _known_time(text: str) -> datetime | None:
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = map(int, match.groups())
    try:
        return plausible(datetime(year, month, day, hour, minute, second, tzinfo=UTC))
    except ValueError:
        return None


def parse_http_date(text: str) -> datetime | None:
    """A Date header, in any form of RFC 9110, section 5.6.7 -> the time, or None for what is not one."""
    from email.utils import parsedate_to_datetime  # Costs more to import than all of the core; few requests have only a Date.

    try:
        return plausible(parsedate_to_datetime(text))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def scope_of(date: str, region: str, service: str) -> str:
    """The credential scope: `20150830/us-east-1/iam/aws4_request`."""
    return f"{date}/{region}/{service}/{TERMINATOR}"


def string_to_sign(algorithm: str, stamp: str, scope: str, canonical_request: str) -> str:
    """The string to sign: algorithm, time, scope and the canonical request's hash."""
    return f"{algorithm}\n{stamp}\n{scope}\n{sha256(canonical_request.encode('latin-1')).hexdigest()}"


class SigningKey:
    """A derived key, as the two SHA-256 states that HMAC starts from (RFC 2104): copying them is a third of `hmac.new`."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        key = _block(key)
        self._inner = sha256(key.translate(_INNER_PAD))
        self._outer = sha256(key.translate(_OUTER_PAD))

    def digest(self, message: bytes) -> bytes:
        """HMAC-SHA256 of a message."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.digest()

    def begun(self, message: bytes) -> tuple[Any, Any]:
        """The inner state once it has the beginning of a message, and the outer one: `digest` for those that begin alike."""
        inner = self._inner.copy()
        inner.update(message)
        return inner, self._outer

    def sign(self, string_to_sign: str) -> str:
        """The signature of a string to sign, in hex."""
        return self.digest(string_to_sign.encode("latin-1")).hex()

    def matches(self, string_to_sign: str, signature: str) -> bool:
        """Whether a signature is that of a string to sign; takes the same time whatever differs."""
        return signature.isascii() and compare_digest(self.sign(string_to_sign), signature)


def derive_key(secret_access_key: str, date: str, region: str, service: str) -> bytes:
    """HMAC of HMACs: "AWS4" + secret, then date, region, service and `aws4_request`."""
    key = ("AWS4" + secret_access_key).encode()
    for part in (date, region, service, TERMINATOR):
        key = _hmac(key, part.encode())
    return key


def _hmac(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA256 with a key that is used once: a third less than by way of a SigningKey."""
    key = _block(key)
    return sha256(key.translate(_OUTER_PAD) + sha256(key.translate(_INNER_PAD) + message).digest()).digest()


def _block(key: bytes) -> bytes:
    """A key as long as a block of SHA-256."""
    return (sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")


def signing_key(credentials: Credentials, date: str, region: str, service: str) -> SigningKey:
    """The signing key of credentials for a day, region and service: derived once, kept with the credentials, the oldest let go."""
    kept = credentials.signing_keys
    key: SigningKey | None = kept.get((date, region, service))
    if key is None:
        key = SigningKey(derive_key(credentials.secret_access_key, date, region, service))
        while len(kept) >= _KEPT_KEYS:
            # list(): another thread may fill the dict meanwhile.
            kept.pop(next(iter(list(kept))), None)
        kept[date, region, service] = key
    return key


class HmacSha256:
    """AWS4-HMAC-SHA256, which is SigV4: the scope names the region, and the key is of a day, a region and a service.

    The algorithms of the Version 4 family differ in these alone; AWS4-ECDSA-P256-SHA256 (sigv4a.py) is the other.
    signature_width: how many characters a chunk's signature takes up.
    """

    name = ALGORITHM
    names_region_set = False
    signature_width = 64
    scope = staticmethod(scope_of)
    key = staticmethod(signing_key)
