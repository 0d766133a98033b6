r"""aws-chunked: a body sent in chunks, each with a signature that covers the one before, and a trailer after them.

`Chunked` says how a body is to be sent; signing with it gives a body that yields the encoded bytes in constant memory. How such
a body reads on the wire is here too, for the verifier (verify/chunks.py).

    <hex size>;chunk-signature=<signature>\r\n<data>\r\n ... 0;chunk-signature=<signature>\r\n<trailer>\r\n

Source: S3 API reference, "Signature calculations for the Authorization header: transferring payload in multiple chunks", and the
same "including trailing headers".
"""

from __future__ import annotations

from hashlib import sha256

from .body import blocks, blocks_async, is_async, require_bytes, seekable, size_of
from .canonical import joined_headers
from .checksum import PREFIX, Checksum
from .errors import InvalidRequest
from .payload import EMPTY_SHA256, STREAMING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
    from typing import Any

    from .body import Body
    from .canonical import Header
    from .chain import Chain

SMALLEST_CHUNK = 8192  # But for the last: S3 answers InvalidChunkSizeError.
LARGEST_CHUNK = 16 << 20  # What MinIO reads at most; our verifier too, since a chunk is held until its signature is checked.

SIGNATURE = b";chunk-signature="
TRAILER_SIGNATURE = "x-amz-trailer-signature"
CODING = "aws-chunked"  # Among the Content-Encodings.
DECODED_LENGTH = "X-Amz-Decoded-Content-Length"
TRAILER = "X-Amz-Trailer"
# What SigV4A fills up its signatures with, which have no fixed length: it is not part of what the next one covers.
PADDING = "*"


def codings_of(headers: Mapping[str, str]) -> list[str]:
    """The content codings that were applied, in their order. headers: as `joined_headers` gives them."""
    return [coding for part in headers.get("content-encoding", "").split(",") if (coding := part.strip())]


def canonical_trailer(trailer: Iterable[tuple[str, str]]) -> str:
    """What a trailer's signature covers the hash of: each header, its name in lower case, on a line of its own."""
    return "".join([f"{name.lower()}:{value}\n" for name, value in trailer])


