"""The verifier: what it must refuse, what it must not, and in which words."""

from __future__ import annotations

import asyncio
import io
import re
import tracemalloc
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from hashlib import md5

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import awsign
from awsign.errors import code_and_status

from .conftest import KEY, SECRET, TOKEN

AT = datetime(2026, 1, 15, 12, tzinfo=UTC)
CREDENTIALS = awsign.Credentials(KEY, SECRET)
TEMPORARY = awsign.Credentials(KEY, SECRET, TOKEN)
HOST = "example.amazonaws.com"
received = awsign.Request.received


def verifier(known: object = CREDENTIALS, **options: object) -> awsign.Verifier:
    return awsign.Verifier(lambda key: known if key == KEY else None, **({"now": AT} | options))


def signed(service: str = "service", credentials: awsign.Credentials = CREDENTIALS, **request: object) -> awsign.Signed:
    request = {"method": "PUT", "url": f"https://{HOST}/key?a=b", "headers": {"x-amz-meta-a": "b"}, "body": b"hello"} | request
    return awsign.SigV4(credentials, service, "us-east-1").sign(awsign.Request(**request), at=AT)


def arrived(sent: awsign.Signed, **changes: object) -> awsign.Request:
    target = sent.url.partition("://")[2].partition("/")[2]
    given = {"method": sent.method, "target": f"/{target}", "headers": list(sent.headers), "body": sent.body} | changes
    return received(given["method"], given["target"], given["headers"], given["body"])


def refused(request: awsign.Request, kind: str, by: awsign.Verifier | None = None) -> awsign.SignatureError:
    with pytest.raises(awsign.SignatureError) as caught:
        (by or verifier()).verify(request)
    assert caught.value.kind == kind, caught.value
    return caught.value


def without(pairs: list, *names: str) -> list:
    return [pair for pair in pairs if pair[0].lower() not in names]


class TestVerified:
    def test_says_who_and_what(self) -> None:
        verified = verifier().verify(arrived(signed("s3")))
        assert (verified.access_key_id, verified.scheme, verified.location) == (KEY, "sigv4", "header")
        assert verified.scope == "20260115/us-east-1/s3/aws4_request"
        assert verified.signed_headers == ("host", "x-amz-content-sha256", "x-amz-date", "x-amz-meta-a")
        assert (verified.signed_at, verified.expires_at) == (AT, None)
        assert verified.derivation.signature is None

    def test_presigned(self) -> None:
        link = awsign.SigV4(TEMPORARY, "s3", "us-east-1").presign(awsign.Request("GET", f"https://{HOST}/k"), at=AT, expires=60)
        verified = verifier(TEMPORARY).verify(received("GET", link.url.partition(HOST)[2], [("Host", HOST)]))
        assert (verified.location, verified.expires_at, verified.session_token) == ("query", AT + timedelta(seconds=60), TOKEN)

    def test_async_secrets(self) -> None:
        async def secret_for(key: str) -> awsign.Credentials | None:
            await asyncio.sleep(0)
            return CREDENTIALS if key == KEY else None

        by = awsign.Verifier(secret_for, now=AT)
        assert asyncio.run(by.verify_async(arrived(signed()))).access_key_id == KEY
        assert asyncio.run(awsign.Verifier({KEY: SECRET}.get, now=AT).verify_async(arrived(signed())))
        with pytest.raises(TypeError, match="verify_async"):
            by.verify(arrived(signed()))

    def test_in_two_steps(self) -> None:
        claim = verifier().claim(arrived(signed()))
        assert claim.access_key_id == KEY
        assert claim.verify(CREDENTIALS)
        with pytest.raises(ValueError, match="OTHER"):
            claim.verify(awsign.Credentials("OTHER", SECRET))


PRESIGNED_BUT_FOR_DATE = (
    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A%2F20260115%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Expires=60"
    "&X-Amz-SignedHeaders=host&X-Amz-Signature=aa"
)


