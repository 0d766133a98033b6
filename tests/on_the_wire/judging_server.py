"""A process that judges each request as it arrives and answers 200 or 403: for many at a time.

    python -m tests.on_the_wire.judging_server [CERTIFICATE]      # prints its port; TLS with a certificate and its key in PEM

Plain HTTP/1.1 with Content-Length, over asyncio; the rules are those of judge.py.
"""

from __future__ import annotations

import asyncio
import ssl
import sys

from .judge import Wrong, judge
from .listener import Arrival
from .trial import PLAIN


class Judging(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._pending = b""

    def data_received(self, data: bytes) -> None:
        self._pending += data
        while (end := self._pending.find(b"\r\n\r\n")) >= 0:
            first, *lines = self._pending[:end].split(b"\r\n")
            headers = [(name, value.strip()) for name, _, value in (line.partition(b":") for line in lines)]
            length = int(next((value for name, value in headers if name.lower() == b"content-length"), b"0"))
            if len(self._pending) < end + 4 + length:
                return
            body, self._pending = self._pending[end + 4 : end + 4 + length], self._pending[end + 4 + length :]
            method, target, _ = first.split(b" ")
            self._transport.write(self._answer(Arrival(method, target, headers, body, "length", 0, 0)))

    def _answer(self, arrival: Arrival) -> bytes:
        try:
            judge(arrival, PLAIN, "s3", "us-east-1")
        except Wrong as why:
            text = str(why).encode()
            return b"HTTP/1.1 403 Forbidden\r\nContent-Length: %d\r\n\r\n%b" % (len(text), text)
        return b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def main() -> None:
    context = None
    if len(sys.argv) > 1:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(sys.argv[1])
    server = await asyncio.get_running_loop().create_server(Judging, "127.0.0.1", 0, backlog=4096, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
