"""Servers that awsign has no part in accept what it signs, and refuse it with one byte changed.

Swift checks everything it is sent; MiniStack checks keys, tokens and signatures of many services; moto answers for the rest.
"""

from __future__ import annotations

import datetime
import json
import os
import re
import subprocess
import sys
from urllib.parse import quote
from xml.etree import ElementTree

import pytest

import awsign

from . import servers
from .conftest import KEY, SECRET
from .servers import AWSIGN
from .wire import one_byte_changed, send

HOSTILE_KEYS = [
    "a b", "a+b", "100%", "a%2Fb", "a//b", "/leading", "//two", "trailing/", "x/../y", "..", ".", "./z", "a/.", "~tilde", "(paren)",
    "ünïcödé/日本/🎉", "q'*!", "a=b&c", "?x#y", "semi;colon", 'quote"<>\\^`{|}', "colon:at@", "$dollar,comma", "\u00a0nbsp", "a\tb",
]  # fmt: skip


@pytest.fixture(params=["swift", "ministack"])
def s3(request: pytest.FixtureRequest) -> tuple[str, awsign.Credentials]:
    """URL and credentials of a server that speaks S3."""
    if request.param == "swift":
        return request.getfixturevalue("swift"), awsign.Credentials(KEY, SECRET)
    url, key, secret = request.getfixturevalue("ministack")
    return url, awsign.Credentials(key, secret)


@pytest.fixture
def bucket(s3: tuple[str, awsign.Credentials]) -> str:
    url, credentials = s3
    signed = awsign.SigV4(credentials, "s3", "us-east-1").sign(awsign.Request("PUT", f"{url}/awsign-tests"))
    status, answer = send(signed)
    assert status in (200, 409), answer
    return f"{url}/awsign-tests"


def key_url(bucket: str, key: str) -> str:
    return f"{bucket}/{quote(key, safe='/')}"


SCHEMES = {"sigv4": lambda credentials: awsign.SigV4(credentials, "s3", "us-east-1"), "s3v2": awsign.S3SigV2}


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("key", HOSTILE_KEYS)
def test_objects_with_hostile_keys(s3, bucket, key, scheme) -> None:
    signer = SCHEMES[scheme](s3[1])
    body = f"data of {key}".encode()
    status, answer = send(signer.sign(awsign.Request("PUT", key_url(bucket, key), body=body)))
    assert status == 200, answer
    status, answer = send(signer.sign(awsign.Request("GET", key_url(bucket, key))))
    assert (status, answer) == (200, body)
    status, answer = send(signer.presign(awsign.Request("GET", key_url(bucket, key)), expires=60))
    assert (status, answer) == (200, body)
    status, _ = send(one_byte_changed(signer.sign(awsign.Request("GET", key_url(bucket, key)))))
    assert status == 403


@pytest.mark.parametrize(
    "query", ["prefix=a%2Bb", "prefix=a+b", "prefix=%C3%BC", "list-type=2&prefix=a%20b&delimiter=%2F", "location", "acl"]
)
def test_listing_with_hostile_queries(s3, bucket, query) -> None:
    signer = awsign.SigV4(s3[1], "s3", "us-east-1")
    status, answer = send(signer.sign(awsign.Request("GET", f"{bucket}?{query}")))
    assert status == 200, answer
    assert ElementTree.fromstring(answer) is not None
    status, answer = send(one_byte_changed(signer.sign(awsign.Request("GET", f"{bucket}?{query}"))))
    assert status == 403
    assert b"SignatureDoesNotMatch" in answer


def test_swift_derives_the_same_canonical_request(swift) -> None:
    """Swift quotes what it derived in its refusal: the two derivations must be one."""
    signer = awsign.SigV4(awsign.Credentials(KEY, SECRET), "s3", "us-east-1")
    signed = signer.sign(awsign.Request("GET", f"{swift}/bucket/a%20b+c//d?x=1&a-b=2&a=3&y", {"x-amz-meta-a": "b   c"}))
    status, answer = send(one_byte_changed(signed))
    error = ElementTree.fromstring(answer)
    assert status == 403
    assert error.findtext("CanonicalRequest") == signed.derivation.canonical_request
    assert error.findtext("StringToSign") == signed.derivation.string_to_sign


def test_a_changed_body_is_refused_by_swift(swift) -> None:
    signed = awsign.SigV4(awsign.Credentials(KEY, SECRET), "s3", "us-east-1").sign(
        awsign.Request("PUT", f"{swift}/awsign-tests/x", body=b"hello")
    )
    status, answer = send(signed, b"hellO")
    assert status == 400
    assert b"XAmzContentSHA256Mismatch" in answer


