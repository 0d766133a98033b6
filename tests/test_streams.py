"""aws-chunked bodies: what is sent, and what a verifier gives back of what arrives."""

from __future__ import annotations

import asyncio
import base64
import datetime
import hashlib
import io
import itertools
import random
import subprocess
import sys
import zlib
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

import awsign
from awsign.checksum import Checksum
from awsign.chunked import LARGEST_CHUNK, SMALLEST_CHUNK

from .conftest import KEY, SECRET

AT = datetime.datetime(2026, 1, 15, 12, tzinfo=datetime.UTC)
CREDENTIALS = awsign.Credentials(KEY, SECRET)
SIGNERS = {"sigv4": awsign.SigV4(CREDENTIALS, "s3", "us-east-1"), "sigv4a": awsign.SigV4A(CREDENTIALS, "s3", "*")}
FORMS = {
    "signed": {},
    "signed, trailer": {"trailer": "CRC32C"},
    "unsigned, trailer": {"signed": False, "trailer": "CRC64NVME"},
}  # fmt: skip
VERIFIER = awsign.Verifier({KEY: SECRET}.get, now=AT)


def sign(body: object, *, scheme: str = "sigv4", headers: dict[str, str] | None = None, **chunked: object) -> awsign.Signed:
    request = awsign.Request("PUT", "https://s3.us-east-1.amazonaws.com/bucket/key", headers or {}, body)
    return SIGNERS[scheme].sign(request, at=AT, payload=awsign.Chunked(**chunked))


def received(signed: awsign.Signed, body: bytes | None = None) -> awsign.Request:
    return awsign.Request.received(signed.method, "/bucket/key", signed.headers, body)


def decode(signed: awsign.Signed, wire: bytes, *, step: int | None = None) -> bytes:
    """What a server gets, block by block."""
    body = VERIFIER.verify(received(signed)).body
    blocks = [wire] if step is None else [wire[at : at + step] for at in range(0, len(wire), step)]
    return b"".join([body.feed(block) for block in blocks]) + body.close()


def kind_of(signed: awsign.Signed, wire: bytes, **options: int) -> str:
    with pytest.raises(awsign.SignatureError) as caught:
        decode(signed, wire, **options)
    return caught.value.kind


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest) -> dict[str, object]:
    return FORMS[request.param]


@pytest.fixture(params=SIGNERS)
def scheme(request: pytest.FixtureRequest) -> str:
    return request.param


