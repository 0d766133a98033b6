"""What a verifier may be told besides keys: limits, a replay guard, and where bodies that are not signed are taken."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime, timedelta

import pytest

import awsign
from awsign.verify.replay import GuardFull

from .conftest import KEY, SECRET

AT = datetime(2026, 1, 15, 12, 30, 45, tzinfo=UTC)
CREDENTIALS = awsign.Credentials(KEY, SECRET)
URL = "https://photos.s3.us-east-1.amazonaws.com/key"


def received(signed: awsign.Signed | awsign.Presigned, body: bytes | None = b"", **more) -> awsign.Request:
    target = "/" + signed.url.split("/", 3)[3]
    headers = list(signed.headers)
    if not any(name.lower() == "host" for name, _ in headers):
        headers.append(("Host", signed.url.split("/")[2]))
    return awsign.Request.received(signed.method, target, headers, body, **more)


def signed(method: str = "GET", url: str = URL, headers=(), body=b"", at: datetime = AT, **more) -> awsign.Signed:
    return awsign.SigV4(CREDENTIALS, region="us-east-1").sign(awsign.Request(method, url, headers, body), at=at, **more)


def verifier(now=AT, **more) -> awsign.Verifier:
    return awsign.Verifier({KEY: CREDENTIALS}.get, now=now, **more)


def kind_of(call) -> str:
    with pytest.raises(awsign.SignatureError) as refused:
        call()
    return refused.value.kind


class TestReplay:
    def test_a_request_is_taken_once(self) -> None:
        guarded = verifier(replay_guard=awsign.MemoryReplayGuard())
        request = received(signed())
        guarded.verify(request)
        assert kind_of(lambda: guarded.verify(request)) == "replayed"
        guarded.verify(received(signed(at=AT + timedelta(seconds=1))))
        verifier().verify(request)  # Off by default.

    def test_the_signature_is_not_what_is_remembered(self) -> None:
        """Of ECDSA there are many for one request."""
        guarded = verifier(replay_guard=awsign.MemoryReplayGuard())
        signer = awsign.SigV4A(CREDENTIALS)
        first, second = (signer.sign(awsign.Request("GET", URL), at=AT) for _ in range(2))
        assert first.derivation.signature != second.derivation.signature
        guarded.verify(received(first))
        assert kind_of(lambda: guarded.verify(received(second))) == "replayed"

    def test_urls_and_forms_may_be_used_often(self) -> None:
        guarded = verifier(replay_guard=awsign.MemoryReplayGuard())
        link = received(awsign.SigV4(CREDENTIALS).presign(awsign.Request("GET", URL), at=AT))
        old = received(awsign.S3SigV2(CREDENTIALS).presign(awsign.Request("GET", "https://photos.s3.amazonaws.com/k"), at=AT))
        for request in (link, link, old, old):
            guarded.verify(request)

    def test_the_query_api_of_the_older_scheme(self) -> None:
        guarded = verifier(replay_guard=awsign.MemoryReplayGuard())
        request = received(
            awsign.SigV2(CREDENTIALS).sign(awsign.Request("GET", "https://ec2.us-east-1.amazonaws.com/?Action=X"), at=AT)
        )
        guarded.verify(request)
        assert kind_of(lambda: guarded.verify(request)) == "replayed"

    def test_a_forged_request_is_not_remembered(self) -> None:
        guarded = verifier(replay_guard=awsign.MemoryReplayGuard())
        right = signed()
        wrong = [(n, v[:-1] + ("0" if v[-1] != "0" else "1") if n == "Authorization" else v) for n, v in right.headers]
        assert kind_of(lambda: guarded.verify(awsign.Request.received("GET", "/key", wrong, b""))) == "signature-mismatch"
        guarded.verify(received(right))

    def test_it_is_kept_for_as_long_as_it_could_be_taken(self) -> None:
        """A signer whose clock is ahead: the request counts until its time and the skew are over."""
        clock = [AT - timedelta(seconds=900)]
        guarded = verifier(now=lambda: clock[0], replay_guard=awsign.MemoryReplayGuard())
        request = received(signed())
        guarded.verify(request)
        for later in (0, 450, 900):
            clock[0] = AT + timedelta(seconds=later)
            assert kind_of(lambda: guarded.verify(request)) == "replayed"
        clock[0] = AT + timedelta(seconds=901)
        assert kind_of(lambda: guarded.verify(request)) == "skew"

    def test_a_body_that_takes_its_time(self) -> None:
        """The head in time, the body too late: by then the request may have been forgotten."""
        clock = [AT]
        guarded = verifier(now=lambda: clock[0], replay_guard=awsign.MemoryReplayGuard())
        request = received(
            signed("POST", "https://abc.execute-api.us-east-1.amazonaws.com/x", {"content-type": "text/plain"}, b"x"), b"x"
        )
        guarded.verify(request)
        clock[0] = AT + timedelta(seconds=900)
        claims = [guarded.claim(request) for _ in range(3)]
        clock[0] = AT + timedelta(seconds=980)
        for claim in claims:
            assert kind_of(lambda claim=claim: guarded.verify(claim)) == "skew"

    def test_what_is_over_makes_room(self) -> None:
        guard = awsign.MemoryReplayGuard(2)
        assert guard.add(b"a", AT + timedelta(seconds=1), AT) and guard.add(b"b", AT + timedelta(seconds=9), AT)
        with pytest.raises(GuardFull):
            guard.add(b"c", AT + timedelta(seconds=9), AT)
        assert guard.add(b"c", AT + timedelta(seconds=9), AT + timedelta(seconds=2))
        assert not guard.add(b"b", AT + timedelta(seconds=9), AT + timedelta(seconds=2))
        assert not guard.add(b"d", AT, AT + timedelta(seconds=2))  # Over already.

    def test_no_room_is_a_refusal(self) -> None:
        guarded = verifier(replay_guard=awsign.MemoryReplayGuard(1))
        guarded.verify(received(signed()))
        with pytest.raises(awsign.SignatureError) as refused:
            guarded.verify(received(signed(at=AT + timedelta(seconds=1))))
        assert (refused.value.kind, refused.value.status) == ("replay-guard-full", 503)

    def test_many_threads(self) -> None:
        guard, new = awsign.MemoryReplayGuard(), []

        def add() -> None:
            new.extend(key for key in range(500) if guard.add(b"%d" % key, AT, AT))

        threads = [threading.Thread(target=add) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(new) == list(range(500))

    def test_a_guard_that_is_awaited(self) -> None:
        """As one on Redis would be."""

        class Remote:
            known: set[bytes] = set()  # noqa: RUF012

            async def add(self, key, until, now):
                await asyncio.sleep(0)
                if len(self.known) > 1:
                    raise GuardFull
                new = key not in self.known
                self.known.add(key)
                return new

        guarded = verifier(replay_guard=Remote())
        request = received(signed())

        async def twice() -> None:
            await guarded.verify_async(request)
            await guarded.verify_async(request)

        assert kind_of(lambda: asyncio.run(twice())) == "replayed"
        asyncio.run(guarded.verify_async(received(signed(at=AT + timedelta(seconds=1)))))
        assert (
            kind_of(lambda: asyncio.run(guarded.verify_async(received(signed(at=AT + timedelta(seconds=2))))))
            == "replay-guard-full"
        )
        with pytest.raises(TypeError, match="await"):
            guarded.verify(received(signed(at=AT + timedelta(seconds=3))))

    @pytest.mark.parametrize("wrong", [0, -1, 1.5, "many"])
    def test_capacity(self, wrong) -> None:
        with pytest.raises(awsign.InvalidRequest):
            awsign.MemoryReplayGuard(wrong)

    def test_what_is_no_guard(self) -> None:
        with pytest.raises(TypeError):
            verifier(replay_guard=object())


class TestLimits:
    def test_head(self) -> None:
        request = received(signed(headers={"x-amz-meta-long": "x" * 2000}))
        verifier().verify(request)
        assert kind_of(lambda: verifier(max_head=2000).verify(request)) == "head-too-large"

    @pytest.mark.parametrize("service", ["s3", "execute-api"])
    def test_body(self, service: str) -> None:
        url = URL if service == "s3" else "https://abc.execute-api.us-east-1.amazonaws.com/x"
        request = received(signed("POST", url, body=b"x" * 100), b"x" * 100)
        verifier(max_body=100).verify(request)
        assert kind_of(lambda: verifier(max_body=99).verify(request)) == "body-too-large"

    def test_body_as_it_is_read(self) -> None:
        verified = verifier(max_body=99).verify(received(signed("PUT", body=b"x" * 100), None))
        verified.body.feed(b"x" * 99)
        assert kind_of(lambda: verified.body.feed(b"x")) == "body-too-large"

    def test_its_length_is_enough(self) -> None:
        request = received(signed("PUT", headers={"Content-Length": "100"}, body=b"x" * 100), None)
        assert kind_of(lambda: verifier(max_body=99).verify(request)) == "body-too-large"

    @pytest.mark.parametrize("wrong", [{"max_head": -1}, {"max_body": "1"}, {"unsigned_payload": "no"}])
    def test_what_cannot_be(self, wrong) -> None:
        with pytest.raises(awsign.InvalidRequest):
            verifier(**wrong)


class TestUnsignedPayload:
    def requests(self, scheme: str) -> dict[str, awsign.Request]:
        more = {"scheme": scheme}
        unsigned = signed("PUT", body=b"x", payload=awsign.UNSIGNED_PAYLOAD)
        trailer = signed("PUT", body=b"x" * 10, payload=awsign.Chunked(signed=False, trailer="CRC32"))
        form = awsign.S3Presigner(CREDENTIALS, "us-east-1", "photos", at=AT).post("k")
        parts = "".join(f'--b\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in form.fields.items())
        posted = f'{parts}--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nx\r\n--b--\r\n'
        multipart = [("Host", "photos.s3.us-east-1.amazonaws.com"), ("Content-Type", "multipart/form-data; boundary=b")]
        older = awsign.S3SigV2(CREDENTIALS).sign(awsign.Request("PUT", "https://photos.s3.amazonaws.com/k", body=b"x"), at=AT)
        return {
            "header": received(unsigned, b"x", **more),
            "unsigned chunks": received(trailer, b"".join(trailer.body), **more),
            "presigned": received(awsign.SigV4(CREDENTIALS).presign(awsign.Request("PUT", URL), at=AT), b"x", **more),
            "older": received(older, b"x", **more),
            "form": awsign.Request.received("POST", "/", multipart, posted, **more),
        }

    @pytest.mark.parametrize("which", ["header", "unsigned chunks", "presigned", "older", "form"])
    def test_policies(self, which: str) -> None:
        for scheme in ("http", "https"):
            request = self.requests(scheme)[which]
            verifier().verify(request)
            assert kind_of(lambda request=request: verifier(unsigned_payload="refuse").verify(request)) in (
                "bad-content-sha256",
                "unsigned-content",
            )
            if scheme == "https":
                verifier(unsigned_payload="https").verify(request)
            else:
                assert kind_of(lambda request=request: verifier(unsigned_payload="https").verify(request)) in (
                    "bad-content-sha256",
                    "unsigned-content",
                )

    def test_what_is_signed_is_taken(self) -> None:
        strict = verifier(unsigned_payload="refuse")
        chunks = signed("PUT", body=b"x" * 10, payload=awsign.Chunked())
        strict.verify(received(signed("PUT", body=b"x"), b"x"))
        assert strict.verify(received(chunks, b"".join(chunks.body))).content == b"x" * 10


class TestTarget:
    @pytest.mark.parametrize("odd", ["#", "\t", "\0", "\r", "\x7f"])
    def test_what_no_target_has(self, odd: str) -> None:
        """Servers cut a target there, so that an application would act on another one."""
        right = signed(url=f"{URL}/a%{ord(odd):02X}b")
        verifier().verify(received(right))
        raw = awsign.Request.received("GET", f"/key/a{odd}b", right.headers, b"")
        assert kind_of(lambda: verifier().verify(raw)) == "bad-target"
