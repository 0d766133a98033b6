"""The middleware under real servers (gunicorn, waitress; uvicorn, hypercorn), spoken to by real clients and by raw bytes."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

import awsign
from awsign.server import AsgiMiddleware, WsgiMiddleware

from . import servers
from .conftest import KEY, SECRET
from .wire import one_byte_changed, raw_exchange, send

HERE = Path(__file__).parent
CREDENTIALS = awsign.Credentials(KEY, SECRET)
SERVERS = {
    "gunicorn": ["gunicorn", "--bind", "127.0.0.1:{port}", "tests.middleware_apps:wsgi"],
    "waitress": ["waitress-serve", "--listen", "127.0.0.1:{port}", "tests.middleware_apps:wsgi"],
    "uvicorn": ["uvicorn", "--port", "{port}", "--log-level", "warning", "tests.middleware_apps:asgi"],
    "hypercorn": ["hypercorn", "--bind", "127.0.0.1:{port}", "tests.middleware_apps:asgi"],
}


@pytest.fixture(scope="module", params=list(SERVERS))
def app(request) -> Iterator[tuple[str, str]]:
    port = servers.free_port()
    program, *arguments = [part.format(port=port) for part in SERVERS[request.param]]
    command = [str(Path(sys.executable).parent / program), *arguments]
    with servers.running(command, f"http://127.0.0.1:{port}/", cwd=str(HERE.parent)) as url:
        yield request.param, url.rstrip("/")


def sign(url: str, method: str = "GET", headers=(), body=None, service: str = "s3", **more) -> awsign.Signed:
    return awsign.SigV4(CREDENTIALS, service, "us-east-1").sign(awsign.Request(method, url, headers, body), **more)


class TestVerified:
    def test_the_application_sees_who_signed(self, app) -> None:
        _, url = app
        status, body = send(sign(f"{url}/bucket/key?x=1&x=2&acl"))
        told = json.loads(body)
        assert (status, told["access_key_id"], told["scope"].split("/")[2:]) == (200, KEY, ["s3", "aws4_request"])

    def test_a_path_that_is_escaped(self, app) -> None:
        _, url = app
        status, body = send(sign(f"{url}/bucket/a b/%25/ü+~/=;,"))
        assert status == 200, body

    def test_two_slashes(self, app) -> None:
        _, url = app
        assert send(sign(f"{url}/bucket//a/../b"))[0] == 200

    @pytest.mark.parametrize("size", [0, 1, 100_000, 3_000_000])
    def test_a_body(self, app, size: int) -> None:
        _, url = app
        body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
        status, told = send(sign(f"{url}/bucket/key", "PUT", body=body))
        assert (status, json.loads(told)["size"]) == (200, size)

    def test_a_body_in_signed_chunks(self, app) -> None:
        _, url = app
        body = b"chunk" * 50_000
        signed = sign(f"{url}/bucket/key", "PUT", body=body, payload=awsign.Chunked(trailer="CRC32"))
        status, told = send(signed)
        told = json.loads(told)
        assert (status, told["size"], told["length"], told["encoding"]) == (200, len(body), str(len(body)), None)

    def test_a_hash_that_is_not_declared(self, app) -> None:
        _, url = app
        status, told = send(sign(f"{url}/path", "POST", {"content-type": "application/json"}, b'{"a": 1}', "execute-api"))
        assert (status, json.loads(told)["size"]) == (200, 8)

    def test_a_presigned_url(self, app) -> None:
        _, url = app
        assert send(awsign.SigV4(CREDENTIALS, "s3", "us-east-1").presign(awsign.Request("GET", f"{url}/bucket/key?a=b")))[0] == 200

    def test_a_query_api(self, app) -> None:
        _, url = app
        form = {"content-type": "application/x-www-form-urlencoded"}
        signed = awsign.SigV2(CREDENTIALS).sign(
            awsign.Request("POST", f"{url}/", form, "Action=DescribeRegions&Version=2016-11-15")
        )
        assert send(signed)[0] == 200

    def test_boto3(self, app) -> None:
        _, url = app
        client = boto3.client(
            "s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id=KEY, aws_secret_access_key=SECRET,
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}),
        )  # fmt: skip
        assert client.put_object(Bucket="bucket", Key="empty", Body=b"x" * 70_000)["ResponseMetadata"]["HTTPStatusCode"] == 200
        wrong = boto3.client(
            "s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id=KEY, aws_secret_access_key=SECRET[::-1],
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}),
        )  # fmt: skip
        with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
            wrong.put_object(Bucket="bucket", Key="empty", Body=b"x")

    def test_curl(self, app) -> None:
        _, url = app
        command = [
            "curl",
            "-s",
            "-o",
            "/dev/null",
            "-w",
            "%{http_code}",
            "--aws-sigv4",
            "aws:amz:us-east-1:execute-api",
            "-u",
            f"{KEY}:{SECRET}",
        ]
        assert subprocess.run([*command, f"{url}/path?a=1"], capture_output=True, text=True, check=True).stdout == "200"


class TestRefused:
    def test_unsigned(self, app) -> None:
        _, url = app
        assert raw_exchange(url, b"GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").startswith(b"HTTP/1.1 403")

    def test_one_byte_changed(self, app) -> None:
        _, url = app
        status, body = send(one_byte_changed(sign(f"{url}/bucket/key")))
        assert (status, b"SignatureDoesNotMatch" in body) == (403, True)

    def test_another_body(self, app) -> None:
        """The application reads it and answers; what it answers is not sent."""
        _, url = app
        for body in (b"x" * 99_999 + b"y", b"y" * 100_000):
            status, told = send(sign(f"{url}/bucket/key", "PUT", body=b"x" * 100_000), body)
            assert (status, b"XAmzContentSHA256Mismatch" in told) == (400, True), told

    def test_another_body_that_the_application_swallows(self, app) -> None:
        """A framework that turns every exception into a 500."""
        _, url = app
        status, told = send(sign(f"{url}/swallow", "PUT", body=b"x" * 100_000), b"y" * 100_000)
        assert (status, b"XAmzContentSHA256Mismatch" in told) == (400, True), told

    def test_a_chunk_that_was_changed(self, app) -> None:
        _, url = app
        signed = sign(f"{url}/bucket/key", "PUT", body=b"a" * 200_000, payload=awsign.Chunked())
        wire = bytearray(b"".join(signed.body))
        wire[150_000] ^= 1
        status, told = send(signed, bytes(wire))
        assert (status, b"SignatureDoesNotMatch" in told) == (403, True), told

    def test_a_header_that_was_added(self, app) -> None:
        _, url = app
        signed = sign(f"{url}/bucket/key", "PUT", body=b"x")
        added = awsign.Signed("PUT", signed.url, (*signed.headers, ("x-amz-copy-source", "/other/key")), b"x", signed.derivation)
        status, told = send(added)
        assert (status, b"not signed" in told) == (403, True)

    def test_too_large_without_a_hash(self, app) -> None:
        _, url = app
        # Where it is refused by its Content-Length, the connection may be cut while it is still being sent.
        with contextlib.suppress(ConnectionError):
            status, told = send(sign(f"{url}/path", "POST", {"content-type": "text/plain"}, b"z" * (17 << 20), "execute-api"))
            assert status == 413, told

    def test_a_client_that_hangs_up(self, app) -> None:
        _, url = app
        signed = sign(f"{url}/bucket/key", "PUT", body=b"x" * 1000)
        head = "".join(f"{name}: {value}\r\n" for name, value in signed.headers)
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as link:
            link.sendall(f"PUT /bucket/key HTTP/1.1\r\n{head}Content-Length: 1000\r\n\r\nxxx".encode())
        assert send(sign(f"{url}/bucket/key"))[0] == 200  # It is still there.


class TestWhatTheApplicationIsAskedFor:
    """It must be what is verified: the adversary's findings, each over a socket."""

    def exchange(self, url: str, line: str, signed: awsign.Signed, body: bytes = b"", more: str = "") -> bytes:
        head = "".join(f"{name}: {value}\r\n" for name, value in signed.headers)
        return raw_exchange(url, f"{line} HTTP/1.1\r\n{head}{more}Connection: close\r\n\r\n".encode("latin-1") + body)

    @pytest.mark.parametrize(
        ("signed", "sent"),
        [("/b/k%23old?a=1", "/b/k#old?a=1"), ("/b/k?a=1%23&z=2", "/b/k?a=1#&z=2"), ("/b/a%09b", "/b/a\tb"), ("/b/k", "http://127.0.0.1/b/k")],
    )  # fmt: skip
    def test_a_target_that_servers_cut(self, app, signed: str, sent: str) -> None:
        name, url = app
        answer = self.exchange(url, f"DELETE {sent}", sign(f"{url}{signed}", "DELETE"))
        # WSGI servers give the path of an absolute target, which is what was signed.
        assert not answer.startswith(b"HTTP/1.1 200") or (sent.startswith("http:") and name in ("gunicorn", "waitress"))

    @pytest.mark.parametrize("more", ["", "Content-Length: 0\r\n"])
    def test_a_body_that_was_taken_away(self, app, more: str) -> None:
        """An application that reads as much as Content-Length says reads nothing."""
        _, url = app
        answer = self.exchange(url, "PUT /by-length", sign(f"{url}/by-length", "PUT", body=b"important"), more=more)
        assert b"XAmzContentSHA256Mismatch" in answer

    def test_two_lengths(self, app) -> None:
        _, url = app
        more = "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"
        answer = self.exchange(
            url, "PUT /by-length", sign(f"{url}/by-length", "PUT", body=b"important"), b"5\r\nevil!\r\n4\r\nmore\r\n0\r\n\r\n", more
        )
        assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4"))

    def test_an_answer_that_has_begun_is_cut(self, app) -> None:
        """The body turns out to be another when the answer is on its way: the client must not take that for whole."""
        _, url = app
        signed = sign(f"{url}/late", "PUT", body=b"x" * 200_000)
        answer = self.exchange(url, "PUT /late", signed, b"y" * 200_000, "Content-Length: 200000\r\n")
        assert b"the end" not in answer and not answer.endswith(b"0\r\n\r\n")


