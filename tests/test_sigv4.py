"""SigV4: what the vectors do not say. Signing again, times, payloads, tokens, what is refused, presigned URLs."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta, timezone

import pytest

import awsign
from awsign.canonical import NEVER_SIGNED

from .conftest import KEY, SECRET, TOKEN

AT = datetime(2026, 1, 15, 12, tzinfo=UTC)
CREDENTIALS = awsign.Credentials(KEY, SECRET)
TEMPORARY = awsign.Credentials(KEY, SECRET, TOKEN)
URL = "https://example.amazonaws.com/"


def signer(service: str = "service", credentials: awsign.Credentials = CREDENTIALS, **options: object) -> awsign.SigV4:
    return awsign.SigV4(credentials, service, "us-east-1", **options)


def headers_of(signed: awsign.Signed) -> dict[str, str]:
    return {name.lower(): value for name, value in signed.headers}


class TestSigningAgain:
    def test_a_signed_request_gives_the_same_signature(self) -> None:
        first = signer(credentials=TEMPORARY).sign(awsign.Request("POST", URL, {"x-amz-target": "a"}, b"{}"), at=AT)
        again = signer(credentials=TEMPORARY).sign(awsign.Request(first.method, first.url, first.headers, first.body))
        assert sorted(again.headers) == sorted(first.headers)

    def test_with_other_credentials_the_old_token_goes(self) -> None:
        first = signer("s3", TEMPORARY).sign(awsign.Request("GET", URL), at=AT)
        again = signer("s3").sign(awsign.Request(first.method, first.url, first.headers))
        assert "x-amz-security-token" not in headers_of(again)
        assert [name for name, _ in again.headers].count("Authorization") == 1

    def test_a_presigned_url_is_presigned_anew(self) -> None:
        first = signer("s3", TEMPORARY).presign(awsign.Request("GET", URL + "k?versionId=1"), at=AT)
        again = signer("s3", TEMPORARY).presign(awsign.Request("GET", first.url), at=AT)
        assert again.url == first.url
        assert signer("s3").sign(awsign.Request("GET", first.url), at=AT).url == URL + "k?versionId=1"

    def test_a_part_of_a_signature_is_refused(self) -> None:
        with pytest.raises(awsign.InvalidRequest, match="x-amz-signature but not the rest"):
            signer().sign(awsign.Request("GET", URL + "?X-Amz-Signature=1"))

    def test_another_kind_of_authorization_is_refused(self) -> None:
        with pytest.raises(awsign.InvalidRequest, match="Authorization"):
            signer().sign(awsign.Request("GET", URL, {"Authorization": "Bearer abc"}))

    def test_an_older_signature_in_the_query_is_refused(self) -> None:
        with pytest.raises(awsign.InvalidRequest, match="older signature"):
            signer().sign(awsign.Request("GET", URL + "?AWSAccessKeyId=a&Signature=b"))

    @pytest.mark.parametrize(
        "query", ["%58-Amz-Date=1", "a=1&X-Amz-S%69gnature=1", "%53ignature=1&AWSAccessKeyId=2", "a=%2F&x%2Damz-expires=2"]
    )
    def test_a_part_of_one_by_escaped_names(self, query) -> None:
        """Servers read the names as they are decoded, and so does the verifier."""
        for act in (signer().sign, signer().presign):
            with pytest.raises(awsign.InvalidRequest, match="signature"):
                act(awsign.Request("GET", f"https://example.amazonaws.com/?{query}"))

    def test_escapes_in_other_names_and_in_values_are_fine(self) -> None:
        for query in ("%5Btag%5D=1", "prefix=X-Amz-Date%3D1", "a=%53ignature"):
            assert signer().sign(awsign.Request("GET", f"https://example.amazonaws.com/?{query}")).url.endswith(query)


class TestTime:
    def test_x_amz_date_of_the_request_is_the_time(self) -> None:
        signed = signer().sign(awsign.Request("GET", URL, {"X-Amz-Date": "20260115T120000Z"}))
        assert signed.derivation.scope == "20260115/us-east-1/service/aws4_request"
        with pytest.raises(awsign.InvalidRequest, match="leave one of them out"):
            signer().sign(awsign.Request("GET", URL, {"X-Amz-Date": "20260115T120000Z"}), at=AT + timedelta(seconds=1))
        assert signer().sign(awsign.Request("GET", URL, {"X-Amz-Date": "20260115T120000Z"}), at=AT)

    def test_the_day_is_that_of_utc(self) -> None:
        signed = signer().sign(awsign.Request("GET", URL), at=datetime(2026, 1, 15, 23, 30, tzinfo=timezone(timedelta(hours=-5))))
        assert headers_of(signed)["x-amz-date"] == "20260116T043000Z"
        assert signed.derivation.scope.startswith("20260116/")

    def test_a_date_header_does_not_replace_it(self) -> None:
        signed = signer().sign(awsign.Request("GET", URL, {"Date": "Thu, 15 Jan 2026 12:00:00 GMT"}), at=AT)
        assert headers_of(signed)["x-amz-date"] == "20260115T120000Z"
        assert "x-amz-date" in signed.derivation.signed_headers

    @pytest.mark.parametrize("at", [datetime(2026, 1, 15), datetime(9999, 12, 31, 23, tzinfo=timezone(-timedelta(hours=12)))])
    def test_a_time_that_is_none_is_refused(self, at) -> None:
        with pytest.raises(awsign.InvalidRequest):
            signer().sign(awsign.Request("GET", URL), at=at)
        with pytest.raises(awsign.InvalidRequest):
            signer().presign(awsign.Request("GET", URL), at=at)

    def test_now_is_the_clock(self) -> None:
        stamp = headers_of(signer().sign(awsign.Request("GET", URL)))["x-amz-date"]
        assert abs(datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) - datetime.now(UTC)) < timedelta(seconds=5)


class TestPayload:
    def test_s3_sends_the_hash_and_others_do_not(self) -> None:
        assert "x-amz-content-sha256" in headers_of(signer("s3").sign(awsign.Request("PUT", URL, body=b"a")))
        assert "x-amz-content-sha256" not in headers_of(signer().sign(awsign.Request("PUT", URL, body=b"a")))

    def test_unsigned_is_said_so(self) -> None:
        signed = signer().sign(awsign.Request("PUT", URL, body=b"a"), payload=awsign.UNSIGNED_PAYLOAD)
        assert headers_of(signed)["x-amz-content-sha256"] == "UNSIGNED-PAYLOAD"
        assert signed.derivation.canonical_request.endswith("\nUNSIGNED-PAYLOAD")

    def test_lattice_takes_no_hash(self) -> None:
        assert (
            headers_of(signer("vpc-lattice-svcs").sign(awsign.Request("PUT", URL, body=b"a")))["x-amz-content-sha256"]
            == "UNSIGNED-PAYLOAD"
        )

    def test_a_hash_that_is_known_is_taken(self) -> None:
        digest = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
        assert (
            signer("s3")
            .sign(awsign.Request("PUT", URL, body=iter([b"hello"])), payload=digest)
            .derivation.canonical_request.endswith(digest)
        )

    @pytest.mark.parametrize("payload", ["", "x", "A" * 64, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", 5])
    def test_what_is_no_payload_is_refused(self, payload) -> None:
        with pytest.raises(awsign.InvalidRequest):
            signer("s3").sign(awsign.Request("PUT", URL, body=b"a"), payload=payload)

    def test_a_content_sha256_that_is_not_the_body_s_is_refused(self) -> None:
        with pytest.raises(awsign.InvalidRequest, match="but its body's is"):
            signer("s3").sign(awsign.Request("PUT", URL, {"x-amz-content-sha256": "0" * 64}, b"a"))

    @pytest.mark.parametrize(
        ("service", "scheme", "expected"),
        [("s3", "https", "UNSIGNED-PAYLOAD"), ("s3", "http", "ca978112"), ("service", "https", "ca978112")],
    )
    def test_unsigned_on_https_alone(self, service, scheme, expected) -> None:
        rules = awsign.rules_for(service).replace(payload="unsigned-on-https" if service == "s3" else "hash")
        signed = signer(service, rules=rules).sign(awsign.Request("PUT", f"{scheme}://example.com/", body=b"a"))
        assert signed.derivation.canonical_request.rpartition("\n")[2].startswith(expected)


class TestHeaders:
    def test_little_is_signed_by_default(self) -> None:
        request = awsign.Request(
            "GET", URL, {"Content-Type": "a", "Content-MD5": "b", "Range": "bytes=0-1", "X-Amz-Meta-A": "c", "Accept": "*/*"}
        )
        assert signer().sign(request).derivation.signed_headers == (
            "content-md5",
            "content-type",
            "host",
            "x-amz-date",
            "x-amz-meta-a",
        )
        more = signer(sign_headers=["Range"]).sign(request)
        assert "range" in more.derivation.signed_headers
        assert "accept" in signer(sign_headers=awsign.ALL_HEADERS).sign(request).derivation.signed_headers

    @pytest.mark.parametrize("name", sorted(NEVER_SIGNED - {"authorization"}) + ["Proxy-Authorization", "Sec-Fetch-Mode"])
    def test_some_are_never_signed(self, name) -> None:
        signed = signer(sign_headers=awsign.ALL_HEADERS).sign(awsign.Request("GET", URL, {name: "a"}))
        assert name.lower() not in signed.derivation.signed_headers
        assert (name, "a") in signed.headers
        with pytest.raises(awsign.InvalidRequest, match=name.lower()):
            signer(sign_headers=[name])

    def test_host_has_the_port_where_it_is_not_the_scheme_s_own(self) -> None:
        for url, host in {
            "https://h:443/": "h", "http://h:80/": "h", "https://h:80/": "h:80", "http://h:443": "h:443", "https://H:8443/": "h:8443",
            "http://[::1]:9000/": "[::1]:9000", "http://[::1]/": "[::1]", "wss://h:443/": "h",
        }.items():  # fmt: skip
            assert dict(signer().sign(awsign.Request("GET", url)).headers)["Host"] == host
        assert dict(signer().sign(awsign.Request("GET", URL, {"HOST": "other:1"})).headers)["Host"] == "other:1"

    def test_bytes_are_signed_as_those_bytes(self) -> None:
        signed = signer().sign(awsign.Request("GET", URL, {"x-amz-meta-name": "é".encode()}), at=AT)
        assert ("x-amz-meta-name", "é".encode()) in signed.headers
        assert "x-amz-meta-name:é\n" in signed.derivation.canonical_request
        received = awsign.Request.received("GET", "/", signed.headers)
        assert awsign.Verifier({KEY: SECRET}.get, now=AT).verify(received)


class TestToken:
    def test_it_is_signed(self) -> None:
        signed = signer(credentials=TEMPORARY).sign(awsign.Request("GET", URL))
        assert headers_of(signed)["x-amz-security-token"] == TOKEN
        assert "x-amz-security-token" in signed.derivation.signed_headers

    def test_some_services_append_it(self) -> None:
        link = signer("iotdevicegateway", TEMPORARY).presign(awsign.Request("GET", "wss://example.com/mqtt"), at=AT)
        assert link.url.index("X-Amz-Signature=") < link.url.index("X-Amz-Security-Token=")
        assert "Security-Token" not in link.derivation.canonical_request

    @pytest.mark.parametrize("credentials", [CREDENTIALS, TEMPORARY])
    @pytest.mark.parametrize("name", ["X-Amz-Security-Token", "x-amz-s3session-token"])
    def test_a_token_that_is_not_theirs_is_refused_and_never_dropped(self, credentials, name) -> None:
        for act in (
            signer(credentials=credentials).sign,
            signer(credentials=credentials).presign,
            awsign.S3SigV2(credentials).sign,
        ):
            with pytest.raises(awsign.InvalidRequest, match="session_token"):
                act(awsign.Request("GET", URL, {name: "abc"}))
        assert signer(credentials=TEMPORARY).sign(awsign.Request("GET", URL, {"x-amz-security-token": TOKEN}))


class TestWhereTo:
    def test_service_and_region_are_those_of_the_host(self) -> None:
        signed = awsign.SigV4(CREDENTIALS).sign(awsign.Request("GET", "https://bucket.s3.eu-west-1.amazonaws.com/key"))
        assert signed.derivation.scope.endswith("/eu-west-1/s3/aws4_request")

    @pytest.mark.parametrize("what", ["service", "region"])
    def test_or_an_error_that_says_what_to_pass(self, what) -> None:
        given = {"service": "execute-api", "region": "us-east-1"}
        del given[what]
        with pytest.raises(awsign.InvalidRequest, match=f"pass {what}="):
            awsign.SigV4(CREDENTIALS, **given).sign(awsign.Request("GET", "https://api.example.com/"))

    @pytest.mark.parametrize("service", ["", "a/b", "s3\r\nX: y", "a b", "a,b", "é", 5])
    def test_what_is_no_name_is_refused(self, service) -> None:
        with pytest.raises(awsign.InvalidRequest):
            awsign.SigV4(CREDENTIALS, service)


class TestPresigned:
    @pytest.mark.parametrize("expires", [0, -1, 604801, timedelta(days=8)])
    def test_expires_out_of_range(self, expires) -> None:
        with pytest.raises(awsign.InvalidRequest, match="from 1 to 604800"):
            signer().presign(awsign.Request("GET", URL), expires=expires)

    @pytest.mark.parametrize("expires", [True, 1.5, "60"])
    def test_expires_of_another_type(self, expires) -> None:
        with pytest.raises(TypeError):
            signer().presign(awsign.Request("GET", URL), expires=expires)

    def test_it_ends_no_later_than_the_credentials(self) -> None:
        ending = awsign.Credentials(KEY, SECRET, TOKEN, AT + timedelta(minutes=10))
        assert signer("s3", ending).presign(awsign.Request("GET", URL), at=AT, expires=3600).expires_at == AT + timedelta(
            minutes=10
        )
        assert signer("s3", ending).presign(awsign.Request("GET", URL), at=AT, expires=60).expires_at == AT + timedelta(minutes=1)

    def test_what_must_be_sent_with_it(self) -> None:
        request = awsign.Request("PUT", URL + "k", {"Content-Type": "image/png", "x-amz-acl": "private", "Accept": "*/*"})
        link = signer("s3").presign(request)
        assert link.headers == (("Content-Type", "image/png"), ("x-amz-acl", "private"))
        assert str(link) == link.url
        assert "UNSIGNED-PAYLOAD" in link.derivation.canonical_request

    def test_iot_has_no_expires(self) -> None:
        link = signer("iotdevicegateway").presign(awsign.Request("GET", "wss://example.com/mqtt"), expires=None)
        assert "X-Amz-Expires" not in link.url
        assert link.expires_at is None

    def test_the_body_of_other_services_is_hashed(self) -> None:
        link = signer("sts").presign(awsign.Request("POST", URL, body=b"a"))
        assert link.derivation.canonical_request.rpartition("\n")[2].startswith("ca978112")


class TestCredentials:
    def test_expired_ones_sign_nothing(self) -> None:
        ended = awsign.Credentials(KEY, SECRET, TOKEN, AT)
        for act in (
            signer(credentials=ended).sign,
            signer(credentials=ended).presign,
            awsign.SigV2(ended).sign,
            awsign.S3SigV2(ended).sign,
            awsign.S3SigV2(ended).presign,
        ):
            with pytest.raises(awsign.CredentialsError, match="expired at"):
                act(awsign.Request("GET", URL), at=AT + timedelta(seconds=1))
            assert act(awsign.Request("GET", URL), at=AT - timedelta(seconds=1))

    def test_a_provider_is_asked_each_time(self) -> None:
        class Rotating:
            count = 0

            def get(self) -> awsign.Credentials:
                self.count += 1
                return awsign.Credentials(f"AKID{self.count}", SECRET)

        rotating = Rotating()
        made = awsign.SigV4(rotating, "service", "us-east-1")
        assert ["AKID1" in headers_of(made.sign(awsign.Request("GET", URL)))["authorization"], rotating.count] == [True, 1]
        assert "AKID2" in headers_of(made.sign(awsign.Request("GET", URL)))["authorization"]

    def test_botocore_s_objects_serve(self) -> None:
        from botocore.credentials import Credentials

        signed = awsign.SigV4(Credentials(KEY, SECRET, TOKEN), "service", "us-east-1").sign(awsign.Request("GET", URL), at=AT)
        assert signed.headers == signer(credentials=TEMPORARY).sign(awsign.Request("GET", URL), at=AT).headers

    def test_others_instead_for_one_call(self) -> None:
        other = awsign.Credentials("OTHER", "secret")
        assert "Credential=OTHER/" in headers_of(signer().sign(awsign.Request("GET", URL), credentials=other))["authorization"]

    @pytest.mark.parametrize("source", [None, "AKID", {"access_key": "a"}, ("a", "b")])
    def test_what_is_no_source_is_refused(self, source) -> None:
        with pytest.raises(TypeError, match="credentials must be"):
            awsign.SigV4(source, "s3")

    @pytest.mark.parametrize(
        "arguments",
        [("", SECRET), (KEY, ""), ("a b", SECRET), ("é", SECRET), (KEY, SECRET + "\n"), (KEY, " " + SECRET), (KEY, "\udce9x"), (KEY, None), (None, SECRET),
         (KEY, SECRET, ""), (KEY, SECRET, "a b"), (KEY, SECRET, 5), (KEY, SECRET, None, datetime(2026, 1, 1))],
    )  # fmt: skip
    def test_malformed_ones_are_refused_and_never_repeated(self, arguments) -> None:
        with pytest.raises(awsign.CredentialsError) as caught:
            awsign.Credentials(*arguments)
        assert SECRET not in str(caught.value)

    def test_they_cannot_be_changed_but_pickled(self) -> None:
        with pytest.raises(AttributeError):
            CREDENTIALS.secret_access_key = "x"
        assert pickle.loads(pickle.dumps(TEMPORARY)) == TEMPORARY
        assert hash(TEMPORARY) == hash(awsign.Credentials(KEY, SECRET, TOKEN))
        assert TEMPORARY != CREDENTIALS

    def test_derived_keys_are_bounded(self) -> None:
        credentials = awsign.Credentials(KEY, SECRET)
        for day in range(100):
            signer(credentials=credentials).sign(awsign.Request("GET", URL), at=AT + timedelta(days=day))
        assert len(credentials.signing_keys) <= 32


class TestRules:
    def test_named_choices(self) -> None:
        rules = awsign.rules_for("s3")
        assert (rules.path, rules.encode, rules.content_sha256, rules.presigned_payload) == ("as-is", "once", "send", "unsigned")
        assert rules.replace(encode="twice") == awsign.Rules(
            path="as-is", encode="twice", content_sha256="send", presigned_payload="unsigned"
        )
        assert awsign.rules_for("no-such-service") == awsign.Rules()
        assert "path='as-is'" in repr(rules)

    @pytest.mark.parametrize(
        "wrong",
        [{"path": "as_is"}, {"payload": None}, {"token_header": "x: y\r\nz"}, {"token_header": None}, {"token_header": "my-token"}],
    )
    def test_other_choices_are_refused(self, wrong) -> None:
        with pytest.raises(awsign.InvalidRequest):
            awsign.Rules(**wrong)

    def test_rules_of_another_type_are_refused(self) -> None:
        with pytest.raises(TypeError, match="rules_for"):
            signer(rules="s3")


class TestMistakes:
    """What people do by mistake gets a sentence that says so."""

    @pytest.mark.parametrize("thing", ["https://example.com/", None, signer().sign(awsign.Request("GET", URL))])
    def test_what_is_no_request(self, thing) -> None:
        acts = [
            signer().sign,
            signer().presign,
            awsign.SigV2(CREDENTIALS).sign,
            awsign.S3SigV2(CREDENTIALS).sign,
            awsign.S3SigV2(CREDENTIALS).presign,
        ]
        for act in [*acts, awsign.Verifier({}.get).verify, awsign.Verifier({}.get).claim]:
            with pytest.raises(TypeError, match=r"awsign\.Request"):
                act(thing)

    def test_credentials_of_one_call(self) -> None:
        with pytest.raises(TypeError, match="credentials must be"):
            signer().sign(awsign.Request("GET", URL), credentials="AKID")

    def test_key_and_secret_swapped(self) -> None:
        with pytest.raises(awsign.CredentialsError, match="swapped") as caught:
            awsign.Credentials(SECRET, "AKIAIOSFODNN7EXAMPLE")
        assert SECRET not in str(caught.value)

    def test_service_and_region_swapped_or_in_capitals(self) -> None:
        with pytest.raises(awsign.InvalidRequest, match="swapped"):
            awsign.SigV4(CREDENTIALS, "eu-west-1", "s3")
        with pytest.raises(awsign.InvalidRequest, match="'s3'"):
            awsign.SigV4(CREDENTIALS, "S3", "eu-west-1")

    def test_names_are_found(self) -> None:
        assert {"SigV4", "Request", "Verifier", "__version__"} <= set(dir(awsign))
        assert not {"_HOME", "TYPE_CHECKING", "annotations"} & set(dir(awsign))
        with pytest.raises(AttributeError, match="Signer"):
            awsign.Signer  # noqa: B018
