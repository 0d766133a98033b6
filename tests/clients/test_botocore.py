"""boto3 whose clients sign with awsign: its own test session of operations, presigned URLs, threads; and what stays botocore's."""

from __future__ import annotations

import hashlib
import io
import os
import threading
import urllib.request
import uuid
from typing import Any

import boto3
import botocore.auth
import botocore.session
import pytest
from botocore.config import Config

import awsign
from awsign.clients.botocore import install

from ..conftest import KEY, SECRET, TOKEN

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture(autouse=True)
def _only_awsign(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore's own version 4 signers fail: whoever signs is awsign."""

    def refuse(*_: Any) -> None:
        raise AssertionError("botocore signed")

    for kind in set(botocore.auth.AUTH_TYPE_MAPS.values()):  # awscrt's too, where botocore takes them.
        monkeypatch.setattr(kind, "add_auth", refuse)


def session(key: str, secret: str, token: str | None = None) -> boto3.Session:
    return install(boto3.Session(key, secret, token, "us-east-1"))


def test_ten_operations_on_ministack(ministack: tuple[str, str, str]) -> None:
    url, key, secret = ministack
    made = session(key, secret)
    s3, dynamodb, sts, sqs = (made.client(name, endpoint_url=url) for name in ("s3", "dynamodb", "sts", "sqs"))
    bucket, name = f"b-{uuid.uuid4().hex[:12]}", "a b//+é%2F"
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key=name, Body=b"content", Metadata={"a": "b  c"})
    assert s3.get_object(Bucket=bucket, Key=name)["Body"].read() == b"content"
    assert [each["Key"] for each in s3.list_objects_v2(Bucket=bucket, Prefix="a b")["Contents"]] == [name]
    s3.upload_fileobj(io.BytesIO(os.urandom(9 << 20)), bucket, "large")  # In parts, by threads.
    assert s3.head_object(Bucket=bucket, Key="large")["ContentLength"] == 9 << 20
    s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": name})
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "copy"}, {"Key": "large"}]})
    table = f"T{uuid.uuid4().hex[:12]}"
    dynamodb.create_table(
        TableName=table, KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}], BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
    )  # fmt: skip
    dynamodb.put_item(TableName=table, Item={"k": {"S": "é"}})
    assert dynamodb.get_item(TableName=table, Key={"k": {"S": "é"}})["Item"]
    assert sts.get_caller_identity()["Account"]
    queue = sqs.create_queue(QueueName="q")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="a+b é")
    assert sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"] == "a+b é"
    with pytest.raises(s3.exceptions.ClientError, match="SignatureDoesNotMatch"):
        session(key, "wrong" + secret).client("s3", endpoint_url=url).list_buckets()


def test_what_swift_checks(swift: str) -> None:
    """Trailers in unsigned chunks, over http with a checksum that is signed, and SigV2."""
    for config in (Config(signature_version="s3v4"), Config(signature_version="s3")):
        s3 = session(KEY, SECRET).client("s3", endpoint_url=swift, config=config)
        bucket = f"b-{uuid.uuid4().hex[:12]}"
        s3.create_bucket(Bucket=bucket)
        for name in ("plain", "a b/é", "x?y&z=1", "it's (1)!*", "//two"):
            s3.put_object(Bucket=bucket, Key=name, Body=name.encode())
            assert s3.get_object(Bucket=bucket, Key=name, ResponseContentType="text/a b")["Body"].read() == name.encode()
        s3.put_object(Bucket=bucket, Key="file", Body=io.BytesIO(b"x" * 3_000_000))
        link = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a b/é"})
        assert urllib.request.urlopen(link).read() == "a b/é".encode()
        link = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "put", "ContentType": "text/plain"})
        sent = urllib.request.Request(link, b"by url", {"Content-Type": "text/plain"}, method="PUT")
        assert urllib.request.urlopen(sent).status == 200


def test_trailers_over_tls(tmp_path: Any) -> None:
    import trustme

    from ..servers import awsign_serve

    authority = trustme.CA()
    bundle, pem = str(tmp_path / "ca.pem"), str(tmp_path / "server.pem")
    authority.cert_pem.write_to_path(bundle)
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(pem)
    with awsign_serve("--key", f"{KEY}:{SECRET}", "--key", f"ASIAEXAMPLE:{SECRET}:{TOKEN}", "--tls-cert", pem) as url:
        for keys in ((KEY, SECRET), ("ASIAEXAMPLE", SECRET, TOKEN)):
            s3 = session(*keys).client("s3", endpoint_url=url, verify=bundle)
            s3.put_object(Bucket="b", Key="k", Body=io.BytesIO(b"x" * 100_000))
            s3.put_object(Bucket="b", Key="k", Body=b"bytes", ChecksumAlgorithm="SHA256")
            link = s3.generate_presigned_url("get_object", Params={"Bucket": "b", "Key": "k"})
            context = __import__("ssl").create_default_context(cafile=bundle)
            assert urllib.request.urlopen(link, context=context).status == 200


