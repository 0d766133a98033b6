"""What stands in the place of a bucket: access points, Outposts, Object Lambda, Multi-Region Access Points, directory buckets."""

from __future__ import annotations

import datetime
import os
import subprocess

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

import awsign
from awsign.s3_urls import bucket_url, split_s3_uri

from .conftest import KEY, SECRET, TOKEN
from .raw_server import raw_server
from .servers import AWSIGN
from .wire import one_byte_changed, send

AT = datetime.datetime(2026, 1, 15, 12, tzinfo=datetime.UTC)
CREDENTIALS = awsign.Credentials(KEY, SECRET, TOKEN)

ARNS = [
    ("arn:aws:s3:us-west-2:123456789012:accesspoint/my-point", "s3", "us-west-2"),
    ("arn:aws:s3:us-west-2:123456789012:accesspoint:my-point", "s3", "us-west-2"),
    ("arn:aws-cn:s3:cn-north-1:123456789012:accesspoint/my-point", "s3", "cn-north-1"),
    ("arn:aws-us-gov:s3:us-gov-west-1:123456789012:accesspoint/my-point", "s3", "us-gov-west-1"),
    ("arn:aws:s3-object-lambda:us-west-2:123456789012:accesspoint/my-banner", "s3-object-lambda", "us-west-2"),
    ("arn:aws:s3-outposts:us-west-2:123456789012:outpost/op-01234567890123456/accesspoint/my-point", "s3-outposts", "us-west-2"),
    ("arn:aws:s3-outposts:us-west-2:123456789012:outpost:op-01234567890123456:accesspoint:my-point", "s3-outposts", "us-west-2"),
    ("arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap", "s3", "*"),
    ("arn:aws:s3::123456789012:accesspoint:mfzwi23gnjvgw.mrap", "s3", "*"),
    ("data--usw2-az1--x-s3", "s3express", "us-west-2"),
    ("data", "s3", "us-west-2"),
]  # fmt: skip


class Caught(Exception):
    pass


def sent_by_boto3(bucket: str, region: str) -> str:
    """The URL that boto3 would send a request to; CreateSession is answered in place of AWS, which is not what is looked at."""
    client = boto3.client(
        "s3", region_name="us-west-2" if region == "*" else region, aws_access_key_id=KEY, aws_secret_access_key=SECRET,
        config=Config(s3={"use_arn_region": True}),
    )  # fmt: skip

    def catch(request, **_):
        raise Caught(request.url)

    client.meta.events.register("before-sign.s3.*", lambda request, **_: catch(request))
    with pytest.raises(Caught) as caught:
        client.head_bucket(Bucket=bucket) if "--x-s3" in bucket else client.get_object(Bucket=bucket, Key="k")
    return str(caught.value)


@pytest.mark.parametrize(("bucket", "service", "region"), ARNS)
class TestHosts:
    def test_like_botocore(self, bucket, service, region) -> None:
        ours = bucket_url(bucket, region=region)
        assert sent_by_boto3(bucket, region).rstrip("/") == (ours if service == "s3express" else f"{ours}/k")

    def test_the_host_tells_the_scope(self, bucket, service, region) -> None:
        assert awsign.infer(bucket_url(bucket, region=region)) == (service, region)

    def test_in_an_s3_url(self, bucket, service, region) -> None:
        assert split_s3_uri(f"{bucket}/a/b") == (bucket, "/", "a/b")
        assert split_s3_uri(bucket) == (bucket, "", "")

    def test_signed_and_verified(self, bucket, service, region) -> None:
        url = f"{bucket_url(bucket, region=region)}/a%2B//b"
        scheme = awsign.SigV4A if region == "*" else awsign.SigV4
        signed = scheme(CREDENTIALS).sign(awsign.Request("PUT", url, body=b"data"), at=AT)
        assert signed.url == url  # The path of a key is never normalized.
        host = dict(signed.headers)["Host"]
        received = awsign.Request.received("PUT", url.partition(host)[2], signed.headers, b"data")
        verified = awsign.Verifier({KEY: CREDENTIALS}.get, now=AT, services={service}).verify(received)
        assert (verified.service, verified.region) == (service, region)


