"""Event streams (application/vnd.amazon.eventstream): messages with typed headers, and frames that sign them in a chain.

    total length | headers length | CRC | headers | payload | CRC          lengths and CRCs: 4 bytes, big-endian

A signed frame is a message whose headers are `:date` and `:chunk-signature`, and whose payload is the message that it carries;
the stream ends with a signed frame that carries nothing.
Source: Smithy, "Amazon Event Stream"; Amazon Transcribe developer guide, "Event stream encoding" and "Setting up a streaming
transcription".
"""

from __future__ import annotations

import re
import struct
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from zlib import crc32

from .chain import Chain
from .errors import AwsignError, InvalidRequest
from .payload import EVENTS
from .scope import in_utc, now, require_aware, timestamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping
    from typing import Any, TypeAlias
    from uuid import UUID

    from .identity import Credentials
    from .scope import Algorithm
    from .signed import Presigned, Signed

    Value: TypeAlias = "bool | int | bytes | str | datetime | UUID"
    Headers: TypeAlias = "Mapping[str, Value] | Iterable[tuple[str, Value]]"

# Smithy, "Amazon Event Stream": what a message may have.
LARGEST_HEADERS = 128 << 10
LARGEST_PAYLOAD = 24 << 20
_LONGEST_VALUE = 0xFFFF
_PRELUDE = struct.Struct(">III")
_CRC = struct.Struct(">I")
_OVERHEAD = _PRELUDE.size + _CRC.size
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

DATE = ":date"
CHUNK_SIGNATURE = ":chunk-signature"


class Byte(int):
    """An int that goes in 1 byte; a plain int goes in 4, or 8 if it has to."""


class Short(int):
    """An int that goes in 2 bytes."""


class Integer(int):
    """An int that goes in 4 bytes."""


class Long(int):
    """An int that goes in 8 bytes."""


# By the number of their type: the layout of those that have one, and the class that a value of it is read as.
_TRUE, _FALSE, _BYTES, _STRING, _TIMESTAMP, _UUID = 0, 1, 6, 7, 8, 9
_INTEGERS: dict[int, tuple[struct.Struct, type[int]]] = {
    2: (struct.Struct(">b"), Byte),
    3: (struct.Struct(">h"), Short),
    4: (struct.Struct(">i"), Integer),
    5: (struct.Struct(">q"), Long),
}
_TYPE_OF = {cls: number for number, (_, cls) in _INTEGERS.items()}


class MessageError(AwsignError, ValueError):
    """Bytes that are no message: what is wrong with them."""


class Message:
    """One message.

    headers: a mapping or (name, value) pairs, 128 KiB at most when encoded; a value is a bool, an int (4 bytes, or 8 if it has to;
    Byte, Short, Integer and Long say how many), bytes, a str, an aware datetime (to the millisecond) or a UUID. payload: bytes, 24
    MiB at most. `encode` raises InvalidRequest for what does not go in, TypeError for a value of another type.
    """

    __slots__ = ("headers", "payload")

    def __init__(self, headers: Headers = (), payload: bytes = b"") -> None:
        items = headers.items() if hasattr(headers, "items") else headers
        self.headers: tuple[tuple[str, Value], ...] = tuple([(name, value) for name, value in items])
        self.payload = payload

    def __repr__(self) -> str:
        return f"<Message {', '.join(name for name, _ in self.headers)}: {len(self.payload)} bytes>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Message):
            return NotImplemented
        return self.encode() == other.encode()

    __hash__ = None  # type: ignore[assignment]

    def encode(self) -> bytes:
        """The message as bytes. InvalidRequest for what cannot be one, TypeError for a value of no type that a header has."""
        payload = _payload(self.payload)
        try:
            headers = encode_headers(self.headers)
        except UnicodeEncodeError:
            raise InvalidRequest(
                "the name or the text of an event's header has a lone surrogate, which UTF-8 has no bytes for"
            ) from None
        if len(headers) > LARGEST_HEADERS or len(payload) > LARGEST_PAYLOAD:
            raise InvalidRequest(
                f"a message of {len(headers)} bytes of headers and {len(payload)} of payload is too large: "
                f"{LARGEST_HEADERS} and {LARGEST_PAYLOAD} are the most"
            )
        prelude = struct.pack(">II", _OVERHEAD + len(headers) + len(payload), len(headers))
        head = prelude + _CRC.pack(crc32(prelude)) + headers
        return b"".join((head, payload, _CRC.pack(crc32(payload, crc32(head)))))


