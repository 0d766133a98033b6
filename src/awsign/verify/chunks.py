r"""An aws-chunked body, decoded as it arrives: of signed chunks nothing is given back before its signature was checked.

The grammar is in ../chunked.py. The lines end with CRLF, those of a trailer with LF too: minio-go sends `name:value\n\r\n`
before the trailer's signature, where AWS's examples have `name:value\r\n`; both are read.
"""

from __future__ import annotations

import re
from hashlib import sha256

from ..checksum import CHECKSUM_HEADERS, Checksum
from ..chunked import (
    DECODED_LENGTH,
    LARGEST_CHUNK,
    PADDING,
    SIGNATURE,
    SMALLEST_CHUNK,
    TRAILER,
    TRAILER_SIGNATURE,
    canonical_trailer,
)
from ..errors import MissingExtra
from ..payload import EMPTY_SHA256, STREAMING
from ..services import S3_FAMILY
from .body import check_checksum

TYPE_CHECKING = False
if TYPE_CHECKING:
    import hashlib
    from collections.abc import Callable, Sequence
    from typing import NoReturn

    from ..chain import Chain
    from ..scope import Algorithm
    from .arrival import Arrival

# A size (aws-sdk-go-v2 sends an unsigned body as one chunk, of up to 5 GiB), and the signature, DER of up to 72 bytes in SigV4A.
_LINE = rb"(0{0,16}[0-9A-Fa-f]{1,10})(?:%b([0-9A-Za-z]{1,144})(\%b*))?\r\n" % (SIGNATURE, PADDING.encode())
_FIRST_CHUNK = re.compile(_LINE)
_NEXT_CHUNK = re.compile(rb"\r\n" + _LINE)  # With the line end of the data before it.
_TRAILER = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([ -~\t]*)")
_LONGEST_LINE = 8192
_MOST_TRAILERS = 16
_SMALL = 4096


def _keep_freed_blocks() -> None:
    """Have glibc keep blocks of a stream's size that are freed, up to 8 MiB of them.

    Else they go back to the kernel each time and come back page by page: a fifth of the time that verifying a stream took. glibc
    raises its bounds when a larger block is freed (mallopt(3), M_MMAP_THRESHOLD): this one, which is never touched.
    """
    bytearray(4 << 20)


_keep_freed_blocks()


class ChunkedHeaders:
    """What the headers of a request say of a body that is sent in chunks; `check` is what reads that."""

    def __init__(self, arrival: Arrival, algorithm: Algorithm, word: str) -> None:
        """Word: the x-amz-content-sha256, one of payload.STREAMING."""
        self._arrival = arrival
        self._width = algorithm.signature_width
        signed_by, trailer = STREAMING[word]
        self._signed = signed_by is not None
        if signed_by not in (None, algorithm.name):
            arrival.fail("bad-content-sha256", f"x-amz-content-sha256 is {word}, but the request is signed by {algorithm.name}")
        if arrival.service not in S3_FAMILY:
            arrival.fail("bad-content-sha256", f"{arrival.service} takes no body sent in chunks; S3 alone does")
        length = arrival.header(DECODED_LENGTH.lower())
        # boto3 sends an unsigned stream of unknown length without it; the checksum in its trailer covers the length too.
        if (length or self._signed) and not (length.isascii() and length.isdigit() and len(length) < 16):
            arrival.fail(
                "missing-decoded-length", f"{DECODED_LENGTH} is {length[:40]!r}; a body in chunks needs its length in bytes"
            )
        self._length = int(length) if length else None
        names = arrival.header(TRAILER.lower()).split(",") if trailer else ()
        self._trailer = [name.strip().lower() for name in names if name.strip()]
        checksums = [name for name in self._trailer if name in CHECKSUM_HEADERS]
        named = len(self._trailer)
        if trailer and (not 0 < named <= _MOST_TRAILERS or len(set(self._trailer)) < named or len(checksums) > 1):
            arrival.fail(
                "malformed-trailer", f"{TRAILER} is {','.join(self._trailer)[:80]!r}; it names each trailer once, and one checksum"
            )
        if not self._signed and not checksums:
            arrival.fail("malformed-trailer", f"unsigned chunks need a checksum in their trailer; {TRAILER} names none")
        if any(name in arrival.headers for name in self._trailer):
            arrival.fail("duplicate-header", f"{', '.join(self._trailer)} stands among the headers and in the trailer")
        for name in checksums:
            try:
                Checksum(name)
            except MissingExtra as missing:
                arrival.fail("unsupported-payload", f"the trailer {name} cannot be checked here: {missing}")

    def check(self, chain: Chain) -> ChunkCheck:
        """Chain: begins with the signature of the request."""
        return ChunkCheck(self._arrival.fail, chain if self._signed else None, self._length, self._trailer, self._width)


