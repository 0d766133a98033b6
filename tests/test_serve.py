"""`awsign serve`: what it answers, what it passes on, what it survives."""

from __future__ import annotations

import http.client
import json
import re
import socket
import time
import urllib.error
import urllib.request
from xml.etree import ElementTree

import pytest

import awsign

from . import servers
from .conftest import KEY, SECRET, TOKEN
from .raw_server import raw_server
from .wire import one_byte_changed, send

CREDENTIALS = awsign.Credentials(KEY, SECRET)
TEMPORARY = awsign.Credentials("ASIAEXAMPLE", SECRET, TOKEN)


def sign(
    url: str, service: str = "s3", method: str = "GET", body: bytes | None = None, credentials=CREDENTIALS, **headers: str
) -> awsign.Signed:
    pairs = {name.replace("_", "-"): value for name, value in headers.items()}
    return awsign.SigV4(credentials, service, "us-east-1").sign(awsign.Request(method, url, pairs, body))


class TestAnswers:
    def test_in_the_shape_of_the_service(self, serve) -> None:
        for service, path, headers, tag in (
            ("s3", "/", {}, "ListAllMyBucketsResult"),
            ("s3", "/bucket", {}, "ListBucketResult"),
            ("s3", "/bucket/key", {}, "VerifiedResult"),
            ("ec2", "/?Action=DescribeInstances", {}, "DescribeInstancesResponse"),
            ("sts", "/?Action=GetCallerIdentity", {}, "GetCallerIdentityResponse"),
        ):
            status, answer = send(sign(serve + path, service, **headers))
            assert status == 200, answer
            root = ElementTree.fromstring(answer)
            assert root.tag.rpartition("}")[2] == tag
            assert re.search(f"<AccessKeyId>{KEY}</AccessKeyId>", answer.decode())
        for service, headers in (("dynamodb", {"X_Amz_Target": "DynamoDB_20120810.ListTables"}), ("execute-api", {})):
            told = json.loads(send(sign(serve + "/", service, **headers))[1])["Verified"]
            assert (told["Scheme"], told["AccessKeyId"]) == ("sigv4", KEY)
            assert told["Scope"].endswith(f"/us-east-1/{service}/aws4_request")

    def test_errors_hold_what_was_derived(self, serve) -> None:
        signed = sign(f"{serve}/bucket/a%20b?x=y")
        status, answer = send(one_byte_changed(signed))
        error = ElementTree.fromstring(answer)
        assert (status, error.findtext("Code")) == (403, "SignatureDoesNotMatch")
        assert error.findtext("CanonicalRequest") == signed.derivation.canonical_request
        assert error.findtext("StringToSign") == signed.derivation.string_to_sign
        for service, path, pattern in (
            ("sts", "/?Action=A", "<Code>SignatureDoesNotMatch</Code>"),
            ("ec2", "/?Action=A", "<Errors>"),
            ("lambda", "/x", "message"),
        ):
            answer = send(one_byte_changed(sign(serve + path, service)))[1].decode()
            assert pattern in answer
            assert "The Canonical String for this request should have been" in answer

    def test_no_secret_and_no_right_signature_in_any_answer(self, serve) -> None:
        for service in ("s3", "sts", "dynamodb"):
            signed = sign(f"{serve}/?Action=A", service, credentials=TEMPORARY)
            answer = send(one_byte_changed(signed))[1].decode()
            for secret in (SECRET, TOKEN, signed.derivation.signature):
                assert secret not in answer

    def test_head_has_no_body(self, serve) -> None:
        assert send(sign(f"{serve}/bucket/key", method="HEAD")) == (200, b"")

    def test_unsigned(self, serve) -> None:
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{serve}/bucket")
        with caught.value as error:
            assert error.code == 403