class TestTampering:
    """Each change alone is refused."""

    def test_an_unsigned_amz_header(self) -> None:
        for sent in (signed(), signed("s3")):
            error = refused(arrived(sent, headers=[*sent.headers, ("X-Amz-Copy-Source", "/other/key")]), "unsigned-header")
            assert "x-amz-copy-source" in str(error)
        link = awsign.SigV4(CREDENTIALS, "s3", "us-east-1").presign(awsign.Request("PUT", f"https://{HOST}/k"), at=AT)
        refused(received("PUT", link.url.partition(HOST)[2], [("Host", HOST), ("x-amz-copy-source", "/a/b")]), "unsigned-header")
        assert verifier().verify(
            received("PUT", link.url.partition(HOST)[2], [("Host", HOST), ("x-amz-content-sha256", "UNSIGNED-PAYLOAD")])
        )

    def test_an_exemption_is_named(self) -> None:
        sent = signed()
        added = arrived(sent, headers=[*sent.headers, ("X-Amz-Cf-Id", "abc")])
        refused(added, "unsigned-header")
        assert verifier(unsigned_headers=["X-Amz-Cf-Id"]).verify(added)

    @pytest.mark.parametrize(
        ("changes", "kind"),
        [
            ({"method": "POST"}, "signature-mismatch"),
            ({"target": "/key?a=c"}, "signature-mismatch"),
            ({"target": "/key?a=b&acl"}, "signature-mismatch"),
            ({"target": "/Key?a=b"}, "signature-mismatch"),
            ({"body": b"hellO"}, "payload-hash-mismatch"),
            ({"body": b""}, "payload-hash-mismatch"),
            ({"body": bytearray(b"hellO")}, "payload-hash-mismatch"),
            ({"body": memoryview(b"hellO")}, "payload-hash-mismatch"),
        ],
    )
    def test_what_arrived_is_not_what_was_signed(self, changes, kind) -> None:
        refused(arrived(signed("s3"), **changes), kind)

    def test_a_body_whose_hash_is_not_declared(self) -> None:
        assert verifier().verify(arrived(signed(method="POST")))
        refused(arrived(signed(method="POST"), body=b"hellO"), "signature-mismatch")
        assert "body" in str(refused(arrived(signed(method="POST"), body=None), "signature-mismatch"))

    def test_headers(self) -> None:
        sent = signed()
        pairs = list(sent.headers)
        refused(arrived(sent, headers=without(pairs, "x-amz-meta-a")), "signed-header-missing")
        refused(arrived(sent, headers=[*without(pairs, "x-amz-meta-a"), ("x-amz-meta-a", "c")]), "signature-mismatch")
        refused(arrived(sent, headers=[*pairs, ("x-amz-meta-a", "c")]), "signature-mismatch")
        refused(arrived(sent, headers=[*pairs, ("HOST", "other")]), "duplicate-header")
        refused(arrived(sent, headers=[*pairs, ("x-amz-date", "20260115T120000Z")]), "duplicate-header")
        refused(arrived(sent, headers=[*without(pairs, "host"), ("Host", "other")]), "signature-mismatch")
        refused(arrived(sent, headers=without(pairs, "host")), "signed-header-missing")
        refused(arrived(sent, headers=without(pairs, "authorization")), "missing-authentication")
        refused(arrived(sent, headers=without(pairs, "x-amz-date")), "missing-date")

    def test_a_signed_header_split_in_two(self) -> None:
        sent = signed(headers={"x-amz-copy-source": "/b/x,y"})
        split = [
            pair
            for name, value in sent.headers
            for pair in ([(name, "/b/x"), (name, "y")] if name == "x-amz-copy-source" else [(name, value)])
        ]
        refused(arrived(sent, headers=split), "duplicate-header")

    def test_what_changes_nothing_is_taken(self) -> None:
        sent = signed()
        pairs = [(name.upper(), f"  {value}\t") for name, value in reversed(sent.headers)]
        assert verifier().verify(arrived(sent, headers=pairs))
        assert verifier().verify(arrived(sent, target="//./key/?a=b".replace("key/", "key")))

    def test_a_host_named_twice(self) -> None:
        sent = signed()
        refused(arrived(sent, target="https://evil/key?a=b"), "wrong-host")
        refused(arrived(sent, target=f"https://x@{HOST}/key?a=b"), "wrong-host")
        refused(arrived(sent, headers=[(":authority", "evil"), *sent.headers]), "duplicate-header")
        assert verifier().verify(arrived(sent, headers=[(":authority", HOST), *sent.headers]))
        assert verifier().verify(arrived(sent, target=f"https://{HOST}/key?a=b"))

    def test_signed_in_two_places(self) -> None:
        sent = signed()
        link = awsign.SigV4(CREDENTIALS, "service", "us-east-1").presign(awsign.Request("PUT", f"https://{HOST}/key"), at=AT)
        refused(arrived(sent, target=link.url.partition(HOST)[2]), "two-authentications")
        refused(arrived(sent, target="/key?a=b&x-amz-signature=1"), "two-authentications")
        refused(arrived(sent, target="/key?a=b&AWSAccessKeyId=a&Signature=b"), "two-authentications")

    def test_a_parameter_twice(self) -> None:
        link = awsign.SigV4(CREDENTIALS, "s3", "us-east-1").presign(awsign.Request("GET", f"https://{HOST}/key"), at=AT)
        target = link.url.partition(HOST)[2]
        for extra in ("&X-Amz-Expires=604800", "&x-amz-expires=1", "&X-Amz-Signature=00"):
            refused(received("GET", target + extra, [("Host", HOST)]), "duplicate-parameter")

    @settings(max_examples=1500)
    @given(st.data())
    def test_every_byte_of_the_head_counts(self, data) -> None:
        """One byte of the request line or a header changed: refused, or the derivation is the same."""
        sent = data.draw(
            st.sampled_from(
                [signed("s3"), signed(), signed(credentials=CREDENTIALS, url=f"https://{HOST}/a/b%20c?x=%2B&y&z=1&z=0")]
            )
        )
        original = arrived(sent)
        lines = [f"{original.method} {original.target}", *(f"{name}: {value}" for name, value in original.headers)]
        text = bytearray("\n".join(lines).encode())
        index = data.draw(st.integers(0, len(text) - 1))
        byte = data.draw(st.integers(0, 255).filter(lambda b: b not in (text[index], 10)))
        text[index] = byte
        head, *rest = bytes(text).split(b"\n")
        method, _, target = head.partition(b" ")
        pairs = [tuple(line.partition(b":")[::2]) for line in rest]
        changed = received(method.decode("latin-1"), target, pairs, original.body)
        before = verifier().verify(arrived(sent)).derivation
        try:
            verified = verifier().verify(changed)
        except awsign.SignatureError:
            return
        assert (verified.access_key_id, verified.derivation.string_to_sign) == (KEY, before.string_to_sign)

    def test_two_tokens_in_a_query(self) -> None:
        url = awsign.SigV4(TEMPORARY, "s3", "us-east-1").presign(awsign.Request("GET", f"https://{HOST}/k"), at=AT).url
        target = f"{url.partition(HOST)[2]}&X-Amz-S3session-Token=a"
        assert "two session tokens" in str(refused(received("GET", target, [("Host", HOST)]), "duplicate-parameter"))

    def test_a_query_that_is_changed_between_the_two_steps(self) -> None:
        request = arrived(signed())
        judge = verifier()
        claim = judge.claim(request)
        request.query = "a=c"
        with pytest.raises(awsign.SignatureError) as caught:
            judge.verify(claim)
        assert caught.value.kind == "signature-mismatch"

    def test_the_first_action_is_the_one(self) -> None:
        for actions in (("DeleteUser", "ListUsers"), ("ListUsers", "DeleteUser")):
            query = "&".join(f"Action={action}" for action in actions)
            request = arrived(signed("iam", method="GET", url=f"https://{HOST}/?{query}", headers={}, body=None))
            assert verifier().claim(request).action == actions[0]