class ChunkCheck:
    """Feed it a body as it arrived; it gives back the decoded bytes that were checked, and raises at the first that is wrong.

    Of signed chunks each is given back once its signature holds. What only the end can vouch for (a trailer's checksum) holds the
    last block back until `close`; unsigned chunks before it are given back as they come: act on them only after `close`.
    """

    decodes = True

    def __init__(
        self,
        fail: Callable[[str, str], NoReturn],
        chain: Chain | None,
        length: int | None,
        trailer: Sequence[str],
        signature_width: int,
    ) -> None:
        """fail: raises SignatureError for a kind and a message. chain: begins with the request's signature; None for unsigned chunks.

        length: of the decoded body in bytes, None where it was not announced. trailer: names of headers, in lower case.
        """
        self._raise = fail
        self._chain = chain
        self._length = length
        self._width = signature_width
        self.trailer: list[tuple[str, str]] = []  # As it arrived; complete once `close` returned.
        self._announced = tuple(trailer)
        # S3 takes one: ChunkedHeaders has seen to it.
        self._checksum = next((Checksum(name) for name in trailer if name in CHECKSUM_HEADERS), None)
        self._step: Callable[[bytes, int], int] = self._chunk_line
        self._line = _FIRST_CHUNK
        self._rest = b""  # Of a line that is not whole yet.
        self._done = 0  # Decoded bytes, up to the chunk that is being read.
        self._size = -1  # Of that chunk; before the first, none.
        self._left = 0
        self._signature = ""
        self._pieces: list[bytes | memoryview | bytearray] = []  # Of a chunk whose signature is yet to be checked.
        self._hash: hashlib._Hash | None = None
        self._out: list[bytes | memoryview | bytearray] = []
        self._trailer_is_signed = chain is None
        self._blank = b""  # The line end that may stand where the framing of minio-go has an empty line.
        self._ended = False
        self._closed = False
        self._held = b""

    def __repr__(self) -> str:
        return f"<ChunkCheck {self._done} bytes{' (ended)' if self._ended else ''}>"

    def feed(self, data: bytes) -> bytes:
        """Take the next block as it arrived; give back what of the decoded body may be used."""
        if self._closed:
            raise ValueError("this body was closed; nothing can follow")
        data = self._rest + bytes(data) if self._rest else bytes(data)
        self._rest = b""
        at, end = 0, len(data)
        while at < end:
            after = self._step(data, at)
            if after < 0:
                self._rest = data[at:]
                break
            at = after
        # One chunk that came by itself needs no copy; copying is what takes longest after the hash.
        given = self._out[0] if len(self._out) == 1 and type(self._out[0]) is bytes else b"".join(self._out)
        self._out.clear()
        if self._checksum is None or not given:
            return given
        given, self._held = self._held, given
        return given

    def close(self) -> bytes:
        """The end of the body: give back what was held. Raises SignatureError if it is not the end of the stream."""
        if self._closed:
            raise ValueError("this body was closed already")
        self._closed = True
        if not self._ended:
            self._fail("incomplete-body", f"the body ends before the end of its stream, after {self._done} bytes; send all of it")
        held, self._held = self._held, b""
        return held

    # The steps: each takes the bytes and where it begins, and gives where the next begins, or -1 for a line that is cut.

    def _chunk_line(self, data: bytes, at: int) -> int:
        match = self._line.match(data, at)
        if match is None:
            return self._no_line(data, at)
        digits, signature, padding = match.groups()
        if (signature is None) == (self._chain is not None) or (padding and len(signature) + len(padding) != self._width):
            self._malformed(match[0])
        size = int(digits, 16)
        if size and 0 < self._size < SMALLEST_CHUNK:
            self._fail(
                "chunk-too-small",
                f"a chunk of {self._size} bytes is not the last; only the last may have fewer than {SMALLEST_CHUNK}",
            )
        if signature is not None and size > LARGEST_CHUNK:
            self._fail(
                "chunk-too-large", f"a chunk of {size} bytes is larger than the {LARGEST_CHUNK} that are held until it is checked"
            )
        if self._length is not None and self._done + size > self._length:
            self._fail(
                "incomplete-body",
                f"the chunks have more bytes than X-Amz-Decoded-Content-Length says, {self._done + size} of {self._length}",
            )
        self._size = self._left = size
        self._line = _NEXT_CHUNK
        if signature is not None:
            self._signature = signature.decode()
        if size:
            self._step = self._data
            return match.end()
        self._check_chunk(EMPTY_SHA256)
        if self._length is not None and self._done != self._length:
            self._fail(
                "incomplete-body",
                f"the chunks have {self._done} bytes, but X-Amz-Decoded-Content-Length says {self._length}; send them all",
            )
        self._step = self._trailer_line if self._announced else self._last_line
        return match.end()

    def _data(self, data: bytes, at: int) -> int:
        piece = data if at == 0 and len(data) == self._left else memoryview(data)[at : at + self._left]
        self._left -= len(piece)
        at += len(piece)
        if self._chain is None:
            self._give(piece)
            if self._left:
                return at
        else:
            # Hashed as it comes, and before it is copied: it is in the caches then.
            if self._hash is None:
                self._hash = sha256(piece)
            else:
                self._hash.update(piece)
            if self._left:
                self._keep(piece)
                return at
            self._check_chunk(self._hash.hexdigest())
            self._hash = None
            self._give(*self._pieces, piece)
            self._pieces.clear()
        self._done += self._size
        self._step = self._chunk_line
        return at

    def _give(self, *pieces: bytes | memoryview | bytearray) -> None:
        self._out += pieces
        if self._checksum is not None:
            for piece in pieces:
                self._checksum.update(piece)

    def _keep(self, piece: bytes | memoryview) -> None:
        """A piece of a chunk whose signature is yet to be checked; but not a thousand of a few bytes each."""
        if len(piece) >= _SMALL:
            self._pieces.append(piece)
        elif self._pieces and isinstance(last := self._pieces[-1], bytearray):
            last += piece
        else:
            self._pieces.append(bytearray(piece))

    def _no_line(self, data: bytes, at: int) -> int:
        """What stands where a chunk's line should: -1 if it is cut, and may become one yet."""
        before = b"\r\n" if self._line is _NEXT_CHUNK else b""
        line = data[at : at + _LONGEST_LINE]
        whole = b"\r\n" in line[len(before) :] or len(line) == _LONGEST_LINE
        if whole or not (line.startswith(before) or before.startswith(line)):
            self._malformed(line)
        return -1

    def _malformed(self, line: bytes) -> NoReturn:
        after = f"a chunk of {self._size} bytes is followed by" if self._size >= 0 else "the body begins with"
        form = f"<size in hex>{SIGNATURE.decode() + '<signature>' if self._chain is not None else ''}"
        self._fail("malformed-chunk", f"{after} {line[:80]!r}; a chunk begins with a line of the form {form}")

    def _last_line(self, data: bytes, at: int) -> int:
        end = data[at : at + 2]
        if not b"\r\n".startswith(end):
            self._fail("malformed-chunk", f"the last chunk is followed by {data[at : at + 80]!r}, but no trailer was announced")
        if len(end) < 2:
            return -1
        self._end()
        return at + 2

    def _trailer_line(self, data: bytes, at: int) -> int:
        end = self._line_end(data, at)
        if end < 0:
            return -1
        line = data[at:end]
        if line in (b"\r", b""):
            if self._trailer_is_signed:
                self._check_trailer()
                self._end()
            elif not self._blank:
                self._fail("malformed-trailer", "the trailer has an empty line where a header should be")
            else:
                self._blank = b""
            return end + 1
        # What ends with LF alone has an empty line after it: before the trailer's signature, or before the last line end.
        self._blank = b"" if line.endswith(b"\r") else b"\r\n"
        match = _TRAILER.fullmatch(line.removesuffix(b"\r"))
        if match is None:
            self._fail("malformed-trailer", f"{line[:80]!r} in the trailer is not of the form name:value")
        name, value = match[1].decode().lower(), match[2].decode().strip(" \t")
        if name == TRAILER_SIGNATURE and self._chain is not None and not self._trailer_is_signed:
            self._check_trailer_signature(value)
        elif self._trailer_is_signed and self._chain is not None:
            self._fail("malformed-trailer", f"{name} comes after the signature of the trailer")
        elif name not in self._announced or any(name == known for known, _ in self.trailer):
            self._fail("malformed-trailer", f"the trailer has {name}, which x-amz-trailer does not announce, or has it twice")
        else:
            self.trailer.append((name, value))
        return end + 1

    def _after_end(self, data: bytes, at: int) -> int:
        if self._blank and data[at : at + 1] == self._blank[:1]:
            self._blank = self._blank[1:]
            return at + 1
        self._fail("malformed-chunk", f"{len(data) - at} bytes follow the end of the stream")

    def _check_chunk(self, digest: str) -> None:
        if self._chain is not None and not self._chain.accepts(self._signature, "PAYLOAD", f"{EMPTY_SHA256}\n{digest}"):
            which = f"the chunk of {self._size} bytes at byte {self._done}" if self._size else "the last, empty chunk"
            self._fail(
                "signature-mismatch",
                f"the signature of {which} of the body is not that of what arrived: it was changed on the way, or signed otherwise",
            )

    def _check_trailer_signature(self, signature: str) -> None:
        assert self._chain is not None
        bare = signature.rstrip(PADDING)
        if bare != signature and len(signature) != self._width:
            self._fail(
                "malformed-trailer", f"the trailer's signature is filled up to {len(signature)}, not {self._width}, characters"
            )
        covered = sha256(canonical_trailer(self.trailer).encode("latin-1")).hexdigest()
        if not self._chain.accepts(bare, "TRAILER", covered):
            self._fail("signature-mismatch", "the signature of the trailer is not that of the trailer that arrived")
        self._trailer_is_signed = True

    def _check_trailer(self) -> None:
        found = dict(self.trailer)
        absent = [name for name in self._announced if name not in found]
        if absent:
            self._fail("malformed-trailer", f"the trailer has no {', '.join(absent)}, which x-amz-trailer announces")
        if self._checksum is not None:
            check_checksum(self._checksum, found[self._checksum.header], self._fail)

    def _end(self) -> None:
        self._ended = True
        self._step = self._after_end

    def _line_end(self, data: bytes, at: int) -> int:
        """Where the trailer's line ends that begins at a byte, -1 if it is cut."""
        end = data.find(b"\n", at, at + _LONGEST_LINE)
        if end < 0 and len(data) - at >= _LONGEST_LINE:
            self._fail("malformed-chunk", f"a line of more than {_LONGEST_LINE} bytes stands where a chunk or a trailer begins")
        return end

    def _fail(self, kind: str, message: str) -> NoReturn:
        self._held = b""
        self._pieces.clear()
        self._out.clear()
        self._closed = True
        self._raise(kind, message)
