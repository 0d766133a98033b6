"""Clients that awsign has no part in sign requests that `awsign serve` verifies: boto3, curl, awscurl, aws4, @smithy/signature-v4."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

import awsign

from . import servers
from .conftest import KEY, SECRET, TOKEN

KEYS = {"long-lived": (KEY, SECRET, None), "temporary": ("ASIAEXAMPLE", SECRET, TOKEN)}


def client(name: str, url: str, keys: tuple[str, str, str | None] = KEYS["long-lived"], **config: object) -> object:
    key, secret, token = keys
    return boto3.client(
        name, endpoint_url=url, region_name="us-east-1", aws_access_key_id=key, aws_secret_access_key=secret, aws_session_token=token,
        config=Config(retries={"total_max_attempts": 1}, **config),
    )  # fmt: skip


@pytest.mark.parametrize("kind", KEYS)
class TestBoto3:
    def test_query_json_and_rest(self, serve, kind) -> None:
        keys = KEYS[kind]
        assert client("sts", serve, keys).get_caller_identity()["ResponseMetadata"]["HTTPStatusCode"] == 200
        assert client("dynamodb", serve, keys).list_tables()["ResponseMetadata"]["HTTPStatusCode"] == 200
        assert client("ec2", serve, keys).describe_instances(Filters=[{"Name": "tag:a b", "Values": ["c+d/é"]}])
        assert client("lambda", serve, keys).list_functions()["ResponseMetadata"]["HTTPStatusCode"] == 200
        assert client("secretsmanager", serve, keys).list_secrets()["ResponseMetadata"]["HTTPStatusCode"] == 200

    @pytest.mark.parametrize("key", ["plain", "a b+c", "100%", "a//b", "ünï/日本", "~(!*'"])
    @pytest.mark.parametrize("version", ["s3v4", "s3"])
    def test_s3(self, serve, kind, key, version) -> None:
        s3 = client(
            "s3",
            serve,
            KEYS[kind],
            signature_version=version,
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
        )
        assert s3.list_buckets()["Owner"]["ID"] == KEYS[kind][0]
        assert s3.list_objects_v2(Bucket="bucket", Prefix="a+b c/", Delimiter="/")
        assert s3.put_object(Bucket="bucket", Key=key, Body=b"data", Metadata={"a": "b  c"}, ContentType="text/plain")
        assert s3.get_object(Bucket="bucket", Key=key, Range="bytes=0-1")
        assert s3.get_bucket_location(Bucket="bucket")
        assert s3.delete_object(Bucket="bucket", Key=key, VersionId="v/1+2") if version == "s3v4" else True

    @pytest.mark.parametrize("version", ["s3v4", "s3"])
    def test_presigned(self, serve, kind, version) -> None:
        s3 = client("s3", serve, KEYS[kind], signature_version=version, s3={"addressing_style": "path"})
        url = s3.generate_presigned_url(
            "get_object", {"Bucket": "bucket", "Key": "a b/é", "ResponseContentType": "text/plain; charset=utf-8"}
        )
        assert urllib.request.urlopen(url).status == 200
        put = s3.generate_presigned_url(
            "put_object", {"Bucket": "bucket", "Key": "k", "ACL": "public-read", "Metadata": {"a": "b"}}
        )
        headers = {} if version == "s3" else {"x-amz-acl": "public-read", "x-amz-meta-a": "b"}
        request = urllib.request.Request(put, b"data", headers | {"Content-Type": ""}, method="PUT")
        if version == "s3":
            request.remove_header("Content-type")
        try:
            status = urllib.request.urlopen(request).status
        except urllib.error.HTTPError as error:
            status = error.read()
        # Without a Content-Type: urllib adds one of its own, which the older scheme covers.
        assert status == 200 or (version == "s3" and b"application/x-www-form-urlencoded" in status)


def test_a_wrong_secret_is_refused_as_aws_does(serve) -> None:
    wrong = (KEY, SECRET[:-1], None)
    for name, call, code in (
        ("s3", "list_buckets", "SignatureDoesNotMatch"),
        ("sts", "get_caller_identity", "SignatureDoesNotMatch"),
        ("dynamodb", "list_tables", "InvalidSignatureException"),
        ("lambda", "list_functions", "InvalidSignatureException"),
    ):
        with pytest.raises(ClientError) as caught:
            getattr(client(name, serve, wrong), call)()
        assert caught.value.response["Error"]["Code"] == code
    with pytest.raises(ClientError) as caught:
        client("s3", serve, ("AKIDUNKNOWN", SECRET, None)).list_buckets()
    assert caught.value.response["Error"]["Code"] == "InvalidAccessKeyId"


def curl(url: str, *options: str, service: str = "dynamodb", keys: tuple[str, str, str | None] = KEYS["long-lived"]) -> str:
    """Debian's curl; its HTTP status, or the answer if it is an error."""
    key, secret, token = keys
    command = [
        "curl",
        "-sS",
        "--aws-sigv4",
        f"aws:amz:us-east-1:{service}",
        "--user",
        f"{key}:{secret}",
        "-w",
        "\n%{http_code}",
        *options,
        url,
    ]
    if token:
        command[1:1] = ["-H", f"X-Amz-Security-Token: {token}"]
    body, _, status = subprocess.run(command, capture_output=True, text=True, check=True).stdout.rpartition("\n")
    return status if status == "200" else body