class TestBodies:
    def test_a_changed_body(self, serve) -> None:
        status, answer = send(sign(f"{serve}/b/k", method="PUT", body=b"hello"), b"hellO")
        assert (status, b"XAmzContentSHA256Mismatch" in answer) == (400, True)

    def test_chunked(self, serve) -> None:
        signed = sign(f"{serve}/b/k", method="PUT", body=b"hello world")
        host, port = serve.rpartition("/")[2].split(":")
        connection = http.client.HTTPConnection(host, int(port))
        connection.request(
            "PUT", "/b/k", iter([b"hello ", b"world"]), dict(signed.headers) | {"Transfer-Encoding": "chunked"}, encode_chunked=True
        )
        assert connection.getresponse().status == 200
        connection.close()

    def test_a_body_of_undeclared_hash_is_bounded(self, serve) -> None:
        signed = sign(f"{serve}/", "execute-api", method="POST", body=b"x" * (17 << 20))
        try:
            status, _ = send(signed)
        except OSError:
            return  # Refused while it was being sent.
        assert status == 413

    def test_a_client_that_hangs_up(self, serve) -> None:
        host, port = serve.rpartition("/")[2].split(":")
        signed = sign(f"{serve}/b/k", method="PUT", body=b"hello")
        head = (
            "PUT /b/k HTTP/1.1\r\n"
            + "".join(f"{name}: {value}\r\n" for name, value in signed.headers)
            + "Content-Length: 5\r\n\r\nhe"
        )
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(head.encode())
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(b"GET / HTT")
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(b"\x00\xff" * 1000)
            connection.settimeout(5)
            assert b"400" in connection.recv(65536)
        assert send(sign(f"{serve}/b/k"))[0] == 200


@pytest.fixture(scope="module")
def gateway(swift):
    """`awsign serve --forward` in front of a server of raw bytes."""
    with (
        raw_server() as behind,
        servers.awsign_serve(
            "--key", f"{KEY}:{SECRET}", "--key", f"ASIAEXAMPLE:{SECRET}:{TOKEN}", "--forward", behind.url + "/base"
        ) as url,
    ):
        yield url, behind


