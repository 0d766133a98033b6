"""Forms with which a browser uploads to S3: built, and verified as they arrive."""

from __future__ import annotations

import base64
import datetime
import io
import json
import re
import time
from html.parser import HTMLParser

import boto3
import pytest
from botocore.config import Config
from hypothesis import given
from hypothesis import strategies as st

import awsign

from .conftest import KEY, SECRET, TOKEN
from .vectors.harness import multipart

UTC = datetime.UTC
AT = datetime.datetime(2026, 1, 15, 12, tzinfo=UTC)
CREDENTIALS = awsign.Credentials(KEY, SECRET)
PRESIGNER = awsign.S3Presigner(CREDENTIALS, "us-east-1", "bucket", endpoint="http://127.0.0.1:9000", path_style=True, at=AT)
FILE = b"the data of the file"


def received(
    form: awsign.PostForm, file: bytes = FILE, name: str = "a b.txt", *, path: str = "/bucket", headers=(), **fields: str | None
) -> awsign.Request:
    """The form as a browser sends it. fields: changed, added, or left out where None."""
    changed = {name.replace("_", "-"): value for name, value in fields.items()}
    sent = [(n, v) for n, v in (form.fields | changed).items() if v is not None]
    kind, body = multipart(sent, name, file)
    return awsign.Request.received("POST", path, [("Host", "127.0.0.1:9000"), ("Content-Type", kind), *headers], body)


def verify(request: awsign.Request, **options: object) -> awsign.Verified:
    return awsign.Verifier({KEY: SECRET}.get, now=AT, **options).verify(request)


def refused(request: awsign.Request, **options: object) -> awsign.SignatureError:
    with pytest.raises(awsign.SignatureError) as caught:
        verify(request, **options)
    return caught.value


def file_of(verified: awsign.Verified, request: awsign.Request, step: int = 10**9) -> bytes:
    body = request.body
    assert isinstance(body, bytes)
    return b"".join([verified.body.feed(body[at : at + step]) for at in range(0, len(body), step)]) + verified.body.close()