@pytest.mark.parametrize("kind", KEYS)
def test_curl(serve, kind) -> None:
    keys = KEYS[kind]
    assert (
        curl(
            f"{serve}/",
            "-d",
            "{}",
            "-H",
            "Content-Type: application/x-amz-json-1.0",
            "-H",
            "X-Amz-Target: DynamoDB_20120810.ListTables",
            keys=keys,
        )
        == "200"
    )
    assert curl(f"{serve}/?Action=GetCallerIdentity&Version=2011-06-15", service="sts", keys=keys) == "200"
    # curl 7.88 does not send x-amz-content-sha256 by itself: S3 and awsign want it.
    assert "MissingContent" in curl(f"{serve}/bucket/key", service="s3", keys=keys) or "x-amz-content-sha256" in curl(
        f"{serve}/bucket/key", service="s3", keys=keys
    )
    assert "SignatureDoesNotMatch" in curl(
        f"{serve}/?Action=GetCallerIdentity&Version=2011-06-15", service="sts", keys=(keys[0], "wrong", keys[2])
    )


def test_awscurl(serve) -> None:
    command = [
        str(Path(sys.executable).parent / "awscurl"),
        "--service",
        "dynamodb",
        "--region",
        "us-east-1",
        "-X",
        "POST",
        "-d",
        "{}",
        "--fail-with-body",
    ]
    environ = os.environ | {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
    done = subprocess.run([*command, f"{serve}/"], env=environ, capture_output=True, text=True, check=False)
    assert '"Scheme": "sigv4"' in done.stdout, done.stderr


CASES = [
    {"method": "GET", "path": "/", "service": "execute-api"},
    {"method": "GET", "path": "/orders/a%20b/c?x=1&a-b=2&a=3&space=a%20b&plus=a%2Bb&empty=", "service": "execute-api"},
    {"method": "POST", "path": "/", "service": "dynamodb", "body": '{"é": 1}', "headers": {"x-amz-target": "DynamoDB_20120810.ListTables", "content-type": "application/x-amz-json-1.0"}},
    {"method": "GET", "path": "/bucket/a%20b%2Bc//d", "service": "s3"},
    {"method": "PUT", "path": "/bucket/k", "service": "s3", "body": "data", "headers": {"x-amz-meta-a": "b c"}},
]  # fmt: skip


@pytest.mark.parametrize("presign", [False, True], ids=["header", "presigned"])
@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["method"] + case["path"][:12] + case["service"])
@pytest.mark.parametrize("signer", ["aws4", "smithy"])
def test_npm(serve, signer, case, kind, presign) -> None:
    key, secret, token = KEYS[kind]
    if presign and case["service"] != "s3" and case.get("body"):
        pytest.skip("a presigned URL of another service than S3 covers a body that the URL does not hold")
    if signer == "aws4" and presign and case["service"] == "s3":
        case = case | {"headers": {}}
    given = (
        {"headers": {}}
        | case
        | {
            "signer": signer,
            "presign": presign,
            "region": "us-east-1",
            "key": key,
            "secret": secret,
            "token": token,
            "url": serve + case["path"],
        }
    )
    environ = os.environ | {"MODULES": servers.installed("node")}
    script = str(servers.HERE / "node" / "sign.mjs")
    done = subprocess.run(["node", script], input=json.dumps(given), env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    sent = json.loads(done.stdout)
    pairs = [(name, str(value)) for name, value in sent["headers"].items()]
    host = serve.partition("://")[2]
    if not any(name.lower() == "host" for name, _ in pairs):
        pairs.append(("Host", host))
    request = awsign.Request.received(case["method"], sent["target"], pairs, case.get("body"), "http")
    assert (
        awsign.Verifier(lambda claimed: awsign.Credentials(key, secret, token) if claimed == key else None)
        .verify(request)
        .access_key_id
        == key
    )