class TestSending:
    @pytest.mark.parametrize("size", [0, 1, 8191, 8192, 8193, 16384, 20000])
    def test_the_length_is_known_beforehand(self, size, form, scheme) -> None:
        data = random.Random(size).randbytes(size)
        signed = sign(data, scheme=scheme, chunk_size=8192, **form)
        wire = b"".join(signed.body)
        headers = dict(signed.headers)
        assert len(wire) == signed.body.content_length == int(headers["Content-Length"])
        assert headers["X-Amz-Decoded-Content-Length"] == str(size)
        assert headers["Content-Encoding"] == "aws-chunked"
        assert decode(signed, wire) == data
        assert decode(signed, wire, step=999) == data

    def test_every_kind_of_body_gives_the_same(self, form) -> None:
        data = bytes(range(256)) * 100

        async def blocks():
            for at in range(0, len(data), 7000):
                yield data[at : at + 7000]

        async def gathered(body):
            return b"".join([piece async for piece in body])

        same = {"chunk_size": 8192, "length": len(data), **form}
        expected = b"".join(sign(data, **same).body)
        assert b"".join(sign(io.BytesIO(data), **same).body) == expected
        assert b"".join(sign(iter([data[:1], b"", data[1:20000], bytearray(data[20000:])]), **same).body) == expected
        assert asyncio.run(gathered(sign(blocks(), **same).body)) == expected
        spooled = awsign.Request("PUT", "https://s3.us-east-1.amazonaws.com/b/k", body=data)
        assert SIGNERS["sigv4"].sign(spooled, payload=awsign.Chunked(**same)).body.content_length == len(expected)

    def test_a_file_from_where_it_stands(self) -> None:
        file = io.BytesIO(b"skipped" + b"x" * 10000)
        file.seek(7)
        signed = sign(file, chunk_size=8192)
        first = b"".join(signed.body)
        assert decode(signed, first) == b"x" * 10000
        assert b"".join(signed.body) == first  # Sent again: begun again.

    @pytest.mark.parametrize("payload", [None, awsign.Chunked(), awsign.Chunked(trailer="CRC32")], ids=repr)
    def test_signing_again_what_was_sent(self, payload) -> None:
        """The file is at its end then, or in its middle: the request remembers where it stood."""
        file = io.BytesIO(b"skipped" + b"data" * 3000)
        file.seek(7)
        request = awsign.Request("PUT", "https://s3.us-east-1.amazonaws.com/bucket/key", body=file)
        for _ in range(3):
            signed = SIGNERS["sigv4"].sign(request, at=AT, payload=payload)
            wire = b"".join(signed.body) if payload else signed.body.read()
            assert VERIFIER.verify(received(signed, wire)).content == b"data" * 3000
            file.seek(100)

    def test_an_async_file(self) -> None:
        """As aiofiles and anyio have them."""

        class File:
            def __init__(self, data: bytes) -> None:
                self._file = io.BytesIO(data)

            async def read(self, size: int = -1) -> bytes:
                return self._file.read(size)

            async def seek(self, where: int, whence: int = 0) -> int:
                return self._file.seek(where, whence)

            async def tell(self) -> int:
                return self._file.tell()

            async def __aiter__(self):
                for line in self._file:
                    yield line

        data = b"line\n" * 3000

        async def send() -> bytes:
            signed = sign(File(data), length=len(data), chunk_size=8192)
            return decode(signed, b"".join([piece async for piece in signed.body]))

        assert asyncio.run(send()) == data
        with pytest.raises(awsign.InvalidRequest, match="spool_async"):
            SIGNERS["sigv4"].sign(awsign.Request("PUT", "https://s3.us-east-1.amazonaws.com/b/k", body=File(data)))
        with pytest.raises(awsign.InvalidRequest, match="length"):
            sign(File(data))
        with asyncio.run(awsign.spool_async(File(data))) as spooled:
            assert spooled.read() == data

    def test_two_readers_at_once(self) -> None:
        """Each has a chain of its own."""
        signed = sign([b"data"] * 5000, length=20000, chunk_size=8192)
        pairs = list(zip(signed.body, signed.body, strict=True))
        assert all(a == b for a, b in pairs)
        assert decode(signed, b"".join(a for a, _ in pairs)) == b"data" * 5000

    def test_lists_are_made_of_pieces(self) -> None:
        """Its length in bytes is not how many pieces there are: list() would make room for each byte."""
        assert not hasattr(sign(b"", length=0).body, "__len__")
        huge = sign(iter(()), length=1 << 40).body
        assert huge.content_length == huge.len > 1 << 40

    def test_an_iterable_is_not_sent_twice(self) -> None:
        signed = sign(iter([b"data"]), length=4)
        assert decode(signed, b"".join(signed.body)) == b"data"
        with pytest.raises(awsign.InvalidRequest, match="only once"):
            list(signed.body)

    @pytest.mark.parametrize(("blocks", "said"), [([b"dat"], "1 bytes shorter"), ([b"dat", b"aX"], "longer")])
    def test_a_length_that_is_wrong_never_ends_the_stream(self, blocks, said) -> None:
        sent = []
        with pytest.raises(awsign.InvalidRequest, match=said):
            sent.extend(sign(iter(blocks), length=4).body)
        assert not any(piece.startswith(b"0;") or b"\r\n0;" in piece for piece in sent)
        assert b"X" not in b"".join(sent)

    def test_the_rest_of_the_content_encoding_is_kept(self) -> None:
        assert dict(sign(b"", headers={"Content-Encoding": "gzip"}).headers)["Content-Encoding"] == "gzip,aws-chunked"
        assert dict(sign(b"", headers={"Content-Encoding": "aws-chunked"}).headers)["Content-Encoding"] == "aws-chunked"
        request = awsign.Request(
            "PUT", "https://s3.us-east-1.amazonaws.com/b/k", [("Content-Encoding", "gzip"), ("Content-Encoding", "br")]
        )
        signed = SIGNERS["sigv4"].sign(request, payload=awsign.Chunked())
        assert dict(signed.headers)["Content-Encoding"] == "gzip,br,aws-chunked"

    def test_a_length_that_was_there_is_replaced(self) -> None:
        signed = sign(b"data", headers={"Content-Length": "4"})
        assert [value for name, value in signed.headers if name == "Content-Length"] == [str(signed.body.content_length)]

    @pytest.mark.parametrize(
        ("headers", "chunked"),
        [
            ({"Content-Length": "5"}, {}),
            ({"X-Amz-Decoded-Content-Length": "5"}, {}),
            ({"X-Amz-Trailer": "x-amz-checksum-crc32"}, {}),
            ({"Transfer-Encoding": "chunked"}, {}),
            ({"x-amz-checksum-crc32": "AAAAAA=="}, {"trailer": "CRC32"}),
            ({}, {"length": 5}),
        ],
    )
    def test_what_contradicts_the_stream_is_refused(self, headers, chunked) -> None:
        with pytest.raises(awsign.InvalidRequest):
            sign(b"data", headers=headers, **chunked)

    @pytest.mark.parametrize(
        "chunked",
        [
            {"chunk_size": 8191}, {"chunk_size": (16 << 20) + 1}, {"chunk_size": 0}, {"chunk_size": "64K"}, {"length": -1},
            {"trailer": "MD5"}, {"trailer": ""},
        ],
    )  # fmt: skip
    def test_what_cannot_be(self, chunked) -> None:
        with pytest.raises(awsign.InvalidRequest):
            awsign.Chunked(**chunked)

    @pytest.mark.parametrize("chunked", [{"length": "5"}, {"length": 5.0}, {"length": True}, {"trailer": 5}])
    def test_wrong_types(self, chunked) -> None:
        with pytest.raises(TypeError):
            awsign.Chunked(**chunked)

    def test_other_services_and_unknown_lengths(self) -> None:
        request = awsign.Request("POST", "https://dynamodb.us-east-1.amazonaws.com/", body=b"{}")
        with pytest.raises(awsign.InvalidRequest, match="dynamodb"):
            awsign.SigV4(CREDENTIALS, "dynamodb", "us-east-1").sign(request, payload=awsign.Chunked())
        with pytest.raises(awsign.InvalidRequest, match="length"):
            sign(iter([b"data"]))
        with pytest.raises(TypeError, match="str"):
            list(sign(iter(["text"]), length=4).body)

    def test_an_unsigned_stream_has_a_trailer_always(self) -> None:
        assert dict(sign(b"", signed=False).headers)["X-Amz-Trailer"] == "x-amz-checksum-crc32"

    def test_constant_memory(self) -> None:
        """2 GiB are signed, and verified, in less than 64 MiB, as the peak of a process of its own."""
        script = """
import awsign, itertools
credentials = awsign.Credentials("AKIDEXAMPLE", "secret")
size = 2 << 30
block = bytes(1 << 20)
request = awsign.Request("PUT", "https://s3.us-east-1.amazonaws.com/b/k", body=itertools.repeat(block, size // len(block)))
signed = awsign.SigV4(credentials, "s3", "us-east-1").sign(request, payload=awsign.Chunked(size))
body = awsign.Verifier({"AKIDEXAMPLE": "secret"}.get).verify(awsign.Request.received("PUT", "/b/k", signed.headers)).body
got = sum(len(body.feed(piece)) for piece in signed.body) + len(body.close())
assert got == size, got
print(open("/proc/self/status").read().split("VmHWM:")[1].split()[0])
"""
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        assert int(done.stdout) < 64 * 1024


