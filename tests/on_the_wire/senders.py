"""Each client as a caller would use it: a shape of a request in its own words. awsign's adapters, and the peers that sign for one."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import ssl
import tempfile
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import awsign
from awsign.credentials import Refreshing, Source

from .judge import Keys
from .shapes import Shape

PAYLOADS: dict[str | None, Any] = {
    None: None,
    "unsigned": awsign.UNSIGNED_PAYLOAD,
    "chunked": awsign.Chunked(chunk_size=8192),
    "trailer": awsign.Chunked(chunk_size=8192, trailer="CRC32"),
}


class NotApplicable(Exception):
    """The library has no way to ask for such a thing."""


class Rotating(Source):
    """A source whose first credentials have come to their end without saying so."""

    name = "rotating"

    def __init__(self, *given: awsign.Credentials) -> None:
        self._given = list(given)

    def load(self) -> awsign.Credentials:
        return self._given.pop(0) if len(self._given) > 1 else self._given[0]


class Case:
    """A shape on its way to a server. keys: what the server takes."""

    def __init__(self, shape: Shape, url: str, keys: Keys, service: str, context: ssl.SSLContext | None) -> None:
        self.shape = shape
        self.base = url
        self.url = url + shape.path + (f"?{shape.query}" if shape.query else "")
        self.keys = keys
        self.service = service
        self.context = context
        self._files = contextlib.ExitStack()

    def arguments(self) -> dict[str, Any]:
        """What every adapter of awsign takes."""
        good = awsign.Credentials(*self.keys)
        provider: Any = good
        if self.shape.expiring:
            provider = Refreshing(Rotating(awsign.Credentials(self.keys.access_key, self.keys.secret, "OLDTOKEN"), good))
        return {
            "service": self.service,
            "region": self.shape.region,
            "credentials": provider,
            "payload": PAYLOADS[self.shape.payload],
        }

    def body(self) -> Any:
        kind, content = self.shape.body
        if kind == "file":
            data, offset = content
            file = self._files.enter_context(tempfile.TemporaryFile())
            file.write(data)
            file.seek(offset)
            return file
        if kind == "memory":
            return io.BytesIO(content)
        if kind in ("generator", "sized"):
            return (block for block in content)
        if kind in ("async", "sized async"):
            return _later(content)
        if kind == "pipe":
            read, write = os.pipe()
            threading.Thread(target=_fill, args=(write, content), daemon=True).start()
            return self._files.enter_context(os.fdopen(read, "rb"))
        return content

    def headers(self) -> dict[str, Any]:
        kind, content = self.shape.body
        headers = dict(self.shape.headers)
        if kind in ("sized", "sized async"):
            headers["Content-Length"] = str(sum(map(len, content)))
        return headers

    def context_for_client(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=os.environ["WIRE_CA"])

    def close(self) -> None:
        self._files.close()

    def without(self, *kinds: str) -> str:
        """The kind of the body; NotApplicable for what the library does not take."""
        kind = self.shape.body[0]
        if kind in kinds:
            raise NotApplicable(kind)
        return kind


def _sent(case: Case, send: Callable[[], Any], broken: tuple[type[Exception], ...]) -> None:
    """As often as the shape says; once more where the connection broke, as callers do whose library does not."""
    for _ in range(case.shape.times):
        try:
            send()
        except broken:
            if case.shape.name != "again: after a hang-up":
                raise
            send()


async def _sent_async(case: Case, send: Callable[[], Any], broken: tuple[type[Exception], ...]) -> None:
    for _ in range(case.shape.times):
        try:
            await send()
        except broken:
            if case.shape.name != "again: after a hang-up":
                raise
            await send()


async def _later(blocks: list[bytes]) -> AsyncIterator[bytes]:
    for block in blocks:
        await asyncio.sleep(0)
        yield block


def _fill(write: int, data: bytes) -> None:
    with contextlib.suppress(BrokenPipeError), os.fdopen(write, "wb") as out:
        out.write(data)


_ASYNC = ("async", "sized async")


# requests


def _by_requests(case: Case, session: Any, **options: Any) -> None:
    kind = case.without(*_ASYNC)
    key = {"json": "json", "multipart": "files"}.get(kind, "data")
    if case.shape.params:
        options["params"] = case.shape.params
    if case.context is not None:
        options["verify"] = os.environ["WIRE_CA"]
    with session:
        session.trust_env = False

        def send() -> None:
            body = {} if kind == "none" else {key: case.body()}
            session.request(case.shape.method, case.url, headers=case.headers(), timeout=20, **body, **options)

        import requests

        _sent(case, send, (requests.ConnectionError,))


def requests_auth(case: Case) -> None:
    import requests

    from awsign.clients.requests import AwsAuth

    session = requests.Session()
    _retrying(session, requests.adapters.HTTPAdapter, case)
    _by_requests(case, session, auth=AwsAuth(**case.arguments()))


def requests_session(case: Case) -> None:
    from awsign.clients.requests import AwsAdapter, AwsSession

    session = AwsSession(**case.arguments())
    _retrying(session, AwsAdapter, case)
    _by_requests(case, session)


def _retrying(session: Any, adapter: Any, case: Case) -> None:
    """The library's own retries, where a shape is about them."""
    if case.shape.name == "again: after a 503":
        import urllib3

        retry = urllib3.Retry(2, status_forcelist=[503], allowed_methods=None, backoff_factor=0)
        session.mount("http://", adapter(max_retries=retry))
        session.mount("https://", adapter(max_retries=retry))
        case.shape.times = 1


