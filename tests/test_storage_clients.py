"""Clients of S3 that awsign has no part in, through `awsign serve --forward` in front of a store: each is verified and gets its bytes
back, and each with a wrong secret is refused.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import trustme
from botocore.config import Config
from botocore.exceptions import ClientError

import awsign

from . import servers
from .conftest import KEY, SECRET, TOKEN
from .servers import AWSIGN

DATA = random.Random(4).randbytes(300_127)
WRONG = SECRET[:-1] + "x"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Files: the authority to trust, and a certificate with its key for 127.0.0.1."""
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
    return str(folder / "ca.pem"), str(folder / "server.pem")


@pytest.fixture(scope="module")
def stores(certificate: tuple[str, str]) -> Iterator[dict[str, str]]:
    """The gateway over http and over https, in front of one store."""
    keys = ["--key", f"{KEY}:{SECRET}", "--key", f"ASIAEXAMPLE:{SECRET}:{TOKEN}"]
    with (
        servers.ministack(auth=False) as behind,
        servers.awsign_serve(*keys, "--forward", behind) as plain,
        servers.awsign_serve(*keys, "--forward", behind, "--tls-cert", certificate[1]) as tls,
    ):
        yield {"http": plain, "https": tls}


@pytest.fixture
def alone(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a program with nothing of this machine's settings."""

    def run(*command: str, **environ: str) -> subprocess.CompletedProcess[str]:
        clean = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TMPDIR": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"}
        return subprocess.run(command, env=clean | environ, capture_output=True, text=True, timeout=120, check=False, cwd=tmp_path)

    return run


def s3(url: str, secret: str = SECRET, *, verify: str | bool = True, token: str | None = None) -> Any:
    return boto3.client(
        "s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id="ASIAEXAMPLE" if token else KEY, aws_secret_access_key=secret,
        aws_session_token=token, verify=verify, config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )  # fmt: skip


@pytest.fixture
def crcs(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore's own signer (BOTO_DISABLE_CRT) has no CRC32C and CRC64NVME: awscrt's, in the form that botocore wants."""
    import awscrt.checksums
    import botocore.httpchecksum as httpchecksum

    def made(function: Callable[[bytes, int], int], width: int) -> type:
        class Crc(httpchecksum.BaseChecksum):
            def __init__(self) -> None:
                self.value = 0

            def update(self, chunk: bytes) -> None:
                self.value = function(chunk, self.value)

            def digest(self) -> bytes:
                return self.value.to_bytes(width, "big")

        return Crc

    classes = httpchecksum._CHECKSUM_CLS | {
        "crc32c": made(awscrt.checksums.crc32c, 4),
        "crc64nvme": made(awscrt.checksums.crc64nvme, 8),
    }
    monkeypatch.setattr(httpchecksum, "_CHECKSUM_CLS", classes)
    monkeypatch.setattr(httpchecksum, "_SUPPORTED_CHECKSUM_ALGORITHMS", list(classes))


@pytest.mark.parametrize("scheme", ["http", "https"])
class TestBoto3:
    @pytest.mark.parametrize("token", [None, TOKEN], ids=["long-lived", "temporary"])
    def test_put_and_get(self, stores, certificate, scheme, token) -> None:
        client = s3(stores[scheme], verify=certificate[0], token=token)
        client.create_bucket(Bucket="boto3")
        for size in (0, 1, len(DATA), 9 << 20):
            data = (DATA * 32)[:size]
            client.put_object(Bucket="boto3", Key=f"a b+c//{size}", Body=data, ContentType="text/plain", Metadata={"a": "b"})
            answer = client.get_object(Bucket="boto3", Key=f"a b+c//{size}")
            assert answer["Body"].read() == data
            assert (answer["Metadata"], answer["ContentType"]) == ({"a": "b"}, "text/plain")
            assert "aws-chunked" not in answer.get("ContentEncoding", "")
        client.put_object(Bucket="boto3", Key="gzip", Body=b"x", ContentEncoding="gzip")
        assert client.head_object(Bucket="boto3", Key="gzip")["ContentEncoding"] == "gzip"

    @pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])
    def test_every_checksum(self, stores, certificate, crcs, scheme, algorithm) -> None:
        client = s3(stores[scheme], verify=certificate[0])
        client.create_bucket(Bucket="boto3")
        client.put_object(Bucket="boto3", Key=algorithm, Body=DATA, ChecksumAlgorithm=algorithm)
        assert client.get_object(Bucket="boto3", Key=algorithm)["Body"].read() == DATA

    def test_a_multipart_upload(self, stores, certificate, scheme, tmp_path) -> None:
        client = s3(stores[scheme], verify=certificate[0])
        client.create_bucket(Bucket="boto3")
        file = tmp_path / "file"
        file.write_bytes(DATA * 60)
        client.upload_file(str(file), "boto3", "multipart")
        client.download_file("boto3", "multipart", str(tmp_path / "back"))
        assert (tmp_path / "back").read_bytes() == DATA * 60

    def test_a_wrong_secret(self, stores, certificate, scheme) -> None:
        client = s3(stores[scheme], WRONG, verify=certificate[0])
        for call in (lambda: client.put_object(Bucket="boto3", Key="k", Body=DATA), client.list_buckets):
            with pytest.raises(ClientError) as caught:
                call()
            assert caught.value.response["Error"]["Code"] == "SignatureDoesNotMatch"


def test_a_body_that_cannot_seek(stores, certificate) -> None:
    """Sent by boto3 over https without X-Amz-Decoded-Content-Length; over http it refuses to."""

    class Pipe:
        def __init__(self) -> None:
            self.left = DATA

        def read(self, size: int = -1) -> bytes:
            size = len(self.left) if size is None or size < 0 else size
            given, self.left = self.left[:size], self.left[size:]
            return given

    client = s3(stores["https"], verify=certificate[0])
    client.create_bucket(Bucket="boto3")
    client.put_object(Bucket="boto3", Key="pipe", Body=Pipe())
    assert client.get_object(Bucket="boto3", Key="pipe")["Body"].read() == DATA


def client_of(name: str) -> str:
    return servers.installed(f"clients/bin/{name}")


PYARROW = """
import sys
from pyarrow import fs
scheme, endpoint, secret, ca, file = sys.argv[1:]
at = fs.S3FileSystem(
    access_key="AKIDEXAMPLE", secret_key=secret, region="us-east-1", scheme=scheme, endpoint_override=endpoint,
    allow_bucket_creation=True, force_virtual_addressing=False, request_timeout=20, connect_timeout=5,
    retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=1), tls_ca_file_path=ca,
)
data = open(file, "rb").read()
at.create_dir("pyarrow")
for delayed, body in ((False, data), (True, data), (True, b"")):
    at = fs.S3FileSystem(
        access_key="AKIDEXAMPLE", secret_key=secret, region="us-east-1", scheme=scheme, endpoint_override=endpoint,
        allow_delayed_open=delayed, force_virtual_addressing=False, retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=1),
        tls_ca_file_path=ca,
    )
    with at.open_output_stream("pyarrow/a b+c") as out:
        out.write(body)
    with at.open_input_stream("pyarrow/a b+c") as back:
        assert back.read() == body
