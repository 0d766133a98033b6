"""A body -> the payload hash that the canonical request ends with, and a body that can still be sent.

Files are read here, in blocks, and nowhere else but where a body is sent in chunks. Source: AWS IAM user guide, "Create a canonical
request", HashedPayload.
"""

from __future__ import annotations

import re
from hashlib import sha256
from io import BufferedRandom, BufferedReader, BytesIO, FileIO

from .body import BLOCK, blocks, blocks_async, is_async, require_bytes, seekable
from .errors import InvalidRequest
from .scope import ALGORITHM, ASYMMETRIC

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO, Any, Literal

    from .body import Body
    from .checksum import Checksum
    from .request import Request

UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
EVENTS = "STREAMING-AWS4-HMAC-SHA256-EVENTS"  # A body of signed frames: event_stream.py.
EVENT_STREAM_TYPE = "application/vnd.amazon.eventstream"
EMPTY_SHA256 = sha256(b"").hexdigest()

_HEX_SHA256 = re.compile(r"[0-9a-f]{64}")
_SPOOL_IN_MEMORY = 1 << 20
_BUFFER = 1 << 18  # As large as a core's cache.

# Words that stand where the hash would. S3 API reference, "Signature calculations for the Authorization header", HashedPayload.
# Of each, the algorithm that signs the chunks, None for unsigned ones, and whether a trailer follows.
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
STREAMING: dict[str, tuple[str | None, bool]] = {
    UNSIGNED_TRAILER: (None, True),
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD": (ALGORITHM, False),
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER": (ALGORITHM, True),
    "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD": (ASYMMETRIC, False),
    "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER": (ASYMMETRIC, True),
}

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
        if rule == "hash" or (rule == "unsigned-on-https" and request.scheme not in ("https", "wss")):
            return hash_body(request.body, iterables, checksum)
        payload = UNSIGNED_PAYLOAD
    if payload is None and declared == UNSIGNED_TRAILER and any(name.lower() == "x-amz-trailer" for name, _ in request.headers):
        # In unsigned chunks already, as botocore's are: there is nothing left to encode.
        if checksum is not None:
            raise InvalidRequest("the body is in chunks already, and its checksum is its trailer; leave checksum out")
        return declared, request.body
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
    if given == EVENTS and checksum is not None:
        raise InvalidRequest("the frames of an event stream are yet to come: there is no body to compute a checksum of")
    body = request.body
    if checksum is not None or (payload is None and is_sha256(given) and isinstance(body, bytes)):
        actual, body = hash_body(body, iterables, checksum)
        if is_sha256(given) and actual != given:
            what = "the request's x-amz-content-sha256" if declared is not None else "payload"
            raise InvalidRequest(
                f"{what} is {given}, but its body's is {actual}; leave {'the header' if declared else 'payload'} out"
            )
    return given, body


def begins_event_stream(request: Request) -> bool:
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
    if is_async(body):
        raise InvalidRequest(
            f"an async iterable cannot be hashed before it is sent; await awsign.spool_async(body) first, or {_CHOICES}"
        )
    if hasattr(body, "read") and seekable(body):
        return _hash_file(body, checksum), body
    if iterables == "refuse":
        raise InvalidRequest(f"a {type(body).__name__} cannot be hashed without being consumed; {_CHOICES}")
    with Spool(checksum) as spooled:
        for block in blocks(body):
            spooled.write(block)
        return spooled.finish()


def spool(body: Body) -> Body:
    """A body that can be sent more than once, and whose length is known: the same, or the file that it was spooled to."""
    return body if body is None or isinstance(body, bytes) or seekable(body) else hash_body(body)[1]


async def spool_async(body: object) -> IO[bytes]:
    """An async iterable of bytes, or an async file -> a binary file with what it gave: in memory up to 1 MiB, beyond that on disk.

    The file is the caller's to close.
    """
    with Spool() as spooled:
        async for block in blocks_async(body):
            spooled.write(block)
        return spooled.finish()[1]


class _OnDisk(BufferedRandom):
    """A temporary file that may be let go unclosed, without a warning: clients do not tell when they have sent a body."""

    def __init__(self) -> None:
        from tempfile import TemporaryFile

        super().__init__(TemporaryFile(buffering=0))

    def __del__(self) -> None:
        self.close()


class Spool:
    """Blocks of an iterable, hashed as they are written to a file; the file is closed if that fails."""

    def __init__(self, checksum: Checksum | None = None) -> None:
        # Not a SpooledTemporaryFile: whoever asks that for its size by fileno(), as clients do, gets that of what it has flushed.
        self._file: IO[bytes] = BytesIO()
        self._in_memory = True
        self._hash = sha256()
        self._checksum = checksum

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            self._file.close()

    def write(self, block: bytes) -> None:
        require_bytes(block)
        self._hash.update(block)
        if self._checksum is not None:
            self._checksum.update(block)
        if self._in_memory and self._file.tell() + len(block) > _SPOOL_IN_MEMORY:
            self._in_memory = False
            kept, self._file = self._file, _OnDisk()
            self._file.write(kept.getvalue())  # type: ignore[attr-defined]
        self._file.write(block)

    def finish(self) -> tuple[str, IO[bytes]]:
        self._file.seek(0)  # Which flushes it.
        return self._hash.hexdigest(), self._file


def _file_blocks(file: Any) -> Iterator[Any]:
    """A file in blocks. Those of Python's own files share one buffer: new ones, a MiB each, take a third of the time of hashing them.

    Not those of a class that was made of one: what it gives by `read`, as it is sent, may be something else.
    """
    if type(file) not in (BufferedReader, BufferedRandom, BytesIO, FileIO):
        while (block := file.read(BLOCK)) != b"":
            yield block
        return
    buffer = bytearray(_BUFFER)
    view = memoryview(buffer)
    while (size := file.readinto(buffer)) != 0:
        yield None if size is None else view[:size]


def _hash_file(file: object, checksum: Checksum | None) -> str:
    start = file.tell()  # type: ignore[attr-defined]
    digest = sha256()
    try:
        for block in _file_blocks(file):
            require_bytes(block)
            digest.update(block)
            if checksum is not None:
                checksum.update(block)
    finally:
        file.seek(start)  # type: ignore[attr-defined]
    return digest.hexdigest()