def _requests_peer(make: Callable[[Case], Any]) -> Callable[[Case], None]:
    def send(case: Case) -> None:
        import requests

        if case.shape.payload:
            raise NotApplicable(case.shape.payload)
        session = requests.Session()
        _retrying(session, requests.adapters.HTTPAdapter, case)
        _by_requests(case, session, auth=make(case))

    return send


def _aws4auth(case: Case) -> Any:
    from requests_aws4auth import AWS4Auth

    return AWS4Auth(case.keys.access_key, case.keys.secret, case.shape.region, case.service, session_token=case.keys.token)


def _aws_requests_auth(case: Case) -> Any:
    from aws_requests_auth.aws_auth import AWSRequestsAuth

    return AWSRequestsAuth(
        aws_access_key=case.keys.access_key,
        aws_secret_access_key=case.keys.secret,
        aws_host=case.base.partition("://")[2],
        aws_region=case.shape.region,
        aws_service=case.service,
        aws_token=case.keys.token,
    )


def _requests_auth_aws_sigv4(case: Case) -> Any:
    from requests_auth_aws_sigv4 import AWSSigV4

    return AWSSigV4(
        case.service,
        region=case.shape.region,
        aws_access_key_id=case.keys.access_key,
        aws_secret_access_key=case.keys.secret,
        aws_session_token=case.keys.token,
    )


def _botocore_auth(case: Case) -> Any:
    """As the many answers on the web have it: botocore's signer as an auth of requests."""
    from botocore.auth import S3SigV4Auth, SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    kind = S3SigV4Auth if case.service == "s3" else SigV4Auth
    signer = kind(Credentials(case.keys.access_key, case.keys.secret, case.keys.token), case.service, case.shape.region)

    def auth(request: Any) -> Any:
        sent = AWSRequest(method=request.method, url=request.url, data=request.body, headers=_for_botocore(request.headers))
        signer.add_auth(sent)
        request.headers.update(dict(sent.headers.items()))
        return request

    return auth


def _for_botocore(headers: Any) -> dict[str, Any]:
    changed = ("connection", "accept-encoding", "accept", "user-agent")
    return {name: value for name, value in headers.items() if name.lower() not in changed}


def awscurl(case: Case) -> None:
    import unittest.mock

    from awscurl.awscurl import make_request

    kind = case.without(*_ASYNC, "form", "json", "multipart", "generator", "sized", "file", "memory", "pipe")
    if case.shape.payload or case.shape.params:
        raise NotApplicable
    bundle = {"REQUESTS_CA_BUNDLE": os.environ["WIRE_CA"]} if case.context else {}
    with unittest.mock.patch.dict(os.environ, bundle):
        for _ in range(case.shape.times):
            data = case.body() if kind != "none" else b""
            make_request(
                case.shape.method, case.service, case.shape.region, case.url, case.headers(), data, case.keys.access_key,
                case.keys.secret, case.keys.token, isinstance(data, bytes), allow_redirects=True,
            )  # fmt: skip


# httpx and httpx2


def _httpx_options(case: Case) -> dict[str, Any]:
    kind = case.shape.body[0]
    key = {"json": "json", "multipart": "files", "form": "data"}.get(kind, "content")
    options: dict[str, Any] = {}
    if kind != "none":
        options[key] = case.body()
    if case.shape.params:
        options["params"] = case.shape.params
    target = case.shape.path + (f"?{case.shape.query}" if case.shape.query else "")
    if case.shape.category == "path" and "/." in target and target.isascii() and " " not in target:
        options["extensions"] = {"target": target.encode()}  # httpx's own way to keep dot segments.
    return options


