"""Each adapter as one function: (method, url, headers, body) -> (status, body). For tests that do the same with all of them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Any

Call = Callable[..., tuple[int, bytes]]
CALLERS: dict[str, Callable[..., contextlib.AbstractContextManager[Call]]] = {}


def caller(name: str) -> Callable[[Callable[..., Iterator[Call]]], Callable[..., Any]]:
    def decorate(function: Callable[..., Iterator[Call]]) -> Any:
        CALLERS[name] = made = contextlib.contextmanager(function)
        return made

    return decorate


@caller("requests.AwsAuth")
def requests_auth(**arguments: Any) -> Iterator[Call]:
    import requests

    from awsign.clients.requests import AwsAuth

    auth = AwsAuth(**arguments)
    with requests.Session() as session:
        session.trust_env = False

        def call(method: str, url: str, headers: Any = None, body: Any = None) -> tuple[int, bytes]:
            answer = session.request(method, url, headers=headers, data=body, auth=auth, timeout=30)
            return answer.status_code, answer.content

        yield call


@caller("requests.AwsSession")
def requests_session(**arguments: Any) -> Iterator[Call]:
    from awsign.clients.requests import AwsSession

    with AwsSession(**arguments) as session:
        session.trust_env = False

        def call(method: str, url: str, headers: Any = None, body: Any = None) -> tuple[int, bytes]:
            answer = session.request(method, url, headers=headers, data=body, timeout=30)
            return answer.status_code, answer.content

        yield call


def _httpx(library: str, *, transport: bool) -> Callable[..., Iterator[Call]]:
    def made(**arguments: Any) -> Iterator[Call]:
        import importlib

        from awsign.clients.httpx import AwsAuth, AwsTransport

        httpx = importlib.import_module(library)
        how = {"transport": AwsTransport(**arguments)} if transport else {"auth": AwsAuth(**arguments)}
        with httpx.Client(**how, trust_env=False, timeout=30) as client:

            def call(method: str, url: str, headers: Any = None, body: Any = None) -> tuple[int, bytes]:
                answer = client.request(method, url, headers=headers, content=body, extensions=_target(url))
                return answer.status_code, answer.content

            yield call

    return made


def _httpx_async(library: str, *, transport: bool) -> Callable[..., Iterator[Call]]:
    def made(**arguments: Any) -> Iterator[Call]:
        import importlib

        from awsign.clients.httpx import AsyncAwsTransport, AwsAuth

        httpx = importlib.import_module(library)
        how = {"transport": AsyncAwsTransport(**arguments)} if transport else {"auth": AwsAuth(**arguments)}
        with asyncio.Runner() as runner:
            client = httpx.AsyncClient(**how, trust_env=False, timeout=30)

            async def send(method: str, url: str, headers: Any, body: Any) -> tuple[int, bytes]:
                if body is not None and not isinstance(body, (str, bytes)):
                    body = _awaited(body)
                answer = await client.request(method, url, headers=headers, content=body, extensions=_target(url))
                return answer.status_code, answer.content

            try:
                yield lambda method, url, headers=None, body=None: runner.run(send(method, url, headers, body))
            finally:
                runner.run(client.aclose())

    return made


def _target(url: str) -> dict[str, bytes]:
    """httpx's own way to have dot segments sent."""
    return {"target": ("/" + url.split("/", 3)[3]).encode()} if "/." in url else {}


async def _awaited(blocks: Any) -> Any:
    for block in iter(lambda: blocks.read(65536), b"") if hasattr(blocks, "read") else blocks:
        yield block


for _library in ("httpx", "httpx2"):
    caller(f"{_library}.AwsAuth")(_httpx(_library, transport=False))
    caller(f"{_library}.AwsAuth, async")(_httpx_async(_library, transport=False))
    caller(f"{_library}.AwsTransport")(_httpx(_library, transport=True))
    caller(f"{_library}.AsyncAwsTransport")(_httpx_async(_library, transport=True))


@caller("aiohttp.AwsMiddleware")
def aiohttp_middleware(**arguments: Any) -> Iterator[Call]:
    import aiohttp

    from awsign.clients.aiohttp import AwsMiddleware

    with asyncio.Runner() as runner:

        async def session() -> Any:
            return aiohttp.ClientSession(middlewares=(AwsMiddleware(**arguments),))

        yield from _aiohttp(runner, runner.run(session()))


@caller("aiohttp.AwsSession")
def aiohttp_session(**arguments: Any) -> Iterator[Call]:
    from awsign.clients.aiohttp import AwsSession

    with asyncio.Runner() as runner:

        async def session() -> Any:
            return AwsSession(**arguments)

        yield from _aiohttp(runner, runner.run(session()))


def _aiohttp(runner: asyncio.Runner, session: Any) -> Iterator[Call]:
    async def send(method: str, url: str, headers: Any, body: Any) -> tuple[int, bytes]:
        if body is not None and not hasattr(body, "read") and not isinstance(body, (str, bytes)):
            body = _awaited(body)
        async with session.request(method, url, headers=headers, data=body) as answer:
            return answer.status, await answer.read()

    try:
        yield lambda method, url, headers=None, body=None: runner.run(send(method, url, headers, body))
    finally:
        runner.run(session.close())


@caller("urllib3.AwsPoolManager")
def urllib3_manager(**arguments: Any) -> Iterator[Call]:
    from awsign.clients.urllib3 import AwsPoolManager

    with AwsPoolManager(**arguments) as http:

        def call(method: str, url: str, headers: Any = None, body: Any = None) -> tuple[int, bytes]:
            answer = http.request(method, url, headers=headers, body=body, retries=False)
            return answer.status, answer.data

        yield call


# Those that take a URL as it is written, dot segments and all.
EXACT = [name for name in CALLERS if name not in ("requests.AwsAuth", "aiohttp.AwsMiddleware")]