class TestForward:
    def test_what_is_verified_is_passed_on(self, gateway) -> None:
        url, behind = gateway
        behind.answers = [b"HTTP/1.1 201 Made\r\nContent-Length: 4\r\nX-Answer: a\r\nX-Answer: b\r\n\r\nmade"]
        signed = sign(f"{url}/a%20b//c?x=%2B&y", method="PUT", body=b"data", credentials=TEMPORARY, x_amz_meta_a="b", X_Awsign="1")
        assert send(signed) == (201, b"made")
        assert behind.line() == "PUT /base/a%20b//c?x=%2B&y HTTP/1.1"
        assert behind.requests[-1][1] == b"data"
        head = behind.requests[-1][0].decode().lower()
        assert "x-awsign-access-key-id: asiaexample" in head
        assert "x-amz-meta-a: b" in head
        for gone in ("authorization", "security-token", TOKEN.lower(), SECRET.lower()):
            assert gone not in head

    def test_what_is_not_is_not(self, gateway) -> None:
        url, behind = gateway
        before = len(behind.requests)
        assert send(one_byte_changed(sign(f"{url}/x")))[0] == 403
        assert len(behind.requests) == before

    def test_no_client_sets_who_signed(self, gateway) -> None:
        url, behind = gateway
        send(sign(f"{url}/x", X_Awsign_Access_Key_Id="admin", X_Forwarded_Host="evil"))
        assert "admin" not in behind.requests[-1][0].decode()
        assert "evil" not in behind.requests[-1][0].decode()

    def test_the_signature_of_a_url_is_not_passed_on(self, gateway) -> None:
        url, behind = gateway
        link = awsign.SigV4(CREDENTIALS, "s3", "us-east-1").presign(awsign.Request("GET", f"{url}/k?versionId=1"))
        behind.answers = [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]
        assert send(link)[0] == 200
        assert behind.line() == "GET /base/k?versionId=1 HTTP/1.1"

    def test_a_changed_body_never_arrives_whole(self, gateway) -> None:
        url, behind = gateway
        before = len(behind.requests)
        status, answer = send(sign(f"{url}/k", method="PUT", body=b"hello"), b"hellO")
        assert (status, b"XAmzContentSHA256Mismatch" in answer) == (400, True)
        time.sleep(0.2)
        assert all(body != b"hellO" for _, body in behind.requests[before:])

    def test_the_answer_is_streamed(self, gateway) -> None:
        url, behind = gateway

        def slowly(connection: socket.socket) -> None:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst")
            time.sleep(1)
            connection.sendall(b"later")

        behind.answers = [slowly]
        signed = sign(f"{url}/x")
        host, port = url.rpartition("/")[2].split(":")
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(
                ("GET /x HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in signed.headers) + "\r\n").encode()
            )
            start = time.monotonic()
            data = b""
            while b"first" not in data:
                data += connection.recv(65536)
            assert time.monotonic() - start < 0.9
            while b"later" not in data:
                data += connection.recv(65536)

    def test_a_server_behind_that_is_gone(self) -> None:
        with servers.awsign_serve("--key", f"{KEY}:{SECRET}", "--forward", "http://127.0.0.1:9") as url:
            assert send(sign(f"{url}/x"))[0] == 502

    def test_objects_through_the_gateway(self, ministack) -> None:
        """MiniStack without authentication behind: bytes go in and come out."""
        with servers.ministack(auth=False) as behind, servers.awsign_serve("--key", f"{KEY}:{SECRET}", "--forward", behind) as url:
            assert send(sign(f"{url}/bucket", method="PUT"))[0] == 200
            body = bytes(range(256)) * 4096
            assert send(sign(f"{url}/bucket/a%20b", method="PUT", body=body))[0] == 200
            assert send(sign(f"{url}/bucket/a%20b")) == (200, body)


class TestMetadata:
    def ask(self, url: str, path: str, method: str = "GET", **headers: str) -> tuple[int, str]:
        request = urllib.request.Request(
            url + path, headers={name.replace("_", "-"): value for name, value in headers.items()}, method=method
        )
        try:
            with urllib.request.urlopen(request) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def test_version_2(self, serve) -> None:
        status, token = self.ask(serve, "/latest/api/token", "PUT", X_aws_ec2_metadata_token_ttl_seconds="60")
        assert status == 200
        assert self.ask(serve, "/latest/meta-data/iam/security-credentials/", X_aws_ec2_metadata_token=token) == (
            200,
            "awsign-role",
        )
        told = json.loads(
            self.ask(serve, "/latest/meta-data/iam/security-credentials/awsign-role", X_aws_ec2_metadata_token=token)[1]
        )
        assert told["Code"] == "Success"
        assert self.ask(serve, "/latest/meta-data/iam/security-credentials/", X_aws_ec2_metadata_token="wrong")[0] == 401

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"X_aws_ec2_metadata_token_ttl_seconds": "0"},
            {"X_aws_ec2_metadata_token_ttl_seconds": "\u00b2"},
            {"X_aws_ec2_metadata_token_ttl_seconds": "9" * 5000},
            {"X_aws_ec2_metadata_token_ttl_seconds": "21601"},
            {"X_aws_ec2_metadata_token_ttl_seconds": "x"},
        ],
    )
    def test_tokens_that_are_not_given(self, serve, headers) -> None:
        assert self.ask(serve, "/latest/api/token", "PUT", **headers)[0] == 400

    def test_a_proxy_gets_none(self, serve) -> None:
        assert (
            self.ask(serve, "/latest/api/token", "PUT", X_aws_ec2_metadata_token_ttl_seconds="60", X_Forwarded_For="1.2.3.4")[0]
            == 403
        )

    def test_version_1(self, serve) -> None:
        assert self.ask(serve, "/latest/meta-data/iam/security-credentials/") == (200, "awsign-role")
        assert self.ask(serve, "/latest/meta-data/nothing")[0] == 404

    def test_botocore_reads_it_too(self, serve) -> None:
        from botocore.utils import InstanceMetadataFetcher

        found = InstanceMetadataFetcher(base_url=serve + "/", env={}).retrieve_iam_role_credentials()
        assert found["role_name"] == "awsign-role"
        assert found["token"]


