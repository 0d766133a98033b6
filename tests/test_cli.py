"""The `awsign` command, run as a person runs it, against servers of raw bytes and real ones."""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
import os
import shlex
import socket
import ssl
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import trustme

import awsign

from . import servers
from .conftest import KEY, SECRET, TOKEN
from .raw_server import OK, raw_server
from .servers import AWSIGN

SERVICE = ["--service", "execute-api", "--region", "us-east-1"]


def run(*arguments: str, stdin: bytes = b"", check: int | None = 0, **environ: str) -> subprocess.CompletedProcess[bytes]:
    clean = os.environ | {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET} | environ
    clean = {name: value for name, value in clean.items() if value != ""}
    done = subprocess.run([AWSIGN, *arguments], input=stdin, env=clean, capture_output=True, timeout=60, check=False)
    assert check is None or done.returncode == check, (done.returncode, done.stderr)
    assert b"Traceback" not in done.stderr
    return done


def verified(server, index: int = -1, body: bytes | None = None) -> awsign.verify.Verified:
    """What the raw server got, judged by the verifier."""
    head, sent = server.requests[index]
    line, *lines = head.split(b"\r\n")
    method, target, _ = line.decode().split(" ")
    pairs = [tuple(each.partition(b": ")[::2]) for each in lines]
    return awsign.Verifier({KEY: SECRET}.get).verify(
        awsign.Request.received(method, target, pairs, sent if body is None else body, "http")
    )


class TestCurlOptions:
    """curl's options, with curl's meaning: each case is what curl itself sends, as its manual page has it."""

    @pytest.mark.parametrize(
        ("options", "line", "content_type", "body"),
        [
            ([], "GET /x", None, b""),
            (["-X", "DELETE"], "DELETE /x", None, b""),
            (["-XDELETE"], "DELETE /x", None, b""),
            (["-I"], "HEAD /x", None, b""),
            (["-d", "a=b"], "POST /x", "application/x-www-form-urlencoded", b"a=b"),
            (["-d", "a=b", "-d", "c"], "POST /x", "application/x-www-form-urlencoded", b"a=b&c"),
            (["-d", "a", "--data-urlencode", "b=c d&", "--data-raw", "@e", "--data-binary", "f\ng"], "POST /x", "application/x-www-form-urlencoded", b"a&b=c%20d%26&@e&f\ng"),
            (["--data-raw", "1", "-d", "2", "--data-raw", "3"], "POST /x", "application/x-www-form-urlencoded", b"1&2&3"),
            (["-d", "@FILE"], "POST /x", "application/x-www-form-urlencoded", b"line 1line 2"),
            (["--data-binary", "@FILE"], "POST /x", "application/x-www-form-urlencoded", b"line 1\r\nline 2\n"),
            (["--data-urlencode", "n@FILE"], "POST /x", "application/x-www-form-urlencoded", b"n=line%201%0D%0Aline%202%0A"),
            (["--data-urlencode", "=a=b"], "POST /x", "application/x-www-form-urlencoded", b"a%3Db"),
            (["-d", ""], "POST /x", "application/x-www-form-urlencoded", b""),
            (["--json", '{"a":', "--json", "1}"], "POST /x", "application/json", b'{"a":1}'),
            (["-d", "{}", "-H", "Content-Type: application/x-amz-json-1.0"], "POST /x", "application/x-amz-json-1.0", b"{}"),
            (["-d", "{}", "-H", "Content-Type:"], "POST /x", None, b"{}"),
            (["-G", "-d", "a=b+c", "--data-urlencode", "d=e+f"], "GET /x?a=b%20c&d=e%2Bf", None, b""),
            (["-G", "-d", "a", "-X", "POST"], "POST /x?a", None, b""),
            (["-T", "FILE"], "PUT /x", None, b"line 1\r\nline 2\n"),
            (["-T", "FILE", "-X", "POST"], "POST /x", None, b"line 1\r\nline 2\n"),
            (["-sSfX", "PATCH", "-d", "a"], "PATCH /x", "application/x-www-form-urlencoded", b"a"),
        ],
    )  # fmt: skip
    def test_request(self, tmp_path, options, line, content_type, body) -> None:
        file = tmp_path / "upload.txt"
        file.write_bytes(b"line 1\r\nline 2\n")
        with raw_server() as server:
            run("curl", *SERVICE, *[each.replace("FILE", str(file)) for each in options], f"{server.url}/x")
            assert server.line() == f"{line} HTTP/1.1"
            assert server.header("Content-Type") == content_type
            assert server.requests[-1][1] == body
            assert verified(server)

    def test_headers(self, tmp_path) -> None:
        lines = tmp_path / "lines"
        lines.write_text("X-From-File: 1\nX-Amz-Meta-B: 2\n")
        with raw_server() as server:
            run(
                "curl",
                *SERVICE,
                "-H",
                "X-Amz-Meta-A:  é b ",
                "-H",
                "X-Empty;",
                "-H",
                "User-Agent:",
                "-H",
                f"@{lines}",
                "-H",
                "Accept: text/plain",
                f"{server.url}/",
            )
            head = server.requests[-1][0]
            assert b"X-Amz-Meta-A: \xc3\xa9 b\r\n" in head
            assert (server.header("X-Empty"), server.header("User-Agent"), server.header("X-From-File")) == ("", None, "1")
            assert server.header("Accept") == "text/plain"
            assert head.count(b"Accept:") == 1
            assert "x-amz-meta-b" in verified(server).signed_headers

    def test_a_host_of_its_own(self) -> None:
        with raw_server() as server:
            run("curl", "-H", "Host: api.example.com", *SERVICE, f"{server.url}/")
            assert server.header("Host") == "api.example.com"
            assert verified(server)

    def test_targets_reach_the_socket_as_they_were_signed(self) -> None:
        with raw_server() as server:
            for target, sent in (
                ("/a/../b//c", "/a/../b//c"), ("//double", "//double"), ("/a?x=a+b&y", "/a?x=a%20b&y"), ("/é ", "/%C3%A9%20"), ("/a%2fb", "/a%2Fb"),
                ("/{a}[b]|", "/%7Ba%7D%5Bb%5D%7C"), ("", "/"), ("?a", "/?a"),
            ):  # fmt: skip
                run("curl", *SERVICE, server.url + target)
                assert server.line() == f"GET {sent} HTTP/1.1"
                assert verified(server)

    def test_s3_urls(self, tmp_path) -> None:
        (tmp_path / "pho to.jpg").write_bytes(b"x")
        with raw_server() as server:
            for arguments, line in (
                (["s3://bucket/a b/100%?#+.txt"], "GET /bucket/a%20b/100%25%3F%23%2B.txt"),
                (["s3://bucket//x/../y"], "GET /bucket//x/../y"),
                (["s3://bucket"], "GET /bucket"),
                (["s3://"], "GET /"),
                (["s3://bucket", "-G", "-d", "list-type=2"], "GET /bucket?list-type=2"),
                (["s3://bucket/dir/", "-T", str(tmp_path / "pho to.jpg")], "PUT /bucket/dir/pho%20to.jpg"),
            ):
                run("curl", "--endpoint-url", server.url, *arguments)
                assert server.line() == f"{line} HTTP/1.1"
                assert verified(server).scope.endswith("/us-east-1/s3/aws4_request")

    def test_payload_unsigned(self) -> None:
        with raw_server() as server:
            run("curl", "--endpoint-url", server.url, "-T", "-", "--payload", "unsigned", "s3://b/k", stdin=b"")
            assert server.header("x-amz-content-sha256") == "UNSIGNED-PAYLOAD"

    def test_schemes(self) -> None:
        with raw_server() as server:
            run("curl", f"{server.url}/?Action=DescribeInstances&SignatureVersion=2")
            assert verified(server).scheme == "sigv2"
            run("curl", "-d", "Action=A&SignatureVersion=2", f"{server.url}/")
            assert verified(server).location == "form"
            run("curl", "--service", "sdb", f"{server.url}/?Action=ListDomains")
            assert verified(server).scheme == "sigv2"
            run("curl", "--scheme", "s3v2", "--endpoint-url", server.url, "s3://bucket/key")
            assert verified(server).scheme == "s3v2"

    def test_region_and_service(self) -> None:
        with raw_server() as server:
            run("curl", "--service", "es", f"{server.url}/", AWS_REGION="eu-west-1")
            assert verified(server).scope.endswith("/eu-west-1/es/aws4_request")
            resolve = f"dynamodb.us-west-2.amazonaws.com:{server.port}:127.0.0.1"
            run("curl", "--resolve", resolve, f"http://dynamodb.us-west-2.amazonaws.com:{server.port}/", AWS_REGION="eu-west-1")
            assert verified(server).scope.endswith("/us-west-2/dynamodb/aws4_request")
            run("curl", "--resolve", resolve, "--region", "eu-north-1", f"http://dynamodb.us-west-2.amazonaws.com:{server.port}/")
            assert verified(server).scope.endswith("/eu-north-1/dynamodb/aws4_request")
        assert b"--service" in run("curl", "http://127.0.0.1:9/", check=2).stderr
        assert b"--region" in run("curl", "--service", "es", "http://127.0.0.1:9/", check=2).stderr