class TestEndpoints:
    @pytest.mark.parametrize(
        ("endpoint", "path_style", "expected"),
        [
            ("http://127.0.0.1:9000", False, "http://127.0.0.1:9000/data"),
            ("http://127.0.0.1:9000/", True, "http://127.0.0.1:9000/data"),
            ("http://localhost:9000", False, "http://localhost:9000/data"),
            ("http://[::1]:9000", False, "http://[::1]:9000/data"),
            ("https://s3.example.com", False, "https://data.s3.example.com"),
            ("https://s3.example.com/", False, "https://data.s3.example.com"),
            ("https://s3.example.com", True, "https://s3.example.com/data"),
            ("https://example.com/s3/", False, "https://example.com/s3/data"),
        ],
    )
    def test_others_than_aws(self, endpoint, path_style, expected) -> None:
        assert bucket_url("data", endpoint=endpoint, path_style=path_style) == expected

    @pytest.mark.parametrize("endpoint", ["127.0.0.1:9000", "ftp://x", "https://", "https://a@b", "https://a?b", ""])
    def test_what_is_none(self, endpoint) -> None:
        with pytest.raises(awsign.InvalidRequest, match="endpoint"):
            bucket_url("data", endpoint=endpoint)

    @pytest.mark.parametrize("options", [{"endpoint": "http://127.0.0.1:9000"}, {"path_style": True}])
    def test_an_access_point_has_a_host_of_its_own(self, options) -> None:
        """Not silently AWS's, where another endpoint was asked for."""
        with pytest.raises(awsign.InvalidRequest, match="host of its own"):
            bucket_url("arn:aws:s3:us-west-2:123456789012:accesspoint/my-point", **options)
        with pytest.raises(awsign.InvalidRequest, match="not the name"):
            bucket_url("arn:aws:s3:::my-bucket")
        assert bucket_url("arn:aws-iso:s3:us-iso-east-1:123456789012:accesspoint/my-point") == (
            "https://my-point-123456789012.s3-accesspoint.us-iso-east-1.c2s.ic.gov"
        )

    @pytest.mark.parametrize("bucket", ["a.b", "Data", "a_b", "x"])
    def test_a_name_that_is_none_of_dns_is_in_the_path(self, bucket) -> None:
        assert bucket_url(bucket, region="us-east-1") == f"https://s3.us-east-1.amazonaws.com/{bucket}"
        assert bucket_url(bucket, endpoint="https://s3.example.com") == f"https://s3.example.com/{bucket}"


EXPRESS = "https://data--usw2-az1--x-s3.s3express-usw2-az1.us-west-2.amazonaws.com"


