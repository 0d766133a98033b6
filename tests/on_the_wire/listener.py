"""A server of raw sockets that records what arrives, byte for byte: HTTP/1.1 over IPv4, IPv6 and TLS, and HTTP/2.

Written for this: no HTTP library parses, normalizes or decodes what is judged. HTTP/2 frames are read by h2.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from typing import NamedTuple

import h2.config
import h2.connection
import h2.events

OK = (200, [("Content-Type", "text/plain")], b"ok")
Answer = tuple[int, list[tuple[str, str]], bytes]


class Arrival(NamedTuple):
    """One request. target, headers: bytes as they came, names in the case they came. body: without the framing of the transfer.

    connection: which of the listener's it came on, to tell reuse.
    """

    method: bytes
    target: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes
    framing: str
    port: int
    connection: int

    def all(self, name: str) -> list[bytes]:
        return [value for given, value in self.headers if given.lower() == name.encode()]

    def one(self, name: str) -> str | None:
        found = self.all(name)
        return found[0].decode("latin-1") if len(found) == 1 else None


class Listener:
    """answers: the next ones, the last of them again and again; an answer of None closes the connection."""

    def __init__(self, address: str = "127.0.0.1", context: ssl.SSLContext | None = None) -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._listener = socket.create_server((address, 0), family=family, backlog=2048)
        self.port: int = self._listener.getsockname()[1]
        self.host = f"[{address}]" if ":" in address else address
        self.context = context
        self.answers: list[Answer | None] = [OK]
        self.arrivals: list[Arrival] = []
        self._connections = 0
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"{'https' if self.context else 'http'}://{self.host}:{self.port}"

    def expect(self, answers: list[Answer | None] | None = None) -> None:
        """Begin anew."""
        with self._lock:
            self.answers = list(answers or [OK])
            self.arrivals = []

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self._connections += 1
                number = self._connections
            threading.Thread(target=self._serve, args=(connection, number), daemon=True).start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError, ValueError), connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.context is not None:
                connection = self.context.wrap_socket(connection, server_side=True)
                if connection.selected_alpn_protocol() == "h2":
                    self._http2(connection, number)
                    return
            link = _Link(connection)
            while (arrival := link.read_request(self.port, number)) is not None:
                answer = self._take(arrival)
                if answer is None:
                    return
                link.write(arrival, answer)

    def _take(self, arrival: Arrival) -> Answer | None:
        with self._lock:
            self.arrivals.append(arrival)
            return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def _http2(self, connection: socket.socket, number: int) -> None:
        protocol = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding=None))
        protocol.initiate_connection()
        connection.sendall(protocol.data_to_send())
        heads: dict[int, list[tuple[bytes, bytes]]] = {}
        bodies: dict[int, bytes] = {}
        while data := connection.recv(65536):
            for event in protocol.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    heads[event.stream_id], bodies[event.stream_id] = list(event.headers), b""
                elif isinstance(event, h2.events.DataReceived):
                    bodies[event.stream_id] += event.data
                    protocol.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, h2.events.StreamEnded):
                    head = dict(heads[event.stream_id])
                    headers = [(b"host", head[b":authority"])]
                    headers += [pair for pair in heads[event.stream_id] if not pair[0].startswith(b":")]
                    arrival = Arrival(head[b":method"], head[b":path"], headers, bodies[event.stream_id], "h2", self.port, number)
                    answer = self._take(arrival)
                    if answer is None:
                        return
                    status, more, body = answer
                    fields = [(":status", str(status)), *((name.lower(), value) for name, value in more)]
                    protocol.send_headers(event.stream_id, [*fields, ("content-length", str(len(body)))])
                    protocol.send_data(event.stream_id, body if arrival.method != b"HEAD" else b"", end_stream=True)
            connection.sendall(protocol.data_to_send())


class _Link:
    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._pending = b""

    def _more(self) -> None:
        block = self._connection.recv(1 << 20)
        if not block:
            raise ValueError("closed")
        self._pending += block

    def _line(self) -> bytes:
        while b"\r\n" not in self._pending:
            self._more()
        line, _, self._pending = self._pending.partition(b"\r\n")
        return line

    def _exactly(self, size: int) -> bytes:
        pieces = [self._pending]
        got = len(self._pending)
        while got < size:
            block = self._connection.recv(1 << 20)
            if not block:
                raise ValueError("closed")
            pieces.append(block)
            got += len(block)
        whole = b"".join(pieces)
        self._pending = whole[size:]
        return whole[:size]

    def read_request(self, port: int, number: int) -> Arrival | None:
        try:
            first = self._line()
        except ValueError:
            return None
        method, target, _ = first.split(b" ")
        headers = []
        while line := self._line():
            name, _, value = line.partition(b":")
            headers.append((name, value.strip(b" \t")))
        found = {name.lower(): value for name, value in headers}
        if found.get(b"expect", b"").lower() == b"100-continue":
            self._connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        lengths = [value for name, value in headers if name.lower() == b"content-length"]
        codings = [value for name, value in headers if name.lower() == b"transfer-encoding"]
        if codings and lengths:
            framing, body = "two", b""
        elif codings:
            framing, body = "chunked", self._chunks()
        else:
            framing, body = "length" if lengths else "none", self._exactly(int(lengths[0])) if lengths else b""
        return Arrival(method, target, headers, body, framing, port, number)

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self._line().partition(b";")[0], 16):
            body += self._exactly(size)
            self._line()
        while self._line():
            pass
        return body

    def write(self, arrival: Arrival, answer: Answer) -> None:
        status, headers, body = answer
        lines = [f"HTTP/1.1 {status} Answer", f"Content-Length: {len(body)}", *(f"{name}: {value}" for name, value in headers)]
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        self._connection.sendall(head + (body if arrival.method != b"HEAD" else b""))
