"""What all adapters have in common: where a request is signed for, what is put right, what is logged, what is refused."""

from __future__ import annotations

import asyncio
import importlib
import io
import logging
import socket
import sys
from collections.abc import Iterator
from typing import Any

import pytest

import awsign
from awsign.clients.exchange import Exchange, after_redirect
from awsign.clients.signing import Signing

from ..conftest import KEY, SECRET, TOKEN
from ..on_the_wire.judge import Keys, judge
from ..on_the_wire.listener import OK, Listener
from .callers import CALLERS

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")

KEYS = Keys(KEY, SECRET, TOKEN)
CREDENTIALS = awsign.Credentials(*KEYS)


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.close()


@pytest.fixture
def aws(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> Listener:
    """Every host of AWS is the listener."""
    resolve = socket.getaddrinfo

    def here(host: Any, port: Any, *args: Any, **kw: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        return resolve("127.0.0.1" if str(name).endswith(".amazonaws.com") else host, port, *args, **kw)

    monkeypatch.setattr(socket, "getaddrinfo", here)
    return listener


class TestWhere:
    @pytest.mark.parametrize("name", CALLERS)
    def test_nothing_is_passed(self, name: str, aws: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
        """Service and region are those of the host, the credentials those of the environment."""
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)
        with CALLERS[name]() as call:
            assert call("GET", f"http://bucket.s3.eu-west-1.amazonaws.com:{aws.port}/k")[0] == 200
            judge(aws.arrivals[-1], KEYS, "s3", "eu-west-1")
            assert (
                call("POST", f"http://dynamodb.us-east-2.amazonaws.com:{aws.port}/", {"Content-Type": "text/plain"}, b"{}")[0]
                == 200
            )
            judge(aws.arrivals[-1], KEYS, "dynamodb", "us-east-2")

    @pytest.mark.parametrize("name", CALLERS)
    def test_the_region_of_the_environment(self, name: str, listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_REGION", "ap-south-1")
        with CALLERS[name](service="execute-api", credentials=CREDENTIALS) as call:
            assert call("GET", f"{listener.url}/a%20b")[0] == 200
        judge(listener.arrivals[-1], KEYS, "execute-api", "ap-south-1")

    @pytest.mark.parametrize("name", CALLERS)
    def test_a_host_that_tells_nothing(self, name: str, listener: Listener) -> None:
        with CALLERS[name](region="us-east-1", credentials=CREDENTIALS) as call, pytest.raises(Exception) as raised:
            call("GET", f"{listener.url}/k")
        assert "pass service=" in str(raised.value)
        assert not listener.arrivals


class TestOtherRegions:
    """S3 tells the region of a bucket in four ways."""

    @pytest.mark.parametrize("name", CALLERS)
    @pytest.mark.parametrize(
        ("method", "answer", "host"),
        [
            ("GET", (301, [("x-amz-bucket-region", "eu-west-1")], b"<Error><Code>PermanentRedirect</Code></Error>"), "bucket.s3.eu-west-1.amazonaws.com"),
            ("HEAD", (400, [("x-amz-bucket-region", "eu-west-1")], b""), "bucket.s3.eu-west-1.amazonaws.com"),
            ("HEAD", (301, [("x-amz-bucket-region", "eu-west-1")], b""), "bucket.s3.eu-west-1.amazonaws.com"),
            ("PUT", (400, [], b"<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>"), "bucket.s3.eu-west-1.amazonaws.com"),
        ],
    )  # fmt: skip
    def test_signed_again(self, name: str, method: str, answer: Any, host: str, aws: Listener) -> None:
        aws.expect([answer, OK])
        with CALLERS[name](credentials=CREDENTIALS) as call:
            body = b"content" if method == "PUT" else None
            assert call(method, f"http://bucket.s3.us-east-1.amazonaws.com:{aws.port}/a//b", None, body)[0] == 200
        first, second = aws.arrivals
        judge(first, KEYS, "s3", "us-east-1")
        judge(second, KEYS, "s3", "eu-west-1")
        assert second.one("host") == f"{host}:{aws.port}"
        assert second.target == b"/a//b"
        assert second.body == (b"content" if method == "PUT" else b"")

    @pytest.mark.parametrize("name", CALLERS)
    def test_with_a_file(self, name: str, aws: Listener) -> None:
        """From where it stood, again."""
        aws.expect([(301, [("x-amz-bucket-region", "eu-west-1")], b"<Error><Code>PermanentRedirect</Code></Error>"), OK])
        file = io.BytesIO(b"0123456789")
        file.seek(5)
        with CALLERS[name](credentials=CREDENTIALS) as call:
            assert call("PUT", f"http://bucket.s3.us-east-1.amazonaws.com:{aws.port}/k", None, file)[0] == 200
        judge(aws.arrivals[1], KEYS, "s3", "eu-west-1")
        assert [arrival.body for arrival in aws.arrivals] == [b"56789", b"56789"]

    @pytest.mark.parametrize("name", [name for name in CALLERS if "httpx" not in name or "Transport" in name])
    def test_a_redirect_to_its_host(self, name: str, aws: Listener) -> None:
        other = f"http://bucket.s3.eu-west-1.amazonaws.com:{aws.port}/k"
        aws.expect([(307, [("Location", other)], b""), OK])
        with _following(name, credentials=CREDENTIALS, region="us-east-1") as call:
            assert call("GET", f"http://bucket.s3.us-east-1.amazonaws.com:{aws.port}/k")[0] == 200
        judge(aws.arrivals[1], KEYS, "s3", "eu-west-1")

    @pytest.mark.parametrize("region", ["evil.example/", "us-east-1\r\nX: y", "x" * 5000, "..", ""])
    def test_what_is_no_region(self, region: str) -> None:
        exchange = Exchange(Signing(credentials=CREDENTIALS), "GET", "https://bucket.s3.us-east-1.amazonaws.com/k", ())
        exchange.sign()
        body = f"<Error><Code>AuthorizationHeaderMalformed</Code><Region>{region}</Region></Error>"
        assert not exchange.again(awsign.Response(400, [("x-amz-bucket-region", region)], body))


def _following(name: str, **arguments: Any) -> Any:
    """A caller that follows redirects, which httpx and botocore do only when told so."""
    import contextlib

    if "urllib3" in name:
        from awsign.clients.urllib3 import AwsPoolManager

        return contextlib.nullcontext(lambda method, url: (AwsPoolManager(**arguments).request(method, url).status, b""))
    if "httpx" not in name:
        return CALLERS[name](**arguments)

    @contextlib.contextmanager
    def made() -> Iterator[Any]:
        from awsign.clients.httpx import AsyncAwsTransport, AwsTransport

        library = importlib.import_module(name.partition(".")[0])
        if "Async" not in name:
            with library.Client(transport=AwsTransport(**arguments), follow_redirects=True) as client:
                yield lambda method, url: (client.request(method, url).status_code, b"")
            return
        with asyncio.Runner() as runner:
            later = library.AsyncClient(transport=AsyncAwsTransport(**arguments), follow_redirects=True)

            async def send(method: str, url: str) -> tuple[int, bytes]:
                return (await later.request(method, url)).status_code, b""

            try:
                yield lambda method, url: runner.run(send(method, url))
            finally:
                runner.run(later.aclose())

    return made()


class TestRedirects:
    """The rule itself; what each library does of it is on the wire (test_on_the_wire.py)."""

    def test_elsewhere_nothing_goes_along(self) -> None:
        headers = [
            ("Authorization", "AWS4-HMAC-SHA256 ..."), ("X-Amz-Security-Token", TOKEN), ("x-amz-date", "20150830T123600Z"),
            ("x-amz-server-side-encryption-customer-key", "secret"), ("Cookie", "a=b"), ("Proxy-Authorization", "x"), ("Accept", "*/*"),
        ]  # fmt: skip
        assert after_redirect("http://127.0.0.1:1/", "GET", "http://127.0.0.1:2/", headers, None) == ([("Accept", "*/*")], False)

    def test_out_of_tls_it_is_not_followed(self) -> None:
        with pytest.raises(awsign.InvalidRequest, match="from https to http"):
            after_redirect("https://s3.example/", "GET", "http://s3.example/", [], None)
        with pytest.raises(awsign.InvalidRequest, match="'ftp' is not followed"):
            after_redirect("https://s3.example/", "GET", "ftp://s3.example/", [], None)

    @pytest.mark.parametrize("query", ["X-Amz-Signature=abc", "a=b&X-Amz-Signature=abc", "AWSAccessKeyId=a&Signature=b"])
    def test_what_is_presigned_is_not_signed_again(self, query: str) -> None:
        after = after_redirect("https://s3.example/", "GET", f"https://s3.example/k?{query}", [("A", "b")], None)
        assert after == ([("A", "b")], False)

    def test_a_body_that_is_gone(self) -> None:
        with pytest.raises(awsign.InvalidRequest, match="can be read only once and has been sent"):
            after_redirect("https://s3.example/", "PUT", "https://s3.example/k", [], iter([b"x"]))

    @pytest.mark.parametrize("name", ["requests.AwsAuth", "requests.AwsSession"])
    def test_requests_is_told_not_to_follow(self, name: str, listener: Listener) -> None:
        """The answer is there, and what would be sent next, signed."""
        import requests

        from awsign.clients.requests import AwsAuth, AwsSession

        arguments: dict[str, Any] = {"service": "s3", "region": "us-east-1", "credentials": CREDENTIALS}
        listener.expect([(307, [("Location", "/other")], b""), OK])
        session = AwsSession(**arguments) if name.endswith("Session") else requests.Session()
        auth = None if name.endswith("Session") else AwsAuth(**arguments)
        with session:
            answer = session.get(f"{listener.url}/k", auth=auth, allow_redirects=False)
            assert answer.status_code == 307
            assert len(listener.arrivals) == 1
            assert answer.next is not None
            assert session.send(answer.next).status_code == 200
        judge(listener.arrivals[1], KEYS, "s3", "us-east-1")
        assert listener.arrivals[1].target == b"/other"


class TestSecrets:
    @pytest.mark.parametrize("name", CALLERS)
    def test_none_in_the_log(self, name: str, listener: Listener, caplog: pytest.LogCaptureFixture) -> None:
        error = b"<Error><Code>ExpiredToken</Code></Error>"
        listener.expect([(400, [], error), OK])
        caplog.set_level(logging.DEBUG)
        with CALLERS[name](service="s3", region="us-east-1", credentials=CREDENTIALS) as call:
            call("GET", f"{listener.url}/k?Signature=TOKENINQUERY&a=b")
        ours = [record for record in caplog.records if record.name == "awsign.clients"]
        assert next(record.event for record in ours) == "signed"  # type: ignore[attr-defined]
        assert "AKIDEXAMPLE" in caplog.text
        for record in ours:
            text = record.getMessage() + repr(record.signed)  # type: ignore[attr-defined]
            assert not any(secret in text for secret in (SECRET, TOKEN, "TOKENINQUERY"))

    def test_none_in_a_repr(self) -> None:
        from awsign.clients.aiohttp import AwsMiddleware
        from awsign.clients.httpx import AsyncAwsTransport, AwsAuth, AwsTransport
        from awsign.clients.requests import AwsAuth as RequestsAuth

        for kind in (AwsMiddleware, AwsAuth, AwsTransport, AsyncAwsTransport, RequestsAuth):
            text = repr(kind(service="s3", region="us-east-1", credentials=CREDENTIALS))
            assert text == f"<{kind.__name__} service='s3', region='us-east-1'>"
        exchange = Exchange(
            Signing(credentials=CREDENTIALS), "GET", "https://bucket.s3.us-east-1.amazonaws.com/k?X-Amz-Signature=x", ()
        )
        assert repr(exchange) == "<Exchange <Request GET https://bucket.s3.us-east-1.amazonaws.com/k>>"


class TestArguments:
    @pytest.mark.parametrize(
        ("arguments", "error", "said"),
        [
            ({"scheme": "v4"}, ValueError, "scheme='v4': it is one of 'sigv4'"),
            ({"payload": 5}, TypeError, "payload must be awsign.UNSIGNED_PAYLOAD"),
            ({"payload": "hash"}, ValueError, "payload=.hash.: it is awsign.UNSIGNED_PAYLOAD"),
            ({"payload": awsign.UNSIGNED_PAYLOAD, "scheme": "sigv2"}, ValueError, "belongs to Signature Version 4"),
            ({"rules": "s3"}, TypeError, "rules must be awsign.Rules"),
            ({"service": "us-east-1"}, ValueError, "swapped"),
            ({"region": "us east"}, ValueError, "region='us east'"),
            ({"credentials": "AKID"}, TypeError, "credentials must be awsign.Credentials"),
        ],
    )
    def test_what_is_wrong_is_named(self, arguments: dict[str, Any], error: type[Exception], said: str) -> None:
        with pytest.raises(error, match=said):
            Signing(**{"credentials": CREDENTIALS} | arguments)

    @pytest.mark.parametrize("name", CALLERS)
    @pytest.mark.parametrize("scheme", ["sigv4a", "s3v2", "sigv2"])
    def test_other_schemes(self, name: str, scheme: str, serve: str) -> None:
        """`awsign serve` verifies each."""
        credentials = awsign.Credentials(KEY, SECRET)
        arguments = {"sigv2": {}, "s3v2": {"service": "s3"}, "sigv4a": {"service": "s3", "region": "*"}}[scheme]
        with CALLERS[name](**arguments, scheme=scheme, credentials=credentials) as call:
            path = "/?Action=ListDomains&Version=2009-04-15" if scheme == "sigv2" else "/bucket/a%20b?acl"
            status, answer = call("GET", serve + path)
        assert status == 200, answer

    @pytest.mark.parametrize("name", CALLERS)
    def test_rules_of_another_service(self, name: str, listener: Listener) -> None:
        """A store of one's own whose paths are S3's, under a name of its own."""
        with CALLERS[name](service="store", region="here", credentials=CREDENTIALS, rules=awsign.rules_for("s3")) as call:
            call("PUT", f"{listener.url}/a//b", None, b"x")
        assert listener.arrivals[-1].target == b"/a//b"
        assert listener.arrivals[-1].one("x-amz-content-sha256") is not None


class TestMissingExtras:
    @pytest.mark.parametrize("library", ["requests", "aiohttp", "urllib3", "botocore"])
    def test_says_what_to_install(self, library: str, monkeypatch: pytest.MonkeyPatch) -> None:
        import subprocess

        code = (
            "import sys\n"
            f"sys.modules[{library!r}] = None\n"
            f"try:\n    import awsign.clients.{library}\nexcept ImportError as error:\n    print(type(error).__name__, error)"
        )
        said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        assert said == f"MissingExtra awsign.clients.{library} needs {library}; pip install 'awsign[{library}]'\n"

    def test_httpx_without_either(self) -> None:
        import subprocess

        code = "import sys\nsys.modules['httpx'] = sys.modules['httpx2'] = None\nimport awsign.clients.httpx"
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert "pip install 'awsign[httpx]'" in run.stderr

    def test_one_of_the_two_is_enough(self) -> None:
        import subprocess

        for absent, present in (("httpx", "httpx2"), ("httpx2", "httpx")):
            code = (
                f"import sys\nsys.modules[{absent!r}] = None\nimport {present}\nfrom awsign.clients.httpx import AwsAuth\n"
                f"print(isinstance(AwsAuth(service='s3'), {present}.Auth))"
            )
            assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "True\n"
