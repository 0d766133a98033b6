"""WebSockets: a presigned wss:// URL, as MQTT at AWS IoT and the WebSocket APIs of API Gateway take it, opened with `websockets`.

python examples/websocket.py [wss://abc-ats.iot.eu-west-1.amazonaws.com/mqtt | wss://abc.execute-api.eu-west-1.amazonaws.com/prod]

The host tells the service and its rules: AWS IoT has the session token behind the signature, API Gateway in it. pip install websockets.
"""

import asyncio
import os
import sys

import websockets

import awsign

signer = awsign.SigV4(awsign.find_credentials(), service=os.environ.get("EXAMPLE_SERVICE"), region=os.environ.get("AWS_REGION"))


async def talk(url):
    # A link of its own for each connection: it is good for a minute, and a reconnect signs again.
    link = signer.presign(awsign.Request("GET", url), expires=60)
    async with websockets.connect(link.url, subprotocols=["mqtt"] if url.endswith("/mqtt") else None) as socket:
        print(f"open; the server chose {socket.subprotocol!r}")
        if url.endswith("/mqtt"):
            return  # From here on it is MQTT's: a CONNECT comes first.
        await socket.send("hello")
        print(await asyncio.wait_for(socket.recv(), 10))


async def talk_signed_by_headers(url):
    """Where no browser is involved, API Gateway takes the signature in the headers of the upgrade too."""
    signed = signer.sign(awsign.Request("GET", url))
    headers = [(name, value) for name, value in signed.headers if name != "Host"]  # websockets writes the same Host.
    async with websockets.connect(signed.url, additional_headers=headers) as socket:
        await socket.send("hello")
        print(await asyncio.wait_for(socket.recv(), 10))


if __name__ == "__main__":
    chosen = sys.argv[1] if len(sys.argv) > 1 else "wss://abc-ats.iot.eu-west-1.amazonaws.com/mqtt"
    asyncio.run(talk(chosen))
    if not chosen.endswith("/mqtt"):
        asyncio.run(talk_signed_by_headers(chosen))