def _httpx(library: str, *, transport: bool = False, http2: bool = False, peer: bool = False) -> Callable[[Case], None]:
    def send(case: Case) -> None:
        import importlib

        from awsign.clients.httpx import AwsAuth, AwsTransport

        httpx = importlib.import_module(library)
        case.without(*_ASYNC)
        verify = case.context_for_client() if case.context else False
        if peer:
            client = httpx.Client(
                auth=_httpx_aws_auth(case), verify=verify, http2=http2, follow_redirects=True, trust_env=False, timeout=20
            )
        elif transport:
            signing = AwsTransport(**case.arguments(), verify=verify, http2=http2)
            client = httpx.Client(transport=signing, follow_redirects=True, trust_env=False, timeout=20)
        else:
            follow = True
            client = httpx.Client(
                auth=AwsAuth(**case.arguments()), verify=verify, http2=http2, follow_redirects=follow, trust_env=False, timeout=20
            )
        with client:
            _sent(
                case,
                lambda: client.request(case.shape.method, case.url, headers=case.headers(), **_httpx_options(case)),
                (httpx.TransportError,),
            )

    return send


def _httpx_async(library: str, *, transport: bool = False, http2: bool = False) -> Callable[[Case], None]:
    def send(case: Case) -> None:
        import importlib

        from awsign.clients.httpx import AsyncAwsTransport, AwsAuth

        httpx = importlib.import_module(library)
        case.without("file", "memory", "pipe", "generator", "sized")
        verify = case.context_for_client() if case.context else False

        async def run() -> None:
            if transport:
                signing = AsyncAwsTransport(**case.arguments(), verify=verify, http2=http2)
                client = httpx.AsyncClient(transport=signing, follow_redirects=True, trust_env=False, timeout=20)
            else:
                client = httpx.AsyncClient(
                    auth=AwsAuth(**case.arguments()), verify=verify, http2=http2, follow_redirects=True, trust_env=False, timeout=20
                )
            async with client:
                await _sent_async(
                    case,
                    lambda: client.request(case.shape.method, case.url, headers=case.headers(), **_httpx_options(case)),
                    (httpx.TransportError,),
                )

        _run(run())

    return send


def _httpx_aws_auth(case: Case) -> Any:
    from httpx_aws_auth import AwsCredentials, AwsSigV4Auth

    if case.shape.payload:
        raise NotApplicable
    return AwsSigV4Auth(
        credentials=AwsCredentials(case.keys.access_key, case.keys.secret, case.keys.token),
        region=case.shape.region,
        service=case.service,
    )


_loop: asyncio.AbstractEventLoop | None = None


def _run(coroutine: Any) -> Any:
    global _loop
    if _loop is None:
        _loop = asyncio.new_event_loop()
    return _loop.run_until_complete(coroutine)


def close_loop() -> None:
    global _loop
    if _loop is not None:
        _loop.run_until_complete(_loop.shutdown_asyncgens())
        _loop.run_until_complete(_loop.shutdown_default_executor())
        _loop.close()
        _loop = None


# aiohttp


def _aiohttp_options(case: Case) -> dict[str, Any]:
    import aiohttp

    kind = case.without("generator", "sized")
    options: dict[str, Any] = {}
    if kind == "json":
        options["json"] = case.body()
    elif kind == "multipart":
        form = aiohttp.FormData()
        for name, (filename, data) in case.body().items():
            form.add_field(name, data, filename=filename)
        options["data"] = form
    elif kind != "none":
        options["data"] = case.body()
    if case.shape.params:
        options["params"] = case.shape.params
    if case.context is not None:
        options["ssl"] = case.context_for_client()
    return options


def aiohttp_middleware(case: Case) -> None:
    import aiohttp

    from awsign.clients.aiohttp import AwsMiddleware

    async def run() -> None:
        async with aiohttp.ClientSession(middlewares=(AwsMiddleware(**case.arguments()),)) as session:
            for _ in range(case.shape.times):
                async with session.request(case.shape.method, case.url, headers=case.headers(), **_aiohttp_options(case)) as answer:
                    await answer.read()

    _run(run())


def aiohttp_session(case: Case) -> None:
    from awsign.clients.aiohttp import AwsSession

    async def run() -> None:
        async with AwsSession(**case.arguments()) as session:
            for _ in range(case.shape.times):
                options = {"allow_redirects": True, **_aiohttp_options(case)}
                async with session.request(case.shape.method, case.url, headers=case.headers(), **options) as answer:
                    await answer.read()

    _run(run())


# urllib3


