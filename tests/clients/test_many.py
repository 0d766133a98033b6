"""Ten thousand requests, a thousand at a time; threads and tasks that share one adapter."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

import awsign

from ..on_the_wire.trial import PLAIN
from .callers import CALLERS

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

ARGUMENTS: dict[str, Any] = {"service": "s3", "region": "us-east-1", "credentials": awsign.Credentials(*PLAIN)}
MANY, AT_A_TIME = 10_000, 1000


@pytest.fixture(scope="module")
def judging() -> Iterator[str]:
    """A server in a process of its own, whose verdict is not awsign's."""
    command = [sys.executable, "-m", "tests.on_the_wire.judging_server"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.terminate()


def _request(number: int) -> tuple[str, str, bytes | None]:
    """Method, path and body: half of them uploads, under names of all kinds."""
    path = f"/bucket/{number}/a%20b/%C3%A9?n={number}&b=%2B"
    return ("PUT", path, f"content {number}".encode() * (number % 50)) if number % 2 else ("GET", path, None)


async def _all(send: Any) -> Counter[int]:
    gate = asyncio.Semaphore(AT_A_TIME)

    async def one(number: int) -> int:
        async with gate:
            return await send(*_request(number))

    return Counter(await asyncio.gather(*(one(number) for number in range(MANY))))


def test_aiohttp(judging: str) -> None:
    from awsign.clients.aiohttp import AwsSession

    async def run() -> Counter[int]:
        import aiohttp

        async with AwsSession(**ARGUMENTS, connector=aiohttp.TCPConnector(limit=AT_A_TIME)) as session:

            async def send(method: str, path: str, body: bytes | None) -> int:
                async with session.request(method, judging + path, data=body) as answer:
                    await answer.read()
                    return int(answer.status)

            return await _all(send)

    assert asyncio.run(run()) == {200: MANY}


@pytest.mark.parametrize("library", ["httpx", "httpx2"])
def test_httpx(judging: str, library: str) -> None:
    import importlib

    from awsign.clients.httpx import AwsAuth

    httpx = importlib.import_module(library)

    async def run() -> Counter[int]:
        # Twenty clients share one auth: in one pool, httpcore looks at all of a thousand requests at each of them, for minutes.
        auth = AwsAuth(**ARGUMENTS)
        limits = httpx.Limits(max_connections=50, max_keepalive_connections=50)
        async with contextlib.AsyncExitStack() as stack:
            made = [httpx.AsyncClient(auth=auth, limits=limits, timeout=120, trust_env=False, verify=False) for _ in range(20)]
            clients = itertools.cycle([await stack.enter_async_context(client) for client in made])

            async def send(method: str, path: str, body: bytes | None) -> int:
                return int((await next(clients).request(method, judging + path, content=body)).status_code)

            return await _all(send)

    assert asyncio.run(run()) == {200: MANY}


@pytest.mark.parametrize("name", [name for name in CALLERS if "async" not in name.lower() and "aiohttp" not in name])
def test_64_threads_share_one(judging: str, name: str) -> None:
    results: Counter[int] = Counter()
    lock = threading.Lock()
    with CALLERS[name](**ARGUMENTS) as call:

        def work(start: int) -> None:
            for number in range(start, start + 8):
                method, path, body = _request(number)
                status, _ = call(method, judging + path, None, body)
                with lock:
                    results[status] += 1

        threads = [threading.Thread(target=work, args=(8 * number,)) for number in range(64)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert results == {200: 64 * 8}


def test_on_trio(judging: str) -> None:
    """httpx runs on trio as well, where nothing of asyncio does."""
    import httpx
    import trio

    from awsign.clients.httpx import AsyncAwsTransport, AwsAuth

    class Waiting:
        """A provider that is slow to answer."""

        def get(self) -> awsign.Credentials:
            return ARGUMENTS["credentials"]

    async def run() -> None:
        async with httpx.AsyncClient(auth=AwsAuth(**ARGUMENTS | {"credentials": Waiting()}), trust_env=False) as client:
            assert (await client.put(f"{judging}/bucket/a%20b", content=b"x" * 3_000_000)).status_code == 200

            async def blocks() -> Any:
                for _ in range(3):
                    yield b"block"

            assert (await client.put(f"{judging}/bucket/k", content=blocks())).status_code == 200
        async with httpx.AsyncClient(transport=AsyncAwsTransport(**ARGUMENTS), trust_env=False) as client:
            assert (await client.get(f"{judging}/bucket/a%20b")).status_code == 200

    trio.run(run)