class TestScope:
    def test_services_regions_and_hosts(self) -> None:
        request = arrived(signed())
        assert verifier(services={"service"}, regions={"us-east-1"}, hosts={HOST}).verify(request)
        refused(request, "wrong-service", verifier(services={"s3"}))
        assert "us-west-2" in str(refused(request, "wrong-region", verifier(regions={"us-west-2"})))
        refused(request, "wrong-host", verifier(hosts={"other"}))

    def test_hosts_have_no_case(self) -> None:
        assert verifier(hosts={HOST.upper()}).verify(arrived(signed()))

    def test_they_hold_for_the_older_schemes_too(self) -> None:
        old = awsign.S3SigV2(CREDENTIALS).sign(awsign.Request("GET", f"https://{HOST}/bucket/k"), at=AT)
        assert verifier().verify(arrived(old))
        refused(arrived(old), "wrong-service", verifier(services={"dynamodb"}))
        refused(arrived(old), "wrong-region", verifier(regions={"eu-west-1"}))
        query = awsign.SigV2(CREDENTIALS).sign(awsign.Request("GET", "https://ec2.us-east-1.amazonaws.com/?Action=A"), at=AT)
        assert verifier(services={"ec2"}, regions={"us-east-1"}).verify(arrived(query))
        refused(arrived(query), "wrong-service", verifier(services={"s3"}))

    def test_schemes_can_be_left_out(self) -> None:
        only = verifier(schemes=["sigv4"])
        assert only.verify(arrived(signed()))
        refused(
            arrived(awsign.S3SigV2(CREDENTIALS).sign(awsign.Request("GET", f"https://{HOST}/bucket/k"), at=AT)),
            "unsupported-algorithm",
            only,
        )
        refused(
            arrived(awsign.SigV2(CREDENTIALS).sign(awsign.Request("GET", f"https://{HOST}/?Action=A"), at=AT)),
            "unsupported-algorithm",
            only,
        )

    def test_times_and_scopes_are_checked_before_keys_are_looked_up(self) -> None:
        def secret_for(key: str) -> str:
            raise AssertionError("looked up")

        late = awsign.Verifier(secret_for, now=AT + timedelta(hours=1))
        refused(arrived(signed()), "skew", late)
        refused(arrived(signed()), "wrong-service", awsign.Verifier(secret_for, now=AT, services={"s3"}))

    def test_a_stranger_cannot_have_a_body_hashed(self) -> None:
        body = io.BytesIO(b"hello")
        refused(arrived(signed(), body=body), "unknown-access-key", awsign.Verifier({}.get, now=AT))
        assert body.tell() == 0


