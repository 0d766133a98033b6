"""SigV4A: keys, region sets, and what a verifier takes."""

from __future__ import annotations

import datetime
import fnmatch
import hmac
import subprocess
import sys
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

import awsign
from awsign import sigv4a
from awsign.sigv4a import covers, private_number, public_key

from .conftest import KEY, SECRET, TOKEN

AT = datetime.datetime(2026, 1, 15, 12, tzinfo=datetime.UTC)
CREDENTIALS = awsign.Credentials(KEY, SECRET)
URL = "https://bucket.s3.us-west-2.amazonaws.com/a%20b//c?x=%2B&y"


def sign(region_set: object = "*", **options: object) -> awsign.Signed:
    return awsign.SigV4A(CREDENTIALS, "s3", region_set).sign(awsign.Request("GET", URL), at=AT, **options)


def received(signed: awsign.Signed | awsign.Presigned, host: str = "bucket.s3.us-west-2.amazonaws.com") -> awsign.Request:
    pairs = [pair for pair in signed.headers if pair[0] != "Host"]
    return awsign.Request.received(signed.method, signed.url.partition(host)[2], [("Host", host), *pairs], b"")


def verify(signed: awsign.Signed | awsign.Presigned, secret: object = SECRET, **options: object) -> awsign.Verified:
    return awsign.Verifier(lambda key: secret if key == KEY else None, now=AT, **options).verify(received(signed))


def kind_of(signed: awsign.Signed | awsign.Presigned, secret: object = SECRET, **options: object) -> str:
    with pytest.raises(awsign.SignatureError) as caught:
        verify(signed, secret, **options)
    return caught.value.kind