class TestExpress:
    @pytest.mark.parametrize(
        ("method", "url", "headers", "name"),
        [
            ("GET", f"{EXPRESS}/k", {}, "X-Amz-S3session-Token"),
            ("PUT", f"{EXPRESS}/k", {}, "X-Amz-S3session-Token"),
            ("HEAD", f"{EXPRESS}/k", {}, "X-Amz-S3session-Token"),
            ("GET", f"{EXPRESS}/?list-type=2", {}, "X-Amz-S3session-Token"),
            ("POST", f"{EXPRESS}/?delete", {}, "X-Amz-S3session-Token"),
            ("GET", f"{EXPRESS}/?session", {}, "X-Amz-Security-Token"),
            ("HEAD", f"{EXPRESS}/", {}, "X-Amz-Security-Token"),
            ("PUT", f"{EXPRESS}/k", {"x-amz-copy-source": "/b/k"}, "X-Amz-Security-Token"),
            ("PUT", f"{EXPRESS}/k?partNumber=1&uploadId=x", {"x-amz-copy-source": "/b/k"}, "X-Amz-Security-Token"),
            ("GET", "https://s3express-control.us-west-2.amazonaws.com/", {}, "X-Amz-Security-Token"),
            ("GET", "https://s3express-control-fips.us-west-2.amazonaws.com/", {}, "X-Amz-Security-Token"),
            ("DELETE", f"{EXPRESS}/k?session=1", {}, "X-Amz-S3session-Token"),
            ("GET", f"{EXPRESS}/k?session=1", {}, "X-Amz-S3session-Token"),
            ("PUT", "https://s3express-control.us-west-2.amazonaws.com/data--usw2-az1--x-s3", {}, "X-Amz-Security-Token"),
        ],
    )
    def test_which_token_a_call_takes(self, method, url, headers, name) -> None:
        request = awsign.Request(method, url, headers)
        signed = awsign.SigV4(CREDENTIALS).sign(request, at=AT)
        assert signed.derivation.scope == "20260115/us-west-2/s3express/aws4_request"
        assert dict(signed.headers)[name] == TOKEN
        assert sum(n.lower().endswith("-token") for n, _ in signed.headers) == 1
        assert name.lower() in signed.derivation.signed_headers
        link = awsign.SigV4(CREDENTIALS).presign(request, at=AT)
        assert f"{name}=" in link.url
        host = url.split("/")[2]
        pairs = [("Host", host), *link.headers]
        for received in (
            awsign.Request.received(method, signed.url.partition(host)[2], signed.headers, b""),
            awsign.Request.received(method, link.url.partition(host)[2], pairs, b""),
        ):
            assert awsign.Verifier({KEY: CREDENTIALS}.get, now=AT).verify(received).session_token == TOKEN

    def test_a_token_in_the_wrong_place(self) -> None:
        """That of IAM's credentials, for an object."""
        signer = awsign.SigV4(CREDENTIALS, "s3express", "us-west-2", rules=awsign.rules_for("s3"))
        signed = signer.sign(awsign.Request("PUT", f"{EXPRESS}/k", body=b""), at=AT)
        received = awsign.Request.received("PUT", "/k", signed.headers, b"")
        with pytest.raises(awsign.SignatureError) as caught:
            awsign.Verifier({KEY: CREDENTIALS}.get, now=AT).verify(received)
        assert caught.value.kind == "invalid-token"

    def test_a_session(self, serve) -> None:
        """Asked for with IAM's credentials, used for objects; a new one when it is about to end."""
        from awsign.credentials import s3_express_session

        bucket = "data--usw2-az1--x-s3"
        provider = s3_express_session(awsign.Credentials("ASIAEXAMPLE", SECRET, TOKEN), bucket, region="us-west-2", endpoint=serve)
        session = provider.get()
        assert session.access_key_id != "ASIAEXAMPLE"
        assert 200 < (session.expiration - datetime.datetime.now(datetime.UTC)).total_seconds() <= 300
        assert provider.get() is session
        assert session.secret_access_key not in repr(provider)
        signed = awsign.SigV4(provider, "s3express", "us-west-2").sign(awsign.Request("PUT", f"{serve}/{bucket}/k", body=b"data"))
        assert dict(signed.headers)["X-Amz-S3session-Token"] == session.session_token
        status, answer = send(signed)
        assert status == 200, answer
        assert send(one_byte_changed(signed))[0] == 403

    def test_a_session_that_is_refused(self, serve) -> None:
        from awsign.credentials import S3ExpressSession, s3_express_session

        wrong = awsign.Credentials(KEY, "wrong")
        with pytest.raises(awsign.CredentialsError, match="403, SignatureDoesNotMatch"):
            s3_express_session(wrong, "data--usw2-az1--x-s3", region="us-west-2", endpoint=serve).get()
        with pytest.raises(awsign.CredentialsError, match="no answer"):
            s3_express_session(wrong, "data--usw2-az1--x-s3", region="us-west-2", endpoint="http://127.0.0.1:9").get()
        with raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n<a/>") as server:
            with pytest.raises(awsign.CredentialsError, match="lacks AccessKeyId"):
                s3_express_session(wrong, "data--usw2-az1--x-s3", region="us-west-2", endpoint=server.url).get()
            assert server.line() == "GET /data--usw2-az1--x-s3?session HTTP/1.1"
        with pytest.raises(awsign.InvalidRequest, match="mode"):
            S3ExpressSession(wrong, "data--usw2-az1--x-s3", region="us-west-2", mode="Write")  # type: ignore[arg-type]

    def test_boto3_asks_for_one_too(self, serve) -> None:
        """It makes a session by itself, and signs with it: verified, and with a wrong secret refused."""
        for secret, fine in ((SECRET, True), ("wrong", False)):
            client = boto3.client(
                "s3", endpoint_url=serve, region_name="us-west-2", aws_access_key_id=KEY, aws_secret_access_key=secret,
                config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
            )  # fmt: skip
            sent: list[str] = []
            client.meta.events.register(
                "before-send.s3.*", lambda request, sent=sent, **_: sent.extend(map(str.lower, request.headers))
            )
            put = lambda client=client: client.put_object(Bucket="data--usw2-az1--x-s3", Key="a b", Body=b"data")  # noqa: E731
            if fine:
                assert put()["ResponseMetadata"]["HTTPStatusCode"] == 200
                assert "x-amz-s3session-token" in sent
            else:
                with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
                    put()

    def test_the_command_makes_one(self, serve) -> None:
        environ = os.environ | {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "us-west-2"}
        command = [
            AWSIGN,
            "curl",
            "-sSv",
            "-f",
            "--endpoint-url",
            serve,
            "--service",
            "s3express",
        ]
        done = subprocess.run([*command, "s3://data--usw2-az1--x-s3/a b"], env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "x-amz-s3session-token: ***" in done.stderr.lower()
        assert KEY not in done.stdout

    def test_rules_of_one_s_own(self) -> None:
        """Rules that are passed count for every call, but for the token of those that keep IAM credentials."""
        rules = awsign.rules_for("s3express")
        signed = awsign.SigV4(CREDENTIALS, "s3express", "us-west-2", rules=rules).sign(awsign.Request("HEAD", f"{EXPRESS}/"))
        assert "X-Amz-Security-Token" in dict(signed.headers)

    def test_like_botocore(self) -> None:
        """botocore's S3ExpressAuth and ours, the same time, the same request."""
        from botocore.auth import S3ExpressAuth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials

        theirs = AWSRequest("PUT", f"{EXPRESS}/a%20b", headers={"x-amz-meta-a": "b"}, data=b"data")
        theirs.context["payload_signing_enabled"] = True
        S3ExpressAuth(Credentials(KEY, SECRET, TOKEN), "s3express", "us-west-2", identity_cache=object()).add_auth(theirs)
        stamp = datetime.datetime.strptime(theirs.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.UTC)
        ours = awsign.SigV4(CREDENTIALS, sign_headers=()).sign(
            awsign.Request("PUT", f"{EXPRESS}/a%20b", {"x-amz-meta-a": "b"}, b"data"), at=stamp
        )
        assert dict(ours.headers)["Authorization"] == theirs.headers["Authorization"]