class Chunked:
    """A payload that is sent as aws-chunked: `signer.sign(request, payload=awsign.Chunked(length))`.

    length: of the body in bytes, before it is encoded; None takes that of bytes, a list or a seekable file.
    chunk_size: bytes, from 8 KiB to 16 MiB.
    signed: whether each chunk is signed; where not, the transport must protect the body.
    trailer: a checksum (CRC32, CRC32C, CRC64NVME, SHA1, SHA256) computed on the way and sent after the chunks; unsigned chunks
    have one always, CRC32 if none is named.
    Raises InvalidRequest for what cannot be. S3 alone takes such bodies.

    `signed.body` is then an iterable of bytes (async, where the body is), to be sent with `signed.headers`, Content-Length among
    them. Where the body turns out longer or shorter, it raises InvalidRequest while it is sent, and never ends the stream.
    """

    __slots__ = ("chunk_size", "length", "signed", "trailer")

    def __init__(self, length: int | None = None, chunk_size: int = 65536, signed: bool = True, trailer: str | None = None) -> None:
        if length is not None and (not isinstance(length, int) or isinstance(length, bool)):
            raise TypeError(f"length must be a number of bytes, not {type(length).__name__}")
        if length is not None and length < 0:
            raise InvalidRequest(f"length is {length}; it is the number of bytes of the body")
        if not isinstance(chunk_size, int) or not SMALLEST_CHUNK <= chunk_size <= LARGEST_CHUNK:
            raise InvalidRequest(
                f"chunk_size is {chunk_size!r}; it must be from {SMALLEST_CHUNK} bytes, which is S3's rule, to {LARGEST_CHUNK}"
            )
        self.length = length
        self.chunk_size = chunk_size
        self.signed = bool(signed)
        if trailer is None and not signed:
            trailer = "CRC32"
        self.trailer = None if trailer is None else Checksum(trailer).header

    def __repr__(self) -> str:
        return (
            f"Chunked({self.length}, chunk_size={self.chunk_size}, signed={self.signed}, "
            f"trailer={self.trailer and self.trailer.removeprefix(PREFIX).upper()!r})"
        )

    def content_sha256(self, algorithm: str) -> str:
        """The value of x-amz-content-sha256, for the algorithm that signs."""
        wanted = (algorithm if self.signed else None, self.trailer is not None)
        return next(word for word, form in STREAMING.items() if form == wanted)

    def decoded_length(self, body: Body) -> int:
        """The length of a body before it is encoded, known beforehand or InvalidRequest."""
        actual = size_of(body)
        if self.length is None and actual is None:
            raise InvalidRequest(
                f"the length of a {type(body).__name__} is not known before it is read; pass it, as Chunked(length)"
            )
        if self.length is not None and actual is not None and actual != self.length:
            raise InvalidRequest(f"the body has {actual} bytes, but Chunked says {self.length}; leave the length out")
        return self.length if self.length is not None else actual or 0

    def encoded_length(self, length: int, signature_width: int) -> int:
        """How many bytes a body of `length` has on the wire: its Content-Length."""
        whole, rest = divmod(length, self.chunk_size)
        total = whole * self._framed(self.chunk_size, signature_width) + self._framed(0, signature_width)
        if rest:
            total += self._framed(rest, signature_width)
        if self.trailer is not None:
            total += len(self.trailer) + len(f":{Checksum(self.trailer).base64()}\r\n")
            if self.signed:
                total += len(f"{TRAILER_SIGNATURE}:\r\n") + signature_width
        return total

    def _framed(self, size: int, signature_width: int) -> int:
        """The bytes of a chunk with what is around it."""
        signature = len(SIGNATURE) + signature_width if self.signed else 0
        return len(f"{size:x}") + signature + 2 + size + 2

    def headers(self, headers: Iterable[Header], body: Body, signature_width: int) -> list[Header]:
        """Headers with those of a body sent so, Content-Length included; InvalidRequest where others contradict them."""
        length = self.decoded_length(body)
        encoded = self.encoded_length(length, signature_width)
        written = {"content-length", "content-encoding", DECODED_LENGTH.lower(), TRAILER.lower()}
        kept = [pair for pair in headers if pair[0].lower() not in written]
        given = joined_headers(headers)
        for name, right in (
            ("content-length", (length, encoded)),
            (DECODED_LENGTH.lower(), (length,)),
            (TRAILER.lower(), (self.trailer,)),
        ):
            if name in given and given[name] not in map(str, right):
                raise InvalidRequest(
                    f"the request has {name}: {given[name]}, but the stream's is {right[-1]}; leave the header out"
                )
        if "transfer-encoding" in given:
            raise InvalidRequest(
                "the length of an aws-chunked body is known: it is sent with Content-Length, not Transfer-Encoding"
            )
        if self.trailer is not None and self.trailer in given:
            raise InvalidRequest(
                f"the request has the header {self.trailer}, which is to come as the trailer; leave one of them out"
            )
        codings = codings_of(given)
        if CODING not in codings:
            codings.append(CODING)  # The last, as it is applied last (RFC 9110, section 8.4); botocore sends it so.
        kept += [
            ("Content-Encoding", ",".join(codings)),
            ("Content-Length", str(encoded)),
            (DECODED_LENGTH, str(length)),
        ]
        if self.trailer is not None:
            kept.append((TRAILER, self.trailer))
        return kept

    def encoded(self, body: Body, seeded: Callable[[], Chain], signature_width: int) -> ChunkedBody | AsyncChunkedBody:
        """A body as it is sent. seeded: makes the chain that begins with the signature of the request."""
        kind = AsyncChunkedBody if is_async(body) else ChunkedBody
        return kind(self, body, seeded, signature_width)