class TestBuilding:
    @pytest.mark.parametrize("scheme", ["sigv4", "s3v2"])
    @pytest.mark.parametrize("token", [None, TOKEN])
    def test_like_boto3(self, scheme, token) -> None:
        """The same fields, and a policy of the same conditions."""
        credentials = awsign.Credentials(KEY, SECRET, token)
        form = awsign.S3Presigner(credentials, "eu-west-1", "bucket").post(
            "in/${filename}", [{"acl": "private"}, ["content-length-range", 1, 100]], {"acl": "private"}, scheme=scheme
        )
        client = boto3.client(
            "s3", region_name="eu-west-1", aws_access_key_id=KEY, aws_secret_access_key=SECRET, aws_session_token=token,
            config=Config(signature_version={"sigv4": "s3v4", "s3v2": "s3"}[scheme], s3={"addressing_style": "virtual"}),
        )  # fmt: skip
        theirs = client.generate_presigned_post(
            "bucket", "in/${filename}", {"acl": "private"}, [{"acl": "private"}, ["content-length-range", 1, 100]]
        )
        assert form.url == theirs["url"].rstrip("/")
        assert form.fields.keys() == theirs["fields"].keys()

        def conditions(policy: str) -> set[str]:
            return {re.sub(r"\d{8}T\d{6}Z", "", json.dumps(one)) for one in json.loads(base64.b64decode(policy))["conditions"]}

        assert conditions(form.fields["policy"]) == conditions(theirs["fields"]["policy"])

    def test_what_has_no_condition_must_be_exactly_that(self) -> None:
        form = PRESIGNER.post("k", fields={"Content-Type": "text/plain", "x-amz-meta-a": "b"})
        verify(received(form))
        for changed in ({"Content_Type": "text/html"}, {"x_amz_meta_a": "c"}, {"x_amz_meta_a": None}, {"key": "other"}):
            error = refused(received(form, **changed))
            assert (error.kind, error.code, error.status) == ("condition-failed", "AccessDenied", 403)
        assert refused(received(form, x_amz_meta_new="c")).kind == "condition-missing"
        verify(received(form, x_ignore_new="c"))

    def test_what_an_exact_condition_asks_for_the_form_has(self) -> None:
        form = PRESIGNER.post("k", [{"Acl": "private"}, ["eq", "$x-amz-meta-a", "b"], ["starts-with", "$Content-Type", "image/"]])
        assert (form.fields["Acl"], form.fields["x-amz-meta-a"], form.open_fields) == ("private", "b", ("Content-Type",))
        verify(received(form, Content_Type="image/png"))
        assert refused(received(form)).kind == "condition-failed"

    @pytest.mark.parametrize(
        ("conditions", "fields"),
        [
            ([{"acl": "private"}], {"acl": "public-read"}),
            ([["starts-with", "$key", "other/"]], {}),
            ([{"bucket": "other"}], {}),
            ([["starts-with", "$Content-Type", "image/"]], {"Content-Type": "text/plain"}),
            ([["content-length-range", 5, 1]], {}),
            ([["content-length-range", -1, 1]], {}),
            ([["content-length-range", 1]], {}),
            ([["content-length-range", 1, 2.5]], {}),
            ([["ends-with", "$key", "x"]], {}),
            ([["eq", "key", "x"]], {}),
            ([{"a": "b", "c": "d"}], {}),
            ([{"a": 5}], {}),
            ([5], {}),
            ([[]], {}),
            ([{}], {}),
            ([], {"key": "k"}),
            ([], {"policy": "x"}),
            ([], {"x-amz-date": "x"}),
            ([], {"X-Amz-Credential": "x"}),
            ([], {"AWSAccessKeyId": "x"}),
            ([], {"signature": "x"}),
            ([], {"x-amz-meta-a": "\ud800"}),
            ([], {"": "x"}),
            ([], {'a"b': "x"}),
            ([], {"a": "b", "A": "c"}),
        ],
    )
    def test_what_cannot_be(self, conditions, fields) -> None:
        with pytest.raises(awsign.InvalidRequest):
            PRESIGNER.post("k", conditions, fields)

    def test_settings_that_are_none(self) -> None:
        for options in ({"expires": 0}, {"expires": 604801}, {"expires": None}, {"scheme": "sigv4a"}):
            with pytest.raises(awsign.InvalidRequest):
                PRESIGNER.post("k", **options)
        for key in ("", None, b"k"):
            with pytest.raises(awsign.InvalidRequest):
                PRESIGNER.post(key)
        with pytest.raises(TypeError):
            PRESIGNER.post("k", fields={"a": 5})
        for bucket in ("arn:aws:s3:us-west-2:123456789012:accesspoint/my-point", "data--usw2-az1--x-s3"):
            with pytest.raises(awsign.InvalidRequest, match="by its name"):
                awsign.S3Presigner(CREDENTIALS, "us-west-2", bucket).post("k")
        for region in ("", "us east/1", None):
            with pytest.raises(awsign.InvalidRequest, match="region"):
                awsign.S3Presigner(CREDENTIALS, region, "bucket")
        with pytest.raises(awsign.InvalidRequest, match="swapped"):
            awsign.S3Presigner(CREDENTIALS, "my-bucket", "us-east-1")
        assert PRESIGNER.post("k", expires=10**8, scheme="s3v2").expires_at > AT + datetime.timedelta(days=1000)
        for bucket in ("", "a/b", "ü", "arn:aws:s3:nowhere"):
            with pytest.raises(awsign.InvalidRequest):
                awsign.S3Presigner(CREDENTIALS, "us-east-1", bucket)

    def test_it_ends_with_its_credentials(self) -> None:
        end = AT + datetime.timedelta(minutes=5)
        form = awsign.S3Presigner(awsign.Credentials(KEY, SECRET, TOKEN, end), "us-east-1", "bucket", at=AT).post("k")
        assert form.expires_at == end
        assert "11:" not in json.loads(base64.b64decode(form.fields["policy"]))["expiration"]

    def test_nothing_secret_is_shown(self) -> None:
        form = awsign.S3Presigner(awsign.Credentials(KEY, SECRET, TOKEN), "us-east-1", "bucket").post("k")
        for hidden in (SECRET, TOKEN, form.fields["policy"], form.fields["x-amz-signature"]):
            assert hidden not in repr(form)

    def test_the_page(self) -> None:
        name = '"><script>alert(1)</script>'
        form = PRESIGNER.post(name, [["starts-with", "$x-amz-meta-note", ""]], {"x-amz-meta-a": "<&'\""})
        page = form.html(title="<b>", button="</button>")
        found: list[tuple[str, dict[str, str | None]]] = []

        class Reader(HTMLParser):
            def handle_starttag(self, tag, attrs):
                found.append((tag, dict(attrs)))

        Reader().feed(page)
        tags = [tag for tag, _ in found]
        assert "script" not in tags
        assert "b" not in tags
        [attributes] = [attributes for tag, attributes in found if tag == "form"]
        assert attributes == {"action": form.url, "method": "post", "enctype": "multipart/form-data"}
        inputs = [attributes for tag, attributes in found if tag == "input"]
        assert {i["name"]: i["value"] for i in inputs if i.get("type") == "hidden"} == form.fields
        assert inputs[-1]["name"] == "file"  # S3 reads nothing after it.
        assert [i["name"] for i in inputs if "type" not in i] == ["x-amz-meta-note"]
        assert not any("name" in attributes for tag, attributes in found if tag == "button")


