"""The frames of an event stream, checked as they arrive: nothing of one is given back before its signature holds."""

from __future__ import annotations

from datetime import datetime

from ..errors import SignatureError
from ..event_stream import CHUNK_SIGNATURE, DATE, LARGEST_PAYLOAD, Decoder, MessageError, covered_by

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

    from ..event_stream import EventChain, Message


class EventCheck:
    """Feed it the bytes of signed frames as they arrive; it gives back what they carry, and raises at the first that is wrong.

    What a frame carries is a message of its own, so that what `feed` gives is an event stream too, without signatures:
    `awsign.event_stream.Decoder` reads it. `events` gives them one by one. The stream ends with an empty frame; `close` without one
    raises.
    """

    decodes = True

    def __init__(
        self,
        fail: Callable[[str, str], NoReturn],
        chain: EventChain,
        check_skew: Callable[[datetime], None],
        largest: int = LARGEST_PAYLOAD,
    ) -> None:
        """fail: raises SignatureError for a kind and a message. chain: begins with the request's signature. check_skew: of a
        frame's date. largest: bytes that a frame may carry.
        """
        self._raise = fail
        self._chain = chain
        self._check_skew = check_skew
        self._decoder = Decoder(largest)
        self._count = 0
        self._ended = False
        self._closed = False

    def __repr__(self) -> str:
        return f"<EventCheck {self._count} frames{' (ended)' if self._ended else ''}>"

    @property
    def ended(self) -> bool:
        """Whether the empty frame that ends the stream has come."""
        return self._ended

    def feed(self, data: bytes) -> bytes:
        """Take the next block as it arrived; give back what the frames that end in it carry."""
        return b"".join(self.events(data))

    def events(self, data: bytes) -> list[bytes]:
        """The same, each frame's payload by itself."""
        if self._closed:
            raise ValueError("this stream was closed; nothing can follow")
        try:
            # One by one: of a stranger's block, no frame is decoded before the one before it was verified.
            payloads = [payload for frame in self._decoder.messages(data) if (payload := self._checked(frame))]
        except MessageError as error:
            self._fail("malformed-event", f"frame {self._count + 1}: {error}")
        if self._ended and self._decoder.has_more:
            self._fail("malformed-event", "bytes follow the empty frame that ends the stream")
        return payloads

    def close(self) -> bytes:
        """The end of the stream. Raises SignatureError where it was cut before its last, empty frame."""
        if self._closed:
            raise ValueError("this stream was closed already")
        self._closed = True
        if not self._ended:
            self._fail("incomplete-body", f"the stream ends after {self._count} frames, without the empty one that ends it")
        return b""

    def _checked(self, frame: Message) -> bytes:
        self._count += 1
        if self._ended:
            self._fail("malformed-event", f"frame {self._count} follows the empty one that ends the stream")
        headers = dict(frame.headers)
        at, signature = headers.get(DATE), headers.get(CHUNK_SIGNATURE)
        if not isinstance(at, datetime) or not isinstance(signature, bytes):
            self._fail(
                "malformed-event", f"frame {self._count} has no {DATE} (a time) or no {CHUNK_SIGNATURE} (bytes): it is not signed"
            )
        if not 1900 <= at.year < 9999 or not self._chain.accepts(at, signature, covered_by(frame.headers, frame.payload)):
            self._fail(
                "signature-mismatch",
                f"the signature of frame {self._count} is not that of what arrived: it, or one before it, was changed, left out or "
                "signed otherwise",
            )
        try:
            self._check_skew(at)
        except SignatureError:
            self._closed = True
            raise
        self._ended = not frame.payload
        return frame.payload

    def _fail(self, kind: str, message: str) -> NoReturn:
        self._closed = True
        self._raise(kind, message)