class TestOutput:
    BODY = bytes(range(256))

    def answer(self, status: str = "200 OK", body: bytes = BODY, *headers: str) -> bytes:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
        return "\r\n".join(lines).encode() + body

    def test_the_body_goes_to_stdout_as_bytes(self) -> None:
        with raw_server(self.answer()) as server:
            done = run("curl", *SERVICE, server.url)
            assert (done.stdout, done.stderr) == (self.BODY, b"")
            done = run("curl", *SERVICE, "-i", server.url)
            assert done.stdout == b"HTTP/1.1 200 OK\r\nContent-Length: 256\r\n\r\n" + self.BODY

    def test_to_files(self, tmp_path) -> None:
        with raw_server(self.answer()) as server:
            run("curl", *SERVICE, "-o", str(tmp_path / "out"), server.url)
            assert (tmp_path / "out").read_bytes() == self.BODY
            subprocess.run(
                [AWSIGN, "curl", *SERVICE, "-O", f"{server.url}/a/b%20c.bin?x=y"],
                cwd=tmp_path,
                env=os.environ | {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET},
                check=True,
            )
            assert (tmp_path / "b%20c.bin").read_bytes() == self.BODY
            assert run("curl", *SERVICE, "-O", f"{server.url}/a/", check=23).stdout == b""
            assert run("curl", *SERVICE, "-o", str(tmp_path / "no" / "dir"), server.url, check=23).stdout == b""

    def test_fail(self) -> None:
        with raw_server(self.answer("404 Not Found", b"gone")) as server:
            assert run("curl", *SERVICE, server.url).stdout == b"gone"
            done = run("curl", *SERVICE, "-f", server.url, check=22)
            assert (done.stdout, done.stderr) == (b"", b"awsign: (22) the server answered 404\n")
            assert run("curl", *SERVICE, "--fail-with-body", server.url, check=22).stdout == b"gone"
            assert run("curl", *SERVICE, "-sf", server.url, check=22).stderr == b""
            assert b"404" in run("curl", *SERVICE, "-sSf", server.url, check=22).stderr

    @pytest.mark.parametrize(
        ("encoding", "compress"),
        [("gzip", lambda data: gzip.compress(data, mtime=0)), ("deflate", zlib.compress)],
        ids=["gzip", "deflate"],
    )
    def test_compressed(self, encoding, compress) -> None:
        with raw_server(self.answer("200 OK", compress(self.BODY * 99), f"Content-Encoding: {encoding}")) as server:
            assert run("curl", *SERVICE, "--compressed", server.url).stdout == self.BODY * 99
            assert "gzip" in server.header("Accept-Encoding")
            assert run("curl", *SERVICE, server.url).stdout == compress(self.BODY * 99)
            assert server.header("Accept-Encoding") is None

    def test_verbose_shows_what_was_signed(self) -> None:
        with raw_server(OK) as server:
            done = run("curl", *SERVICE, "-v", "-d", "a", f"{server.url}/p?q=r", AWS_SESSION_TOKEN=TOKEN)
        text = done.stderr.decode()
        for part in (
            "> POST /p?q=r HTTP/1.1",
            "> Content-Length: 1",
            "* canonical request:",
            "*   POST",
            "*   q=r",
            "* string to sign:",
            "*   AWS4-HMAC-SHA256",
            "< HTTP/1.1 200 OK",
        ):
            assert part in text
        assert "> X-Amz-Security-Token: ***" in text
        assert "*   x-amz-security-token:***" in text
        assert TOKEN not in text
        assert server.header("X-Amz-Security-Token") == TOKEN

    def test_a_reader_that_has_enough(self) -> None:
        with raw_server(self.answer("200 OK", b"x" * 10_000_000)) as server:
            done = subprocess.run(
                f"{AWSIGN} curl {' '.join(SERVICE)} {server.url} | head -c 10", shell=True, capture_output=True, check=False,
                env=os.environ | {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET},
            )  # fmt: skip
        assert (done.stdout, done.stderr) == (b"x" * 10, b"")


