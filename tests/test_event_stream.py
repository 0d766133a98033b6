"""Event streams: messages against botocore's decoder, and frames that are signed and verified."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import random
import struct
import uuid
import zlib

import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

import awsign
from awsign.event_stream import Byte, Decoder, Integer, Long, Message, MessageError, Short, encode_headers

from .conftest import KEY, SECRET, TOKEN

UTC = datetime.UTC
AT = datetime.datetime(2026, 1, 15, 23, 59, 50, tzinfo=UTC)
CREDENTIALS = awsign.Credentials(KEY, SECRET, TOKEN)
SIGNER = awsign.SigV4(CREDENTIALS, "transcribe", "us-east-1")
URL = "https://transcribestreaming.us-east-1.amazonaws.com:8443/stream-transcription"
EVENT = {":content-type": "application/octet-stream", ":event-type": "AudioEvent", ":message-type": "event"}

names = st.text(min_size=1, max_size=20).filter(lambda text: len(text.encode()) < 256)
values = st.one_of(
    st.booleans(),
    st.integers(-(1 << 63), (1 << 63) - 1),
    st.integers(-128, 127).map(Byte),
    st.integers(-(1 << 15), (1 << 15) - 1).map(Short),
    st.integers(-(1 << 31), (1 << 31) - 1).map(Integer),
    st.integers(-(1 << 63), (1 << 63) - 1).map(Long),
    st.binary(max_size=100),
    st.text(max_size=50),
    st.datetimes(timezones=st.just(UTC)).map(lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000)),
    st.uuids(),
)
messages = st.builds(Message, st.dictionaries(names, values, max_size=6), st.binary(max_size=200))


def plain(value: object) -> object:
    """A value as botocore decodes it: numbers for times, bytes for UUIDs."""
    if isinstance(value, datetime.datetime):
        return (value - datetime.datetime(1970, 1, 1, tzinfo=UTC)) // datetime.timedelta(milliseconds=1)
    return value.bytes if isinstance(value, uuid.UUID) else value


class TestMessages:
    @given(st.lists(messages, max_size=4), st.integers(1, 200))
    def test_botocore_decodes_them(self, sent, step) -> None:
        wire = b"".join([message.encode() for message in sent])
        theirs = EventStreamBuffer()
        theirs.add_data(wire)
        assert [(m.headers, m.payload) for m in theirs] == [
            ({name: plain(value) for name, value in message.headers}, message.payload) for message in sent
        ]
        decoder = Decoder()
        ours = [m for at in range(0, len(wire), step) for m in decoder.feed(wire[at : at + step])]
        decoder.close()
        assert [(m.headers, m.payload) for m in ours] == [(m.headers, m.payload) for m in sent]
        assert [m.encode() for m in ours] == [m.encode() for m in sent]  # Types and all.

    def test_every_type_as_smithy_has_it(self) -> None:
        """By hand, from the table of the specification."""
        at = datetime.datetime(2018, 12, 29, 1, 4, 6, tzinfo=UTC)
        for value, encoded in (
            (True, b"\x00"), (False, b"\x01"), (Byte(-2), b"\x02\xfe"), (Short(-2), b"\x03\xff\xfe"), (7, b"\x04\x00\x00\x00\x07"),
            (1 << 40, b"\x05\x00\x00\x01\x00\x00\x00\x00\x00"), (b"ab", b"\x06\x00\x02ab"), ("é", b"\x07\x00\x02\xc3\xa9"),
            (at, b"\x08\x00\x00\x01\x67\xf7\x7d\x57\x70"), (uuid.UUID(int=5), b"\x09" + bytes(15) + b"\x05"),
        ):  # fmt: skip
            assert encode_headers([("n", value)]) == b"\x01n" + encoded

    def test_every_changed_byte(self) -> None:
        wire = Message({"a": 1, "b": "text", "c": b"x"}, b"payload").encode()
        for at in range(len(wire)):
            for flip in (1, 0x80, 0xFF):
                with pytest.raises(MessageError):
                    _whole(wire[:at] + bytes([wire[at] ^ flip]) + wire[at + 1 :])

    def test_cut_short(self) -> None:
        wire = Message({"a": 1}, b"payload").encode()
        for end in range(1, len(wire)):
            decoder = Decoder()
            assert decoder.feed(wire[:end]) == []
            with pytest.raises(MessageError, match="middle"):
                decoder.close()

    @pytest.mark.parametrize(
        "headers",
        [
            b"\x01n\x0a", b"\x01n", b"\x00\x00", b"\x01n\x07\x00\x05ab", b"\x01n\x07\x00\x01\xff", b"\x01\xff\x00",
            b"\x01n\x00\x01n\x01", b"\x01n\x08\x7f\xff\xff\xff\xff\xff\xff\xff", b"\x05ab",
        ],
    )  # fmt: skip
    def test_headers_that_are_none(self, headers) -> None:
        prelude = struct.pack(">II", 16 + len(headers), len(headers))
        head = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers
        with pytest.raises(MessageError):
            Decoder().feed(head + struct.pack(">I", zlib.crc32(head)))

    @pytest.mark.parametrize("sizes", [(15, 0), (16, 1), (1 << 31, 0), (200_000, 150_000), (0, 0)])
    def test_lengths_that_cannot_be(self, sizes) -> None:
        """Refused by the prelude: nothing is collected for them."""
        prelude = struct.pack(">II", *sizes)
        with pytest.raises(MessageError, match="cannot be"):
            Decoder().feed(prelude + struct.pack(">I", zlib.crc32(prelude)))

    @pytest.mark.parametrize(
        "headers", [{"": 1}, {"x" * 256: 1}, {"a": "x" * 65536}, [("a", 1), ("a", 2)], {"a": Byte(128)}, {"a": 1 << 63}]
    )
    def test_what_does_not_go_in(self, headers) -> None:
        with pytest.raises(awsign.InvalidRequest):
            Message(headers).encode()
        with pytest.raises(TypeError):
            Message({"a": 1.5}).encode()
        with pytest.raises(TypeError):
            Message({}, "text").encode()
        with pytest.raises(awsign.InvalidRequest, match="zone"):
            Message({"a": datetime.datetime(2026, 1, 1)}).encode()


def _whole(wire: bytes) -> None:
    decoder = Decoder()
    decoder.feed(wire)
    decoder.close()


def start(**options: object) -> tuple[awsign.Signed, awsign.Request]:
    request = awsign.Request("POST", URL, {"Content-Type": "application/vnd.amazon.eventstream", "X-Amz-Target": "x.Start"})
    signed = SIGNER.sign(request, at=AT, **options)
    return signed, awsign.Request.received("POST", "/stream-transcription", signed.headers)


def verifier(seconds: float = 0) -> awsign.Verifier:
    return awsign.Verifier({KEY: CREDENTIALS}.get, now=AT + datetime.timedelta(seconds=seconds))


def some_frames(count: int = 4) -> tuple[list[bytes], list[bytes], awsign.Request]:
    """Events, their frames over the turn of a day, and the request that they follow."""
    signed, received = start()
    signer = SIGNER.events(signed)
    events = [random.Random(n).randbytes(200) for n in range(count)]
    frames = [
        signer.frame(event, EVENT, at=AT + datetime.timedelta(seconds=4 * n, microseconds=n)) for n, event in enumerate(events)
    ]
    return events, [*frames, signer.end(at=AT + datetime.timedelta(seconds=4 * count))], received


def refused(frames: list[bytes], received: awsign.Request, **options: float) -> str:
    body = verifier(**options).verify(received).body
    with pytest.raises(awsign.SignatureError) as caught:  # noqa: PT012
        for frame in frames:
            body.feed(frame)
        body.close()
    return caught.value.kind


class TestFrames:
    def test_signed_and_verified(self) -> None:
        events, frames, received = some_frames()
        for step in (1, 7, 100, 10000):
            body = verifier().verify(received).body
            wire = b"".join(frames)
            given = b"".join([body.feed(wire[at : at + step]) for at in range(0, len(wire), step)])
            body.close()
            assert [(dict(m.headers), m.payload) for m in Decoder().feed(given)] == [(EVENT, event) for event in events]

    def test_the_scope_follows_the_day_of_each(self) -> None:
        """The frames cross midnight: by hand, each with the key of its own day."""
        import hashlib
        import hmac

        _, frames, _ = some_frames()
        previous = start()[0].derivation.signature
        days = set()
        for frame in frames:
            [message] = Decoder().feed(frame)
            at = dict(message.headers)[":date"]
            day = f"{at:%Y%m%d}"
            days.add(day)
            key = f"AWS4{SECRET}".encode()
            for part in (day, "us-east-1", "transcribe", "aws4_request"):
                key = hmac.digest(key, part.encode(), "sha256")
            millis = (at - datetime.datetime(1970, 1, 1, tzinfo=UTC)) // datetime.timedelta(milliseconds=1)
            covered = b"\x05:date\x08" + struct.pack(">q", millis)
            text = "\n".join(
                [
                    "AWS4-HMAC-SHA256-PAYLOAD", f"{at:%Y%m%dT%H%M%SZ}", f"{day}/us-east-1/transcribe/aws4_request", previous,
                    hashlib.sha256(covered).hexdigest(), hashlib.sha256(message.payload).hexdigest(),
                ]
            )  # fmt: skip
            previous = hmac.new(key, text.encode(), "sha256").hexdigest()
            assert dict(message.headers)[":chunk-signature"].hex() == previous
        assert days == {"20260115", "20260116"}

    def test_left_out_moved_or_repeated(self) -> None:
        _, frames, received = some_frames()
        for order in ([1, 2, 3, 4], [0, 2, 3, 4], [0, 1, 3, 2, 4], [0, 0, 1, 2, 3, 4], [0, 1, 2, 4], [4]):
            assert refused([frames[n] for n in order], received) == "signature-mismatch"
        assert refused(frames[:-1], received) == "incomplete-body"
        assert refused([*frames, frames[-1]], received) in ("signature-mismatch", "malformed-event")
        assert refused([*frames[:-1], frames[-1][:-1]], received) == "incomplete-body"
        assert refused([*frames, b"junk"], received) == "malformed-event"
        assert refused([*frames[:-1], frames[-1] + frames[0][:20]], received) == "malformed-event"

    def test_every_changed_byte_behind_right_crcs(self) -> None:
        """The CRCs made right again, so that the signature alone is there to notice."""
        _, [frame, *_], received = some_frames(1)
        for at in range(12, len(frame) - 4):
            spoilt = bytearray(frame[:-4])
            spoilt[at] ^= 1
            wire = bytes(spoilt) + struct.pack(">I", zlib.crc32(spoilt))
            assert refused([wire], received) in ("signature-mismatch", "malformed-event"), at
        for at in range(len(frame)):
            assert refused([frame[:at] + bytes([frame[at] ^ 1]) + frame[at + 1 :]], received) in (
                "malformed-event",
                "incomplete-body",
            )

    def test_nothing_of_a_bad_frame_is_given_back(self) -> None:
        events, frames, received = some_frames()
        spoilt = bytearray(frames[1])
        spoilt[-8] ^= 1
        body = verifier().verify(received).body
        assert events[0] in body.feed(frames[0])
        with pytest.raises(awsign.SignatureError):
            body.feed(bytes(spoilt))
        with pytest.raises(ValueError, match="closed"):
            body.feed(frames[2])

    def test_frames_of_another_time(self) -> None:
        signed, received = start()
        signer = SIGNER.events(signed)
        late = signer.frame(b"x", at=AT + datetime.timedelta(hours=1))
        assert refused([late], received) == "skew"
        body = verifier().verify(received).body
        with pytest.raises(awsign.SignatureError):
            body.feed(late)
        for again in (lambda: body.feed(signer.frame(b"y", at=AT)), body.close):
            with pytest.raises(ValueError, match="closed"):
                again()

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {":date": AT},
            {":chunk-signature": b"x"},
            {":date": "2026", ":chunk-signature": b"x"},
            {":date": AT, ":chunk-signature": "x"},
        ],
    )
    def test_frames_that_are_not_signed(self, headers) -> None:
        _, received = start()
        assert refused([Message(headers, b"x").encode()], received) == "malformed-event"

    def test_sync_and_async(self) -> None:
        events = [(b"one", EVENT), (b"two", EVENT)]

        async def source():
            for event in events:
                yield event

        async def gathered(signer):
            return [frame async for frame in signer.frames_async(source())]

        for made in (lambda s: list(s.frames(events)), lambda s: asyncio.run(gathered(s))):
            signed = SIGNER.sign(awsign.Request("POST", URL), payload=awsign.EVENTS)
            received = awsign.Request.received("POST", "/stream-transcription", signed.headers)
            body = awsign.Verifier({KEY: CREDENTIALS}.get).verify(received).body
            given = b"".join([body.feed(frame) for frame in made(SIGNER.events(signed))])
            body.close()
            assert [message.payload for message in Decoder().feed(given)] == [b"one", b"two"]

    def test_nothing_follows_the_end(self) -> None:
        signer = SIGNER.events(start()[0])
        signer.end()
        for again in (signer.end, lambda: signer.frame(b"x")):
            with pytest.raises(awsign.InvalidRequest, match="ended"):
                again()

    def test_frames_that_are_none(self) -> None:
        """Refused before they are signed: the chain goes on as if they had not been asked for."""
        signed, received = start()
        signer = SIGNER.events(signed)
        with pytest.raises(awsign.InvalidRequest, match="call end"):
            signer.frame(b"", at=AT)
        with pytest.raises(awsign.InvalidRequest, match="too large"):
            signer.frame(bytes((24 << 20) + 1), at=AT)
        for payload in (5, "text", None):
            with pytest.raises(TypeError, match="bytes"):
                signer.frame(payload, at=AT)
        with pytest.raises(awsign.InvalidRequest, match="surrogate"):
            signer.frame(b"x", {"a": "\ud800"}, at=AT)
        body = verifier().verify(received).body
        assert body.feed(signer.frame(b"x", at=AT)) == b"x"
        body.feed(signer.end(at=AT))
        body.close()

    def test_requests_that_begin_no_stream(self) -> None:
        signed = SIGNER.sign(awsign.Request("POST", URL, body=b"data"), at=AT)
        with pytest.raises(awsign.InvalidRequest, match="EVENTS"):
            SIGNER.events(signed)
        begins = awsign.Request("POST", URL, {"Content-Type": "application/vnd.amazon.eventstream"})
        assert "EVENTS" not in SIGNER.presign(begins, at=AT).derivation.canonical_request
        assert "EVENTS" not in awsign.SigV4A(CREDENTIALS, "transcribe", "*").sign(begins, at=AT).derivation.canonical_request
        with pytest.raises(awsign.InvalidRequest, match="checksum"):
            SIGNER.sign(begins, checksum="CRC32")

    def test_one_access_key_signs_all(self) -> None:
        signed, _ = start()
        other = awsign.SigV4(awsign.Credentials("AKIDOTHER", SECRET), "transcribe", "us-east-1")
        with pytest.raises(awsign.InvalidRequest, match="AKIDOTHER"):
            other.events(signed)
        other.events(signed, credentials=CREDENTIALS)

    def test_over_a_websocket(self) -> None:
        """As Transcribe has it: a presigned wss:// URL, then frames that begin with its signature."""
        url = "wss://transcribestreaming.us-east-1.amazonaws.com:8443/stream-transcription-websocket?language-code=en-US"
        link = SIGNER.presign(awsign.Request("GET", url), at=AT, expires=300)
        assert link.url.startswith("wss://")
        signer = SIGNER.events(link)
        frames = [signer.frame(b"audio", EVENT, at=AT), signer.end(at=AT)]
        target = link.url.partition(":8443")[2]
        received = awsign.Request.received("GET", target, [("Host", "transcribestreaming.us-east-1.amazonaws.com:8443")], b"")
        check = verifier().verify(received).events()
        assert [Decoder().feed(event)[0].payload for frame in frames for event in check.events(frame)] == [b"audio"]
        check.close()
        again = verifier().verify(received).events()
        with pytest.raises(awsign.SignatureError):
            again.feed(frames[1])

    def test_no_frame_is_read_before_the_one_before_it_was_verified(self) -> None:
        """Of a block with a million frames, the first of which is not signed, the others cost nothing."""
        signed, received = start()
        empty = Message({}, b"").encode()
        signer, check = SIGNER.events(signed), verifier().verify(received).body
        with pytest.raises(awsign.SignatureError, match="frame 2 has no :date"):
            check.feed(signer.frame(b"one", at=AT) + empty + b"what is no frame")

    def test_a_request_signed_in_the_header_for_another_body(self) -> None:
        """The signer makes no frames for it, and so the verifier takes none."""
        signed = SIGNER.sign(awsign.Request("POST", URL, body=b"data"), at=AT)
        verified = verifier().verify(awsign.Request.received("POST", "/stream-transcription", signed.headers, b"data"))
        with pytest.raises(ValueError, match="no event stream"):
            verified.events()

    def test_other_schemes_have_none(self) -> None:
        signed = awsign.S3SigV2(CREDENTIALS).sign(awsign.Request("GET", "https://s3.amazonaws.com/b/k"), at=AT)
        verified = verifier().verify(awsign.Request.received("GET", "/b/k", signed.headers, b""))
        with pytest.raises(ValueError, match="no event stream"):
            verified.events()