class TestVerifying:
    @pytest.mark.parametrize("scheme", ["sigv4", "s3v2"])
    @pytest.mark.parametrize("step", [1, 10, 100, 1000])
    def test_as_a_stream(self, scheme, step) -> None:
        form = PRESIGNER.post("in/${filename}", [["content-length-range", 0, 1000]], scheme=scheme)
        request = received(form, name="C:\\fakepath\\ü.txt")
        body = request.body
        verifier = awsign.Verifier({KEY: SECRET}.get, now=AT)
        reader = verifier.form(awsign.Request.received("POST", "/bucket", request.headers))
        at = 0
        while reader.claim is None:
            reader.feed(body[at : at + step])
            at += step
        verified = verifier.verify(reader.claim)
        given = verified.body.feed(b"")
        while at < len(body):
            given += verified.body.feed(body[at : at + step])
            at += step
        assert given + verified.body.close() == FILE
        assert (verified.scheme, verified.location, verified.access_key_id) == (scheme, "form", KEY)
        assert (verified.form.bucket, verified.form.key, verified.form.file_name) == ("bucket", "in/ü.txt", "ü.txt")
        assert verified.expires_at == AT + datetime.timedelta(hours=1)

    def test_of_bytes(self) -> None:
        request = received(PRESIGNER.post("k"))
        verified = verify(request)
        assert verified.content == FILE
        assert file_of(verified, request) == FILE
        assert file_of(verify(request), request, 7) == FILE

    def test_by_virtual_host(self) -> None:
        form = awsign.S3Presigner(CREDENTIALS, "us-east-1", "bucket", at=AT).post("k")
        kind, body = multipart(list(form.fields.items()), "x", FILE)
        request = awsign.Request.received(
            "POST", "/", [("Host", "bucket.s3.us-east-1.amazonaws.com"), ("Content-Type", kind)], body
        )
        assert verify(request).form.bucket == "bucket"
        other = awsign.Request.received("POST", "/", [("Host", "other.s3.us-east-1.amazonaws.com"), ("Content-Type", kind)], body)
        assert refused(other).kind == "condition-failed"

    @pytest.mark.parametrize("path", ["/other", "/bucket/k", "/", "/Bucket", "/bucket%2Fk"])
    def test_another_bucket(self, path) -> None:
        form = PRESIGNER.post("k")
        assert refused(received(form, path=path)).kind == "condition-failed"
        assert refused(received(form, path=path, bucket="bucket")).kind == "condition-failed"
        assert refused(received(form, bucket="other")).kind == "condition-failed"
        verify(received(form, bucket="bucket"))

    @pytest.mark.parametrize(
        ("least", "most", "kind", "code"),
        [(0, 19, "file-too-large", "EntityTooLarge"), (21, 99, "file-too-small", "EntityTooSmall")],
    )
    def test_the_size_of_the_file_alone(self, least, most, kind, code) -> None:
        error = refused(received(PRESIGNER.post("k", [["content-length-range", least, most]])))
        assert (error.kind, error.code, error.status) == (kind, code, 400)
        verify(received(PRESIGNER.post("k", [["content-length-range", 20, 20]])))

    def test_of_a_file_that_is_too_large_no_more_than_that_is_given_back(self) -> None:
        request = received(PRESIGNER.post("k", [["content-length-range", 0, 1000]]), b"x" * 5000)
        verifier = awsign.Verifier({KEY: SECRET}.get, now=AT)
        reader = verifier.form(awsign.Request.received("POST", "/bucket", request.headers))
        blocks = iter([request.body[at : at + 100] for at in range(0, len(request.body), 100)])
        while reader.claim is None:
            reader.feed(next(blocks))
        body, given = verifier.verify(reader.claim).body, 0
        with pytest.raises(awsign.SignatureError):  # noqa: PT012
            for block in blocks:
                given += len(body.feed(block))
        assert given <= 1000

    def test_expired(self) -> None:
        request = received(PRESIGNER.post("k", expires=60))
        with pytest.raises(awsign.SignatureError) as caught:
            awsign.Verifier({KEY: SECRET}.get, now=AT + datetime.timedelta(seconds=61)).verify(request)
        assert (caught.value.kind, caught.value.code, str(caught.value)) == (
            "expired",
            "AccessDenied",
            "Invalid according to Policy: Policy expired.",
        )
        with pytest.raises(awsign.SignatureError) as caught:
            awsign.Verifier({KEY: SECRET}.get, now=AT - datetime.timedelta(hours=1)).verify(request)
        assert caught.value.kind == "not-yet-valid"

    @pytest.mark.parametrize(
        ("changed", "kind"),
        [
            ({"x_amz_signature": "0" * 64}, "signature-mismatch"),
            ({"policy": "e30="}, "signature-mismatch"),
            ({"policy": None}, "missing-field"),
            ({"x_amz_signature": None}, "missing-field"),
            ({"x_amz_date": None}, "missing-field"),
            ({"x_amz_date": "20260116T000000Z"}, "scope-date-mismatch"),
            ({"x_amz_date": "today"}, "bad-date"),
            ({"x_amz_credential": f"{KEY}/20260115/us-east-1/sqs/aws4_request"}, "wrong-service"),
            ({"x_amz_credential": KEY}, "malformed-credential"),
            ({"x_amz_algorithm": "AWS4-ECDSA-P256-SHA256"}, "unsupported-algorithm"),
            ({"signature": "x"}, "two-authentications"),
            ({"AWSAccessKeyId": KEY}, "two-authentications"),
            ({"x_amz_security_token": TOKEN}, "condition-missing"),
            ({"acl": "public-read"}, "condition-missing"),
            ({"x_amz_meta_a": "b"}, "condition-missing"),
        ],
    )
    def test_changed(self, changed, kind) -> None:
        error = refused(received(PRESIGNER.post("k"), **changed))
        assert error.kind == kind
        assert error.status in (400, 403)

    def test_what_no_condition_covers_beside_the_form(self) -> None:
        form = PRESIGNER.post("k")
        for name in ("x-amz-acl", "X_Amz_Acl", "x-amz_acl"):
            assert refused(received(form, headers=[(name, "public-read")])).kind == "unsigned-header"
        assert refused(received(form, path="/bucket?acl")).kind == "unsigned-content"

    @pytest.mark.parametrize("path", ["/other", "/bucket", "//", "/%2F"])
    def test_a_path_beside_a_bucket_in_the_host(self, path) -> None:
        """What goes on to a store behind may take it for the bucket."""
        form = awsign.S3Presigner(CREDENTIALS, "us-east-1", "bucket", at=AT).post("k")
        kind, body = multipart(list(form.fields.items()), "x", FILE)
        request = awsign.Request.received(
            "POST", path, [("Host", "bucket.s3.us-east-1.amazonaws.com"), ("Content-Type", kind)], body
        )
        assert refused(request).kind in ("wrong-host", "condition-failed")

    def test_what_its_fields_say_of_the_file(self) -> None:
        import hashlib

        for name, right, wrong in (
            ("Content-MD5", hashlib.md5(FILE).digest(), hashlib.md5(b"x").digest()),
            ("x-amz-checksum-sha256", hashlib.sha256(FILE).digest(), hashlib.sha256(b"x").digest()),
        ):
            verify(received(PRESIGNER.post("k", fields={name: base64.b64encode(right).decode()})))
            error = refused(received(PRESIGNER.post("k", fields={name: base64.b64encode(wrong).decode()})))
            assert (error.code, error.status) == ("BadDigest", 400)
            error = refused(received(PRESIGNER.post("k", fields={name: "%"})))
            assert error.code in ("InvalidDigest", "InvalidRequest")

    def test_a_form_whose_body_is_not_there_yet(self) -> None:
        request = received(PRESIGNER.post("k"))
        request.body = None
        assert refused(request).kind == "missing-authentication"

    def test_regions_of_the_older_form(self) -> None:
        form = awsign.S3Presigner(CREDENTIALS, "eu-west-1", "bucket", at=AT).post("k", scheme="s3v2")
        kind, body = multipart(list(form.fields.items()), "x", FILE)
        request = awsign.Request.received(
            "POST", "/", [("Host", "bucket.s3.eu-west-1.amazonaws.com"), ("Content-Type", kind)], body
        )
        verify(request, regions={"eu-west-1"}, services={"s3"})
        assert refused(request, regions={"us-east-1"}).kind == "wrong-region"

    def test_an_empty_key(self) -> None:
        assert refused(received(PRESIGNER.post("${filename}"), name="")).kind == "missing-field"

    def test_the_heads_of_parts(self) -> None:
        """The same, however the body is cut; and nothing that another reader could take for a line of its own."""
        whole = received(PRESIGNER.post("k"))
        verifier = awsign.Verifier({KEY: SECRET}.get, now=AT)

        def outcome(body: bytes, step: int) -> str:
            try:
                reader = verifier.form(awsign.Request.received("POST", "/bucket", whole.headers))
                blocks = iter([body[at : at + step] for at in range(0, len(body), step)])
                for block in blocks:
                    reader.feed(block)
                    if reader.claim is not None:
                        break
                reader.close()
                check = verifier.verify(reader.claim).body
                return str(len(b"".join([check.feed(b""), *map(check.feed, blocks), check.close()])))
            except awsign.SignatureError as error:
                return error.kind

        kind = b"Content-Type: application/octet-stream"
        for changed in (
            whole.body.replace(kind, b"Content-Type: image/png\nX-Evil: 1\n\nPREFIX"),
            whole.body.replace(kind, b"Content-Type: image/png\rX-Evil: 1"),
            whole.body.replace(kind, b"Content-Type: a\0b"),
            whole.body.replace(b'filename="a b.txt"', b'filename="a\tb.txt"'),
            whole.body.replace(b'name="key"', b'name="k%0D%0Aey"'),
            whole.body.replace(kind, b"Content-Type: \xff"),
            whole.body.replace(b"Content-Type:", b"Content-Type\n:"),
            whole.body.replace(b"Content-Type:", b"\nContent-Type:"),
            whole.body.replace(b"Content-Disposition:", b"\nContent-Disposition:", 1),
            b"X" + whole.body,
            b"preamble\r\n" + whole.body,
        ):
            assert {outcome(changed, step) for step in (1, 7, 100, 10**6)} == {"malformed-form"}
        long = whole.body.replace(b"Content-Type:", b"X-Long: " + b"x" * (4096 - len("X-Long: ")) + b"\r\nContent-Type:")
        for same in (whole.body, b"\r\n" + whole.body, whole.body + b"\r\nepilogue", long):
            assert {outcome(same, step) for step in (1, 7, 100, 10**6)} == {str(len(FILE))}

    def test_names_are_folded_as_ascii(self) -> None:
        form = PRESIGNER.post("k")
        kelvin = {"\u212aey": "k"}  # Which Python itself would make `key`, were it a keyword.
        assert refused(received(form, key=None, **kelvin)).kind == "missing-field"

    def test_secrets_are_not_told(self) -> None:
        known = awsign.Credentials(KEY, SECRET, TOKEN)
        form = awsign.S3Presigner(known, "us-east-1", "bucket", endpoint="http://127.0.0.1:9000", path_style=True, at=AT).post("k")
        for changed in ({"x_amz_security_token": None}, {"x_amz_signature": "0" * 64}, {"x_amz_security_token": "other"}):
            error = refused(received(form, **changed))
            assert TOKEN not in f"{error} {error.string_to_sign} {error.canonical_request}"
            assert form.fields["policy"] not in f"{error} {error.string_to_sign}" or changed == {"x_amz_security_token": None}
        with pytest.raises(awsign.InvalidRequest) as caught:
            awsign.S3Presigner(known, "us-east-1", "bucket").post("k", [{"x-amz-security-token": "zzz"}])
        assert TOKEN not in str(caught.value)

    def test_hostile_hosts_take_no_time(self) -> None:
        kind, body = multipart(list(PRESIGNER.post("k").fields.items()), "x", FILE)
        start = time.process_time()
        for host in ("a" + ".s3" * 20000, "s3." * 30000):
            refused(awsign.Request.received("POST", "/bucket2", [("Host", host), ("Content-Type", kind)], body))
        assert time.process_time() - start < 2  # It was minutes.

    def test_an_unsigned_form(self) -> None:
        kind, body = multipart([("key", "k")], "x", FILE)
        request = awsign.Request.received("POST", "/bucket", [("Host", "127.0.0.1"), ("Content-Type", kind)], body)
        error = refused(request)
        assert (error.kind, error.code, error.status) == ("missing-authentication", "AccessDenied", 403)

    def test_a_session_token(self) -> None:
        known = awsign.Credentials(KEY, SECRET, TOKEN)
        presigner = awsign.S3Presigner(known, "us-east-1", "bucket", endpoint="http://127.0.0.1:9000", path_style=True, at=AT)
        request = received(presigner.post("k"))
        assert awsign.Verifier({KEY: known}.get, now=AT).verify(request).session_token == TOKEN
        with pytest.raises(awsign.SignatureError) as caught:
            awsign.Verifier({KEY: CREDENTIALS}.get, now=AT).verify(request)
        assert caught.value.kind == "invalid-token"

    def test_where_it_is_taken(self) -> None:
        request = received(PRESIGNER.post("k"))
        verify(request, services={"s3"}, regions={"us-east-1"}, hosts={"127.0.0.1:9000"})
        for options, kind in (
            ({"regions": {"eu-west-1"}}, "wrong-region"), ({"services": {"sqs"}}, "wrong-service"), ({"hosts": {"x"}}, "wrong-host"),
            ({"schemes": ["s3v2"]}, "unsupported-algorithm"),
        ):  # fmt: skip
            error = refused(request, **options)
            assert error.kind == kind
        assert refused(request, regions={"eu-west-1"}).code == "InvalidArgument"

    def test_lists_of_content_types(self) -> None:
        form = PRESIGNER.post("k", [["starts-with", "$Content-Type", "image/"]])
        verify(received(form, Content_Type="image/png, image/gif"))
        assert refused(received(form, Content_Type="image/png, text/html")).kind == "condition-failed"

    @pytest.mark.parametrize("given", [b"the form", io.BytesIO(b"the form")])
    def test_a_reader_is_fed_by_hand(self, given) -> None:
        """It would not know what of the request's own body it was fed already: a file came back empty."""
        headers = received(PRESIGNER.post("k")).headers
        with pytest.raises(ValueError, match="leave its body out"):
            awsign.Verifier({KEY: SECRET}.get, now=AT).form(awsign.Request.received("POST", "/bucket", headers, given))

    def test_fields_after_the_file_are_not_read(self) -> None:
        """A button with a name makes one, as in AWS's own examples."""
        request = received(PRESIGNER.post("k"))
        boundary = request.body.partition(b"\r\n")[0]
        extra = boundary + b'\r\nContent-Disposition: form-data; name="acl"\r\n\r\npublic-read\r\n' + boundary + b"--\r\n"
        request.body = request.body.replace(boundary + b"--\r\n", extra)
        verified = verify(request)
        assert "acl" not in verified.form.fields
        assert file_of(verified, request) == FILE
        request.body = request.body.replace(b'Content-Disposition: form-data; name="acl"', b"\n")
        assert verify(request).content == FILE

    def test_no_form_at_all(self) -> None:
        form = PRESIGNER.post("k")
        whole = received(form)
        headers = dict(whole.headers)

        def kind(body: bytes, content_type: str = headers["Content-Type"]) -> str:
            return refused(
                awsign.Request.received("POST", "/bucket", [("Host", "127.0.0.1:9000"), ("Content-Type", content_type)], body)
            ).kind

        assert kind(b"") == "missing-field"
        assert kind(whole.body[:-30]) in ("incomplete-body", "malformed-form")
        assert kind(b"x" * 100) in ("malformed-form", "missing-field")
        assert kind(whole.body, "multipart/form-data") == "malformed-form"
        assert kind(whole.body, "multipart/form-data; boundary=" + "x" * 300) == "malformed-form"
        many, _ = multipart([(f"x-ignore-{n}", "x" * 1000) for n in range(30)], "f", b""), None
        assert kind(many[1], many[0]) == "form-too-large"
        twice = multipart([*form.fields.items(), ("KEY", "k")], "f", b"")
        assert kind(twice[1], twice[0]) == "malformed-form"
        latin = multipart(list(form.fields.items()), "f", b"")
        assert kind(latin[1].replace(b"\r\nk\r\n", b"\r\n\xff\r\n"), latin[0]) == "malformed-form"

    def test_without_the_package(self, monkeypatch) -> None:
        import sys

        monkeypatch.setitem(sys.modules, "multipart", None)
        request = received(PRESIGNER.post("k"))
        with pytest.raises(awsign.MissingExtra, match=r"awsign\[post\]"):
            awsign.Verifier({KEY: SECRET}.get, now=AT).form(awsign.Request.received("POST", "/bucket", request.headers))
        assert refused(request).kind == "unsupported-payload"  # A stranger's form is no failure of the server.