@contextmanager
def answering_at_once(answer: bytes) -> Iterator[str]:
    """A server that answers before it has read a request, and closes once it has read a part of it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(answer)
                connection.shutdown(socket.SHUT_WR)
                left = 2_000_000
                while left > 0 and (block := connection.recv(65536)):
                    left -= len(block)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/x"
        thread.join()


@contextmanager
def taking_no_connections() -> Iterator[tuple[str, int]]:
    """An address where connecting neither succeeds nor fails: its queue is full."""
    with socket.socket() as listener, contextlib.ExitStack() as stack:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        time.sleep(0.1)
        yield listener.getsockname()


class TestFailures:
    def test_exit_codes_are_curl_s(self, tmp_path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as full:
            closed = full.getsockname()[1]
        for arguments, code in (
            (["http://no-such-host.invalid/"], 6),
            ([f"http://127.0.0.1:{closed}/"], 7),
            (["https:///nohost"], 3),
            (["http://127.0.0.1/#fragment"], 3),
            (["-T", str(tmp_path / "missing"), "http://127.0.0.1:1/"], 26),
            (["-d", f"@{tmp_path / 'missing'}", "http://127.0.0.1:1/"], 26),
            (["--no-such-option", "http://127.0.0.1:1/"], 2),
            (["-H", "nonsense", "http://127.0.0.1:1/"], 2),
            (["-H", "X-A: a\x01", "http://127.0.0.1:1/"], 2),
            (["--resolve", "nonsense", "http://127.0.0.1:1/"], 2),
            ([], 2),
        ):
            done = run("curl", *SERVICE, *arguments, check=code)
            assert done.stdout == b""
            assert done.stderr

    def test_timeouts(self) -> None:
        with raw_server(lambda connection: time.sleep(20)) as server:
            start = time.monotonic()
            assert run("curl", *SERVICE, "--max-time", "0.5", server.url, check=28).stderr.startswith(b"awsign: (28)")
            assert time.monotonic() - start < 10

        def drip(connection: socket.socket) -> None:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            for _ in range(100):
                connection.sendall(b"x")
                time.sleep(0.1)

        with raw_server(drip) as server:
            assert run("curl", *SERVICE, "-m", "1", server.url, check=28)

    def test_a_server_that_hangs_up(self) -> None:
        with raw_server(lambda connection: connection.close()) as server:
            assert run("curl", *SERVICE, server.url, check=52)
        with raw_server(lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx")) as server:
            assert run("curl", *SERVICE, server.url, check=18).stdout == b"x"
        with raw_server(lambda connection: connection.sendall(b"SSH-2.0-OpenSSH\r\n\r\n")) as server:
            assert run("curl", *SERVICE, server.url, check=56)

    def test_an_answer_that_is_cut_short_while_an_upload_is_sent(self, tmp_path) -> None:
        file = tmp_path / "large"
        file.write_bytes(bytes(20_000_000))
        for answer, code, out in (
            (b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig", 0, b"big"),
            (b"HTTP/1.1 413 Too Large\r\nContent-Length: 9\r\n\r\nbig", 18, b"big"),
            (b"SSH-2.0-OpenSSH\r\n\r\n", 56, b""),
            (b"", 52, b""),
        ):
            with answering_at_once(answer) as url:
                assert run("curl", *SERVICE, "--payload", "unsigned", "-T", str(file), url, check=code).stdout == out

    @pytest.mark.parametrize("header", ["Transfer-Encoding: gzip", "Content-Length: abc"])
    def test_headers_that_frame_nothing(self, header) -> None:
        with raw_server() as server:
            assert b"could not be sent" in run("curl", *SERVICE, "-H", header, "-d", "abc", server.url, check=56).stderr

    def test_redirects_have_one_time_together(self) -> None:
        def slow(connection: socket.socket) -> None:
            time.sleep(0.8)
            connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n")

        with raw_server(slow) as server:
            start = time.monotonic()
            run("curl", *SERVICE, "-L", "-m", "2", server.url, check=28)
            assert time.monotonic() - start < 6

    @pytest.mark.parametrize("seconds", ["inf", "nan", "1e300", "-1", "soon"])
    def test_times_that_are_none(self, seconds) -> None:
        for option in ("-m", "--connect-timeout"):
            assert run("curl", *SERVICE, option, seconds, "http://127.0.0.1:1/", check=2).stderr.count(b"\n") == 1

    def test_names_that_no_host_has(self, context) -> None:
        for url, code in (("http://a..b/", 6), (f"https://{'a' * 70}.example/", 6), ("http://[1.2]/", 3), ("ws://127.0.0.1/", 1)):
            assert run("curl", *SERVICE, url, check=code).stderr.count(b"\n") == 1
        with raw_server(context=context) as server:
            resolve = f"a..b:{server.port}:127.0.0.1"
            assert run("curl", *SERVICE, "--resolve", resolve, f"https://a..b:{server.port}/", check=60).stderr.count(b"\n") == 1
        with raw_server(redirect("http://[1.2]/x")) as server:
            assert run("curl", *SERVICE, "-L", server.url, check=3).stderr

    def test_one_address_of_several(self) -> None:
        with raw_server() as server, taking_no_connections() as (address, port):
            for first in ("no-such-host.invalid", "127.0.0.9"):
                resolve = f"h:{server.port}:{first},127.0.0.1"
                assert run("curl", *SERVICE, "--resolve", resolve, f"http://h:{server.port}/").stdout == b"ok"
            start = time.monotonic()
            run(
                "curl",
                *SERVICE,
                "--connect-timeout",
                "2",
                "--resolve",
                f"h:{port}:{address},{address}",
                f"http://h:{port}/",
                check=28,
            )
            assert time.monotonic() - start < 6

    def test_no_credentials_read_like_a_checklist(self) -> None:
        done = run("curl", *SERVICE, "http://127.0.0.1:1/", check=94, AWS_ACCESS_KEY_ID="")
        text = done.stderr.decode()
        for source in (
            "environment: AWS_ACCESS_KEY_ID is not set",
            "shared-credentials-file:",
            "instance-metadata: AWS_EC2_METADATA_DISABLED is true",
        ):
            assert source in text


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def context(authority) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return context


class TestTls:
    def test_certificates(self, authority, context, tmp_path) -> None:
        bundle = tmp_path / "ca.pem"
        authority.cert_pem.write_to_path(bundle)
        with raw_server(context=context) as server:
            assert b"--cacert" in run("curl", *SERVICE, server.url, check=60).stderr
            assert run("curl", *SERVICE, "--cacert", str(bundle), server.url).stdout == b"ok"
            assert run("curl", *SERVICE, "-k", server.url).stdout == b"ok"
            assert run("curl", *SERVICE, server.url, AWS_CA_BUNDLE=str(bundle)).stdout == b"ok"
            assert run("curl", *SERVICE, "--cacert", str(tmp_path / "none"), server.url, check=77)
            assert verified(server)

    def test_s3_tells_the_region_of_a_bucket(self, context) -> None:
        """301 without a Location, and x-amz-bucket-region: sent again to that region, signed for it."""
        moved = b"HTTP/1.1 301 Moved Permanently\r\nx-amz-bucket-region: eu-west-1\r\nContent-Length: 5\r\n\r\nmoved"
        with raw_server(moved, OK, context=context) as server:
            hosts = ["bucket.s3.us-east-1.amazonaws.com", "bucket.s3.eu-west-1.amazonaws.com"]
            resolve = [option for host in hosts for option in ("--resolve", f"{host}:{server.port}:127.0.0.1")]
            assert run("curl", "-k", "-L", *resolve, f"https://{hosts[0]}:{server.port}/key").stdout == b"ok"
            assert server.header("Host") == f"{hosts[1]}:{server.port}"
            assert verified(server).scope.endswith("/eu-west-1/s3/aws4_request")


def redirect(to: str, status: str = "302 Found") -> bytes:
    return f"HTTP/1.1 {status}\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode()


class TestRedirects:
    def test_to_the_same_service_is_signed_again(self) -> None:
        with raw_server(redirect("/other?x=1", "307 Temporary Redirect"), OK) as server:
            assert run("curl", *SERVICE, "-L", "-d", "a=b", f"{server.url}/first").stdout == b"ok"
            assert server.line() == "POST /other?x=1 HTTP/1.1"
            assert server.requests[-1][1] == b"a=b"
            assert verified(server)

    def test_a_post_becomes_a_get_where_curl_makes_it_one(self) -> None:
        with raw_server(redirect("/other"), OK) as server:
            run("curl", *SERVICE, "-L", "-d", "a=b", f"{server.url}/first")
            assert server.line() == "GET /other HTTP/1.1"
            assert server.header("Content-Type") is None
            assert verified(server)

    def test_another_host_gets_no_credentials(self) -> None:
        with raw_server() as elsewhere, raw_server(redirect(f"{elsewhere.url}/x")) as server:
            run("curl", *SERVICE, "-L", "-H", "Cookie: secret", "-H", "X-Amz-Meta-A: b", server.url, AWS_SESSION_TOKEN=TOKEN)
            head = elsewhere.requests[-1][0]
            assert b"ookie" not in head
            assert b"uthorization" not in head
            assert TOKEN.encode() not in head
            assert KEY.encode() not in head

    def test_without_l_it_is_shown(self) -> None:
        with raw_server(redirect("/other")) as server:
            run("curl", *SERVICE, server.url)
            assert len(server.requests) == 1

    def test_a_presigned_target_is_not_signed_again(self) -> None:
        with raw_server(redirect("/x?X-Amz-Signature=abc&X-Amz-Credential=d"), OK) as server:
            run("curl", *SERVICE, "-L", server.url)
            assert server.header("Authorization") is None

    def test_circles_end(self) -> None:
        with raw_server(redirect("/again")) as server:
            run("curl", *SERVICE, "-L", server.url, check=47)
            assert len(server.requests) == 51

    def test_from_https_to_http_is_not_followed(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
        with raw_server() as plain, raw_server(redirect(plain.url), context=context) as server:
            run("curl", *SERVICE, "-k", "-L", server.url, check=1)
            assert plain.requests == []


class TestRetries:
    BUSY = b"HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 4\r\n\r\nbusy"

    def test_each_try_is_signed_and_whole(self, tmp_path) -> None:
        file = tmp_path / "f"
        file.write_bytes(b"data")
        with raw_server(self.BUSY, self.BUSY, OK) as server:
            assert run("curl", *SERVICE, "--retry", "2", "-T", str(file), f"{server.url}/k").stdout == b"ok"
            assert [body for _, body in server.requests] == [b"data"] * 3
            assert verified(server)

    def test_standard_input_is_sent_again(self) -> None:
        with raw_server(self.BUSY, OK) as server:
            assert run("curl", *SERVICE, "--retry", "1", "-T", "-", f"{server.url}/k", stdin=b"piped").stdout == b"ok"
            assert [body for _, body in server.requests] == [b"piped"] * 2

    def test_no_more_than_asked_for(self) -> None:
        with raw_server(self.BUSY) as server:
            assert run("curl", *SERVICE, "--retry", "1", "-f", server.url, check=22)
            assert len(server.requests) == 2
        with raw_server(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n") as server:
            run("curl", *SERVICE, "--retry", "5", server.url)
            assert len(server.requests) == 1


def test_through_a_proxy() -> None:
    with raw_server() as proxy:
        for options, environ in ((["-x", proxy.url], {}), ([], {"http_proxy": proxy.url})):
            run("curl", *SERVICE, *options, "http://api.example.com/x", **environ)
            assert proxy.line() == "GET http://api.example.com/x HTTP/1.1"
            assert proxy.header("Host") == "api.example.com"
            assert verified(proxy)
        with raw_server() as server:
            run("curl", *SERVICE, server.url, http_proxy=proxy.url, no_proxy="127.0.0.1")
            assert server.requests


@pytest.fixture(scope="module")
def bundle(authority, tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


@pytest.fixture(scope="module")
def tls_proxy(authority, tmp_path_factory) -> Iterator[str]:
    issued, folder = authority.issue_cert("127.0.0.1"), tmp_path_factory.mktemp("proxy")
    issued.private_key_pem.write_to_path(folder / "key.pem")
    issued.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    with servers.proxy("--cert-file", str(folder / "cert.pem"), "--key-file", str(folder / "key.pem")) as url:
        yield url


@contextmanager
def dripping(context: ssl.SSLContext, answer: bytes) -> Iterator[str]:
    """A server whose answer is one TLS record that comes byte by byte."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            arrived, to_send = ssl.MemoryBIO(), ssl.MemoryBIO()
            tls = context.wrap_bio(arrived, to_send, server_side=True)
            with connection, contextlib.suppress(OSError):
                for act in (tls.do_handshake, lambda: tls.read(65536)):
                    while True:
                        try:
                            act()
                            break
                        except ssl.SSLWantReadError:
                            connection.sendall(to_send.read())
                            arrived.write(connection.recv(65536))
                    connection.sendall(to_send.read())
                tls.write(answer)
                for byte in to_send.read():
                    connection.sendall(bytes([byte]))
                    time.sleep(0.1)

        threading.Thread(target=serve, daemon=True).start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}/x"