class TestReading:
    def test_nothing_unverified_is_given_back(self) -> None:
        """Of signed chunks, what comes before a bad byte and no more; and what comes back is always a beginning of the body."""
        data = random.Random(1).randbytes(30000)
        signed = sign(data, chunk_size=8192)
        wire = b"".join(signed.body)
        for at in range(0, len(wire), 501):
            spoilt = bytearray(wire)
            spoilt[at] ^= 0x10
            body = VERIFIER.verify(received(signed)).body
            given = b""
            with pytest.raises(awsign.SignatureError):  # noqa: PT012
                for offset in range(0, len(spoilt), 100):
                    given += body.feed(bytes(spoilt[offset : offset + 100]))
                given += body.close()
            assert data.startswith(given)
            assert len(given) % 8192 == 0 or len(given) == len(data)
            assert len(given) <= at
            with pytest.raises(ValueError, match="closed"):
                body.feed(b"more")

    @pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
    def test_every_changed_byte_is_refused_or_means_the_same(self, form, scheme) -> None:
        data = b"some data " * 900
        signed = sign(data, scheme=scheme, chunk_size=8192, **form)
        wire = b"".join(signed.body)
        ends = {at for at in range(len(wire)) if len(wire) - at < 400 or at < 200 or 8192 - 20 < at < 8192 + 400}
        choices = random.Random(2)
        for at in sorted(ends) if scheme == "sigv4" else sorted(ends)[::5]:
            others = {choices.randrange(256), wire[at] ^ 0x20, wire[at] ^ 1, ord("*"), ord("0"), 10, 13} - {wire[at]}
            for other in sorted(others):
                spoilt = wire[:at] + bytes([other]) + wire[at + 1 :]
                try:
                    assert decode(signed, spoilt) == data, (at, other)
                except awsign.SignatureError:
                    continue
                # What passes: the case of a size's hex or of a trailer's name, and a line end or space where there was none.
                same = wire[at : at + 1].lower() == spoilt[at : at + 1].lower()
                assert same or (wire[at] in b"\r" and other in b"\n \t"), (at, other, spoilt[max(0, at - 80) : at + 80])

    @pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
    def test_every_changed_byte_of_the_head(self, form, scheme) -> None:
        """Refused; or what was signed and the decoded body are the same: the case of a name, white space, what is not signed."""
        data = b"data" * 3000
        signed = sign(data, scheme=scheme, chunk_size=8192, **form)
        wire = b"".join(signed.body)
        right = VERIFIER.verify(received(signed)).derivation.canonical_request
        choices = random.Random(5)
        lines = [b"PUT", b"/bucket/key", *(f"{name}: {value}".encode() for name, value in signed.headers)]
        for number, line in enumerate(lines):
            for at in range(0, len(line), 1 if scheme == "sigv4" else 7):
                other = choices.choice([line[at] ^ 1, line[at] ^ 0x20, 0x20, 0x3A, choices.randrange(256)])
                spoilt = [*lines]
                spoilt[number] = line[:at] + bytes([other]) + line[at + 1 :]
                pairs = [each.partition(b":")[::2] for each in spoilt[2:]]
                request = awsign.Request.received(
                    spoilt[0].decode("latin-1"), spoilt[1], [(name.decode("latin-1"), value) for name, value in pairs]
                )
                try:
                    verified = VERIFIER.verify(request)
                    assert verified.body.feed(wire) + verified.body.close() == data
                except awsign.SignatureError:
                    continue
                assert verified.derivation.canonical_request == right, spoilt[number]

    @pytest.mark.parametrize("step", [1, 2, 3, 7, 64, 8191, 8193])
    def test_however_it_is_cut(self, step, form, scheme) -> None:
        data = bytes(range(256)) * 40
        signed = sign(data, scheme=scheme, chunk_size=8192, **form)
        assert decode(signed, b"".join(signed.body), step=step) == data

    @given(
        size=st.integers(0, 40000),
        chunk_size=st.integers(8192, 20000),
        cuts=st.lists(st.integers(1, 20000), max_size=8),
        form=st.sampled_from(list(FORMS.values())),
        seed=st.integers(0, 1000),
    )
    def test_random_streams(self, size, chunk_size, cuts, form, seed) -> None:
        data = random.Random(seed).randbytes(size)
        edges = list(itertools.accumulate(cuts))
        blocks = [data[a:b] for a, b in itertools.pairwise([0, *edges, max(size, edges[-1] if edges else 0)])]
        signed = sign(iter(blocks), length=size, chunk_size=chunk_size, **form)
        wire = b"".join(signed.body)
        body = VERIFIER.verify(received(signed)).body
        given = b"".join(
            [body.feed(wire[a:b]) for a, b in itertools.pairwise([0, *edges, max(len(wire), edges[-1] if edges else 0)])]
        )
        assert given + body.close() == data

    def test_the_last_block_is_withheld_until_the_trailer_holds(self) -> None:
        for form in ({"signed": False, "trailer": "CRC32"}, {"trailer": "SHA256"}):
            data = b"x" * 100
            signed = sign(data, **form)
            body = VERIFIER.verify(received(signed)).body
            assert body.feed(b"".join(signed.body)) == b""
            assert body.close() == data

    def test_a_body_of_bytes_is_checked_at_once(self) -> None:
        signed = sign(b"data" * 5000)
        wire = b"".join(signed.body)
        verified = VERIFIER.verify(received(signed, wire))
        assert verified.content == b"data" * 5000
        assert "yet to be read" not in repr(verified)
        assert "yet to be read" in repr(VERIFIER.verify(received(signed)))
        assert verified.body.feed(wire) + verified.body.close() == b"data" * 5000
        with pytest.raises(awsign.SignatureError):
            VERIFIER.verify(received(signed, wire.replace(b"data", b"dada", 1)))

    def test_cut_short(self, form) -> None:
        signed = sign(b"data" * 5000, chunk_size=8192, **form)
        wire = b"".join(signed.body)
        for end in (0, 1, 5, 100, len(wire) // 2, len(wire) - 40, len(wire) - 3, len(wire) - 2, len(wire) - 1):
            assert kind_of(signed, wire[:end]) in ("incomplete-body", "malformed-chunk")

    def test_a_chunk_left_out_or_twice_or_moved(self) -> None:
        data = b"".join(bytes([n]) * 8192 for n in range(4))
        signed = sign(data, chunk_size=8192)
        size = 8192 + len("2000;chunk-signature=\r\n\r\n") + 64
        wire = b"".join(signed.body)
        chunks = [wire[at : at + size] for at in range(0, 4 * size, size)]
        end = wire[4 * size :]
        assert decode(signed, b"".join([*chunks, end])) == data
        for order in ([0, 1, 3], [0, 2, 1, 3], [0, 0, 1, 2, 3], [0, 1, 2, 3, 3], [1, 2, 3]):
            assert kind_of(signed, b"".join([chunks[n] for n in order]) + end) in ("signature-mismatch", "incomplete-body")
        assert kind_of(signed, end) == "signature-mismatch"

    def test_a_stream_of_another_request(self) -> None:
        signed, other = sign(b"data"), sign(b"data", headers={"x-amz-meta-a": "b"})
        assert kind_of(signed, b"".join(other.body)) == "signature-mismatch"

    @pytest.mark.parametrize(
        ("change", "kind"),
        [
            (lambda w: w + b"x", "malformed-chunk"),
            (lambda w: b"+" + w, "malformed-chunk"),
            (lambda w: b" " + w, "malformed-chunk"),
            (lambda w: b"-" + w, "malformed-chunk"),
            (lambda w: b"1" + w, "incomplete-body"),
            (lambda w: b"fffffffff" + w, "malformed-chunk"),
            (lambda w: w.replace(b";", b";x=y;", 1), "malformed-chunk"),
            (lambda w: w.replace(b"\r\n", b"\n", 1), "malformed-chunk"),
            (lambda w: w.replace(b";chunk-signature", b";Chunk-signature", 1), "malformed-chunk"),
            (lambda w: b"0" * 9000 + w, "malformed-chunk"),
            (lambda w: w.replace(b";chunk-signature=", b";chunk-signature=*", 1), "malformed-chunk"),
            (lambda w: w[:-2] + b"x-amz-meta-a:b\r\n\r\n", "malformed-chunk"),
        ],
    )
    def test_lines_that_are_none(self, change, kind) -> None:
        signed = sign(b"data" * 5000, chunk_size=8192)
        assert kind_of(signed, change(b"".join(signed.body))) == kind

    def test_chunk_sizes(self) -> None:
        """By an independent hand: chunks of any size, signed as AWS's page says."""
        for sizes, kind in (
            ([8191, 1], "chunk-too-small"),
            ([LARGEST_CHUNK + 1], "chunk-too-large"),
            ([8192, 1], None),
            ([5], None),
        ):
            data = [b"x" * size for size in sizes]
            signed = sign(b"".join(data))
            wire = by_hand(signed, data)
            if kind is None:
                assert decode(signed, wire) == b"".join(data)
            else:
                assert kind_of(signed, wire) == kind
        assert SMALLEST_CHUNK == 8192

    def test_the_decoded_length(self) -> None:
        for length, kind in ((3, "incomplete-body"), (5, "incomplete-body"), (4, None)):
            signed = sign(iter(()), length=length)
            wire = by_hand(signed, [b"data"])
            if kind is None:
                assert decode(signed, wire) == b"data"
            else:
                assert kind_of(signed, wire) == kind

    def test_one_chunk_of_five_gibibytes_is_read(self) -> None:
        """As aws-sdk-go-v2 sends an unsigned body; its first line, and some of it."""
        signed = sign(iter(()), signed=False, trailer="CRC32", length=5 << 30)
        body = VERIFIER.verify(received(signed)).body
        assert body.feed(b"140000000\r\n" + b"x" * 1000) == b""  # Held back: a checksum is to come.
        assert body.feed(b"y" * 10) == b"x" * 1000

    def test_small_pieces_do_not_pile_up(self) -> None:
        import tracemalloc

        data = bytes(1 << 20)
        signed = sign(data, chunk_size=1 << 20)
        wire = b"".join(signed.body)
        body = VERIFIER.verify(received(signed)).body
        tracemalloc.start()
        for at in range(1 << 19):
            body.feed(wire[at : at + 1])
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 4 << 20


def by_hand(signed: awsign.Signed, chunks: list[bytes], trailer: bytes = b"", framed: bytes | None = None) -> bytes:
    """Chunks and a trailer, signed by this test: hmac of the strings that AWS's page has."""
    import hmac

    date, region, service, _ = signed.derivation.scope.split("/")
    key = f"AWS4{SECRET}".encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    before = f"{AT:%Y%m%dT%H%M%SZ}\n{signed.derivation.scope}\n"
    previous, empty = signed.derivation.signature, hashlib.sha256(b"").hexdigest()
    wire = b""
    for data in [*chunks, b""]:
        text = f"AWS4-HMAC-SHA256-PAYLOAD\n{before}{previous}\n{empty}\n{hashlib.sha256(data).hexdigest()}"
        previous = hmac.new(key, text.encode(), "sha256").hexdigest()
        wire += b"%x;chunk-signature=%b\r\n%b%b" % (len(data), previous.encode(), data, b"\r\n" if data else b"")
    if trailer:
        text = f"AWS4-HMAC-SHA256-TRAILER\n{before}{previous}\n{hashlib.sha256(trailer).hexdigest()}"
        signature = hmac.new(key, text.encode(), "sha256").hexdigest().encode()
        wire += (framed or trailer.replace(b"\n", b"\r\n")) + b"x-amz-trailer-signature:" + signature + b"\r\n"
    return wire + b"\r\n"


class TestTrailers:
    DATA = b"data" * 5000

    def trailer(self) -> bytes:
        return b"x-amz-checksum-crc32:%b\n" % base64.b64encode(zlib.crc32(self.DATA).to_bytes(4, "big"))

    def test_both_framings(self) -> None:
        signed = sign(self.DATA, trailer="CRC32")
        line = self.trailer()
        assert decode(signed, by_hand(signed, [self.DATA], line)) == self.DATA
        assert decode(signed, by_hand(signed, [self.DATA], line, framed=line + b"\r\n")) == self.DATA
        assert decode(signed, by_hand(signed, [self.DATA], line, framed=line + b"\r\n"), step=1) == self.DATA
        unsigned = sign(self.DATA, signed=False, trailer="CRC32")
        chunk = b"%x\r\n%b\r\n0\r\n" % (len(self.DATA), self.DATA)
        for end in (line.replace(b"\n", b"\r\n") + b"\r\n", line + b"\r\n\r\n", line + b"\r\n"):
            assert decode(unsigned, chunk + end) == self.DATA
            assert decode(unsigned, chunk + end, step=1) == self.DATA

    @pytest.mark.parametrize(
        ("line", "kind"),
        [
            (b"x-amz-checksum-crc32:AAAAAA==\n", "checksum-mismatch"),
            (b"x-amz-checksum-crc32:\n", "checksum-mismatch"),
            (b"x-amz-checksum-crc32c:AAAAAA==\n", "malformed-trailer"),
            (b"x-amz-meta-a:b\n", "malformed-trailer"),
            (b"nonsense\n", "malformed-trailer"),
            (b":\n", "malformed-trailer"),
        ],
    )
    def test_what_it_may_not_be(self, line, kind) -> None:
        signed = sign(self.DATA, trailer="CRC32")
        assert kind_of(signed, by_hand(signed, [self.DATA], line)) == kind
        unsigned = sign(self.DATA, signed=False, trailer="CRC32")
        chunk = b"%x\r\n%b\r\n0\r\n" % (len(self.DATA), self.DATA)
        assert kind_of(unsigned, chunk + line.replace(b"\n", b"\r\n") + b"\r\n") == kind

    def test_its_signature(self) -> None:
        signed = sign(self.DATA, trailer="CRC32")
        wire = by_hand(signed, [self.DATA], self.trailer())
        head, name, signature = wire.rpartition(b"x-amz-trailer-signature:")
        assert kind_of(signed, head + name + b"0" * 64 + b"\r\n\r\n") == "signature-mismatch"
        assert kind_of(signed, head + b"\r\n") == "malformed-trailer"
        assert kind_of(signed, head + name + signature[:-2] + b"x-amz-meta-a:b\r\n\r\n") == "malformed-trailer"
        assert kind_of(signed, head + self.trailer().replace(b"\n", b"\r\n") + name + signature) == "malformed-trailer"

    def test_the_headers_that_announce_it(self) -> None:
        signed = sign(self.DATA, signed=False, trailer="CRC32")

        def refused(**changed: str | None) -> str:
            changed = {name.replace("_", "-"): value for name, value in changed.items()}
            pairs = [(n, changed.get(n.lower(), v)) for n, v in signed.headers if changed.get(n.lower(), v) is not None]
            with pytest.raises(awsign.SignatureError) as caught:
                VERIFIER.claim(awsign.Request.received("PUT", "/bucket/key", pairs))
            return caught.value.kind

        assert refused(x_amz_trailer="x-amz-meta-a") == "malformed-trailer"
        assert refused(x_amz_trailer="x-amz-checksum-crc32,x-amz-checksum-crc32") == "malformed-trailer"
        assert refused(x_amz_trailer="") == "malformed-trailer"
        assert refused(x_amz_decoded_content_length="-1") == "missing-decoded-length"
        assert refused(x_amz_decoded_content_length="1e3") == "missing-decoded-length"
        assert refused(x_amz_content_sha256="STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD") == "bad-content-sha256"

    @pytest.mark.parametrize("headers", [{"Content-MD5": None}, {"x-amz-checksum-sha256": None}])
    @pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
    def test_what_the_headers_say_of_the_body_counts_too(self, form, headers) -> None:
        """A signed header binds the body where unsigned chunks do not."""
        right = {
            "Content-MD5": base64.b64encode(hashlib.md5(self.DATA).digest()).decode(),
            "x-amz-checksum-sha256": base64.b64encode(hashlib.sha256(self.DATA).digest()).decode(),
        }
        signed = sign(self.DATA, headers={name: right[name] for name in headers}, **form)
        wire = b"".join(signed.body)
        assert decode(signed, wire) == decode(signed, wire, step=99) == self.DATA
        evil = b"evil" * 5000
        if form.get("signed") is False:
            line = b"x-amz-checksum-crc64nvme:%b\r\n\r\n" % _crc64(evil)
            spoilt = b"%x\r\n%b\r\n0\r\n%b" % (len(evil), evil, line)
            assert kind_of(signed, spoilt) in ("content-md5-mismatch", "checksum-mismatch")
        else:
            other = sign(evil, headers={name: right[name] for name in headers}, **form)
            assert kind_of(other, b"".join(other.body)) in ("content-md5-mismatch", "checksum-mismatch")

    def test_many_names_take_no_time(self) -> None:
        names = ",".join(f"x-{n}" for n in range(17))
        signed = sign(self.DATA, trailer="CRC32")
        pairs = [(n, names if n == "X-Amz-Trailer" else v) for n, v in signed.headers]
        with pytest.raises(awsign.SignatureError) as caught:
            VERIFIER.claim(awsign.Request.received("PUT", "/bucket/key", pairs))
        assert caught.value.kind == "malformed-trailer"

    def test_the_decoded_length_may_be_unknown_where_a_checksum_covers_it(self) -> None:
        """As boto3 sends a body that it cannot seek."""
        request = awsign.Request(
            "PUT", "https://s3.us-east-1.amazonaws.com/bucket/key",
            {"x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "x-amz-trailer": "x-amz-checksum-crc32"},
        )  # fmt: skip
        from botocore.auth import S3SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials

        asked = AWSRequest("PUT", request.url, headers=dict(request.headers))
        asked.context["payload_signing_enabled"] = False
        auth = S3SigV4Auth(Credentials(KEY, SECRET), "s3", "us-east-1")
        auth.payload = lambda _: "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
        auth.add_auth(asked)
        verifier = awsign.Verifier({KEY: SECRET}.get)
        pairs = [("Host", "s3.us-east-1.amazonaws.com"), *asked.headers.items()]
        body = verifier.verify(awsign.Request.received("PUT", "/bucket/key", pairs)).body
        wire = b"4E20\r\n" + self.DATA + b"\r\n0\r\n" + self.trailer().replace(b"\n", b"\r\n") + b"\r\n"
        assert body.feed(wire) + body.close() == self.DATA


def _crc64(data: bytes) -> bytes:
    checksum = Checksum("CRC64NVME")
    checksum.update(data)
    return checksum.base64().encode()


class TestChecksums:
    # Of b"123456789": the check values of the CRC catalogue, and RFC 6234's functions by hashlib.
    CHECK: ClassVar = {
        "CRC32": 0xCBF43926.to_bytes(4, "big"),
        "CRC32C": 0xE3069283.to_bytes(4, "big"),
        "CRC64NVME": 0xAE8B14860A799888.to_bytes(8, "big"),
        "SHA1": hashlib.sha1(b"123456789").digest(),
        "SHA256": hashlib.sha256(b"123456789").digest(),
    }

    @pytest.mark.parametrize("name", CHECK)
    def test_values(self, name) -> None:
        checksum = Checksum(name.lower())
        checksum.update(b"1234")
        checksum.update(b"56789")
        assert checksum.base64() == base64.b64encode(self.CHECK[name]).decode()
        assert checksum.can_be(checksum.base64())
        assert not checksum.can_be("AAAA")
        assert Checksum(f"x-amz-checksum-{name.lower()}").header == checksum.header

    @pytest.mark.parametrize("name", CHECK)
    def test_in_a_header(self, name) -> None:
        """In the same pass as the hash; checked by the verifier beside it."""
        request = awsign.Request("PUT", "https://s3.us-east-1.amazonaws.com/bucket/key", body=io.BytesIO(b"123456789"))
        signed = SIGNERS["sigv4"].sign(request, at=AT, checksum=name)
        header = f"x-amz-checksum-{name.lower()}"
        assert dict(signed.headers)[header] == base64.b64encode(self.CHECK[name]).decode()
        assert header in signed.derivation.signed_headers
        VERIFIER.verify(received(signed, b"123456789"))
        wrong = awsign.Request(
            "PUT", "https://s3.us-east-1.amazonaws.com/bucket/key", {header: dict(sign_of(name, b"other"))[header]}, b"123456789"
        )
        signed = SIGNERS["sigv4"].sign(wrong, at=AT)
        with pytest.raises(awsign.SignatureError) as caught:
            VERIFIER.verify(received(signed, b"123456789"))
        assert (caught.value.kind, caught.value.code, caught.value.status) == ("checksum-mismatch", "BadDigest", 400)

    def test_what_is_no_checksum(self) -> None:
        signed = SIGNERS["sigv4"].sign(
            awsign.Request("PUT", "https://s3.us-east-1.amazonaws.com/bucket/key", {"x-amz-checksum-crc32": "%%"}, b""), at=AT
        )
        with pytest.raises(awsign.SignatureError) as caught:
            VERIFIER.claim(received(signed))
        assert (caught.value.kind, caught.value.code) == ("bad-checksum", "InvalidRequest")
        for name in ("CRC16", "", "x-amz-checksum-"):
            with pytest.raises(awsign.InvalidRequest):
                Checksum(name)
        with pytest.raises(awsign.InvalidRequest, match="already"):
            SIGNERS["sigv4"].sign(
                awsign.Request("PUT", "https://s3.us-east-1.amazonaws.com/b/k", {"x-amz-checksum-crc32": "AAAAAA=="}),
                checksum="CRC32",
            )
        with pytest.raises(awsign.InvalidRequest, match="trailer"):
            SIGNERS["sigv4"].sign(
                awsign.Request("PUT", "https://s3.us-east-1.amazonaws.com/b/k"), payload=awsign.Chunked(), checksum="CRC32"
            )

    def test_beside_what_the_service_wants(self) -> None:
        """A checksum changes nothing of how the payload is signed."""
        lattice = awsign.Request("PUT", "https://s.us-east-1.vpc-lattice-svcs.on.aws/", body=io.BytesIO(b"123456789"))
        signed = awsign.SigV4(CREDENTIALS, "vpc-lattice-svcs", "us-east-1").sign(lattice, checksum="CRC32")
        headers = dict(signed.headers)
        assert (headers["X-Amz-Content-Sha256"], headers["x-amz-checksum-crc32"]) == ("UNSIGNED-PAYLOAD", "y/Q5Jg==")
        with pytest.raises(awsign.InvalidRequest, match="payload is a"):
            SIGNERS["sigv4"].sign(
                awsign.Request("PUT", "https://s3.us-east-1.amazonaws.com/b/k", body=b"x"), payload="a" * 64, checksum="CRC32"
            )
        with pytest.raises(awsign.InvalidRequest, match="presigned"):
            SIGNERS["sigv4"].presign(awsign.Request("PUT", "https://s3.us-east-1.amazonaws.com/b/k"), payload=awsign.Chunked(3))

    @pytest.mark.parametrize("word", ["STREAMING-UNSIGNED-PAYLOAD-TRAILER", "STREAMING-AWS4-HMAC-SHA256-EVENTS"])
    def test_no_presigned_url_has_a_stream(self, word) -> None:
        """Not even in the one x-amz- header that it need not sign: whoever reads the request on would decode what was not signed."""
        link = SIGNERS["sigv4"].presign(awsign.Request("PUT", "https://s3.us-east-1.amazonaws.com/b/k"), at=AT)
        target = link.url.partition("amazonaws.com")[2]
        request = awsign.Request.received(
            "PUT", target, [("Host", "s3.us-east-1.amazonaws.com"), ("x-amz-content-sha256", word)], b""
        )
        with pytest.raises(awsign.SignatureError, match="no presigned URL") as caught:
            awsign.Verifier({KEY: SECRET}.get, now=AT).verify(request)
        assert caught.value.kind == "unsupported-payload"

    def test_the_object_s_checksum_is_not_that_of_the_request_that_completes_it(self) -> None:
        request = awsign.Request(
            "POST", "https://s3.us-east-1.amazonaws.com/bucket/key?uploadId=1", {"x-amz-checksum-crc32": "AAAAAA=="}, b"<xml/>"
        )
        signed = SIGNERS["sigv4"].sign(request, at=AT)
        VERIFIER.verify(awsign.Request.received("POST", "/bucket/key?uploadId=1", signed.headers, b"<xml/>"))


def sign_of(name: str, body: bytes) -> tuple[tuple[str, str], ...]:
    request = awsign.Request("PUT", "https://s3.us-east-1.amazonaws.com/bucket/key", body=body)
    return SIGNERS["sigv4"].sign(request, at=AT, checksum=name).headers
