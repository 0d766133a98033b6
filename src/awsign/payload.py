"""A body -> the payload hash that the canonical request ends with, and a body that can still be sent.

The only place of the core that touches files. Source: AWS IAM user guide, "Create a canonical request", HashedPayload.
"""

from __future__ import annotations

import re
from hashlib import sha256

from .errors import InvalidRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, Literal

    from .request import Body

UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
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


def hash_body(body: Body, iterables: Literal["spool", "refuse"] = "spool") -> tuple[str, Body]:
    """The SHA-256 of a body, in hex, and the body to send: the same, or the file that an iterable was spooled to.

    A seekable file is read in blocks from where it stands, and stands there again. An iterable, or a file that cannot seek, is
    kept in memory up to 1 MiB and in a temporary file beyond; with iterables="refuse" it is an InvalidRequest.
    """
    if body is None:
        return EMPTY_SHA256, None
    if isinstance(body, bytes):
        return sha256(body).hexdigest(), body
    if hasattr(body, "__aiter__") and not hasattr(body, "read"):
        raise InvalidRequest(
            f"an async iterable cannot be hashed before it is sent; await awsign.spool_async(body) first, or {_CHOICES}"
        )
    if hasattr(body, "read") and _seekable(body):
        return _hash_file(body), body
    if iterables == "refuse":
        raise InvalidRequest(f"a {type(body).__name__} cannot be hashed without being consumed; {_CHOICES}")
    with _Spool() as spooled:
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

    def __init__(self) -> None:
        from tempfile import SpooledTemporaryFile

        self._file: IO[bytes] = SpooledTemporaryFile(max_size=_SPOOL_IN_MEMORY)
        self._hash = sha256()

    def __enter__(self) -> _Spool:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            self._file.close()

    def write(self, block: bytes) -> None:
        _require_bytes(block)
        self._hash.update(block)
        self._file.write(block)

    def finish(self) -> tuple[str, IO[bytes]]:
        self._file.seek(0)
        return self._hash.hexdigest(), self._file


def _seekable(body: object) -> bool:
    seekable = getattr(body, "seekable", None)
    return hasattr(body, "seek") and hasattr(body, "tell") and (seekable is None or bool(seekable()))


def _hash_file(file: object) -> str:
    start = file.tell()  # type: ignore[attr-defined]
    digest = sha256()
    try:
        while (block := file.read(_BLOCK)) != b"":  # type: ignore[attr-defined]
            _require_bytes(block)
            digest.update(block)
    finally:
        file.seek(start)  # type: ignore[attr-defined]
    return digest.hexdigest()


def _require_bytes(block: object) -> None:
    if isinstance(block, str):
        raise TypeError("a body gave str, not bytes; open the file in binary mode ('rb'), or encode what the iterable yields")
    if block is None:
        raise InvalidRequest("a body that does not block gave nothing yet; its end cannot be told, make it blocking")
    if not isinstance(block, (bytes, bytearray, memoryview)):
        raise TypeError(f"a body gave {type(block).__name__}, not bytes")