"""

MINIO = """
import io, sys, urllib3
from minio import Minio
scheme, endpoint, secret, ca, file = sys.argv[1:]
at = Minio(
    endpoint=endpoint, access_key="AKIDEXAMPLE", secret_key=secret, secure=scheme == "https", region="us-east-1",
    http_client=urllib3.PoolManager(retries=False, timeout=20, ca_certs=ca),
)
data = open(file, "rb").read()
if not at.bucket_exists(bucket_name="minio"):
    at.make_bucket(bucket_name="minio")
for options in ({"length": len(data)}, {"length": -1, "part_size": 5 << 20}):
    at.put_object(bucket_name="minio", object_name="a b+c", data=io.BytesIO(data), **options)
    answer = at.get_object(bucket_name="minio", object_name="a b+c")
    assert answer.read() == data
    answer.close()
    answer.release_conn()
"""


@pytest.mark.parametrize("script", [PYARROW, MINIO], ids=["pyarrow", "minio"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_libraries(stores, certificate, alone, tmp_path, script, scheme) -> None:
    """pyarrow: the C++ SDK, with unsigned chunks in hex of capitals, and a trailer of CRC64NVME, over http too."""
    file = tmp_path / "file"
    file.write_bytes(DATA * (20 if script is MINIO else 1))

    def run(secret: str) -> subprocess.CompletedProcess[str]:
        return alone(
            client_of("python"), "-c", script, scheme, stores[scheme].partition("://")[2], secret, certificate[0], str(file),
            AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        )  # fmt: skip

    done = run(SECRET)
    assert done.returncode == 0, done.stderr
    refused = run(WRONG)
    assert refused.returncode != 0
    assert "ACCESS_DENIED" in refused.stderr or "AccessDenied" in refused.stderr or "SignatureDoesNotMatch" in refused.stderr


def test_rclone(stores, alone, tmp_path) -> None:
    file = tmp_path / "up"
    file.write_bytes(DATA)

    def run(secret: str, key: str, *more: str) -> subprocess.CompletedProcess[str]:
        settings = {
            "TYPE": "s3", "PROVIDER": "Other", "ENDPOINT": stores["http"], "ACCESS_KEY_ID": KEY, "SECRET_ACCESS_KEY": secret,
            "REGION": "us-east-1", "FORCE_PATH_STYLE": "true",
        }  # fmt: skip
        environ = {f"RCLONE_CONFIG_S_{name}": value for name, value in settings.items()}
        command = [client_of("rclone"), "--retries", "1", "--low-level-retries", "1", "--s3-use-accept-encoding-gzip=false", *more]
        for source, target in ((str(file), f"s:rclone/{key}"), (f"s:rclone/{key}", str(tmp_path / key))):
            done = alone(*command, "copyto", source, target, RCLONE_CONFIG=os.devnull, **environ)
            if done.returncode:
                break
        return done

    for key, more in (("a b+c", ()), ("v2", ["--s3-v2-auth"])):
        done = run(SECRET, key, *more)
        assert done.returncode == 0, done.stderr
        assert (tmp_path / key).read_bytes() == DATA
        refused = run(WRONG, f"wrong {key}", *more)
        assert refused.returncode != 0
        assert "403" in refused.stderr


def test_s3cmd(stores, alone, tmp_path) -> None:
    file, host = tmp_path / "up", stores["http"].partition("://")[2]
    file.write_bytes(DATA)

    def run(secret: str, *command: str) -> subprocess.CompletedProcess[str]:
        return alone(
            client_of("s3cmd"), "-c", os.devnull, f"--access_key={KEY}", f"--secret_key={secret}", "--region=us-east-1",
            f"--host={host}", f"--host-bucket={host}", "--no-ssl", "--max-retries=1", "-q", *command,
        )  # fmt: skip

    for version in ((), ("--signature-v2",)):
        run(SECRET, *version, "mb", "s3://s3cmd")
        done = run(SECRET, *version, "put", str(file), "s3://s3cmd/a b+c")
        assert done.returncode == 0, done.stderr
        done = run(SECRET, *version, "get", "--force", "s3://s3cmd/a b+c", str(tmp_path / "down"))
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "down").read_bytes() == DATA
        assert run(WRONG, *version, "put", str(file), "s3://s3cmd/k").returncode == 77  # EX_NOPERM


def test_restic(stores, alone, tmp_path) -> None:
    """minio-go: signed chunks over http, without a Content-Encoding, and Content-MD5 of the decoded data."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "file").write_bytes(DATA)

    def run(secret: str, *command: str) -> subprocess.CompletedProcess[str]:
        root = servers.INSTALLED / "restic" / "usr/bin/restic"
        program = str(root) if root.exists() else "restic"
        return alone(
            program, "--no-cache", "-q", "-o", "s3.bucket-lookup=path", "-o", "s3.retries=1", *command,
            AWS_ACCESS_KEY_ID=KEY, AWS_SECRET_ACCESS_KEY=secret, AWS_DEFAULT_REGION="us-east-1", RESTIC_PASSWORD="x",
            RESTIC_REPOSITORY=f"s3:{stores['http']}/restic/repository",
        )  # fmt: skip

    for command in (
        ["init"],
        ["backup", str(folder)],
        ["check", "--read-data"],
        ["restore", "latest", "--target", str(tmp_path / "back")],
    ):
        done = run(SECRET, *command)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "back" / str(folder).lstrip("/") / "file").read_bytes() == DATA
    assert run(WRONG, "snapshots").returncode != 0