class TestLargeBodies:
    """What needs no buffering is not bounded."""

    def test_presigned_and_hmac_sha1(self, serve) -> None:
        body = b"x" * (17 << 20)
        link = awsign.SigV4(CREDENTIALS, "s3", "us-east-1").presign(awsign.Request("PUT", f"{serve}/b/k"))
        assert send(link, body)[0] == 200
        assert send(awsign.S3SigV2(CREDENTIALS).sign(awsign.Request("PUT", f"{serve}/b/k", body=body)))[0] == 200


class TestForwardedOlderSchemes:
    def test_nothing_of_the_signature_is_passed_on(self, gateway) -> None:
        url, behind = gateway
        behind.answers = [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]
        assert send(awsign.S3SigV2(TEMPORARY).presign(awsign.Request("GET", f"{url}/b/k?versionId=1")))[0] == 200
        assert behind.line() == "GET /base/b/k?versionId=1 HTTP/1.1"
        assert send(awsign.SigV2(TEMPORARY).sign(awsign.Request("GET", f"{url}/?Action=A&B=c%20d"), expires=60))[0] == 200
        target = behind.line().split()[1]
        assert target.startswith("/base/?Action=A&B=c%20d&Expires=")
        assert "Signature" not in target
        assert "Token" not in target
        form = awsign.Request("POST", f"{url}/", {"Content-Type": "application/x-www-form-urlencoded"}, "Action=A")
        assert send(awsign.SigV2(TEMPORARY).sign(form))[0] == 200
        body = behind.requests[-1][1].decode()
        assert body.startswith("Action=A&Timestamp=")
        assert "Signature" not in body
        assert "Token" not in body


def test_who_signed_is_in_the_refusal(serve) -> None:
    answer = send(one_byte_changed(sign(f"{serve}/b/k")))[1]
    assert ElementTree.fromstring(answer).findtext("AWSAccessKeyId") == KEY


class TestHostileGateways:
    def raw(self, url: str, head: str, body: bytes) -> bytes:
        host, port = url.rpartition("/")[2].split(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(head.encode() + body)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def test_a_length_beside_chunks_goes_no_further(self, gateway) -> None:
        url, behind = gateway
        behind.answers = [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"]
        before = len(behind.requests)
        signed = sign(f"{url}/k", method="PUT", body=b"hello")
        pairs = "".join(f"{name}: {value}\r\n" for name, value in signed.headers)
        self.raw(
            url, f"PUT /k HTTP/1.1\r\n{pairs}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", b"5\r\nhello\r\n0\r\n\r\n"
        )
        assert all(b"content-length" not in head.lower() for head, _ in behind.requests[before:])

    def test_spellings_and_hops(self, gateway) -> None:
        url, behind = gateway
        behind.answers = [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: x-back\r\nX-Back: 1\r\nX-Kept: 1\r\n\r\n"]
        signed = sign(f"{url}/x")
        pairs = [*signed.headers, ("X_Awsign_Access_Key_Id", "EVIL"), ("Connection", "x-foo"), ("X-Foo", "1"), ("X-Kept", "1")]
        status, _ = send(awsign.Signed("GET", signed.url, tuple(pairs), None, signed.derivation))
        head = behind.requests[-1][0].lower()
        assert (status, b"evil" in head, b"x-foo" in head, b"x-kept" in head) == (200, False, False, True)

    def test_a_status_that_is_none(self, gateway) -> None:
        url, behind = gateway
        behind.answers = [b"HTTP/1.1 999 What\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"]
        assert send(sign(f"{url}/x"))[0] == 502

    def test_an_answer_that_is_cut_short(self, gateway) -> None:
        url, behind = gateway
        behind.answers = [lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst")]
        with pytest.raises(http.client.IncompleteRead):
            send(sign(f"{url}/x"))


def test_an_action_that_is_no_name(serve) -> None:
    status, answer = send(awsign.SigV2(CREDENTIALS).sign(awsign.Request("GET", f"{serve}/?Action=%01%3Cx%20y")))
    assert status == 200
    assert ElementTree.fromstring(answer).tag == "UnknownResponse"