class TestKeys:
    def test_against_awscrt(self) -> None:
        """The key that awscrt derives takes what we sign, for many secrets: the vectors have but a few."""
        import awscrt.auth
        import awscrt.http

        for number in range(20):
            key, secret = f"AKIDEXAMPLE{number}", f"secret/{number}" * (number + 1)
            provider = awscrt.auth.AwsCredentialsProvider.new_static(key, secret)
            config = awscrt.auth.AwsSigningConfig(
                algorithm=awscrt.auth.AwsSigningAlgorithm.V4_ASYMMETRIC, credentials_provider=provider, region="*", service="s3",
                signature_type=awscrt.auth.AwsSignatureType.HTTP_REQUEST_HEADERS, date=AT, use_double_uri_encode=False,
                should_normalize_uri_path=False, signed_body_header_type=awscrt.auth.AwsSignedBodyHeaderType.X_AMZ_CONTENT_SHA_256,
            )  # fmt: skip
            asked = awscrt.http.HttpRequest("GET", "/k", awscrt.http.HttpHeaders([("Host", "bucket.s3.amazonaws.com")]))
            signed = awscrt.auth.aws_sign_request(asked, config).result(10)
            request = awsign.Request.received("GET", "/k", list(signed.headers))
            verified = awsign.Verifier({key: secret}.get, now=AT).verify(request)
            assert (verified.scheme, verified.region) == ("sigv4a", "*")

    def test_a_candidate_that_is_too_large_is_passed_over(self, monkeypatch) -> None:
        order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
        tried = []

        def candidate(secret: str, key: str, counter: int) -> int:
            tried.append(counter)
            return {1: (1 << 256) - 1, 2: order - 1, 3: order - 2}[counter]

        monkeypatch.setattr(sigv4a, "candidate", candidate)
        assert private_number("secret", "key") == order - 1
        assert tried == [1, 2, 3]

    def test_one_round_is_the_hmac_that_nist_has(self) -> None:
        fixed = b"\x00\x00\x00\x01AWS4-ECDSA-P256-SHA256\x00" + KEY.encode() + b"\x01\x00\x00\x01\x00"
        expected = int.from_bytes(hmac.digest(f"AWS4A{SECRET}".encode(), fixed, "sha256"), "big")
        assert sigv4a.candidate(SECRET, KEY, 1) == expected
        assert private_number(SECRET, KEY) == expected + 1

    def test_the_key_is_derived_once(self, monkeypatch) -> None:
        credentials = awsign.Credentials(KEY, SECRET)
        signer = awsign.SigV4A(credentials, "s3", "*")
        signer.sign(awsign.Request("GET", URL))
        monkeypatch.setattr(sigv4a, "private_number", None)
        signer.sign(awsign.Request("GET", URL))
        assert SECRET not in repr(credentials.signing_keys)

    def test_without_cryptography(self) -> None:
        script = (
            "import sys; sys.modules['cryptography'] = None\n"
            "import awsign\n"
            "credentials = awsign.Credentials('AKIDEXAMPLE', 'secret')\n"
            "try:\n    awsign.SigV4A(credentials, 's3', '*')\nexcept awsign.MissingExtra as error:\n    print(error)\n"
            "request = awsign.Request.received('GET', '/', [('Host', 'x'), ('Authorization', 'AWS4-ECDSA-P256-SHA256 Credential=a/20260115/s3/aws4_request, SignedHeaders=host, Signature=00')])\n"
            "try:\n    awsign.Verifier({}.get).claim(request)\nexcept awsign.SignatureError as error:\n    print(error.kind, error)\n"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        assert done.stdout.count("pip install 'awsign[sigv4a]'") == 2
        assert "unsupported-algorithm" in done.stdout


class TestSigning:
    def test_what_is_sent(self) -> None:
        headers = dict(sign(["us-east-1", "eu-*"]).headers)
        assert headers["X-Amz-Region-Set"] == "us-east-1,eu-*"
        assert headers["Authorization"].startswith(f"AWS4-ECDSA-P256-SHA256 Credential={KEY}/20260115/s3/aws4_request, ")
        assert "x-amz-region-set" in headers["Authorization"]

    def test_signing_again_replaces(self) -> None:
        first = sign("us-east-1")
        again = awsign.SigV4A(CREDENTIALS, "s3", "eu-west-1").sign(awsign.Request("GET", first.url, first.headers), at=None)
        assert [v for n, v in again.headers if n == "X-Amz-Region-Set"] == ["eu-west-1"]
        verify(again)
        plain = awsign.SigV4(CREDENTIALS, "s3", "us-west-2").sign(awsign.Request("GET", first.url, first.headers))
        assert "X-Amz-Region-Set" not in dict(plain.headers)
        link = awsign.SigV4A(CREDENTIALS, "s3", "*").presign(awsign.Request("GET", URL), at=AT)
        link = awsign.SigV4(CREDENTIALS, "s3", "us-west-2").presign(awsign.Request("GET", link.url), at=AT)
        assert "Region-Set" not in link.url
        verify(link)

    def test_the_region_set_of_the_host(self) -> None:
        signer = awsign.SigV4A(CREDENTIALS)
        request = awsign.Request("GET", "https://mfzwi23gnjvgw.mrap.accesspoint.s3-global.amazonaws.com/k")
        assert dict(signer.sign(request).headers)["X-Amz-Region-Set"] == "*"
        with pytest.raises(awsign.InvalidRequest, match="SigV4A"):
            awsign.SigV4(CREDENTIALS).sign(request)
        assert dict(signer.sign(awsign.Request("GET", URL)).headers)["X-Amz-Region-Set"] == "us-west-2"
        with pytest.raises(awsign.InvalidRequest, match="region_set"):
            awsign.SigV4A(CREDENTIALS, "s3").sign(awsign.Request("GET", "http://127.0.0.1/k"))

    @pytest.mark.parametrize("region_set", ["", ",", "a,,b", "us east", "US-EAST-1", [], ["*", ""], "a**b", "\n"])
    def test_what_is_no_region_set(self, region_set) -> None:
        with pytest.raises(awsign.InvalidRequest, match="region_set"):
            awsign.SigV4A(CREDENTIALS, "s3", region_set)

    def test_wrong_types(self) -> None:
        for region_set in (5, [5], object()):
            with pytest.raises(TypeError):
                awsign.SigV4A(CREDENTIALS, "s3", region_set)

    def test_a_region_set_that_is_the_user_s(self) -> None:
        request = awsign.Request("GET", URL, {"X-Amz-Region-Set": "eu-west-1"})
        with pytest.raises(awsign.InvalidRequest, match="SigV4A"):
            awsign.SigV4(CREDENTIALS, "s3", "us-west-2").sign(request)
        with pytest.raises(awsign.InvalidRequest, match="region_set"):
            awsign.SigV4A(CREDENTIALS, "s3", "*").sign(request)
        awsign.SigV4A(CREDENTIALS, "s3", "eu-west-1").sign(request)

    def test_no_event_streams(self) -> None:
        with pytest.raises(awsign.InvalidRequest, match="SigV4 alone"):
            awsign.SigV4A(CREDENTIALS, "transcribe", "*").events(sign())


class TestVerifying:
    @pytest.mark.parametrize("presigned", [False, True])
    @pytest.mark.parametrize("service", ["s3", "execute-api"])
    def test_what_is_signed(self, presigned, service) -> None:
        signer = awsign.SigV4A(awsign.Credentials(KEY, SECRET, TOKEN), service, "us-*,eu-west-1")
        request = awsign.Request("GET", URL)
        signed = signer.presign(request, at=AT) if presigned else signer.sign(request, at=AT)
        known = awsign.Credentials(KEY, SECRET, TOKEN)
        verified = verify(signed, known, regions={"us-west-2"}, services={service})
        assert (verified.scheme, verified.region, verified.scope) == (
            "sigv4a",
            "us-*,eu-west-1",
            f"20260115/{service}/aws4_request",
        )
        assert verified.session_token == TOKEN
        assert kind_of(signed, known, regions={"ap-south-1"}) == "wrong-region"
        assert kind_of(signed, awsign.Credentials(KEY, SECRET)) == "invalid-token"
        assert kind_of(signed, awsign.Credentials(KEY, SECRET + "x", TOKEN)) == "signature-mismatch"
        assert kind_of(signed, None) == "unknown-access-key"

    @pytest.mark.parametrize("presigned", [False, True])
    def test_by_a_public_key_alone(self, presigned) -> None:
        """Whoever verifies need not be able to sign."""
        key = public_key(CREDENTIALS)
        signer = awsign.SigV4A(CREDENTIALS, "s3", "*")
        signed = (signer.presign if presigned else signer.sign)(awsign.Request("GET", URL), at=AT)
        assert verify(signed, key).access_key_id == KEY
        assert kind_of(signed, public_key(awsign.Credentials(KEY, "other"))) == "signature-mismatch"
        stream = signer.sign(awsign.Request("PUT", URL, body=b"data"), at=AT, payload=awsign.Chunked(trailer="CRC32"))
        body = (
            awsign.Verifier(lambda _: key, now=AT).verify(awsign.Request.received("PUT", "/a%20b//c?x=%2B&y", stream.headers)).body
        )
        assert body.feed(b"".join(stream.body)) + body.close() == b"data"

    def test_public_keys_that_are_none(self) -> None:
        with pytest.raises(awsign.InvalidRequest, match="P-256"):
            verify(sign(), ec.generate_private_key(ec.SECP384R1()).public_key())
        with pytest.raises(TypeError):
            verify(sign(), ec.generate_private_key(ec.SECP256R1()))
        plain = awsign.SigV4(CREDENTIALS, "s3", "us-west-2").sign(awsign.Request("GET", URL), at=AT)
        assert kind_of(plain, public_key(CREDENTIALS)) == "unsupported-algorithm"  # The scheme is the stranger's choice.

    def changed(self, signed: awsign.Signed, **headers: str | None) -> awsign.Signed:
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        pairs = tuple(
            (name, headers.get(name.lower(), value))
            for name, value in signed.headers
            if headers.get(name.lower(), value) is not None
        )
        return awsign.Signed(signed.method, signed.url, pairs, signed.body, signed.derivation)

    def test_the_region_set_is_covered(self) -> None:
        assert kind_of(self.changed(sign("us-east-1"), x_amz_region_set="*")) == "signature-mismatch"
        assert kind_of(self.changed(sign(), x_amz_region_set=None)) == "missing-region-set"
        assert kind_of(self.changed(sign(), x_amz_region_set="US")) == "wrong-region"
        link = awsign.SigV4A(CREDENTIALS, "s3", "us-east-1").presign(awsign.Request("GET", URL), at=AT)
        for url, kind in (
            (link.url.replace("Region-Set=us-east-1", "Region-Set=us-west-1"), "signature-mismatch"),
            (link.url.replace("&X-Amz-Region-Set=us-east-1", ""), "missing-query-parameter"),
            (link.url + "&X-Amz-Region-Set=us-east-1", "duplicate-parameter"),
        ):
            assert kind_of(awsign.Presigned("GET", url, (), None, link.derivation)) == kind
        both = awsign.Presigned("GET", link.url, (("X-Amz-Region-Set", "*"),), None, link.derivation)
        assert kind_of(both) == "duplicate-header"

    def test_every_changed_byte_of_the_signature(self) -> None:
        signed = sign()
        value = dict(signed.headers)["Authorization"]
        start = value.rindex("=") + 1
        for at in range(start, len(value)):
            for digit in "0f":
                spoilt = value[:at] + digit + value[at + 1 :]
                if spoilt != value:
                    assert kind_of(self.changed(signed, authorization=spoilt)) == "signature-mismatch"
        for spoilt in (value + "00", value[:-2], value + "0", value[: start + 2]):
            assert kind_of(self.changed(signed, authorization=spoilt)) in ("signature-mismatch", "malformed-component")

    def test_no_event_streams(self) -> None:
        with pytest.raises(ValueError, match="no event stream"):
            verify(sign()).events()

    @pytest.mark.parametrize("region_set", ["a" * 100_000 + "!", "*" + "a" * 100_000 + "!", "a*" * 50_000, "," * 100_000])
    def test_a_hostile_region_set_takes_no_time(self, region_set) -> None:
        start = time.process_time()
        assert kind_of(self.changed(sign(), x_amz_region_set=region_set)) == "wrong-region"
        assert time.process_time() - start < 2  # It was minutes.

    def test_algorithms_do_not_mix(self) -> None:
        signed = sign("us-west-2")
        value = dict(signed.headers)["Authorization"]
        assert (
            kind_of(self.changed(signed, authorization=value.replace("AWS4-ECDSA-P256-SHA256", "AWS4-HMAC-SHA256")))
            == "malformed-credential"
        )
        with_region = value.replace("/20260115/", "/20260115/us-west-2/")
        assert kind_of(self.changed(signed, authorization=with_region)) == "bad-scope-date"
        assert kind_of(signed, schemes=["sigv4"]) == "unsupported-algorithm"
        word = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
        assert kind_of(self.changed(signed, x_amz_content_sha256=word)) == "bad-content-sha256"


_NAME = st.text("ab-1*", min_size=1, max_size=8).filter(lambda text: text.count("*") < 2)


class TestRegionSets:
    @given(st.lists(_NAME, min_size=1, max_size=3), st.text("ab-1", max_size=8))
    def test_like_fnmatch(self, names, region) -> None:
        assert covers(",".join(names), region) == any(fnmatch.fnmatchcase(region, name) for name in names)