def _payload(payload: bytes) -> bytes:
    if not isinstance(payload, (bytes, bytearray, memoryview)):
        raise TypeError(f"the payload of an event must be bytes, not {type(payload).__name__}")
    return bytes(payload)


def encode_headers(headers: Iterable[tuple[str, Value]]) -> bytes:
    """Headers as bytes: length and name, type, value."""
    parts = []
    seen = set()
    for name, value in headers:
        if not isinstance(name, str):
            raise TypeError(f"the name of an event's header must be a str, not {type(name).__name__}")
        encoded = name.encode()
        if not 1 <= len(encoded) <= 255:
            raise InvalidRequest(f"the header {name[:40]!r} has a name of {len(encoded)} bytes; it has from 1 to 255")
        if name in seen:
            raise InvalidRequest(f"the header {name!r} stands twice in an event")
        seen.add(name)
        parts += [bytes([len(encoded)]), encoded, _encode_value(name, value)]
    return b"".join(parts)


def _encode_value(name: str, value: Any) -> bytes:
    from uuid import UUID

    if isinstance(value, bool):
        return bytes([_TRUE if value else _FALSE])
    if isinstance(value, int):
        number = _TYPE_OF.get(type(value)) or (4 if -(1 << 31) <= value < 1 << 31 else 5)
        layout, _ = _INTEGERS[number]
        try:
            return bytes([number]) + layout.pack(value)
        except struct.error:
            raise InvalidRequest(f"the header {name!r} is {value}, which does not go into {layout.size} bytes") from None
    if isinstance(value, (bytes, bytearray, memoryview, str)):
        data = value.encode() if isinstance(value, str) else bytes(value)
        if len(data) > _LONGEST_VALUE:
            raise InvalidRequest(f"the header {name!r} has {len(data)} bytes; {_LONGEST_VALUE} are the most")
        return bytes([_STRING if isinstance(value, str) else _BYTES]) + struct.pack(">H", len(data)) + data
    if isinstance(value, datetime):
        return bytes([_TIMESTAMP]) + struct.pack(">q", (require_aware(value) - _EPOCH) // timedelta(milliseconds=1))
    if isinstance(value, UUID):
        return bytes([_UUID]) + value.bytes
    raise TypeError(
        f"the header {name!r} is a {type(value).__name__}; a bool, int, bytes, str, datetime or UUID goes into an event"
    )


def decode_headers(data: bytes) -> tuple[tuple[str, Value], ...]:
    """The headers of a message. MessageError for what is none."""
    found: dict[str, Value] = {}
    at = 0

    def take(count: int) -> bytes:
        nonlocal at
        at += count
        if at > len(data):
            raise MessageError("a header goes beyond the end of the headers")
        return data[at - count : at]

    while at < len(data):
        try:
            name = take(take(1)[0]).decode()
            kind = take(1)[0]
            value = _decode_value(kind, take)
        except UnicodeDecodeError:
            raise MessageError("a header's name or text is not UTF-8") from None
        if not name or name in found:
            raise MessageError(f"the header {name!r} stands twice" if name else "a header has no name")
        found[name] = value
    return tuple(found.items())


def _decode_value(kind: int, take: Callable[[int], bytes]) -> Value:
    if kind in (_TRUE, _FALSE):
        return kind == _TRUE
    if kind in _INTEGERS:
        layout, cls = _INTEGERS[kind]
        return cls(layout.unpack(take(layout.size))[0])
    if kind in (_BYTES, _STRING):
        value: bytes = take(int.from_bytes(take(2), "big"))
        return value if kind == _BYTES else value.decode()
    if kind == _TIMESTAMP:
        try:
            return _EPOCH + timedelta(milliseconds=int.from_bytes(take(8), "big", signed=True))
        except OverflowError:
            raise MessageError("a header has a time beyond the year 9999") from None
    if kind == _UUID:
        from uuid import UUID

        return UUID(bytes=take(16))
    raise MessageError(f"a header is of the type {kind}; there are those from 0 to 9")


class Decoder:
    """Messages from the bytes of a stream, however they are cut. Sans I/O: `feed` gives what is whole, `close` is its end.

    `messages` gives the same one by one, for who would stop at the first that is wrong.

    largest: bytes of payload that a message may have. After a MessageError the stream cannot be read on: where the next message
    begins is not known.
    """

    def __init__(self, largest: int = LARGEST_PAYLOAD) -> None:
        self._largest = largest
        self._data = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        """The messages that end in this block. MessageError for what is none: a CRC, a length or a header that is wrong."""
        return list(self.messages(data))

    def messages(self, data: bytes) -> Iterator[Message]:
        """The same, each decoded only when it is asked for; those that were not are the next block's."""
        self._data += data
        while (size := self._size()) is not None and len(self._data) >= size:
            whole = bytes(self._data[:size])
            del self._data[:size]
            yield _decode(whole)

    @property
    def has_more(self) -> bool:
        """Whether there are bytes of a message that is not whole yet."""
        return bool(self._data)

    def close(self) -> None:
        """The end of the stream. MessageError in the middle of a message."""
        if self._data:
            raise MessageError(f"the stream ends in the middle of a message, {len(self._data)} bytes into it")

    def _size(self) -> int | None:
        if len(self._data) < _PRELUDE.size:
            return None
        size, headers, crc = _PRELUDE.unpack_from(self._data)
        if crc32(self._data[:8]) != crc:
            raise MessageError("the CRC of a message's prelude is wrong")
        if headers > LARGEST_HEADERS or not _OVERHEAD + headers <= size <= _OVERHEAD + headers + self._largest:
            raise MessageError(f"a message of {size} bytes, {headers} of them headers, cannot be, or is too large")
        return int(size)


def _decode(data: bytes) -> Message:
    if _CRC.unpack_from(data, len(data) - _CRC.size)[0] != crc32(data[: -_CRC.size]):
        raise MessageError("the CRC of a message is wrong")
    headers = int.from_bytes(data[4:8], "big")
    start = _PRELUDE.size + headers
    return Message(decode_headers(data[_PRELUDE.size : start]), data[start : -_CRC.size])


def covered_by(headers: Iterable[tuple[str, Value]], payload: bytes) -> str:
    """What the signature of a frame covers: the SHA-256 of its headers but the signature, and that of its payload."""
    covered = encode_headers([(name, value) for name, value in headers if name != CHUNK_SIGNATURE])
    return f"{sha256(covered).hexdigest()}\n{sha256(payload).hexdigest()}"


class EventChain:
    """The chain of a stream of frames, each with a time of its own, whose day the scope and the key follow."""

    def __init__(self, algorithm: Algorithm, credentials: Credentials, region: str, service: str, seed: str) -> None:
        self._algorithm = algorithm
        self._credentials = credentials
        self._region, self._service = region, service
        self._chain = Chain(algorithm.name, seed)

    def _move(self, at: datetime) -> None:
        stamp = timestamp(at)
        where = stamp[:8], self._region, self._service
        self._chain.move(stamp, self._algorithm.scope(*where), self._algorithm.key(self._credentials, *where))

    def sign(self, at: datetime, covered: str) -> bytes:
        self._move(at)
        return bytes.fromhex(self._chain.sign("PAYLOAD", covered))

    def accepts(self, at: datetime, signature: bytes, covered: str) -> bool:
        self._move(at)
        return self._chain.accepts(signature.hex(), "PAYLOAD", covered)


class EventSigner:
    """The frames of an event stream, each signed over the one before. Made by `SigV4.events(signed)`.

    Frames must be sent in the order in which they were made. `end()` makes the last.
    """

    def __init__(self, algorithm: Algorithm, credentials: Credentials, signed: Signed | Presigned) -> None:
        derivation = signed.derivation
        if algorithm.names_region_set or derivation.scope is None or derivation.signature is None:
            raise InvalidRequest("event streams are signed by SigV4 alone: sign or presign the request with awsign.SigV4")
        canonical = derivation.canonical_request or ""
        if "X-Amz-Signature=" not in signed.url and not canonical.endswith(f"\n{EVENTS}"):
            raise InvalidRequest("the request was not signed for an event stream: sign it with payload=awsign.EVENTS")
        if not _signed_by(credentials.access_key_id, derivation.scope, signed):
            raise InvalidRequest(
                f"the request was not signed by {credentials.access_key_id}, and one access key signs all of a stream; "
                "pass events(signed, credentials=...) those that signed it"
            )
        _, region, service, _ = derivation.scope.split("/")
        self._chain = EventChain(algorithm, credentials, region, service, derivation.signature)
        self._ended = False

    def __repr__(self) -> str:
        return f"<EventSigner{' (ended)' if self._ended else ''}>"

    def frame(self, payload: bytes, headers: Headers = (), *, at: datetime | None = None) -> bytes:
        """One event as a signed frame.

        With headers, these and the payload are the event: they are encoded as the message that the frame carries, as Transcribe
        wants it. Without, the payload is signed as it is: a message that is encoded already (`Message.encode`).
        at: the frame's time, aware; None is now. InvalidRequest for an empty or too large payload, and after `end`.
        """
        inner = Message(headers, payload)
        carried = inner.encode() if inner.headers else _payload(payload)
        if not carried:
            raise InvalidRequest("a frame that carries nothing ends the stream: call end() for that")
        return self._signed(carried, at)

    def end(self, *, at: datetime | None = None) -> bytes:
        """The frame that ends the stream: signed, and empty."""
        last = self._signed(b"", at)
        self._ended = True
        return last

    def frames(self, events: Iterable[tuple[bytes, Headers]]) -> Iterator[bytes]:
        """Each (payload, headers) as a frame, and the one that ends the stream."""
        for payload, headers in events:
            yield self.frame(payload, headers)
        yield self.end()

    async def frames_async(self, events: AsyncIterable[tuple[bytes, Headers]]) -> AsyncIterator[bytes]:
        """The same for an async iterable."""
        async for payload, headers in events:
            yield self.frame(payload, headers)
        yield self.end()

    def _signed(self, payload: bytes, at: datetime | None) -> bytes:
        if self._ended:
            raise InvalidRequest("the stream was ended; nothing follows its last frame")
        if len(payload) > LARGEST_PAYLOAD:  # Before it is signed: the chain would go on from a frame that never was.
            raise InvalidRequest(f"an event of {len(payload)} bytes is too large: a frame carries {LARGEST_PAYLOAD} at most")
        at = now() if at is None else in_utc(at)
        date = [(DATE, at.replace(microsecond=at.microsecond // 1000 * 1000))]
        signature = self._chain.sign(at, covered_by(date, payload))
        return Message([*date, (CHUNK_SIGNATURE, signature)], payload).encode()


def _signed_by(access_key_id: str, scope: str, signed: Signed | Presigned) -> bool:
    credential = f"{access_key_id}/{scope}"
    if any(name == "Authorization" and f"Credential={credential}," in str(value) for name, value in signed.headers):
        return True
    from .encoding import encode

    return re.search(rf"[?&]X-Amz-Credential={re.escape(encode(credential))}(?:&|$)", signed.url) is not None
