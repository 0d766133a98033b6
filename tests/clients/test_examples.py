"""The examples of clients that have no adapter, run as they stand; and the links that open WebSockets."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import websockets.sync.server as websocket_server

import awsign

from ..conftest import KEY, SECRET, TOKEN
from ..servers import installed

ROOT = Path(__file__).parent.parent.parent
ENVIRON = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "us-east-1", "EXAMPLE_SERVICE": "s3"}


@pytest.mark.parametrize("client", ["http.client", "pycurl", "niquests"])
def test_any_client(client: str, serve: str) -> None:
    """niquests brings a urllib3 of its own, which takes the place of urllib3: it has an environment of its own too."""
    python = installed("clients/bin/python") if client == "niquests" else sys.executable
    url = f"{serve}/bucket/a%20b/c%2Bd?x=1&a=%C3%A9" if client == "niquests" else f"{serve}/bucket/a/../b//c%20d?x=1&a=b%2B"
    environ = os.environ | ENVIRON | {"PYTHONPATH": str(ROOT / "src")}
    command = [python, str(ROOT / "examples" / "any_client.py"), client, url]
    run = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.startswith("GET 200:") and "\nPOST 200:" in run.stdout


@pytest.fixture
def gateway() -> Iterator[str]:
    """A WebSocket server that opens to whoever's request verifies, by awsign's own verifier, and says what it read of it."""
    verifier = awsign.Verifier({KEY: SECRET, "ASIAEXAMPLE": awsign.Credentials("ASIAEXAMPLE", SECRET, TOKEN)}.get)

    def check(connection: websocket_server.ServerConnection, request: websocket_server.Request) -> object:
        arrived = awsign.Request.received("GET", request.path, list(request.headers.raw_items()), scheme="http")
        try:
            connection.verified = verifier.verify(arrived)  # type: ignore[attr-defined]
        except awsign.SignatureError as error:
            return connection.respond(error.status, f"{error.code}: {error}")
        return None

    def talk(connection: websocket_server.ServerConnection) -> None:
        for message in connection:
            connection.send(f"{message} {connection.verified.scope}")  # type: ignore[attr-defined]

    with websocket_server.serve(talk, "127.0.0.1", 0, process_request=check, subprotocols=None) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        server.shutdown()
        thread.join()


def test_websockets(gateway: str) -> None:
    environ = os.environ | ENVIRON | {"EXAMPLE_SERVICE": "execute-api"}
    command = [sys.executable, str(ROOT / "examples" / "websocket.py"), f"{gateway}/prod"]
    run = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("us-east-1/execute-api/aws4_request") == 2  # By its link, and by its headers.


def test_a_link_of_iot_has_its_token_behind_the_signature(gateway: str) -> None:
    import websockets

    signer = awsign.SigV4(awsign.Credentials("ASIAEXAMPLE", SECRET, TOKEN), "iotdevicegateway", "eu-west-1")
    link = signer.presign(awsign.Request("GET", f"{gateway}/mqtt"), expires=60)
    names = list(parse_qs(urlsplit(link.url).query))
    assert names.index("X-Amz-Security-Token") > names.index("X-Amz-Signature")

    async def talk(url: str) -> str:
        async with websockets.connect(url) as socket:
            await socket.send("hello")
            return str(await socket.recv())

    assert asyncio.run(talk(link.url)) == f"hello {link.derivation.scope}"
    with pytest.raises(websockets.InvalidStatus, match="403"):
        asyncio.run(talk(link.url.replace("/mqtt", "/other")))