def test_an_unsigned_payload_is_taken_by_s3(s3, bucket) -> None:
    signer = awsign.SigV4(s3[1], "s3", "us-east-1")
    status, answer = send(signer.sign(awsign.Request("PUT", f"{bucket}/unsigned", body=b"data"), payload=awsign.UNSIGNED_PAYLOAD))
    assert status == 200, answer


@pytest.mark.parametrize("scheme", SCHEMES)
def test_presigned_uploads(s3, bucket, scheme) -> None:
    signer = SCHEMES[scheme](s3[1])
    link = signer.presign(awsign.Request("PUT", f"{bucket}/presigned", {"Content-Type": "text/plain"}), expires=60)
    assert dict(link.headers) == {"Content-Type": "text/plain"}
    assert send(link, b"uploaded")[0] == 200
    changed = awsign.Presigned(link.method, link.url, (("Content-Type", "text/html"),), link.expires_at, link.derivation)
    assert send(changed, b"uploaded")[0] == 403


def test_an_expired_url_is_refused(swift) -> None:
    past = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=10)
    link = awsign.SigV4(awsign.Credentials(KEY, SECRET), "s3", "us-east-1").presign(
        awsign.Request("GET", f"{swift}/awsign-tests/x"), expires=60, at=past
    )
    assert send(link)[0] == 403


def test_sts_and_temporary_credentials(ministack) -> None:
    """The token of AssumeRole, signed: taken with it, refused without it and with another."""
    url, key, secret = ministack
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    asked = "Action=AssumeRole&Version=2011-06-15&RoleSessionName=tests&RoleArn=arn:aws:iam::000000000000:role/tested"
    status, answer = send(
        awsign.SigV4(awsign.Credentials(key, secret), "sts", "us-east-1").sign(awsign.Request("POST", f"{url}/", form, asked))
    )
    assert status == 200, answer
    found = {
        name: re.search(f"<{name}>(.*?)</{name}>", answer.decode())[1]
        for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")
    }
    who = awsign.Request("POST", f"{url}/", form, "Action=GetCallerIdentity&Version=2011-06-15")

    def ask(token: str | None) -> tuple[int, bytes]:
        return send(
            awsign.SigV4(awsign.Credentials(found["AccessKeyId"], found["SecretAccessKey"], token), "sts", "us-east-1").sign(who)
        )

    status, answer = ask(found["SessionToken"])
    assert status == 200, answer
    assert b"assumed-role/tested/tests" in answer
    assert ask(None)[0] == 403
    assert ask(found["SessionToken"][:-4] + "AAAA")[0] == 403


def dynamodb(url: str, credentials: awsign.Credentials, target: str, body: dict) -> awsign.Signed:
    headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"DynamoDB_20120810.{target}"}
    return awsign.SigV4(credentials, "dynamodb", "us-east-1").sign(awsign.Request("POST", f"{url}/", headers, json.dumps(body)))


def test_dynamodb_on_ministack(ministack) -> None:
    url, key, secret = ministack
    credentials = awsign.Credentials(key, secret)
    table = {
        "TableName": "Music",
        "AttributeDefinitions": [{"AttributeName": "Artist", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "Artist", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
    }
    status, answer = send(dynamodb(url, credentials, "CreateTable", table))
    assert status == 200, answer
    assert json.loads(answer)["TableDescription"]["TableName"] == "Music"
    signed = dynamodb(url, credentials, "ListTables", {})
    assert send(signed)[0] == 200
    assert send(signed, b'{"Limit":1}')[0] in (400, 403)
    assert send(one_byte_changed(signed))[0] in (400, 403)


def test_ec2_on_ministack(ministack) -> None:
    url, key, secret = ministack
    signer = awsign.SigV4(awsign.Credentials(key, secret), "ec2", "us-east-1")
    signed = signer.sign(awsign.Request("GET", f"{url}/?Action=DescribeInstances&Version=2016-11-15"))
    status, answer = send(signed)
    assert status == 200, answer
    assert b"DescribeInstancesResponse" in answer
    assert send(one_byte_changed(signed))[0] in (401, 403)


def test_moto_checks_the_signature() -> None:
    """moto runs botocore's own signer on what arrived, once it is told to authenticate."""
    with servers.moto() as url:
        root = awsign.Credentials("test", "test")
        form = {"Content-Type": "application/x-www-form-urlencoded"}

        def iam(credentials: awsign.Credentials, action: str) -> tuple[int, bytes]:
            request = awsign.Request("POST", f"{url}/", form, f"Action={action}&Version=2010-05-08&UserName=tester")
            return send(awsign.SigV4(credentials, "iam", "us-east-1").sign(request))

        assert iam(root, "CreateUser")[0] == 200
        status, answer = iam(root, "CreateAccessKey")
        assert status == 200
        key, secret = (re.search(f"<{name}>(.*?)</{name}>", answer.decode())[1] for name in ("AccessKeyId", "SecretAccessKey"))
        policy = quote(json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}))
        request = awsign.Request(
            "POST",
            f"{url}/",
            form,
            f"Action=PutUserPolicy&Version=2010-05-08&UserName=tester&PolicyName=all&PolicyDocument={policy}",
        )
        assert send(awsign.SigV4(root, "iam", "us-east-1").sign(request))[0] == 200
        import urllib.request

        urllib.request.urlopen(urllib.request.Request(f"{url}/moto-api/reset-auth", b"0", {"Content-Type": "text/plain"})).close()
        right, wrong = awsign.Credentials(key, secret), awsign.Credentials(key, secret[:-1] + ("a" if secret[-1] != "a" else "b"))
        # POST alone: of a GET, moto's own reckoning leaves the query out of what it signs.
        for parameters in ("", "&MaxResults=5"):
            ec2 = awsign.Request("POST", f"{url}/", form, f"Action=DescribeInstances&Version=2016-11-15{parameters}")
            status, answer = send(awsign.SigV4(right, "ec2", "us-east-1").sign(ec2))
            assert status == 200, answer
            assert send(awsign.SigV4(wrong, "ec2", "us-east-1").sign(ec2))[0] in (401, 403)
        assert send(dynamodb(url, right, "ListTables", {}))[0] == 200
        assert send(dynamodb(url, wrong, "ListTables", {}))[0] in (400, 403)