def urllib3_manager(case: Case) -> None:
    import urllib3

    from awsign.clients.urllib3 import AwsPoolManager

    kind = case.without(*_ASYNC)
    options: dict[str, Any] = {"retries": urllib3.Retry(3, backoff_factor=0, raise_on_redirect=True)}
    if case.shape.name == "again: after a 503":
        options["retries"] = urllib3.Retry(2, status_forcelist=[503], allowed_methods=None, backoff_factor=0)
        case.shape.times = 1
    if kind == "json":
        options["json"] = case.body()
    elif kind == "multipart":
        options["fields"] = {name: (filename, data) for name, (filename, data) in case.body().items()}
    elif kind == "form":
        options |= {"fields": case.body(), "encode_multipart": False}
    if case.shape.params:
        options["fields"] = case.shape.params
    if case.context is not None:
        pool: dict[str, Any] = {"ssl_context": case.context_for_client()}
    else:
        pool = {}
    with AwsPoolManager(**case.arguments(), **pool) as http:
        for _ in range(case.shape.times):
            if kind not in ("none", "form", "multipart", "json"):
                options["body"] = case.body()
            http.request(case.shape.method, case.url, headers=case.headers() or None, **options)


# botocore


def botocore_client(case: Case) -> None:
    """A client's own signer and its own HTTP, as each of its operations uses them, given a URL as it is."""
    import botocore.session
    from botocore.awsrequest import AWSRequest
    from botocore.config import Config
    from botocore.httpsession import URLLib3Session

    from awsign.clients.botocore import install

    kind = case.without(*_ASYNC, "multipart", "json", "generator", "sized", "pipe")
    if case.shape.payload or case.shape.category in ("redirect", "again"):
        raise NotApplicable  # Of its retries and its redirects tests/test_clients_botocore.py has more.
    session = install(botocore.session.Session())
    service = {"s3": "s3", "execute-api": "lambda"}[case.service]
    client = session.create_client(
        service, case.shape.region, aws_access_key_id=case.keys.access_key, aws_secret_access_key=case.keys.secret,
        aws_session_token=case.keys.token, config=Config(signature_version="s3v4" if service == "s3" else None),
    )  # fmt: skip
    verify = os.environ["WIRE_CA"] if case.context else False
    for _ in range(case.shape.times):
        request = AWSRequest(
            method=case.shape.method, url=case.url, headers=case.headers(), data=case.body() if kind != "none" else b"",
            params=dict(case.shape.params) if len(dict(case.shape.params)) == len(case.shape.params) else case.shape.params,
        )  # fmt: skip
        client._request_signer.sign("Operation", request, region_name=case.shape.region, signing_name=case.service)
        URLLib3Session(verify=verify).send(request.prepare())


Sender = Callable[[Case], None]

ADAPTERS: dict[str, Sender] = {
    "requests.AwsAuth": requests_auth,
    "requests.AwsSession": requests_session,
    "httpx.AwsAuth": _httpx("httpx"),
    "httpx.AwsAuth, async": _httpx_async("httpx"),
    "httpx.AwsTransport": _httpx("httpx", transport=True),
    "httpx.AsyncAwsTransport": _httpx_async("httpx", transport=True),
    "httpx2.AwsAuth": _httpx("httpx2"),
    "httpx2.AwsTransport": _httpx("httpx2", transport=True),
    "httpx2.AsyncAwsTransport": _httpx_async("httpx2", transport=True),
    "aiohttp.AwsMiddleware": aiohttp_middleware,
    "aiohttp.AwsSession": aiohttp_session,
    "urllib3.AwsPoolManager": urllib3_manager,
    "botocore.install": botocore_client,
}
HTTP2: dict[str, Sender] = {
    "httpx.AwsAuth": _httpx("httpx", http2=True),
    "httpx.AwsTransport": _httpx("httpx", transport=True, http2=True),
    "httpx.AsyncAwsTransport": _httpx_async("httpx", transport=True, http2=True),
    "httpx2.AwsAuth": _httpx("httpx2", http2=True),
    "httpx2.AsyncAwsTransport": _httpx_async("httpx2", transport=True, http2=True),
}
PEERS: dict[str, Sender] = {
    "requests-aws4auth": _requests_peer(_aws4auth),
    "httpx-aws-auth": _httpx("httpx", peer=True),
    "aws-requests-auth": _requests_peer(_aws_requests_auth),
    "requests-auth-aws-sigv4": _requests_peer(_requests_auth_aws_sigv4),
    "botocore + requests": _requests_peer(_botocore_auth),
    "awscurl": awscurl,
}