class TestTunnels:
    """https through a proxy: a tunnel, in which the server's own certificate counts."""

    def test_through_one(self, context, bundle) -> None:
        with servers.proxy() as proxy, raw_server(context=context) as server:
            assert run("curl", *SERVICE, "-x", proxy, "--cacert", bundle, f"{server.url}/x").stdout == b"ok"
            assert server.line() == "GET /x HTTP/1.1"
            assert verified(server)
            assert (
                b"127.0.0.1" in run("curl", *SERVICE, server.url, check=60, https_proxy=proxy).stderr
            )  # --cacert is needed still.

    def test_through_one_that_wants_a_password(self, context, bundle) -> None:
        with servers.proxy("--basic-auth", "u:p@w") as proxy, raw_server(context=context) as server:
            named = proxy.replace("://", "://u:p%40w@")
            assert run("curl", *SERVICE, "-x", named, "--cacert", bundle, server.url).stdout == b"ok"
            assert server.header("Proxy-Authorization") is None
            refused = run("curl", *SERVICE, "-x", proxy, "--cacert", bundle, server.url, check=56)
            assert b"407" in refused.stderr

    def test_tls_within_tls(self, context, bundle, tls_proxy, tmp_path) -> None:
        file = tmp_path / "large"
        file.write_bytes(os.urandom(3_000_000))
        with raw_server(context=context) as server:
            through = ["-x", tls_proxy, "--cacert", bundle]
            assert run("curl", *SERVICE, *through, "-T", str(file), f"{server.url}/x", SSL_CERT_FILE=bundle).stdout == b"ok"
            assert server.requests[-1][1] == file.read_bytes()
        with raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" + file.read_bytes(), context=context) as server:
            assert run("curl", *SERVICE, *through, server.url, SSL_CERT_FILE=bundle).stdout == file.read_bytes()
        with raw_server(lambda connection: connection.close(), context=context) as server:
            assert run("curl", *SERVICE, *through, server.url, SSL_CERT_FILE=bundle, check=52)

    def test_a_record_that_drips(self, context, bundle, tls_proxy) -> None:
        """A byte at a time: all of them together have the time that there is."""
        with dripping(context, b"HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n" + bytes(60)) as url:
            start = time.monotonic()
            run("curl", *SERVICE, "-x", tls_proxy, "--cacert", bundle, "-m", "2", url, SSL_CERT_FILE=bundle, check=28)
            assert time.monotonic() - start < 6

    def test_a_proxy_that_hangs_up(self, bundle) -> None:
        for said in (b"", b"HTTP/1.1 2", b"SSH-2.0\r\n"):
            with raw_server(lambda connection, said=said: connection.sendall(said)) as proxy:
                assert b"the proxy" in run("curl", *SERVICE, "-x", proxy.url, "https://127.0.0.1:1/", check=56).stderr

    def test_a_name_of_any_bytes(self) -> None:
        with raw_server() as proxy:
            run("curl", *SERVICE, "-x", proxy.url.replace("://", "://u%ff:p%40@"), "http://h/x")
            assert proxy.header("Proxy-Authorization") == "Basic " + base64.b64encode(b"u\xff:p@").decode()

    def test_http_through_a_proxy_with_tls(self, bundle, tls_proxy) -> None:
        with raw_server() as server:
            assert run("curl", *SERVICE, "-x", tls_proxy, server.url, SSL_CERT_FILE=bundle).stdout == b"ok"
            assert verified(server)
            refused = run("curl", *SERVICE, "-x", tls_proxy, "-k", server.url, check=60)  # -k is for the server, as curl has it.
            assert b"the proxy 127.0.0.1: the certificate is not trusted" in refused.stderr


