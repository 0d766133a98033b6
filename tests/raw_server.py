"""A server of raw bytes: records what arrives on its socket, answers what it is told to. Optionally with TLS."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class RawServer:
    """requests: (head, body) of each that arrived, as bytes. answers: the next answers; the last one is repeated."""

    def __init__(self, answers: list[bytes | Callable[[socket.socket], None]], context: ssl.SSLContext | None = None) -> None:
        self.answers = answers
        self.requests: list[tuple[bytes, bytes]] = []
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"{'https' if self._context else 'http'}://127.0.0.1:{self.port}"

    def header(self, name: str, index: int = -1) -> str | None:
        for line in self.requests[index][0].decode("latin-1").split("\r\n")[1:]:
            key, _, value = line.partition(":")
            if key.lower() == name.lower():
                return value.strip()
        return None

    def line(self, index: int = -1) -> str:
        return self.requests[index][0].decode("latin-1").split("\r\n")[0]

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            if self._context:
                connection = self._context.wrap_socket(connection, server_side=True)
            with connection:
                while self._one(connection):
                    pass
        except OSError:
            pass

    def _one(self, connection: socket.socket) -> bool:
        data = b""
        while b"\r\n\r\n" not in data:
            block = connection.recv(65536)
            if not block:
                return False
            data += block
        head, _, body = data.partition(b"\r\n\r\n")
        lengths = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        while lengths and len(body) < lengths[0]:
            body += connection.recv(65536)
        # Kept as it came; its end must not be taken for the next request where it comes in a packet of its own.
        while b"transfer-encoding: chunked" in head.lower() and not (b"\r\n" + body).endswith(b"\r\n0\r\n\r\n"):
            block = connection.recv(65536)
            if not block:
                return False
            body += block
        self.requests.append((head, body))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if callable(answer):
            answer(connection)
            return False
        connection.sendall(answer)
        return True


@contextmanager
def raw_server(*answers: bytes | Callable[[socket.socket], None], context: ssl.SSLContext | None = None) -> Iterator[RawServer]:
    server = RawServer(list(answers) or [OK], context)
    try:
        yield server
    finally:
        server.close()
