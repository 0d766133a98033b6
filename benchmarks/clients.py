"""What part of the whole signing is, of requests that really go over a socket: a thousand at a time, to a server of another process."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import awsign
from awsign.clients.exchange import Exchange

_MANY, _AT_A_TIME = 10_000, 1000
_ARGUMENTS: dict[str, Any] = {
    "service": "s3",
    "region": "us-east-1",
    "credentials": awsign.Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
}


class _Clock:
    """Time spent in signing: the derivation, and what the adapter's exchange does around it."""

    def __init__(self) -> None:
        self.spent = 0.0
        self._own = Exchange._sign_by

    def __enter__(self) -> _Clock:
        clock, own = self, self._own

        def timed(exchange: Exchange, credentials: awsign.Credentials) -> awsign.Signed:
            start = time.perf_counter()
            try:
                return own(exchange, credentials)
            finally:
                clock.spent += time.perf_counter() - start

        Exchange._sign_by = timed  # type: ignore[method-assign]
        return self

    def __exit__(self, *_: object) -> None:
        Exchange._sign_by = self._own  # type: ignore[method-assign]


@contextlib.contextmanager
def _server() -> Iterator[str]:
    command = [sys.executable, "-m", "tests.on_the_wire.judging_server"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.terminate()


async def _aiohttp(url: str) -> None:
    import aiohttp

    from awsign.clients.aiohttp import AwsSession

    gate = asyncio.Semaphore(_AT_A_TIME)
    async with AwsSession(**_ARGUMENTS, connector=aiohttp.TCPConnector(limit=_AT_A_TIME)) as session:

        async def one(number: int) -> None:
            async with gate, session.get(f"{url}/bucket/{number}?n={number}") as answer:
                await answer.read()

        await asyncio.gather(*(one(number) for number in range(_MANY)))


async def _httpx(url: str, library: str) -> None:
    import importlib

    from awsign.clients.httpx import AwsAuth

    httpx = importlib.import_module(library)
    auth = AwsAuth(**_ARGUMENTS)
    limits = httpx.Limits(max_connections=50, max_keepalive_connections=50)
    gate = asyncio.Semaphore(_AT_A_TIME)
    async with contextlib.AsyncExitStack() as stack:
        made = [httpx.AsyncClient(auth=auth, limits=limits, timeout=120, trust_env=False, verify=False) for _ in range(20)]
        clients = itertools.cycle([await stack.enter_async_context(client) for client in made])

        async def one(number: int) -> None:
            async with gate:
                await next(clients).get(f"{url}/bucket/{number}?n={number}")

        await asyncio.gather(*(one(number) for number in range(_MANY)))


def table() -> None:
    print(f"\n{_MANY} requests of each, {_AT_A_TIME} at a time")
    all_spent = all_whole = 0.0
    with _server() as url:
        for name, run in (
            ("aiohttp.AwsSession", lambda: _aiohttp(url)),
            ("httpx.AwsAuth", lambda: _httpx(url, "httpx")),
            ("httpx2.AwsAuth", lambda: _httpx(url, "httpx2")),
        ):
            with _Clock() as clock:
                start = time.perf_counter()
                asyncio.run(run())
                whole = time.perf_counter() - start
            all_spent, all_whole = all_spent + clock.spent, all_whole + whole
            each = clock.spent / _MANY * 1e6
            print(f"  {name:44} {whole:9.2f} s    signing {each:5.1f} us each, {clock.spent / whole:6.1%} of the whole")
    print(f"  {'together':44} {all_whole:9.2f} s    signing {'':14} {all_spent / all_whole:6.1%} of the whole")


if __name__ == "__main__":
    table()
