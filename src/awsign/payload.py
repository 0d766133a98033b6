"""A body -> the payload hash that the canonical request ends with, and a body that can still be sent.

The only place of the core that touches files. Source: AWS IAM user guide, "Create a canonical request", HashedPayload.
"""

from __future__ import annotations

import re
from hashlib import sha256

from .errors import InvalidRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, Any, Literal

    from .checksum import Checksum
    from .request import Body, Request

UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
EVENTS = "STREAMING-AWS4-HMAC-SHA256-EVENTS"  # A body of signed frames: event_stream.py.
EVENT_STREAM_TYPE = "application/vnd.amazon.eventstream"
EMPTY_SHA256 = sha256(b"").hexdigest()

_HEX_SHA256 = re.compile(r"[0-9a-f]{64}")
_BLOCK = 1 << 20
_SPOOL_IN_MEMORY = 1 << 20

# Words that stand where the hash would. S3 API reference, "Signature calculations for the Authorization header", HashedPayload.
STREAMING = frozenset(
    f"STREAMING-{what}"
    for what in (
        "UNSIGNED-PAYLOAD-TRAILER",
        "AWS4-HMAC-SHA256-PAYLOAD",
        "AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        "AWS4-ECDSA-P256-SHA256-PAYLOAD",
        "AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER",
    )
)

_CHOICES = (
    "pass payload=awsign.UNSIGNED_PAYLOAD where the service takes it, payload=<hex SHA-256> if you know it, "
    "or a body of bytes or a seekable binary file"
)


def is_sha256(value: str) -> bool:
    """Whether a value is a SHA-256 in lower-case hex."""
    return _HEX_SHA256.fullmatch(value) is not None


def is_content_sha256(value: str) -> bool:
    """Whether x-amz-content-sha256 may have this value: none, a SHA-256 in lower-case hex, or one of the words of S3."""
    return not value or is_sha256(value) or value == UNSIGNED_PAYLOAD or value in STREAMING


def settle_payload(
    request: Request,
    rule: Literal["hash", "unsigned", "unsigned-on-https"],
    payload: str | None,
    declared: str | None,
    iterables: Literal["spool", "refuse"],
    checksum: Checksum | None = None,
) -> tuple[str, Body]:
    """The last line of the canonical request, and the body to send.

    rule: what the service has signed where nothing else is asked for. payload: what was asked for. declared: what the request says
    in x-amz-content-sha256. checksum: is computed in the same pass.
    """
    if payload is None and declared is None:
        if _is_event_stream(request):
            return EVENTS, request.body
        if checksum is None and (rule == "unsigned" or (rule == "unsigned-on-https" and request.scheme in ("https", "wss"))):
            return UNSIGNED_PAYLOAD, request.body
        return hash_body(request.body, iterables, checksum)
    given = payload if payload is not None else declared
    if not isinstance(given, str) or not (given in (UNSIGNED_PAYLOAD, EVENTS) or is_sha256(given)):
        if given in STREAMING:
            raise InvalidRequest(
                f"the payload {given!r} is a body sent in chunks: pass payload=awsign.Chunked(...), which says how"
            )
        what = "payload" if payload is not None else "the request's x-amz-content-sha256"
        raise InvalidRequest(
            f"{what} is {given!r}; it must be None, awsign.UNSIGNED_PAYLOAD, awsign.Chunked(...) or a SHA-256 in lower-case hex"
        )
    if declared is not None and given != declared:
        raise InvalidRequest(f"payload is {given}, but the request's x-amz-content-sha256 is {declared}; they must agree")
    body = request.body
    if checksum is not None or (payload is None and is_sha256(given) and isinstance(body, bytes)):
        actual, body = hash_body(body, iterables, checksum)
        if is_sha256(given) and actual != given:
            raise InvalidRequest(f"the request's x-amz-content-sha256 is {given}, but its body's is {actual}; leave the header out")
    return given, body


def _is_event_stream(request: Request) -> bool:
    """Whether the frames of an event stream are to follow: they are yet to be signed, so there is no body to hash."""
    return (
        request.method == "POST"
        and request.body is None
        and any(value == EVENT_STREAM_TYPE and name.lower() == "content-type" for name, value in request.headers)
    )