def test_query_api_presigned_and_other_services(serve: str) -> None:
    made = session(KEY, SECRET)
    sts = made.client("sts", endpoint_url=serve)
    assert sts.get_caller_identity()["Account"] == "123456789012"
    link = sts.generate_presigned_url("get_caller_identity", HttpMethod="GET")
    assert b"GetCallerIdentityResult" in urllib.request.urlopen(link).read()
    for name, call in (
        ("ec2", "describe_instances"),
        ("sns", "list_topics"),
        ("sdb", "list_domains"),
        ("lambda", "list_functions"),
    ):
        _accepted(made.client(name, endpoint_url=serve), call)


def _accepted(client: Any, call: str) -> None:
    """Whatever the server answers, it has verified it."""
    statuses = []
    client.meta.events.register("after-call", lambda http_response, **_: statuses.append(http_response.status_code))
    try:
        getattr(client, call)()
    except Exception:
        assert statuses and statuses[-1] == 200
    else:
        assert statuses[-1] == 200


def test_sigv4a_without_awscrt(serve: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore's map of signers has none for it then; the request is sent and verified all the same."""
    from botocore.awsrequest import AWSRequest
    from botocore.httpsession import URLLib3Session

    for name in ("v4a", "s3v4a"):
        monkeypatch.delitem(botocore.auth.AUTH_TYPE_MAPS, name, raising=False)
    client = session(KEY, SECRET).client("s3", endpoint_url=serve)
    request = AWSRequest("GET", f"{serve}/b/k")
    request.context.update(auth_type="s3v4a", signing={"region": "*"})
    client._request_signer.sign("GetObject", request)
    assert "AWS4-ECDSA-P256-SHA256" in request.headers["Authorization"]
    assert URLLib3Session().send(request.prepare()).status_code == 200


def test_what_is_not_signed_stays_so(serve: str) -> None:
    s3 = session(KEY, SECRET).client("s3", endpoint_url=serve, config=Config(signature_version=botocore.UNSIGNED))
    with pytest.raises(s3.exceptions.ClientError, match="403"):
        s3.get_object(Bucket="b", Key="k")


def test_a_client_that_is_there_already(serve: str) -> None:
    client = boto3.Session(KEY, SECRET, None, "us-east-1").client("sts", endpoint_url=serve)
    with pytest.raises(AssertionError, match="botocore signed"):
        client.get_caller_identity()
    assert install(client) is client
    assert client.get_caller_identity()["Account"]
    core = install(botocore.session.Session())
    core.set_credentials(KEY, SECRET)
    assert core.create_client("sts", "us-east-1", endpoint_url=serve).get_caller_identity()["Account"]


def test_without_credentials(serve: str) -> None:
    client = install(boto3.Session(region_name="us-east-1")).client("sts", endpoint_url=serve)
    with pytest.raises(botocore.exceptions.NoCredentialsError):
        client.get_caller_identity()


@pytest.mark.parametrize("wrong", [None, "s3", 5, object()])
def test_what_is_no_session(wrong: object) -> None:
    with pytest.raises(TypeError, match="a session or a client of boto3 or botocore"):
        install(wrong)


def test_64_threads_share_a_client(ministack: tuple[str, str, str]) -> None:
    url, key, secret = ministack
    made = session(key, secret)
    s3 = made.client("s3", endpoint_url=url, config=Config(max_pool_connections=64))
    bucket = f"b-{uuid.uuid4().hex[:12]}"
    s3.create_bucket(Bucket=bucket)
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(5):
                name, content = f"{number}/é {turn}", os.urandom(1000)
                s3.put_object(Bucket=bucket, Key=name, Body=content)
                got = s3.get_object(Bucket=bucket, Key=name)["Body"].read()
                assert hashlib.sha256(got).digest() == hashlib.sha256(content).digest()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_expired_credentials_are_botocores_to_refresh(serve: str) -> None:
    """Other credentials at the next call: the signer takes those of now."""
    made = session(KEY, SECRET)
    sts = made.client("sts", endpoint_url=serve)
    assert sts.get_caller_identity()
    sts._request_signer._credentials = boto3.Session("ASIAEXAMPLE", SECRET, TOKEN).get_credentials()
    assert sts.get_caller_identity()
    assert awsign.Credentials  # The package is the one under test.