class TestWebSockets:
    def test_the_handshake_is_verified(self, app) -> None:
        from websockets.exceptions import InvalidStatus
        from websockets.sync.client import connect

        name, url = app
        if name in ("gunicorn", "waitress"):  # WSGI has none.
            return
        signer = awsign.SigV4(CREDENTIALS, "execute-api", "us-east-1")
        link = signer.presign(awsign.Request("GET", url.replace("http", "ws", 1) + "/socket?a=b"))
        with connect(link.url, proxy=None, open_timeout=10) as socket:
            assert socket.recv(timeout=10) == KEY
        with pytest.raises(InvalidStatus) as refused, connect(link.url.replace("a=b", "a=c"), proxy=None, open_timeout=10):
            pass
        assert refused.value.response.status_code == 403


class TestPlace:
    def verifier(self) -> awsign.Verifier:
        return awsign.Verifier({KEY: CREDENTIALS}.get)

    def environ(self, signed: awsign.Signed, raw: str | None = None, **more) -> dict:
        """What a WSGI server makes of a request."""
        import io
        from urllib.parse import unquote_to_bytes

        raw = raw or "/" + signed.url.split("/", 3)[3]
        path, _, query = raw.partition("?")
        headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in signed.headers}
        return {
            "REQUEST_METHOD": signed.method, "RAW_URI": raw, "PATH_INFO": unquote_to_bytes(path).decode("latin-1"), "QUERY_STRING": query,
            "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(), **headers, **more,
        }  # fmt: skip

    def ask(self, middleware: WsgiMiddleware, environ: dict) -> str:
        answered = []
        list(middleware(environ, lambda status, headers, *_: answered.append(status)))
        return answered[0]

    def app(self, environ, start_response):
        start_response("200 OK", [])
        return [b""]

    def test_a_proxy_that_sends_another_host(self) -> None:
        environ = self.environ(sign("https://api.example.com/a"), HTTP_HOST="10.0.0.7:8000")
        assert self.ask(WsgiMiddleware(self.app, self.verifier()), environ).startswith("403")
        assert self.ask(WsgiMiddleware(self.app, self.verifier(), host="api.example.com"), environ) == "200 OK"

    def test_no_header_says_the_host(self) -> None:
        environ = self.environ(
            sign("https://api.example.com/a"), HTTP_HOST="10.0.0.7:8000", HTTP_X_FORWARDED_HOST="api.example.com"
        )
        assert self.ask(WsgiMiddleware(self.app, self.verifier()), environ).startswith("403")

    def test_a_proxy_that_takes_a_prefix(self) -> None:
        environ = self.environ(sign("https://api.example.com/v1/a%20b"), raw="/a%20b")
        assert self.ask(WsgiMiddleware(self.app, self.verifier(), prefix="/v1"), environ) == "200 OK"
        assert self.ask(WsgiMiddleware(self.app, self.verifier()), environ).startswith("403")

    @pytest.mark.parametrize(
        "wrong", [{"host": "a b"}, {"host": "https://a"}, {"scheme": "ftp"}, {"prefix": "v1"}, {"prefix": "/v1/"}]
    )
    def test_settings_that_cannot_be(self, wrong) -> None:
        with pytest.raises(awsign.InvalidRequest):
            AsgiMiddleware(None, self.verifier(), **wrong)

    def test_a_path_whose_encoding_is_lost(self) -> None:
        """PEP 3333 gives it decoded: `/a b`, `/a%20b` and `/a+b` of a form are one."""
        plain = self.environ(sign("http://127.0.0.1/a"))
        del plain["RAW_URI"]
        assert self.ask(WsgiMiddleware(self.app, self.verifier()), plain) == "200 OK"
        lost = self.environ(sign("http://127.0.0.1/a%20b"))
        del lost["RAW_URI"]
        told = []
        middleware = WsgiMiddleware(self.app, self.verifier())
        assert b"decoded" in b"".join(middleware(lost, lambda status, *_: told.append(status)))
        assert told == ["403 Forbidden"]

    def test_what_was_refused_is_told(self) -> None:
        told = []
        middleware = WsgiMiddleware(
            self.app, self.verifier(), on_refusal=lambda request, error: told.append((request.path, error.kind))
        )
        environ = self.environ(one_byte_changed(sign("http://127.0.0.1/a")))
        assert self.ask(middleware, environ).startswith("403")
        assert told == [("/a", "signature-mismatch")]
