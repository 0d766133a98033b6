"""What a body may be (bytes, a file, an iterable, sync or async), and how it is read, block by block."""

from __future__ import annotations

from .errors import InvalidRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
    from typing import IO, Any, TypeAlias

    Body: TypeAlias = bytes | IO[bytes] | Iterable[bytes] | AsyncIterable[bytes] | None

BLOCK = 1 << 20


def is_async(body: object) -> bool:
    """Whether a body has to be awaited: an async iterable, or a file of aiofiles or anyio."""
    return hasattr(body, "__aiter__") and not hasattr(body, "__iter__")


def seekable(body: object) -> bool:
    """Whether a body is a file that can be read again."""
    if is_async(body):
        return False
    asked = getattr(body, "seekable", None)
    return hasattr(body, "seek") and hasattr(body, "tell") and (asked is None or bool(asked()))


def one_shot(body: object) -> bool:
    """Whether a body can be read only once."""
    return not (body is None or isinstance(body, (bytes, list, tuple)) or seekable(body))


def size_of(body: Body) -> int | None:
    """The length of a body in bytes, from where a file stands; None where only reading it would tell."""
    if body is None or isinstance(body, bytes):
        return len(body or b"")
    if isinstance(body, (list, tuple)):
        return sum(map(len, body))
    if not seekable(body):
        return None
    file: Any = body
    here: int = file.tell()
    file.seek(0, 2)
    end: int = file.tell()
    file.seek(here)
    return max(0, end - here)


def framing(body: Body, announced: int | None = None) -> tuple[str, str]:
    """The header that frames a body: its length where it is known, or was announced, else chunks (RFC 9112, section 6)."""
    size = size_of(body)
    length = announced if size is None else size
    return ("Transfer-Encoding", "chunked") if length is None else ("Content-Length", str(length))


class _Counted:
    """A body whose length was announced: InvalidRequest where another one comes, before the byte that is too many.

    HTTP has no other mark of its end: what follows would be read as the next request.
    """

    def __init__(self, body: Any, length: int) -> None:
        self._body = body
        self._length = length

    def _after(self, block: bytes, left: int) -> int:
        require_bytes(block)
        if len(block) > left:
            raise InvalidRequest(
                f"the body is longer than the {self._length} bytes that Content-Length announces; no more of it is sent"
            )
        return left - len(block)

    def _end(self, left: int) -> None:
        if left:
            raise InvalidRequest(f"the body is {left} bytes shorter than the {self._length} that Content-Length announces")


class Announced(_Counted):
    def __iter__(self) -> Iterator[bytes]:
        left = self._length
        for block in blocks(self._body):
            left = self._after(block, left)
            yield block
        self._end(left)


class AsyncAnnounced(_Counted):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = self._length
        async for block in blocks_async(self._body):
            left = self._after(block, left)
            yield block
        self._end(left)


def announced(body: Any, length: int) -> Announced | AsyncAnnounced:
    """A body that is held to the length that is announced of it."""
    return AsyncAnnounced(body, length) if is_async(body) else Announced(body, length)


def blocks(body: Any, size: int = BLOCK) -> Iterable[bytes]:
    """A body block by block: a file in blocks of a size, an iterable in its own."""
    if body is None or isinstance(body, bytes):
        return (body,) if body else ()
    return iter(lambda: body.read(size), b"") if hasattr(body, "read") else body


async def blocks_async(body: Any, size: int = BLOCK) -> AsyncIterator[bytes]:
    """The same for a body that has to be awaited."""
    if hasattr(body, "read"):
        while block := await body.read(size):
            yield block
    else:
        async for block in body:
            yield block


def require_bytes(block: object) -> None:
    """What a body gives, block by block, must be bytes."""
    if isinstance(block, str):
        raise TypeError("a body gave str, not bytes; open the file in binary mode ('rb'), or encode what the iterable yields")
    if block is None:
        raise InvalidRequest("a body that does not block gave nothing yet; its end cannot be told, make it blocking")
    if not isinstance(block, (bytes, bytearray, memoryview)):
        raise TypeError(f"a body gave {type(block).__name__}, not bytes")