REGION_SETS = ["*", "us-east-1", "us-east-1,eu-*"]


class TestSigV4A:
    """Each signs for `awsign serve`; the one that is told a wrong secret is refused."""

    def crt(self, url: str, secret: str, region_set: str, *, service: str, query: bool, body: bytes = b"") -> awsign.Signed:
        import io

        from awscrt import auth, http

        host, path = url.split("/", 3)[2], "/" + url.split("/", 3)[3]
        of_s3 = service == "s3"
        asked = http.HttpRequest(
            "PUT" if body else "GET", path, http.HttpHeaders([("Host", host)]), io.BytesIO(body) if body else None
        )
        config = auth.AwsSigningConfig(
            algorithm=auth.AwsSigningAlgorithm.V4_ASYMMETRIC, region=region_set, service=service,
            signature_type=auth.AwsSignatureType.HTTP_REQUEST_QUERY_PARAMS if query else auth.AwsSignatureType.HTTP_REQUEST_HEADERS,
            credentials_provider=auth.AwsCredentialsProvider.new_static("ASIAEXAMPLE", secret, TOKEN),
            use_double_uri_encode=not of_s3, should_normalize_uri_path=not of_s3,
            signed_body_value=auth.AwsSignedBodyValue.UNSIGNED_PAYLOAD if of_s3 and query else None,
            signed_body_header_type=auth.AwsSignedBodyHeaderType.NONE if query else auth.AwsSignedBodyHeaderType.X_AMZ_CONTENT_SHA_256,
            expiration_in_seconds=600 if query else None,
        )  # fmt: skip
        signed = auth.aws_sign_request(asked, config).result(20)
        return awsign.Signed(signed.method, f"http://{host}{signed.path}", tuple(signed.headers), body or None, None)  # type: ignore[arg-type]

    @pytest.mark.parametrize("region_set", REGION_SETS)
    @pytest.mark.parametrize("query", [False, True], ids=["header", "query"])
    @pytest.mark.parametrize("service", ["s3", "execute-api"])
    def test_awscrt(self, serve, service, query, region_set) -> None:
        from .wire import send

        for path, body in (("bucket/a%20b%2Bc//d", b""), ("bucket/k?x=a%20b&y=&a=2&a-b=1", b""), ("bucket/k", b"data")):
            if body and query and service != "s3":
                continue  # A presigned URL of another service covers a body that the URL does not hold.
            signed = self.crt(f"{serve}/{path}", SECRET, region_set, service=service, query=query, body=body)
            status, answer = send(signed)
            assert status == 200, answer
            assert b"sigv4a" in answer
            status, answer = send(self.crt(f"{serve}/{path}", WRONG, region_set, service=service, query=query, body=body))
            assert (status, b"SignatureDoesNotMatch" in answer or b"signature" in answer) == (403, True)

    @pytest.mark.parametrize("region_set", REGION_SETS)
    @pytest.mark.parametrize("service", ["s3", "execute-api"])
    def test_smithy(self, serve, service, region_set) -> None:
        from .wire import send

        def signed(secret: str) -> awsign.Signed:
            path = "/bucket/a%20b%2Bc/d?x=a%20b"
            given = {
                "signer": "smithy4a", "method": "PUT", "url": serve + path, "service": service, "region": region_set, "key": "ASIAEXAMPLE",
                "secret": secret, "token": TOKEN, "headers": {"x-amz-meta-a": "b c"}, "body": "data", "presign": False,
            }  # fmt: skip
            environ = os.environ | {"MODULES": servers.installed("node")}
            script = str(servers.HERE / "node" / "sign.mjs")
            done = subprocess.run(
                ["node", script], input=json.dumps(given), env=environ, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stderr
            headers = tuple((name, str(value)) for name, value in json.loads(done.stdout)["headers"].items())
            return awsign.Signed("PUT", serve + path, headers, b"data", None)  # type: ignore[arg-type]

        status, answer = send(signed(SECRET))
        assert status == 200, answer
        assert b"sigv4a" in answer
        assert send(signed(WRONG))[0] == 403


CHUNKS, TRAILER = b"streaming-aws4-hmac-sha256-payload\n", b"streaming-unsigned-payload-trailer\n"


def test_the_command_uploads_as_the_sdks_do(stores, certificate, tmp_path) -> None:
    """Signed chunks over http, a trailer over https; and what was uploaded comes back."""
    file = tmp_path / "up"
    file.write_bytes(DATA)
    environ = os.environ | {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}

    def curl(*arguments: str, secret: str = SECRET) -> subprocess.CompletedProcess[bytes]:
        command = [AWSIGN, "curl", "-sS", "--cacert", certificate[0], *arguments]
        return subprocess.run(command, env=environ | {"AWS_SECRET_ACCESS_KEY": secret}, capture_output=True, check=False)

    for scheme, default in (("http", CHUNKS), ("https", TRAILER)):
        to = ["--endpoint-url", stores[scheme]]
        curl(*to, "-X", "PUT", "s3://command")
        for choice in (None, "signed", "unsigned", "chunked", "trailer"):
            options = [] if choice is None else ["--payload", choice]
            done = curl(*to, *options, "-v", "-f", "-T", str(file), f"s3://command/{choice}")
            assert done.returncode == 0, done.stderr
            word = {None: default, "chunked": CHUNKS, "trailer": TRAILER, "unsigned": b"unsigned-payload"}.get(choice, b"")
            assert b"x-amz-content-sha256: " + word in done.stderr.lower()
            assert curl(*to, f"s3://command/{choice}").stdout == DATA
            assert b"SignatureDoesNotMatch" in curl(*to, *options, "-T", str(file), "s3://command/k", secret=WRONG).stdout