class TestTime:
    @pytest.mark.parametrize("seconds", [-900, 0, 900])
    def test_within_the_skew(self, seconds) -> None:
        assert verifier(now=AT + timedelta(seconds=seconds)).verify(arrived(signed()))

    @pytest.mark.parametrize("seconds", [-901, 901])
    def test_outside_it(self, seconds) -> None:
        error = refused(arrived(signed("s3")), "skew", verifier(now=AT + timedelta(seconds=seconds)))
        assert (error.code, error.status) == ("RequestTimeTooSkewed", 403)
        assert verifier(now=AT + timedelta(seconds=seconds), max_skew=1000).verify(arrived(signed("s3")))

    def test_presigned_urls_begin_and_end(self) -> None:
        link = awsign.SigV4(CREDENTIALS, "s3", "us-east-1").presign(awsign.Request("GET", f"https://{HOST}/key"), at=AT, expires=60)
        request = received("GET", link.url.partition(HOST)[2], [("Host", HOST)])
        for seconds, kind in ((-901, "not-yet-valid"), (60, "expired"), (61, "expired")):
            refused(request, kind, verifier(now=AT + timedelta(seconds=seconds)))
        for seconds in (-900, 0, 59):
            assert verifier(now=AT + timedelta(seconds=seconds)).verify(request)

    def test_without_x_amz_date_a_signed_date_is_the_time(self) -> None:
        from awsign.canonical import canonical_fields
        from awsign.derivation import derive
        from awsign.scope import ALGORITHM, scope_of, signing_key

        for date, names, kind in (
            ("Thu, 15 Jan 2026 12:00:00 GMT", ("date", "host"), None),
            ("Thu, 15 Jan 2026 12:00:00 GMT", ("host",), "missing-date"),
        ):
            pairs = [("Host", HOST), ("Date", date)]
            scope = scope_of("20260115", "us-east-1", "service")
            derived = derive(
                algorithm=ALGORITHM, stamp="20260115T120000Z", scope=scope, method="GET", path="/", query="", fields=canonical_fields(pairs),
                signed_headers=names, payload_hash="e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            )  # fmt: skip
            signature = signing_key(CREDENTIALS, "20260115", "us-east-1", "service").sign(derived.wire_string_to_sign)
            value = f"{ALGORITHM} Credential={KEY}/{scope}, SignedHeaders={';'.join(names)}, Signature={signature}"
            request = received("GET", "/", [*pairs, ("Authorization", value)])
            if kind:
                refused(request, kind)
            else:
                assert verifier().verify(request).signed_at == AT

    def test_credentials_that_ended(self) -> None:
        sent = signed("s3", awsign.Credentials(KEY, SECRET, TOKEN, AT + timedelta(seconds=1)))
        ended = awsign.Credentials(KEY, SECRET, TOKEN, AT + timedelta(seconds=1))
        error = refused(arrived(sent), "expired-token", verifier(ended, now=AT + timedelta(seconds=2)))
        assert (error.code, error.status) == ("ExpiredToken", 400)


class TestTokens:
    def test_they_must_be_those_of_the_credentials(self) -> None:
        refused(arrived(signed(credentials=TEMPORARY)), "invalid-token", verifier(CREDENTIALS))
        refused(arrived(signed()), "invalid-token", verifier(TEMPORARY))
        refused(arrived(signed(credentials=TEMPORARY)), "invalid-token", verifier(awsign.Credentials(KEY, SECRET, TOKEN + "x")))
        assert verifier(TEMPORARY).verify(arrived(signed(credentials=TEMPORARY))).session_token == TOKEN

    def test_in_every_scheme(self) -> None:
        old = awsign.S3SigV2(TEMPORARY).sign(awsign.Request("GET", f"https://{HOST}/bucket/k"), at=AT)
        query = awsign.SigV2(TEMPORARY).sign(awsign.Request("GET", f"https://{HOST}/?Action=A"), at=AT)
        express = awsign.SigV4(TEMPORARY, "s3express", "us-east-1").sign(awsign.Request("GET", f"https://{HOST}/"), at=AT)
        for sent in (old, query, express):
            assert verifier(TEMPORARY).verify(arrived(sent)).session_token == TOKEN
            refused(arrived(sent), "invalid-token", verifier(CREDENTIALS))

    def test_a_secret_alone_leaves_the_token_to_the_caller(self) -> None:
        assert verifier(SECRET).verify(arrived(signed(credentials=TEMPORARY))).session_token == TOKEN


class TestBody:
    def test_as_it_is_read(self) -> None:
        verified = verifier().verify(arrived(signed("s3"), body=None))
        given = [verified.body.feed(b"he"), verified.body.feed(b"l"), verified.body.feed(b"lo"), verified.body.close()]
        assert b"".join(given) == b"hello"
        assert given[0] == b""

    @pytest.mark.parametrize("blocks", [[], [b"hell"], [b"hello", b"!"], [b"hellO"]])
    def test_the_last_block_is_withheld(self, blocks) -> None:
        verified = verifier().verify(arrived(signed("s3"), body=None))
        given = b"".join(map(verified.body.feed, blocks))
        assert given == b"".join(blocks[:-1])
        with pytest.raises(awsign.SignatureError) as caught:
            verified.body.close()
        assert (caught.value.kind, caught.value.code, caught.value.status) == (
            "payload-hash-mismatch",
            "XAmzContentSHA256Mismatch",
            400,
        )
        with pytest.raises(ValueError, match="closed"):
            verified.body.feed(b"x")

    def test_none_where_the_signature_says_empty(self) -> None:
        verified = verifier().verify(arrived(signed(method="GET", body=None)))
        verified.body.feed(b"smuggled")
        with pytest.raises(awsign.SignatureError):
            verified.body.close()

    def test_a_file(self) -> None:
        body = io.BytesIO(b"xhello")
        body.read(1)
        assert verifier().verify(arrived(signed(), body=body))
        assert body.read() == b"hello"

    def test_a_stream_needs_a_declared_hash(self) -> None:
        assert verifier().verify(arrived(signed("s3"), body=iter([b"hello"])))
        refused(arrived(signed(), body=iter([b"hello"])), "undeclared-payload")
        assert verifier().claim(arrived(signed(), body=None)).needs_body
        assert not verifier().claim(arrived(signed("s3"), body=None)).needs_body

    def test_a_signed_content_md5(self) -> None:
        digest = b64encode(md5(b"hello").digest()).decode()
        for scheme in ("s3", "s3v2"):
            request = awsign.Request("PUT", f"https://{HOST}/bucket/k", {"Content-MD5": digest}, b"hello")
            if scheme == "s3":
                sent = awsign.SigV4(CREDENTIALS, "s3", "us-east-1").sign(request, at=AT, payload=awsign.UNSIGNED_PAYLOAD)
            else:
                sent = awsign.S3SigV2(CREDENTIALS).sign(request, at=AT)
            assert verifier().verify(arrived(sent))
            assert refused(arrived(sent, body=b"hellO"), "content-md5-mismatch").code == "BadDigest"
        bad = awsign.S3SigV2(CREDENTIALS).sign(
            awsign.Request("PUT", f"https://{HOST}/b/k", {"Content-MD5": "nonsense"}, b"a"), at=AT
        )
        assert refused(arrived(bad), "bad-content-md5").code == "InvalidDigest"

    def test_unsigned_payload_only_where_it_is_taken(self) -> None:
        sent = awsign.SigV4(CREDENTIALS, "dynamodb", "us-east-1").sign(
            awsign.Request("POST", f"https://{HOST}/", body=b"a"), at=AT, payload=awsign.UNSIGNED_PAYLOAD
        )
        refused(arrived(sent), "bad-content-sha256")
        assert verifier().verify(
            arrived(
                awsign.SigV4(CREDENTIALS, "s3", "us-east-1").sign(
                    awsign.Request("POST", f"https://{HOST}/", body=b"a"), at=AT, payload=awsign.UNSIGNED_PAYLOAD
                ),
                body=b"b",
            )
        )

    def test_s3_wants_the_header(self) -> None:
        rules = awsign.rules_for("s3").replace(content_sha256="omit")
        sent = awsign.SigV4(CREDENTIALS, "s3", "us-east-1", rules=rules).sign(awsign.Request("GET", f"https://{HOST}/"), at=AT)
        assert refused(arrived(sent), "missing-content-sha256").status == 400


class TestSigV2:
    def sign(self, **request: object) -> awsign.Signed:
        request = {"method": "GET", "url": f"https://{HOST}/?Action=A&Version=1"} | request
        return awsign.SigV2(CREDENTIALS).sign(awsign.Request(**request), at=AT)

    def form(self, body: str = "Action=A&B=c+d%2B") -> awsign.Signed:
        return self.sign(
            method="POST",
            url=f"https://{HOST}/",
            headers={"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
            body=body,
        )

    def test_in_query_and_form(self) -> None:
        verified = verifier().verify(arrived(self.sign()))
        assert (verified.scheme, verified.location, verified.scope, verified.signed_headers) == ("sigv2", "query", None, None)
        assert verifier().verify(arrived(self.form())).location == "form"

    def test_tampering(self) -> None:
        sent = self.sign()
        target = sent.url.partition(HOST)[2]
        refused(arrived(sent, target=target + "&C=d"), "signature-mismatch")
        refused(arrived(sent, target=target + "&Action=B"), "duplicate-parameter")
        refused(arrived(sent, target=target.replace("Action=A", "Action=B")), "signature-mismatch")
        refused(arrived(sent, target=target.replace("SignatureVersion=2", "SignatureVersion=1")), "unsupported-version")
        refused(arrived(sent, target=target.replace("HmacSHA256", "None")), "unsupported-algorithm")
        refused(arrived(sent, target=re.sub("&Timestamp=[^&]*", "", target)), "missing-date")
        refused(arrived(sent, headers=[*sent.headers, ("X-Amz-Target", "B")]), "unsigned-header")
        refused(arrived(sent, body=b"Action=B"), "unsigned-content")
        refused(arrived(sent, body=bytearray(b"Action=B")), "unsigned-content")
        form = self.form()
        refused(arrived(form, target="/?Action=B"), "unsigned-content")
        refused(arrived(form, body=form.body + b"&C=d"), "signature-mismatch")
        refused(arrived(sent), "skew", verifier(now=AT + timedelta(minutes=16)))

    def test_expires(self) -> None:
        sent = awsign.SigV2(CREDENTIALS).sign(awsign.Request("GET", f"https://{HOST}/?Action=A"), at=AT, expires=60)
        assert "Timestamp" not in sent.url
        assert verifier(now=AT + timedelta(seconds=59)).verify(arrived(sent)).expires_at == AT + timedelta(seconds=60)
        refused(arrived(sent), "expired", verifier(now=AT + timedelta(seconds=60)))

    def test_a_length_of_before(self) -> None:
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": "8"}
        sent = self.sign(method="POST", url=f"https://{HOST}/", headers=headers, body="Action=A")
        assert "content-length" not in {name.lower() for name, _ in sent.headers}

    def test_hmac_sha1(self) -> None:
        sent = awsign.SigV2(CREDENTIALS, method="HmacSHA1").sign(awsign.Request("GET", f"https://{HOST}/?Action=A"), at=AT)
        assert verifier().verify(arrived(sent))

    @pytest.mark.parametrize(
        ("request_", "options"),
        [
            ({"method": "POST", "body": b"x"}, {}),
            ({"url": f"https://{HOST}/?Action=A&Timestamp=2026-01-15T12:00:00Z"}, {"at": AT}),
            ({"url": f"https://{HOST}/?Action=A&Timestamp=zzz"}, {}),
            ({"url": f"https://{HOST}/?Action=A&Action=B"}, {}),
            ({"url": f"https://{HOST}/?Action=A&SignatureMethod=None"}, {}),
            ({"url": f"https://{HOST}/?Action=A&Timestamp=2026-01-15T12:00:00Z&Expires=2026-01-15T12:00:00Z"}, {}),
            ({"headers": {"x-amz-target": "a"}}, {}),
            ({"headers": {"Authorization": "Bearer a"}}, {}),
            ({}, {"expires": 0}),
            ({}, {"expires": 10**20}),
            ({}, {"at": datetime(2026, 1, 1)}),
            ({"method": "POST", "headers": {"Content-Type": "application/x-www-form-urlencoded"}, "body": b"Action=A", "url": f"https://{HOST}/?a=b"}, {}),
            ({"method": "POST", "headers": {"Content-Type": "application/x-www-form-urlencoded"}, "body": io.BytesIO(b"Action=A"), "url": f"https://{HOST}/"}, {}),
        ],
    )  # fmt: skip
    def test_what_cannot_be_signed(self, request_, options) -> None:
        request = awsign.Request(**({"method": "GET", "url": f"https://{HOST}/?Action=A"} | request_))
        with pytest.raises(awsign.InvalidRequest):
            awsign.SigV2(CREDENTIALS).sign(request, **options)

    def test_signing_again(self) -> None:
        first = self.sign()
        again = awsign.SigV2(CREDENTIALS).sign(awsign.Request("GET", first.url))
        assert (
            sorted(again.url.split("&")) == sorted(first.url.split("&")) or again.derivation.signature == first.derivation.signature
        )


class TestS3SigV2:
    def test_presigned_parameters_that_stand_for_headers_are_covered(self) -> None:
        link = awsign.S3SigV2(CREDENTIALS).presign(awsign.Request("PUT", f"https://{HOST}/bucket/k"), at=AT)
        target = link.url.partition(HOST)[2]
        assert verifier().verify(received("PUT", target, [("Host", HOST)]))
        for extra in ("&x-amz-copy-source=/b/secret", "&x-amz-acl=public-read", "&content-type=text/html", "&acl", "&versionId=1"):
            refused(received("PUT", target + extra, [("Host", HOST)]), "signature-mismatch")
        sent = awsign.S3SigV2(CREDENTIALS).sign(awsign.Request("PUT", f"https://{HOST}/bucket/k"), at=AT)
        refused(arrived(sent, target="/bucket/k?x-amz-acl=public-read"), "unsigned-content")

    def test_the_bucket_is_that_of_the_host(self) -> None:
        link = awsign.S3SigV2(CREDENTIALS).presign(awsign.Request("GET", "https://s3.amazonaws.com/mine/k"), at=AT)
        target = link.url.partition(".com")[2]
        for host in (
            "victim.s3.amazonaws.com",
            "victim.S3.amazonaws.com",
            "victim.s3.amazonaws.com.",
            "victim.s3-fips.us-east-1.amazonaws.com",
        ):
            refused(received("GET", target, [("Host", host)]), "signature-mismatch")

    def test_values_that_read_in_two_ways(self) -> None:
        link = awsign.S3SigV2(CREDENTIALS).presign(
            awsign.Request("GET", f"https://{HOST}/b/k?response-expires=0&versionId=OLD"), at=AT
        )
        target = link.url.partition(HOST)[2]
        assert verifier().verify(received("GET", target, [("Host", HOST)]))
        refused(received("GET", target.replace("0&versionId=OLD", "0%26versionId%3DOLD"), [("Host", HOST)]), "malformed-component")
        link = awsign.S3SigV2(TEMPORARY).presign(awsign.Request("PUT", f"https://{HOST}/b/k", {"x-amz-tagging": "a=b"}), at=AT)
        forged = re.sub(r"(x-amz-security-token=[^&]*)", r"\1%0Ax-amz-tagging:a%3Db", link.url.partition(HOST)[2])
        refused(received("PUT", forged, [("Host", HOST)]), "malformed-component", verifier(SECRET))

    def test_names_that_forge_lines(self) -> None:
        request = awsign.Request("PUT", f"https://{HOST}/b/k", {"x-amz-acl": "private", "x-amz-meta-a": "1:2"})
        link = awsign.S3SigV2(CREDENTIALS).presign(request, at=AT)
        target = link.url.partition(HOST)[2]
        acl, meta = ("x-amz-acl", "private"), ("x-amz-meta-a", "1:2")
        assert verifier().verify(received("PUT", target, [("Host", HOST), acl, meta]))
        refused(received("PUT", target + "&x-amz-meta-a:1=2", [("Host", HOST), acl]), "malformed-component")
        refused(received("PUT", target + "&x-amz-acl:private%0Ax-amz-meta-a=1:2", [("Host", HOST)]), "malformed-component")
        link = awsign.S3SigV2(CREDENTIALS).presign(awsign.Request("PUT", f"https://{HOST}/b/k?content-type=text/plain"), at=AT)
        twice = link.url.partition(HOST)[2].replace("?", "?Content-Type=text/html&", 1)
        refused(received("PUT", twice, [("Host", HOST)]), "duplicate-parameter")

    def test_a_token_by_another_spelling(self) -> None:
        link = awsign.S3SigV2(TEMPORARY).presign(awsign.Request("GET", f"https://{HOST}/b/k"), at=AT)
        spelt = link.url.partition(HOST)[2].replace("x-amz-security-token", "x-amz-Security-token")
        refused(received("GET", spelt, [("Host", HOST)]), "invalid-token")
        v4 = awsign.SigV4(CREDENTIALS, "iotdevicegateway", "us-east-1")
        link = v4.presign(awsign.Request("GET", f"https://{HOST}/mqtt"), at=AT)
        refused(received("GET", link.url.partition(HOST)[2] + "&x-amz-security-token=q", [("Host", HOST)]), "malformed-component")
        sent = v4.sign(awsign.Request("GET", f"https://{HOST}/mqtt"), at=AT)
        refused(arrived(sent, target="/mqtt?x-amz-security-token=q"), "unsigned-content")

    @pytest.mark.parametrize("value", ["AWS a b:xx", "AWS \u00e9:xx"])
    def test_access_keys_that_cannot_be(self, value) -> None:
        request = received("GET", "/b/k", [("Host", HOST), ("Date", "Thu, 15 Jan 2026 12:00:00 GMT"), ("Authorization", value)])
        refused(request, "unknown-access-key", awsign.Verifier(lambda key: SECRET, now=AT))

    def test_botocore_s_buckets(self) -> None:
        from botocore.auth import HmacV1Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials

        theirs = AWSRequest("GET", f"https://{HOST}/bucket?location", headers={})
        theirs.auth_path = "/bucket/"
        HmacV1Auth(Credentials(KEY, SECRET)).add_auth(theirs)
        pairs = [("Host", HOST), *theirs.headers.items()]
        assert awsign.Verifier({KEY: SECRET}.get).verify(received("GET", "/bucket?location", pairs))
        assert (
            awsign.S3SigV2(CREDENTIALS)
            .sign(awsign.Request("GET", f"https://{HOST}/bucket?location"), at=AT)
            .url.endswith("/bucket/?location")
        )

    def test_signed_headers_are_those_that_are_covered(self) -> None:
        sent = awsign.S3SigV2(CREDENTIALS).sign(
            awsign.Request("GET", f"https://{HOST}/b/k", {"x-amz-date": "Thu, 15 Jan 2026 12:00:00 GMT"})
        )
        verified = verifier().verify(arrived(sent, headers=[*sent.headers, ("Date", "junk")]))
        assert verified.signed_headers == ("x-amz-date",)

    @pytest.mark.parametrize("query", ["?Expires=5", "?Signature=a", "?x-amz-security-token=a", "?X-Amz-Signature=a"])
    def test_a_part_of_a_signature_is_refused(self, query) -> None:
        with pytest.raises(awsign.InvalidRequest):
            awsign.S3SigV2(CREDENTIALS).presign(awsign.Request("GET", f"https://{HOST}/b/k{query}"))

    @pytest.mark.parametrize("expires", [0, -1, 10**20])
    def test_expires_out_of_range(self, expires) -> None:
        with pytest.raises(awsign.InvalidRequest):
            awsign.S3SigV2(CREDENTIALS).presign(awsign.Request("GET", f"https://{HOST}/b/k"), expires=expires)

    def test_expiry(self) -> None:
        link = awsign.S3SigV2(CREDENTIALS).presign(awsign.Request("GET", f"https://{HOST}/b/k"), at=AT, expires=60)
        request = received("GET", link.url.partition(HOST)[2], [("Host", HOST)])
        refused(request, "expired", verifier(now=AT + timedelta(seconds=60)))
        assert verifier(now=AT + timedelta(seconds=59)).verify(request)


NAMES = [
    "Authorization",
    "Host",
    "X-Amz-Date",
    "Date",
    "x-amz-content-sha256",
    "Content-Type",
    "x-amz-security-token",
    ":authority",
]
VALUES = [
    f"AWS4-HMAC-SHA256 Credential={KEY}/20260115/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=00",
    f"AWS {KEY}:x",
    "20260115T120000Z",
    "Thu, 15 Jan 2026 12:00:00 GMT",
    "UNSIGNED-PAYLOAD",
    HOST,
]
NAMES_AND_VALUES = st.lists(
    st.tuples(st.sampled_from(NAMES), st.one_of(st.text(max_size=30), st.binary(max_size=30), st.sampled_from(VALUES)))
)
SIGNED_TARGETS = [
    "/?AWSAccessKeyId=a&Signature=b&Expires=1800000000",
    "/?Action=A&Signature=b&SignatureVersion=2&SignatureMethod=HmacSHA256&Timestamp=2026-01-15&AWSAccessKeyId=AKIDEXAMPLE",
]
TARGETS = st.one_of(st.text(max_size=60), st.binary(max_size=60), st.sampled_from(SIGNED_TARGETS))


class TestHostileInput:
    @pytest.mark.parametrize(
        ("target", "host"),
        [
            (f"/?{PRESIGNED_BUT_FOR_DATE}&X-Amz-Date=%s", HOST),
            (f"/?{PRESIGNED_BUT_FOR_DATE}&X-Amz-Date=%s".replace("Expires=60", "Expires=%s"), HOST),
            (f"/?{PRESIGNED_BUT_FOR_DATE}&X-Amz-Date=20260115T120000Z".replace("SignedHeaders=host", "SignedHeaders=%s"), HOST),
            ("/", "%s"),
        ],
        ids=["date", "expires", "signed headers", "host"],
    )
    def test_what_a_stranger_sends_is_not_kept(self, target, host) -> None:
        """Not in what is remembered of requests: a value of a megabyte each."""
        tracemalloc.start()
        try:
            for n in range(40):
                value = ("x" if "%s" in host else "\xe9") * 300_000 + str(n)
                sent = [("Host", host.replace("%s", value).encode("latin-1"))]
                with pytest.raises(awsign.SignatureError):
                    verifier().verify(received("GET", target.replace("%s", value).encode("latin-1"), sent))
            assert tracemalloc.get_traced_memory()[0] < 3_000_000
        finally:
            tracemalloc.stop()

    """Whatever arrives, the verifier answers with SignatureError and nothing else."""

    @pytest.mark.parametrize(
        "pairs",
        [
            [("Authorization", "")],
            [("Authorization", " ")],
            [("Authorization", "AWS4-HMAC-SHA256")],
            [("Authorization", "AWS4-HMAC-SHA256 ,")],
            [("Authorization", "AWS ")],
            [("Authorization", "AWS :")],
            [("Authorization", b"AWS \xff:\xff"), ("Date", "Thu, 15 Jan 2026 12:00:00 GMT")],
            [("Date", "Fri, 31 Dec 9999 23:59:59 -2300"), ("Authorization", "AWS AK:x")],
            [("Date", "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"), ("Authorization", "AWS AK:x")],
            [("Date", "Mon, 01 Jan 2026 00:00:00 +" + "9" * 30), ("Authorization", "AWS AK:x")],
            [("X-Amz-Date", "20260115T120000Z"), ("Authorization", "AWS4-HMAC-SHA256 Credential=/20260115/r/iam/aws4_request, SignedHeaders=host;x-amz-date, Signature=0")],
            [],
        ],
    )  # fmt: skip
    def test_headers(self, pairs) -> None:
        with pytest.raises(awsign.SignatureError):
            awsign.Verifier(lambda key: SECRET if key == KEY else None, now=AT).verify(
                received("GET", "/", [("Host", HOST), *pairs])
            )

    def test_far_years(self) -> None:
        target = "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AK/99991231/r/s3/aws4_request&X-Amz-Date=99991231T235959Z&X-Amz-Expires=604800&X-Amz-SignedHeaders=host&X-Amz-Signature=0"
        refused(received("GET", target, [("Host", HOST)]), "bad-scope-date")

    @pytest.mark.parametrize("method", ["G\udcff", "G€", ""])
    def test_methods(self, method) -> None:
        refused(arrived(signed(), method=method), "signature-mismatch")

    @settings(max_examples=600)
    @given(NAMES_AND_VALUES, TARGETS, st.one_of(st.none(), st.binary()))
    def test_anything(self, pairs, target, body) -> None:
        with pytest.raises(awsign.SignatureError):
            awsign.Verifier(lambda key: CREDENTIALS if key == KEY else None, now=AT).verify(received("GET", target, pairs, body))


class TestErrors:
    def test_they_hold_what_was_derived_and_never_the_right_signature(self) -> None:
        sent = signed()
        request = arrived(sent, method="POST")
        error = refused(request, "signature-mismatch")
        assert error.canonical_request == sent.derivation.canonical_request.replace("PUT", "POST", 1)
        right = (
            awsign.SigV4(CREDENTIALS, "service", "us-east-1")
            .sign(awsign.Request("POST", f"https://{HOST}/key?a=b", {"x-amz-meta-a": "b"}, b"hello"), at=AT)
            .derivation.signature
        )
        assert right not in repr(vars(error)) + str(error)
        assert SECRET not in repr(vars(error)) + str(error)

    @pytest.mark.parametrize(
        ("headers", "url", "service", "expected"),
        [
            ({}, "/", "s3", ("SignatureDoesNotMatch", 403)),
            ({"X-Amz-Target": "DynamoDB_20120810.ListTables"}, "/", "dynamodb", ("InvalidSignatureException", 400)),
            ({}, "/?Action=GetCallerIdentity", "sts", ("SignatureDoesNotMatch", 403)),
            ({}, "/?Action=DescribeInstances", "ec2", ("SignatureDoesNotMatch", 403)),
            ({}, "/orders", "execute-api", ("InvalidSignatureException", 403)),
        ],
    )
    def test_codes_are_those_of_the_service(self, headers, url, service, expected) -> None:
        sent = signed(service, method="GET", url=f"https://{HOST}{url}", headers=headers, body=None)
        error = refused(arrived(sent), "signature-mismatch", verifier(awsign.Credentials(KEY, "other")))
        assert (error.code, error.status) == expected

    def test_every_kind_has_a_code_in_every_shape(self) -> None:
        from awsign.errors import _CODES

        for kind in _CODES:
            for shape in ("s3", "query", "ec2", "json", "rest"):
                for presigned in (False, True):
                    code, status = code_and_status(kind, shape, presigned)
                    assert re.fullmatch("[A-Za-z0-9]+", code)
                    assert 400 <= status < 600

    def test_long_values_are_cut(self) -> None:
        long = "x" * 100_000
        for value in (
            f"AWS4-HMAC-SHA256 Credential={long}, SignedHeaders=host, Signature=0",
            f"{long} a",
            f"AWS4-HMAC-SHA256 {long}",
        ):
            with pytest.raises(awsign.SignatureError) as caught:
                verifier().verify(received("GET", "/", [("Host", HOST), ("Authorization", value)]))
            assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    "options",
    [
        {"max_skew": -1},
        {"max_skew": float("nan")},
        {"max_skew": float("inf")},
        {"now": datetime(2026, 1, 1)},
        {"schemes": ["sigv5"]},
    ],
)
def test_settings_that_are_refused(options) -> None:
    with pytest.raises(awsign.InvalidRequest):
        awsign.Verifier({}.get, **options)


@pytest.mark.parametrize("options", [{"services": "s3"}, {"hosts": "h"}, {"now": "now"}, {"unsigned_headers": "x-amz-cf-id"}])
def test_settings_of_another_type(options) -> None:
    with pytest.raises(TypeError):
        awsign.Verifier({}.get, **options)
    with pytest.raises(TypeError, match=r"secrets\.get"):
        awsign.Verifier({})


def test_a_url_without_expires_counts_as_long_as_a_header_would() -> None:
    link = awsign.SigV4(CREDENTIALS, "iotdevicegateway", "us-east-1").presign(
        awsign.Request("GET", f"wss://{HOST}/mqtt"), expires=None, at=AT
    )
    request = received("GET", link.url.partition(HOST)[2], [("Host", HOST)], scheme="wss")
    assert verifier().verify(request)
    refused(request, "skew", verifier(now=AT + timedelta(seconds=901)))
    s3 = awsign.SigV4(CREDENTIALS, "s3", "us-east-1").presign(awsign.Request("GET", f"https://{HOST}/k"), expires=None, at=AT)
    refused(received("GET", s3.url.partition(HOST)[2], [("Host", HOST)]), "missing-query-parameter")


@pytest.mark.parametrize("name", ["X_Amz_Copy_Source", "x-amz_copy-source"])
def test_an_unsigned_header_by_the_name_that_wsgi_gives_it(name) -> None:
    """CGI and WSGI read `_` and `-` as one: a store behind would take it for x-amz-copy-source."""
    credentials = awsign.Credentials(KEY, SECRET)
    request = awsign.Request("PUT", "https://bucket.s3.us-east-1.amazonaws.com/k", body=b"data")
    verifier = awsign.Verifier({KEY: SECRET}.get)
    link = awsign.SigV4(credentials).presign(request)
    for signed in (awsign.SigV4(credentials).sign(request), link, awsign.S3SigV2(credentials).sign(request)):
        target = signed.url.partition(".com")[2]
        pairs = [
            ("Host", "bucket.s3.us-east-1.amazonaws.com"),
            *(pair for pair in signed.headers if pair[0] != "Host"),
            (name, "/b/k"),
        ]
        with pytest.raises(awsign.SignatureError) as caught:
            verifier.verify(awsign.Request.received("PUT", target, pairs, b"data"))
        assert caught.value.kind == "unsigned-header"


def test_masking_takes_no_time() -> None:
    import time

    from awsign.redact import masked

    start = time.process_time()
    masked("/?" + "SignedHeaders=" * 20000)
    assert time.process_time() - start < 2


def test_a_file_that_can_be_read_again_is_checked() -> None:
    import io

    credentials = awsign.Credentials(KEY, SECRET)
    signed = awsign.SigV4(credentials, "s3", "us-east-1").sign(awsign.Request("PUT", "https://s3.amazonaws.com/b/k", body=b"data"))
    verifier = awsign.Verifier({KEY: SECRET}.get)
    file = io.BytesIO(b"..data")
    file.seek(2)
    verifier.verify(awsign.Request.received("PUT", "/b/k", signed.headers, file))
    assert file.read() == b"data"
    with pytest.raises(awsign.SignatureError) as caught:
        verifier.verify(awsign.Request.received("PUT", "/b/k", signed.headers, io.BytesIO(b"other")))
    assert caught.value.kind == "payload-hash-mismatch"
    with pytest.raises(TypeError, match="bytes, a stream or None"):
        awsign.Request.received("PUT", "/b/k", signed.headers, 5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="schemes"):
        awsign.Verifier({}.get, schemes="sigv4")


@pytest.mark.parametrize("mark", ["\v", "\f", "\x1c"])
@pytest.mark.parametrize("name", ["X-Amz-Date", "X-Amz-Content-Sha256", "X-Amz-Security-Token"])
def test_a_control_character_is_no_white_space(name: str, mark: str) -> None:
    credentials = awsign.Credentials("ASIAEXAMPLE", "secret-secret", "token")
    signed = awsign.SigV4(credentials, "s3", "us-east-1").sign(awsign.Request("GET", "https://host.example/"))
    headers = [(given, f"{value}{mark}" if given == name else value) for given, value in signed.headers]
    with pytest.raises(awsign.SignatureError):
        awsign.Verifier(lambda key: credentials).verify(awsign.Request.received("GET", "/", headers, b""))