class TestPolicies:
    def sign(self, policy: bytes) -> awsign.Request:
        """A policy that no presigner would make, signed right."""
        import hashlib
        import hmac

        encoded = base64.b64encode(policy).decode()
        key = f"AWS4{SECRET}".encode()
        for part in ("20260115", "us-east-1", "s3", "aws4_request"):
            key = hmac.digest(key, part.encode(), hashlib.sha256)
        fields = {
            "key": "k", "x-amz-algorithm": "AWS4-HMAC-SHA256", "x-amz-credential": f"{KEY}/20260115/us-east-1/s3/aws4_request",
            "x-amz-date": "20260115T120000Z", "policy": encoded,
            "x-amz-signature": hmac.new(key, encoded.encode(), hashlib.sha256).hexdigest(),
        }  # fmt: skip
        return received(awsign.PostForm("", fields, (), AT))

    EVERYTHING = '{"bucket":"bucket"},{"key":"k"},["starts-with","$x-amz-algorithm",""],["starts-with","$x-amz-credential",""],["starts-with","$x-amz-date",""]'

    def test_one_that_is_right(self) -> None:
        verify(self.sign(b'{"expiration":"2026-01-15T13:00:00Z","conditions":[%b]}' % self.EVERYTHING.encode()))

    @pytest.mark.parametrize(
        "policy",
        [
            b"", b"[]", b"null", b"5", b'"x"', b"{", b"\xff", b'{"expiration":"2026-01-15T13:00:00Z"}', b'{"conditions":[]}',
            b'{"expiration":5,"conditions":[]}', b'{"expiration":"2026-13-45T13:00:00Z","conditions":[]}',
            b'{"expiration":"9999-12-31T13:00:00Z","conditions":[]}', b'{"expiration":"2026-01-15T13:00:00","conditions":[]}',
            b'{"expiration":"2026-01-15T13:00:00Z","conditions":{}}', b'{"expiration":"2026-01-15T13:00:00Z","conditions":[],"x":1}',
            b'{"expiration":"2026-01-15T13:00:00Z","conditions":[null]}', b'{"expiration":"2026-01-15T13:00:00Z","conditions":[["eq","$a"]]}',
            b'{"expiration":"2026-01-15T13:00:00Z","conditions":[["eq",5,"a"]]}', b'{"expiration":"2026-01-15T13:00:00Z","conditions":[[1,2,3]]}',
            b'{"expiration":"2026-01-15T13:00:00Z","conditions":[{"a":"b","a":"c"}]}',
            b'{"expiration":"2026-01-15T13:00:00Z","conditions":[["content-length-range",NaN,5]]}',
            b'{"expiration":"2026-01-15T13:00:00Z","conditions":[["content-length-range",0,' + b"9" * 5000 + b"]]}",
            b'{"expiration":"2026-01-15T13:00:00Z","expiration":"2030-01-15T13:00:00Z","conditions":[]}',
            b"[" * 100_0 + b"]" * 100_0,
        ],
        ids=range(24),
    )  # fmt: skip
    def test_others(self, policy) -> None:
        error = refused(self.sign(policy) if policy else received(PRESIGNER.post("k"), policy="!!!"))
        assert error.kind in ("bad-policy", "bad-expiration", "signature-mismatch")
        assert error.code in ("InvalidPolicyDocument", "SignatureDoesNotMatch")

    @given(st.text(max_size=30), st.text(max_size=30), st.booleans())
    def test_any_text_in_a_field(self, value, start, exact) -> None:
        """What is built is taken; what does not meet the condition is refused, on both sides alike."""
        value, start = (text.replace("\r", "").replace("\n", "").encode("utf-8", "replace").decode() for text in (value, start))
        condition = {"x-amz-meta-a": start} if exact else ["starts-with", "$x-amz-meta-a", start]
        met = value == start if exact else value.startswith(start)
        try:
            form = PRESIGNER.post("k", [condition], {"x-amz-meta-a": value})
        except awsign.InvalidRequest:
            assert not met
            form = PRESIGNER.post("k", [condition])
        if met:
            verify(received(form))
        else:
            assert refused(received(form, x_amz_meta_a=value)).kind == "condition-failed"