def hash_body(body: Body, iterables: Literal["spool", "refuse"] = "spool", checksum: Checksum | None = None) -> tuple[str, Body]:
    """The SHA-256 of a body, in hex, and the body to send: the same, or the file that an iterable was spooled to.

    A seekable file is read in blocks from where it stands, and stands there again. An iterable, or a file that cannot seek, is
    kept in memory up to 1 MiB and in a temporary file beyond; with iterables="refuse" it is an InvalidRequest. checksum: is
    computed in the same pass.
    """
    if body is None:
        return EMPTY_SHA256, None
    if isinstance(body, bytes):
        if checksum is not None:
            checksum.update(body)
        return sha256(body).hexdigest(), body
    if hasattr(body, "__aiter__") and not hasattr(body, "read"):
        raise InvalidRequest(
            f"an async iterable cannot be hashed before it is sent; await awsign.spool_async(body) first, or {_CHOICES}"
        )
    if hasattr(body, "read") and seekable(body):
        return _hash_file(body, checksum), body
    if iterables == "refuse":
        raise InvalidRequest(f"a {type(body).__name__} cannot be hashed without being consumed; {_CHOICES}")
    with _Spool(checksum) as spooled:
        if hasattr(body, "read"):
            while (block := body.read(_BLOCK)) != b"":
                spooled.write(block)
        else:
            for block in body:  # type: ignore[union-attr]
                spooled.write(block)
        return spooled.finish()


async def spool_async(body: object) -> IO[bytes]:
    """An async iterable of bytes -> a binary file with what it gave: in memory up to 1 MiB, in a temporary file beyond.

    The file is the caller's to close.
    """
    with _Spool() as spooled:
        async for block in body:  # type: ignore[attr-defined]
            spooled.write(block)
        return spooled.finish()[1]


class _Spool:
    """Blocks of an iterable, hashed as they are written to a file; the file is closed if that fails."""

    def __init__(self, checksum: Checksum | None = None) -> None:
        from tempfile import SpooledTemporaryFile

        self._file: IO[bytes] = SpooledTemporaryFile(max_size=_SPOOL_IN_MEMORY)
        self._hash = sha256()
        self._checksum = checksum

    def __enter__(self) -> _Spool:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            self._file.close()

    def write(self, block: bytes) -> None:
        require_bytes(block)
        self._hash.update(block)
        if self._checksum is not None:
            self._checksum.update(block)
        self._file.write(block)

    def finish(self) -> tuple[str, IO[bytes]]:
        self._file.seek(0)
        return self._hash.hexdigest(), self._file


def seekable(body: object) -> bool:
    """Whether a body is a file that can be read again."""
    asked = getattr(body, "seekable", None)
    return hasattr(body, "seek") and hasattr(body, "tell") and (asked is None or bool(asked()))


def size_of(body: Body) -> int | None:
    """The length of a body in bytes, from where a file stands; None where only reading it would tell."""
    if body is None or isinstance(body, bytes):
        return len(body or b"")
    if not seekable(body):
        return None
    file: Any = body
    here: int = file.tell()
    file.seek(0, 2)
    end: int = file.tell()
    file.seek(here)
    return max(0, end - here)


def _hash_file(file: object, checksum: Checksum | None) -> str:
    start = file.tell()  # type: ignore[attr-defined]
    digest = sha256()
    try:
        while (block := file.read(_BLOCK)) != b"":  # type: ignore[attr-defined]
            require_bytes(block)
            digest.update(block)
            if checksum is not None:
                checksum.update(block)
    finally:
        file.seek(start)  # type: ignore[attr-defined]
    return digest.hexdigest()


def require_bytes(block: object) -> None:
    """What a body gives, block by block, must be bytes."""
    if isinstance(block, str):
        raise TypeError("a body gave str, not bytes; open the file in binary mode ('rb'), or encode what the iterable yields")
    if block is None:
        raise InvalidRequest("a body that does not block gave nothing yet; its end cannot be told, make it blocking")
    if not isinstance(block, (bytes, bytearray, memoryview)):
        raise TypeError(f"a body gave {type(block).__name__}, not bytes")