class TestSign:
    def test_formats_can_be_pasted(self, serve, tmp_path) -> None:
        url = f"{serve}/orders/a%20b?x=a%2Bb"
        body = 'it\'s "data" $HOME'
        for form in ("headers", "http", "json", "curl", "python"):
            out = run("sign", *SERVICE, "--format", form, "-d", body, "-H", "X-Amz-Meta-A: b", url).stdout.decode()
            assert "Authorization" in out
            if form == "curl":
                done = subprocess.run(["bash", "-c", out.strip() + " -sS"], capture_output=True, text=True, check=True)
                assert '"Scheme": "sigv4"' in done.stdout
            elif form == "python":
                done = subprocess.run([sys.executable, "-c", out], capture_output=True, text=True, check=True)
                assert done.stdout.startswith("200 ")
            elif form == "json":
                told = json.loads(out)
                assert (told["method"], told["url"], told["body"]) == ("POST", url, body)
            elif form == "http":
                host, port = serve.rpartition("/")[2].split(":")
                with socket.create_connection((host, int(port))) as connection:
                    connection.sendall(out.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1).encode())
                    answer = b"".join(iter(lambda: connection.recv(65536), b""))
                assert answer.startswith(b"HTTP/1.1 200")

    def test_curl_of_an_upload_names_the_file(self, tmp_path) -> None:
        file = tmp_path / "a b.bin"
        file.write_bytes(bytes(range(256)))
        out = run("sign", "--format", "curl", "--endpoint-url", "http://127.0.0.1:9", "-T", str(file), "s3://b/k").stdout.decode()
        words = shlex.split(out)
        assert words[words.index("-T") + 1] == str(file)

    def test_the_token_is_there(self) -> None:
        assert TOKEN in run("sign", *SERVICE, "https://example.com/", AWS_SESSION_TOKEN=TOKEN).stdout.decode()


class TestPresign:
    def test_the_url_on_stdout_the_rest_on_stderr(self, swift) -> None:
        assert run("curl", "-f", "-X", "PUT", "--endpoint-url", swift, "s3://presigned").returncode == 0
        done = run(
            "presign",
            "--expires",
            "15m",
            "--method",
            "PUT",
            "-H",
            "Content-Type: text/plain",
            "--endpoint-url",
            swift,
            "s3://presigned/a b+c",
        )
        url = done.stdout.decode().strip()
        text = done.stderr.decode()
        assert "(15 min from now)" in text
        assert "send with it  Content-Type: text/plain" in text
        sent = subprocess.run(
            ["curl", "-sS", "-w", "%{http_code}", "-T", "-", "-H", "Content-Type: text/plain", url],
            input=b"data",
            capture_output=True,
            check=True,
        )
        assert sent.stdout == b"200"
        got = run("presign", "--endpoint-url", swift, "s3://presigned/a b+c").stdout.decode().strip()
        assert subprocess.run(["curl", "-sS", got], capture_output=True, check=True).stdout == b"data"
        for scheme in ("sigv4", "s3v2"):
            got = run("presign", "--scheme", scheme, "--endpoint-url", swift, "s3://presigned/a b+c").stdout.decode().strip()
            assert subprocess.run(["curl", "-sS", got], capture_output=True, check=True).stdout == b"data"

    def test_it_says_when_it_ends_earlier_than_asked_for(self) -> None:
        end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 600))
        done = run("presign", "--expires", "1h", "s3://b/k", AWS_SESSION_TOKEN=TOKEN, AWS_CREDENTIAL_EXPIRATION=end)
        assert b"when the credentials that signed it end, earlier than asked for" in done.stderr

    @pytest.mark.parametrize("expires", ["0", "8d", "1y", "", "-1", "1h 5"])
    def test_durations_that_are_none(self, expires) -> None:
        assert run("presign", "--expires", expires, "s3://b/k", check=2).stdout == b""

    @pytest.mark.parametrize(("expires", "seconds"), [("60", 60), ("90s", 90), ("1h30m", 5400), ("7d", 604800), ("1w", 604800)])
    def test_durations(self, expires, seconds) -> None:
        assert f"X-Amz-Expires={seconds}&" in run("presign", "--expires", expires, "s3://b/k").stdout.decode()