class TestTheCommand:
    """`awsign curl` does what `curl --aws-sigv4` and awscurl are used for, on servers that awsign has no part in."""

    def curl(self, *arguments: str, key: str = KEY, secret: str = SECRET, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        command = [AWSIGN, "curl", "-sS", "-f", *arguments]
        environ = os.environ | {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret}
        return subprocess.run(command, env=environ, input=stdin, capture_output=True, check=False)

    def test_on_swift(self, swift) -> None:
        s3 = ["--endpoint-url", swift]
        assert self.curl(*s3, "-X", "PUT", "s3://command").returncode in (0, 22)
        assert self.curl(*s3, "-T", "-", "s3://command/a b+c%.txt", stdin=b"piped").returncode == 0
        assert self.curl(*s3, "s3://command/a b+c%.txt").stdout == b"piped"
        listed = self.curl(*s3, "s3://command", "-G", "-d", "list-type=2", "--data-urlencode", "prefix=a b+c").stdout
        assert b"<Key>a b+c%.txt</Key>" in listed
        assert b"LocationConstraint" in self.curl(*s3, "s3://command", "-G", "-d", "location").stdout
        assert b"AccessControlPolicy" in self.curl(f"{swift}/command?acl", "--service", "s3").stdout
        assert b"(22)" in self.curl(*s3, "s3://command", secret=SECRET[:-1]).stderr

    def test_on_ministack(self, ministack) -> None:
        url, key, secret = ministack
        target = ["-H", "X-Amz-Target: DynamoDB_20120810.ListTables", "-H", "Content-Type: application/x-amz-json-1.0"]
        done = self.curl("--service", "dynamodb", "--region", "us-east-1", *target, "-d", "{}", f"{url}/", key=key, secret=secret)
        assert b"TableNames" in done.stdout, done.stderr
        done = self.curl(
            "--service",
            "sts",
            "--region",
            "us-east-1",
            "-d",
            "Action=GetCallerIdentity",
            "-d",
            "Version=2011-06-15",
            f"{url}/",
            key=key,
            secret=secret,
        )
        assert b"user/tester" in done.stdout, done.stderr

    def test_a_gibibyte_on_swift(self, swift, tmp_path) -> None:
        file = tmp_path / "big"
        with file.open("wb") as big:
            big.truncate(1 << 30)
        assert self.curl("--endpoint-url", swift, "-X", "PUT", "s3://big").returncode in (0, 22)
        measure = "import resource, subprocess, sys; code = subprocess.run(sys.argv[1:]).returncode; print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(code)"
        command = [AWSIGN, "curl", "-sS", "-f", "--endpoint-url", swift]
        environ = os.environ | {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
        done = subprocess.run(
            [sys.executable, "-c", measure, *command, "-T", str(file), "s3://big/big"],
            env=environ,
            capture_output=True,
            text=True,
            check=True,
        )
        assert int(done.stdout.split()[-1]) < 100 * 1024
        head = subprocess.run([*command, "-I", "s3://big/big"], env=environ, capture_output=True, text=True, check=True).stdout
        assert f"Content-Length: {1 << 30}" in head
        assert self.curl("--endpoint-url", swift, "-X", "DELETE", "s3://big/big").returncode == 0