class TestServed:
    """`awsign serve`, with a WebSocket client that awsign has no part in."""

    def frames(self, serve: str, secret: str = SECRET) -> tuple[str, list[bytes]]:
        signer = awsign.SigV4(awsign.Credentials("ASIAEXAMPLE", secret, TOKEN), "transcribe", "us-east-1")
        url = serve.replace("http", "ws", 1) + "/stream-transcription-websocket?language-code=en-US&sample-rate=16000"
        link = signer.presign(awsign.Request("GET", url), expires=300)
        events = signer.events(link)
        return link.url, [*(events.frame(bytes([n]) * 1000, EVENT) for n in range(5)), events.end()]

    def talk(self, url: str, frames: list[bytes]) -> tuple[dict[str, object], int]:
        from websockets.exceptions import ConnectionClosed
        from websockets.sync.client import connect

        with connect(url, proxy=None, open_timeout=10) as socket:
            # The server may have refused an early frame, and closed, while later ones are still being sent.
            with contextlib.suppress(ConnectionClosed):
                for frame in frames:
                    socket.send(frame)
            [answer] = Decoder().feed(socket.recv(timeout=10))
            with pytest.raises(ConnectionClosed) as closed:
                socket.recv(timeout=10)
        return {**dict(answer.headers), "payload": answer.payload}, closed.value.rcvd.code

    def test_verified(self, serve) -> None:
        answer, code = self.talk(*self.frames(serve))
        assert (answer[":event-type"], code) == ("VerifiedEvent", 1000)
        assert b'"Events": 5' in answer["payload"]

    def test_one_byte_changed(self, serve) -> None:
        url, frames = self.frames(serve)
        spoilt = bytearray(frames[2][:-4])
        spoilt[-1] ^= 1
        frames[2] = bytes(spoilt) + struct.pack(">I", zlib.crc32(spoilt))
        answer, code = self.talk(url, frames)
        assert (answer[":exception-type"], code) == ("InvalidSignatureException", 1008)

    def test_left_out(self, serve) -> None:
        url, frames = self.frames(serve)
        assert self.talk(url, frames[1:])[0][":message-type"] == "exception"

    def test_a_handshake_that_is_not_signed_right(self, serve) -> None:
        from websockets.exceptions import InvalidStatus
        from websockets.sync.client import connect

        url, _ = self.frames(serve, "wrong")
        for refused in (url, url.replace("16000", "8000"), url.partition("?")[0]):
            with pytest.raises(InvalidStatus) as caught, connect(refused, proxy=None, open_timeout=10):
                pass
            assert caught.value.response.status_code == 403

    def test_a_handshake_that_is_signed_in_its_header_or_by_an_older_scheme(self, serve) -> None:
        from websockets.exceptions import InvalidStatus
        from websockets.sync.client import connect

        known = awsign.Credentials("ASIAEXAMPLE", SECRET, TOKEN)
        url = serve.replace("http", "ws", 1) + "/stream-transcription-websocket"
        for signer, payload in (
            (awsign.SigV4(known, "transcribe", "us-east-1"), awsign.EVENTS),
            (awsign.SigV4(known, "transcribe", "us-east-1"), None),
            (awsign.S3SigV2(known), None),
        ):
            request = awsign.Request("GET", url.replace("ws", "http", 1))
            headers = dict(signer.sign(request, **({} if payload is None else {"payload": payload})).headers)
            headers.pop("Host", None)
            with pytest.raises(InvalidStatus) as caught, connect(url, proxy=None, additional_headers=headers, open_timeout=10):
                pass
            assert caught.value.response.status_code in (400, 403)
            assert b"presigned by Signature Version 4" in caught.value.response.body

    def test_clients_that_do_as_they_like(self, serve) -> None:
        from websockets.exceptions import ConnectionClosed
        from websockets.sync.client import connect

        url, frames = self.frames(serve)
        with connect(url, proxy=None) as socket:
            socket.send("text")
            with pytest.raises(ConnectionClosed) as closed:
                socket.recv(timeout=10)
            assert closed.value.rcvd.code == 1003
        with connect(url, proxy=None) as socket:
            socket.send(frames[0])  # And hangs up.
        assert self.talk(*self.frames(serve))[1] == 1000

    def test_as_the_body_of_a_request(self, serve) -> None:
        """Over HTTP, the frames as chunks of the transfer."""
        import http.client

        for wrong in (False, True):
            signer = awsign.SigV4(awsign.Credentials(KEY, SECRET), "transcribe", "us-east-1")
            headers = {"Content-Type": "application/vnd.amazon.eventstream", "Transfer-Encoding": "chunked"}
            signed = signer.sign(awsign.Request("POST", f"{serve}/stream-transcription", headers))
            events = signer.events(signed)
            frames = [events.frame(b"audio", EVENT), events.frame(b"more", EVENT), events.end()]
            connection = http.client.HTTPConnection(serve.partition("://")[2], timeout=10)
            connection.request(
                "POST", "/stream-transcription", iter(frames[::-1] if wrong else frames), dict(signed.headers), encode_chunked=True
            )
            assert connection.getresponse().status == (403 if wrong else 200)
            connection.close()