class TestCredentials:
    def test_text_never_has_the_secret(self) -> None:
        out = run("credentials", AWS_SESSION_TOKEN=TOKEN).stdout.decode()
        assert "environment" in out
        assert KEY in out
        assert SECRET not in out
        assert TOKEN not in out

    def test_for_other_tools(self) -> None:
        told = json.loads(run("credentials", "--format", "process", AWS_SESSION_TOKEN=TOKEN).stdout)
        assert told == {"Version": 1, "AccessKeyId": KEY, "SecretAccessKey": SECRET, "SessionToken": TOKEN}
        script = run("credentials", "--format", "env", AWS_SESSION_TOKEN=TOKEN).stdout.decode()
        done = subprocess.run(
            ["bash", "-c", script + 'echo "$AWS_ACCESS_KEY_ID $AWS_SECRET_ACCESS_KEY $AWS_SESSION_TOKEN"'],
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == f"{KEY} {SECRET} {TOKEN}\n"


def test_an_upload_of_a_gibibyte_takes_constant_memory(tmp_path) -> None:
    file = tmp_path / "big"
    with file.open("wb") as big:
        big.truncate(1 << 30)
    # A process of its own, so that the memory of no other child of the tests counts.
    measure = "import resource, subprocess, sys; code = subprocess.run(sys.argv[1:]).returncode; print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(code)"
    with servers.awsign_serve("--key", f"{KEY}:{SECRET}", "--quiet") as url:
        done = subprocess.run(
            [sys.executable, "-c", measure, AWSIGN, "curl", "-sS", "-f", "--endpoint-url", url, "-T", str(file), "s3://bucket/big"],
            env=os.environ | {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}, capture_output=True, text=True, timeout=300, check=True,
        )  # fmt: skip
    answer, _, kilobytes = done.stdout.strip().rpartition("\n")
    assert "<Scheme>sigv4</Scheme>" in answer
    assert int(kilobytes) < 100 * 1024


def test_help_of_every_command_has_an_example() -> None:
    assert b"Example:" in run("--help").stdout
    for command in ("curl", "sign", "presign", "serve", "credentials"):
        assert b"Example:" in run(command, "--help").stdout


def test_a_redirect_within_aws_is_signed_for_where_it_leads(context) -> None:
    hosts = ["bucket.s3.us-east-1.amazonaws.com", "bucket.s3.eu-west-1.amazonaws.com"]
    with raw_server(OK, context=context) as server:
        server.answers = [redirect(f"https://{hosts[1]}:{server.port}/key", "307 Temporary Redirect"), OK]
        resolve = [option for host in hosts for option in ("--resolve", f"{host}:{server.port}:127.0.0.1")]
        assert run("curl", "-k", "-L", *resolve, f"https://{hosts[0]}:{server.port}/key").stdout == b"ok"
        assert verified(server).scope.endswith("/eu-west-1/s3/aws4_request")


def test_a_host_of_its_own_stays_on_a_redirect_to_the_same_place() -> None:
    with raw_server(redirect("/other"), OK) as server:
        run("curl", *SERVICE, "-L", "-H", "Host: api.example.com", f"{server.url}/")
        assert server.header("Host") == "api.example.com"
        assert verified(server)


class TestRedirectedUploads:
    """The whole body goes where the redirect leads: never a part of it, never nothing."""

    @pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"])
    @pytest.mark.parametrize("piped", [False, True])
    def test_a_file(self, tmp_path, status, piped) -> None:
        file = tmp_path / "f"
        file.write_bytes(b"fifteen bytes!!")
        with raw_server(redirect("/new", status), OK) as server:
            run("curl", *SERVICE, "-L", "-T", "-" if piped else str(file), f"{server.url}/x", stdin=b"fifteen bytes!!")
            assert server.line() == "PUT /new HTTP/1.1"
            assert [body for _, body in server.requests] == [b"fifteen bytes!!"] * 2
            assert verified(server)

    def test_to_the_bucket_s_region(self, context, tmp_path) -> None:
        file = tmp_path / "f"
        file.write_bytes(b"data")
        moved = b"HTTP/1.1 301 Moved\r\nx-amz-bucket-region: eu-west-1\r\nContent-Length: 0\r\n\r\n"
        hosts = ["b.s3.amazonaws.com", "b.s3.eu-west-1.amazonaws.com"]
        with raw_server(moved, OK, context=context) as server:
            resolve = [option for host in hosts for option in ("--resolve", f"{host}:{server.port}:127.0.0.1")]
            run("curl", "-k", "-L", *resolve, "-T", str(file), "--payload", "signed", f"https://{hosts[0]}:{server.port}/k")
            assert server.requests[-1][1] == b"data"
            assert verified(server).scope.endswith("/eu-west-1/s3/aws4_request")


class TestLikeCurl:
    def test_an_upload_to_a_host_gets_the_file_s_name(self, tmp_path) -> None:
        file = tmp_path / "a b.txt"
        file.write_bytes(b"x")
        with raw_server() as server:
            run("curl", *SERVICE, "-T", str(file), server.url)
            assert server.line() == "PUT /a%20b.txt HTTP/1.1"
            run("curl", *SERVICE, "-T", str(file), f"{server.url}?x=y")
            assert server.line() == "PUT /a%20b.txt?x=y HTTP/1.1"

    def test_heads(self) -> None:
        gone = b"HTTP/1.1 404 No\r\nContent-Length: 4\r\n\r\ngone"
        with raw_server(gone) as server:
            assert run("curl", *SERVICE, "-f", "-i", server.url, check=22).stdout.startswith(b"HTTP/1.1 404 No\r\n")
            assert run("curl", *SERVICE, "-I", "-X", "GET", server.url).stdout == b"HTTP/1.1 404 No\r\nContent-Length: 4\r\n\r\n"
        with raw_server(redirect("/other"), OK) as server:
            assert run("curl", *SERVICE, "-L", "-i", server.url).stdout.count(b"HTTP/1.1 ") == 2

    @pytest.mark.parametrize("arguments", [["-I", "-d", "x"], ["-f", "--fail-with-body"], ["-T", "-", "-d", "x"]])
    def test_what_does_not_go_together(self, arguments) -> None:
        done = run("curl", *SERVICE, *arguments, "http://127.0.0.1:9/", check=2)
        assert done.stderr.count(b"\n") == 1

    def test_queries_are_joined(self) -> None:
        with raw_server() as server:
            for query in ("?a&", "?a", "?"):
                run("curl", *SERVICE, "-G", "-d", "x", f"{server.url}/p{query}")
            assert [server.line(i).split()[1] for i in range(3)] == ["/p?a&x", "/p?a&x", "/p?x"]

    def test_locations(self) -> None:
        with raw_server(redirect("/é?x#frag"), OK) as server:
            run("curl", *SERVICE, "-L", server.url)
            assert server.line() == "GET /%C3%A9?x HTTP/1.1"
        with raw_server(redirect("http://[::1/x")) as server:
            assert run("curl", *SERVICE, "-L", server.url, check=3).stderr

    def test_limits_of_zero_are_none(self) -> None:
        with raw_server() as server:
            assert run("curl", *SERVICE, "--max-time", "0", "--connect-timeout", "0", server.url).stdout == b"ok"

    def test_each_try_has_its_own_time(self) -> None:
        with raw_server(lambda connection: time.sleep(3), OK) as server:
            assert run("curl", *SERVICE, "--retry", "1", "-m", "1", server.url).stdout == b"ok"

    def test_short_hosts_through_a_proxy(self) -> None:
        with raw_server() as proxy:
            for host in ("h", "t", "http"):
                run("curl", *SERVICE, "-x", proxy.url, f"http://{host}/x")
                assert proxy.line() == f"GET http://{host}/x HTTP/1.1"

    def test_the_name_and_password_of_a_proxy(self) -> None:
        with raw_server() as proxy:
            run("curl", *SERVICE, "-x", proxy.url.replace("://", "://u:p%40w@"), "http://h/x")
            assert proxy.header("Proxy-Authorization") == "Basic dTpwQHc="

    @pytest.mark.parametrize("proxy", ["ftp://h", "socks5://h", "http://h:99999", "http://[::1"])
    def test_proxies_that_are_none(self, proxy) -> None:
        assert run("curl", *SERVICE, "-x", proxy, "http://127.0.0.1:9/", check=5).stderr.count(b"\n") == 1

    def test_a_length_that_is_wrong(self) -> None:
        with raw_server() as server:
            assert run("curl", *SERVICE, "-d", "abc", "-H", "Content-Length: 1", server.url, check=56).stderr.count(b"\n") == 1


class TestEncodings:
    BODY = b"some text " * 1000

    def answered(self, body: bytes, encoding: str, code: int = 0) -> bytes:
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nContent-Encoding: {encoding}\r\n\r\n".encode()
        with raw_server(head + body) as server:
            return run("curl", *SERVICE, "--compressed", server.url, check=code).stdout

    def test_what_is_decoded(self) -> None:
        raw = zlib.compressobj(wbits=-15)
        assert self.answered(raw.compress(self.BODY) + raw.flush(), "deflate") == self.BODY
        assert self.answered(gzip.compress(self.BODY[:50]) + gzip.compress(self.BODY[50:]), "gzip") == self.BODY
        assert self.answered(gzip.compress(zlib.compress(self.BODY)), "deflate, gzip") == self.BODY

    def test_what_is_not(self) -> None:
        assert self.answered(b"x", "br", 61) == b""
        assert self.answered(b"no gzip", "gzip", 61) == b""
        self.answered(gzip.compress(self.BODY)[:-9], "gzip", 23)

    def test_asking_for_none(self) -> None:
        with raw_server() as server:
            run("curl", *SERVICE, "--compressed", "-H", "Accept-Encoding:", server.url)
            assert server.header("Accept-Encoding") is None


class TestPasted:
    def test_an_at_sign_stays_one(self, serve) -> None:
        out = run("sign", *SERVICE, "--format", "curl", "--data-raw", "@/etc/hostname", f"{serve}/").stdout.decode()
        done = subprocess.run(["bash", "-c", f"{out.strip()} -sS"], capture_output=True, text=True, check=True)
        assert '"Scheme": "sigv4"' in done.stdout

    def test_repeated_and_utf8_headers(self, serve) -> None:
        headers = ["-H", "X-Amz-Meta-A: 1", "-H", "X-Amz-Meta-A: 2", "-H", "X-Amz-Meta-B: é"]
        for form, shell in (("python", [sys.executable, "-c"]), ("curl", ["bash", "-c"])):
            out = run("sign", *SERVICE, "--format", form, *headers, "-d", "x", f"{serve}/").stdout.decode()
            done = subprocess.run(
                [*shell, out.strip() + (" -sS" if form == "curl" else "")], capture_output=True, text=True, check=True
            )
            assert '"Scheme": "sigv4"' in done.stdout, done.stdout + done.stderr

    def test_files(self, serve, tmp_path) -> None:
        file = tmp_path / "f"
        file.write_bytes(bytes(range(256)))
        for form, shell in (("python", [sys.executable, "-c"]), ("curl", ["bash", "-c"])):
            out = run("sign", "--endpoint-url", serve, "--format", form, "-T", str(file), "s3://b/k").stdout.decode()
            done = subprocess.run(
                [*shell, out.strip() + (" -sS" if form == "curl" else "")], capture_output=True, text=True, check=True
            )
            assert "<Scheme>sigv4</Scheme>" in done.stdout, done.stdout + done.stderr

    def test_what_no_shell_takes(self) -> None:
        for body in (b"a\0b", b"x" * 200_000):
            run("sign", *SERVICE, "--format", "curl", "--data-binary", "@-", "https://h/", stdin=body, check=2)

    def test_a_signature_that_is_in_no_header(self) -> None:
        assert b"--format" in run("sign", "--scheme", "sigv2", "https://h/?Action=A", check=2).stderr

    def test_http_of_a_pipe(self) -> None:
        out = run("sign", *SERVICE, "--format", "http", "--payload", "unsigned", "-T", "-", "https://h/k", stdin=b"piped").stdout
        assert out.endswith(b"Content-Length: 5\r\n\r\npiped")


class TestPresignedHeaders:
    def test_every_one_given_is_signed(self) -> None:
        done = run(
            "presign",
            "-H",
            "x-k8s-aws-id: cluster",
            "-H",
            "Accept: text/plain",
            "https://sts.us-east-1.amazonaws.com/?Action=GetCallerIdentity",
        )
        assert b"X-Amz-SignedHeaders=accept%3Bhost%3Bx-k8s-aws-id" in done.stdout
        assert b"send with it  x-k8s-aws-id: cluster" in done.stderr

    def test_what_has_no_presigned_url(self) -> None:
        assert b"no presigned URL" in run("presign", "https://sdb.amazonaws.com/?Action=ListDomains", check=2).stderr
        assert b"--service" in run("presign", "https://example.com/", check=2).stderr
        assert (
            run("presign", "--expires", "600000000000000d", "--region", "us-east-1", "s3://b/k", check=2).stderr.count(b"\n") == 1
        )


def test_secrets_of_other_kinds_are_masked_too() -> None:
    with raw_server(b"HTTP/1.1 200 OK\r\nSet-Cookie: topsecret\r\nContent-Length: 0\r\n\r\n") as server:
        done = run(
            "curl",
            "-v",
            "--endpoint-url",
            server.url,
            "-H",
            "x-amz-server-side-encryption-customer-key: topsecret",
            "-H",
            "Cookie: a=topsecret",
            "s3://b/k",
        )
        assert b"topsecret" in server.requests[-1][0]
        assert b"topsecret" not in done.stderr


def test_a_profile_of_another_kind_is_not_passed_over(tmp_path) -> None:
    config = tmp_path / "config"
    config.write_text("[profile role]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = default\n")
    done = run("credentials", "--profile", "role", check=94, AWS_CONFIG_FILE=str(config))
    assert b"source_profile = default, and there is no such profile" in done.stderr
    assert (
        b"Traceback"
        not in run(
            "credentials",
            check=94,
            AWS_ACCESS_KEY_ID="",
            AWS_EC2_METADATA_DISABLED="",
            AWS_EC2_METADATA_SERVICE_ENDPOINT="http://127.0.0.1:abc",
        ).stderr
    )


class TestMistakes:
    @pytest.mark.parametrize("url", ["s3:///key", "s3:bucket/key", "s3:/bucket"])
    def test_no_bucket(self, url) -> None:
        assert b"write s3://bucket/key" in run("curl", url, check=3).stderr

    def test_a_bucket_in_capitals_of_its_scheme(self) -> None:
        assert b"Host: bucket.s3.us-east-1.amazonaws.com" in run("sign", "S3://bucket/key").stdout

    def test_an_endpoint_for_a_whole_url(self) -> None:
        assert (
            b"--endpoint-url"
            in run("curl", "--endpoint-url", "http://127.0.0.1:9", "https://sts.us-east-1.amazonaws.com/", check=2).stderr
        )

    def test_a_proxy_that_does_not_resolve(self) -> None:
        done = run("curl", *SERVICE, "-x", "http://proxy.invalid:3128", "http://127.0.0.1:9/", check=5)
        assert b"the proxy proxy.invalid" in done.stderr

    def test_an_output_that_is_full_or_closed(self) -> None:
        environ = os.environ | {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
        for shell in (
            f"{AWSIGN} sign s3://b/k > /dev/full",
            f"{AWSIGN} sign s3://b/k >&-",
            f"{AWSIGN} presign s3://b/k > /dev/full",
        ):
            done = subprocess.run(["bash", "-c", shell], env=environ, capture_output=True, text=True, check=False)
            assert done.returncode == 23
            assert "Traceback" not in done.stderr

    def test_binary_on_a_terminal(self) -> None:
        import pty

        with raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na\0b") as server:
            for options, code in (([], 23), (["-o", "-"], 0)):
                primary, secondary = pty.openpty()
                process = subprocess.run(
                    [AWSIGN, "curl", *SERVICE, *options, server.url], stdout=secondary, stderr=subprocess.PIPE, check=False,
                    env=os.environ | {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET},
                )  # fmt: skip
                os.close(secondary)
                os.close(primary)
                assert process.returncode == code

    def test_parameters_of_a_presigned_url(self) -> None:
        for options in (["-G", "-d", "versionId=3"], ["--data-urlencode", "versionId=3"]):
            out = run("presign", *options, "s3://b/k").stdout.decode()
            assert "/k?versionId=3&X-Amz-Algorithm" in out

    def test_files_of_nuls_are_stripped_at_once(self, tmp_path) -> None:
        file = tmp_path / "nuls"
        file.write_bytes(b"\0\n" * 5_000_000 + b"x")
        with raw_server() as server:
            run("curl", *SERVICE, "-d", f"@{file}", server.url)
            assert server.requests[-1][1] == b"x"


class TestSecondTries:
    @pytest.mark.parametrize(
        "options",
        [["--payload", "unsigned", "--service", "s3"], ["--service", "vpc-lattice-svcs"], ["--scheme", "s3v2"]],
        ids=["s3", "lattice", "s3v2"],
    )
    @pytest.mark.parametrize("first", [TestRetries.BUSY, redirect("/new", "307 Temporary Redirect")], ids=["busy", "moved"])
    def test_a_pipe_that_is_not_hashed_is_sent_whole(self, options, first) -> None:
        with raw_server(first, OK) as server:
            run("curl", *options, "--region", "us-east-1", "-L", "--retry", "1", "-T", "-", f"{server.url}/b/k", stdin=b"piped")
            assert [body for _, body in server.requests] == [b"piped"] * 2


def test_an_empty_answer_empties_the_file(tmp_path) -> None:
    file = tmp_path / "f"
    file.write_text("old")
    with raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as server:
        run("curl", *SERVICE, "-o", str(file), server.url)
        assert file.read_bytes() == b""
        file.write_text("old")
        server.answers = [b"HTTP/1.1 404 No\r\nContent-Length: 4\r\n\r\ngone"]
        run("curl", *SERVICE, "-f", "-o", str(file), server.url, check=22)
        assert file.read_text() == "old"


class TestStreamsAndForms:
    def test_options_that_do_not_go_together(self) -> None:
        for options, said in (
            (["curl", "--scheme", "s3v2", "--payload", "chunked", "http://127.0.0.1:9/b/k"], "Signature Version 4"),
            (["presign", "--post", "-X", "PUT", "s3://b/k"], "--post takes"),
            (["presign", "--post", "--service", "x", "s3://bbb/k"], "--post takes"),
            (["presign", "--max-size", "1MB", "s3://bbb/k"], "belong to --post"),
            (["presign", "--post", "--max-size", "10iB", "s3://bbb/k"], "not a number of bytes"),
            (["presign", "--post", "--condition", "{", "s3://bbb/k"], "JSON"),
            (["presign", "--post", "--field", "x", "s3://bbb/k"], "NAME=VALUE"),
            (["presign", "--post", "https://bbb.s3.amazonaws.com/k"], "s3://bucket/key"),
            (["serve", "--tls-cert", "/nowhere.pem"], "no file '/nowhere.pem'"),
            (["serve", "--tls-cert", "/tmp"], "no file '/tmp'"),
            (["serve", "--tls-key", "x"], "--tls-cert"),
        ):
            done = run(*options, check=None)
            assert done.returncode != 0, options
            assert said in done.stderr.decode(), (options, done.stderr)

    def test_what_is_signed_in_chunks_is_printed(self, tmp_path) -> None:
        file = tmp_path / "f"
        file.write_bytes(b"data" * 10)
        url = "https://bucket.s3.us-east-1.amazonaws.com/k"
        done = run("sign", "--format", "http", "--payload", "chunked", "-T", str(file), url)
        assert b"28;chunk-signature=" in done.stdout
        done = run("sign", "--format", "python", "--payload", "chunked", "-T", str(file), url)
        assert done.stdout.lower().count(b"('content-length'") == 1
        assert b"STREAMING" not in run("sign", "-T", str(file), url).stdout
        done = run("sign", "--scheme", "sigv4a", "--region", "us-*,eu-west-1", url)
        assert b"X-Amz-Region-Set: us-*,eu-west-1" in done.stdout
        assert b"AWS4-ECDSA" in run("sign", "https://mfzwi23gnjvgw.mrap.accesspoint.s3-global.amazonaws.com/k").stdout

    def test_an_empty_file_needs_no_chunks(self, tmp_path) -> None:
        file = tmp_path / "f"
        file.write_bytes(b"")
        with raw_server(OK) as server:
            run("curl", "--service", "s3", "-T", str(file), f"{server.url}/bucket/k")
            assert b"STREAMING" not in server.requests[-1][0]
            assert verified(server)

    def test_forms(self) -> None:
        import json

        form = json.loads(
            run("presign", "--post", "--max-size", "1KiB", "--field", "acl=private", "s3://my-bucket/in/${filename}").stdout
        )
        assert form["url"] == "https://my-bucket.s3.us-east-1.amazonaws.com"
        assert form["fields"]["key"] == "in/${filename}"
        page = run("presign", "--post", "--format", "html", "s3://my-bucket/in/${filename}").stdout
        assert b"<form action=" in page
        line = run("presign", "--post", "--format", "curl", "--scheme", "s3v2", "s3://my-bucket/k").stdout
        assert line.startswith(b"curl --form-string key=k")
        assert b"AWSAccessKeyId=" in line


class TestWhereFrom:
    """`credentials` and `whoami`, and the settings that the others take from the environment, the profile and the instance."""

    def test_the_whole_search_is_shown(self, tmp_path) -> None:
        config = tmp_path / "config"
        config.write_text(f"[profile p]\naws_access_key_id = AKIDPROFILE\naws_secret_access_key = {SECRET}\n")
        lines = run("credentials", "--profile", "p", AWS_CONFIG_FILE=str(config)).stdout.decode().splitlines()
        told = dict(line.split(None, 1) for line in lines if line)
        assert list(told)[:8] == [
            "environment", "assume-role", "web-identity", "sso", "shared-credentials-file", "login", "process", "config-file",
        ]  # fmt: skip
        assert (told["config-file"], told["source"]) == ("AKIDPROFILE", "config-file")
        assert told["sso"] == "the profile 'p' has no sso_role_name and no sso_account_id"
        assert told["environment"] == "not asked: a profile was passed"
        assert "not asked, since one was found: container, instance-metadata" in lines  # Wrapped where it is longer.
        assert SECRET not in "".join(lines)

    def test_whoami(self, serve, ministack, moto, tmp_path) -> None:
        url, key, secret = ministack
        told = json.loads(
            run("whoami", "--format", "json", AWS_ACCESS_KEY_ID=key, AWS_SECRET_ACCESS_KEY=secret, AWS_ENDPOINT_URL_STS=url).stdout
        )
        assert told["Arn"] == "arn:aws:iam::000000000000:user/tester"
        token = tmp_path / "token"
        token.write_text("a.web.token")
        role = {
            "AWS_WEB_IDENTITY_TOKEN_FILE": str(token),
            "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/r",
            "AWS_ROLE_SESSION_NAME": "me-here",
        }
        for server in (serve, moto):
            out = run("whoami", "--region", "us-east-1", AWS_ACCESS_KEY_ID="", AWS_ENDPOINT_URL=server, **role).stdout.decode()
            assert "arn         arn:aws:sts::123456789012:assumed-role/r/me-here\n" in out
            assert "source      web-identity\n" in out
        refused = run("whoami", AWS_SECRET_ACCESS_KEY="wrong", AWS_ENDPOINT_URL=serve, check=94).stderr
        assert b"GetCallerIdentity" in refused
        assert b"SignatureDoesNotMatch" in refused
        assert b"no answer" in run("whoami", AWS_ENDPOINT_URL="http://127.0.0.1:9", check=94).stderr

    def test_the_configured_endpoint(self, tmp_path) -> None:
        config = tmp_path / "config"
        with raw_server() as server:
            config.write_text(f"[default]\nservices = mine\n[services mine]\ns3 =\n  endpoint_url = {server.url}\n")
            for environ in (
                {"AWS_ENDPOINT_URL": server.url},
                {"AWS_ENDPOINT_URL_S3": server.url + "/"},
                {"AWS_CONFIG_FILE": str(config)},
            ):
                run("curl", "s3://bucket/key", **environ)
                assert server.line() == "GET /bucket/key HTTP/1.1"
                assert f"{server.url}/bucket/key?X-Amz".encode() in run("presign", "s3://bucket/key", **environ).stdout
            run("curl", "/bare/path", "--service", "s3", AWS_ENDPOINT_URL=server.url)
            assert server.line() == "GET /bare/path HTTP/1.1"
            ignored = {"AWS_ENDPOINT_URL": server.url, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true", "AWS_REGION": "eu-west-1"}
            assert b"https://bucket.s3.eu-west-1.amazonaws.com/key?" in run("presign", "s3://bucket/key", **ignored).stdout

    def test_the_bundle_and_the_region_set_of_the_profile(self, authority, context, tmp_path) -> None:
        bundle, config = tmp_path / "ca.pem", tmp_path / "config"
        authority.cert_pem.write_to_path(bundle)
        config.write_text(f"[default]\nca_bundle = {bundle}\nsigv4a_signing_region_set = us-*,eu-west-1\n")
        with raw_server(context=context) as server:
            assert run("curl", *SERVICE, server.url, AWS_CONFIG_FILE=str(config)).stdout == b"ok"
        signed = run("sign", "--scheme", "sigv4a", "--service", "x", "https://h.example/", AWS_CONFIG_FILE=str(config)).stdout
        assert b"X-Amz-Region-Set: us-*,eu-west-1" in signed

    def test_the_region_is_never_silent(self, serve) -> None:
        said = b"no region is given or configured; taken for S3's default, us-east-1"
        done = run("presign", "s3://bucket/key")
        assert b"bucket.s3.us-east-1.amazonaws.com" in done.stdout
        assert said in done.stderr
        for environ in ({"AWS_REGION": "us-east-1"}, {"AWS_EC2_METADATA_DISABLED": "", "AWS_EC2_METADATA_SERVICE_ENDPOINT": serve}):
            assert said not in run("presign", "s3://bucket/key", **environ).stderr
        instance = {"AWS_EC2_METADATA_DISABLED": "", "AWS_EC2_METADATA_SERVICE_ENDPOINT": serve}
        assert b"/us-east-1/lambda/" in run("sign", "--service", "lambda", "https://h.example/", **instance).stdout
        assert b"pass --region" in run("sign", "--service", "lambda", "https://h.example/", check=2).stderr
        assert b".s3.cn-north-1.amazonaws.com.cn/" in run("presign", "s3://bucket/key", "--region", "cn-north-1").stdout