class _Encoder:
    """The bytes of a stream from the blocks of a body, whatever sizes these have. Sans I/O: `feed` them, then `finish`."""

    def __init__(self, chunked: Chunked, length: int, chain: Chain, signature_width: int) -> None:
        self._size = chunked.chunk_size
        self._signed = chunked.signed
        self._width = signature_width
        self._chain = chain
        self._checksum = None if chunked.trailer is None else Checksum(chunked.trailer)
        self._length = length
        self._left = length
        self._pending: list[bytes] = []
        self._missing = self._size  # Of the chunk that `pending` is the beginning of.
        self._before = b""  # The line end of the chunk before goes with the next one's first line.

    def feed(self, block: bytes) -> Iterator[bytes]:
        require_bytes(block)
        block = bytes(block)  # No copy, where it is bytes already.
        self._left -= len(block)
        if self._left < 0:
            raise InvalidRequest(
                f"the body is longer than the {self._length} bytes that were announced; nothing beyond them is sent"
            )
        at = 0
        while len(block) - at >= self._missing:
            piece = block[at : at + self._missing]
            at += self._missing
            data = b"".join([*self._pending, piece]) if self._pending else piece
            self._pending, self._missing = [], self._size
            yield self._line(data)
            yield data
        if at < len(block):
            self._pending.append(block[at:])
            self._missing -= len(block) - at

    def finish(self) -> Iterator[bytes]:
        if self._left:
            raise InvalidRequest(
                f"the body is {self._left} bytes shorter than the {self._length} that were announced; the stream is left unfinished"
            )
        if data := b"".join(self._pending):
            yield self._line(data)
            yield data
        yield self._line(b"") + self._trailer() + b"\r\n"

    def _line(self, data: bytes) -> bytes:
        """The line before the data of a chunk."""
        line = b"%b%x" % (self._before, len(data))
        self._before = b"\r\n" if data else b""
        if self._checksum is not None:
            self._checksum.update(data)
        if not self._signed:
            return line + b"\r\n"
        signature = self._chain.sign("PAYLOAD", f"{EMPTY_SHA256}\n{sha256(data).hexdigest()}")
        return b"%b%b%b\r\n" % (line, SIGNATURE, self._padded(signature))

    def _trailer(self) -> bytes:
        if self._checksum is None:
            return b""
        name, value = self._checksum.header, self._checksum.base64()
        lines = f"{name}:{value}\r\n".encode()
        if self._signed:
            covered = sha256(canonical_trailer([(name, value)]).encode()).hexdigest()
            lines += b"%b:%b\r\n" % (TRAILER_SIGNATURE.encode(), self._padded(self._chain.sign("TRAILER", covered)))
        return lines

    def _padded(self, signature: str) -> bytes:
        return signature.ljust(self._width, PADDING).encode()


class _Stream:
    """What a body sent in chunks is, sync or async.

    content_length, len: how many bytes it has on the wire, as the Content-Length among the headers says (`requests` asks for
    `len`). Iterated again, it begins again, if what it is made of can.
    """

    def __init__(self, chunked: Chunked, body: Body, seeded: Callable[[], Chain], signature_width: int) -> None:
        self._chunked = chunked
        self._body: Any = b""
        if body is not None:
            self._body = body
        self._seeded = seeded
        self._width = signature_width
        self._length = chunked.decoded_length(body)
        self.content_length = self.len = chunked.encoded_length(self._length, signature_width)
        self._start: int | None = self._body.tell() if seekable(self._body) else None
        self._begun = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._length} bytes, {self.content_length} encoded>"

    def _begin(self) -> _Encoder:
        if self._start is not None:
            self._body.seek(self._start)
        elif self._begun and (hasattr(self._body, "read") or hasattr(self._body, "__next__") or hasattr(self._body, "__anext__")):
            raise InvalidRequest(f"a {type(self._body).__name__} can be read only once; sign the request anew, with a new body")
        self._begun = True
        return _Encoder(self._chunked, self._length, self._seeded(), self._width)


class ChunkedBody(_Stream):
    """The encoded bytes of a body, as an iterable."""

    def __iter__(self) -> Iterator[bytes]:
        encoder = self._begin()
        for block in blocks(self._body, self._chunked.chunk_size):
            yield from encoder.feed(block)
        yield from encoder.finish()


class AsyncChunkedBody(_Stream):
    """The encoded bytes of an async iterable or an async file, as an async iterable."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        encoder = self._begin()
        async for block in blocks_async(self._body, self._chunked.chunk_size):
            for piece in encoder.feed(block):
                yield piece
        for piece in encoder.finish():
            yield piece
