"""A connection: TCP, and TLS within it; no wait on it lasts beyond its deadline."""

from __future__ import annotations

import socket
import time

from . import failure
from .failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Sequence
    from typing import Any

_BLOCK = 1 << 16


class Peer:
    """Whom a connection is to: a server, or the proxy before it. netloc: as messages name it."""

    def __init__(self, host: str, port: int, netloc: str, *, is_proxy: bool = False) -> None:
        self.host = host
        self.port = port
        self.is_proxy = is_proxy
        self._name = f"the proxy {netloc}" if is_proxy else netloc

    def __str__(self) -> str:
        return self._name


def _resolved(peer: Peer, names: Sequence[str]) -> list[tuple[int, object]]:
    """Family and address of each that the names stand for. Failure where there is none."""
    found: list[tuple[int, object]] = []
    for name in names:
        try:
            # As bytes where that is the same: for any str Python loads all of IDNA.
            given = name.encode() if name.isascii() else name
            found += [(each[0], each[4]) for each in socket.getaddrinfo(given, peer.port, type=socket.SOCK_STREAM)]
        except (socket.gaierror, UnicodeError):  # The latter for a name that IDNA cannot have.
            continue
    if not found:
        code = failure.COULD_NOT_RESOLVE_PROXY if peer.is_proxy else failure.COULD_NOT_RESOLVE
        raise Failure(code, f"could not resolve {peer if peer.is_proxy else f'the host {names[0]}'}")
    return found


class Connection:
    """deadline: when time is over, by time.monotonic(); None for never. What waits raises TimeoutError then, and OSError where it breaks."""

    def __init__(self, peer: Peer, addresses: Sequence[str], deadline: float | None) -> None:
        """Failure, with curl's exit code, where none of the addresses can be connected to."""
        self.deadline = deadline
        self._has_tls = False
        self._sock: Any = self._connected(peer, _resolved(peer, addresses))

    def _connected(self, peer: Peer, found: Sequence[tuple[int, object]]) -> socket.socket:
        """Of the addresses, as (family, address), the first that takes a connection; each has its share of the time."""
        for n, (family, address) in enumerate(found, 1):
            try:
                left = self._left()
                sock = socket.socket(family, socket.SOCK_STREAM)
                try:
                    sock.settimeout(left and left / (len(found) - n + 1))
                    sock.connect(address)  # type: ignore[arg-type]
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                except BaseException:
                    sock.close()
                    raise
            except OSError as error:
                if n < len(found):
                    continue
                if isinstance(error, TimeoutError) and self.deadline is not None:
                    raise Failure(failure.TIMED_OUT, f"{peer}: timed out while connecting") from None
                raise Failure(failure.COULD_NOT_CONNECT, f"could not connect to {peer}: {error}") from None
            return sock
        raise AssertionError("there is no address")

    def _left(self) -> float | None:
        if self.deadline is None:
            return None
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def _timed(self) -> Any:
        """The socket, to be waited for no longer than there is time."""
        self._sock.settimeout(self._left())
        return self._sock

    def read(self) -> bytes:
        """What arrived next; nothing once the other side has closed."""
        data: bytes = self._timed().recv(_BLOCK)
        return data

    def write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[self._timed().send(view) :]

    def start_tls(self, context: ssl.SSLContext, peer: Peer) -> None:
        """TLS from here on. Failure where the handshake, or trusting the certificate, fails."""
        import ssl

        try:
            sock = self._timed()
            # An SSLSocket cannot be within another.
            self._sock = (
                _TlsInTls(sock, context, peer.host, self._left)
                if self._has_tls
                else context.wrap_socket(sock, server_hostname=peer.host)
            )
            self._has_tls = True
        except TimeoutError:
            raise Failure(failure.TIMED_OUT, f"{peer}: timed out in the TLS handshake") from None
        except ssl.SSLCertVerificationError as error:
            raise Failure(
                failure.BAD_CERTIFICATE,
                f"{peer}: the certificate is not trusted ({error.verify_message}); "
                f"{'SSL_CERT_FILE=FILE' if peer.is_proxy else '--cacert FILE'} trusts another authority",
            ) from None
        except UnicodeError:
            raise Failure(failure.BAD_CERTIFICATE, f"{peer}: no certificate can have this name") from None
        except OSError as error:
            reason = getattr(error, "reason", None) or error
            raise Failure(failure.TLS_HANDSHAKE, f"{peer}: the TLS handshake failed ({reason})") from None

    def close(self) -> None:
        self._sock.close()


class _TlsInTls:
    """As much of a socket as a Connection needs, for TLS to a server through a proxy that is itself spoken to by TLS."""

    def __init__(
        self, sock: ssl.SSLSocket, context: ssl.SSLContext, server_hostname: str, left: Callable[[], float | None]
    ) -> None:
        """left: how much time there is. A record may come in many pieces, and all of them have that."""
        import ssl

        self._sock = sock
        self._left = left
        self._wants_data, self._at_end = ssl.SSLWantReadError, (ssl.SSLZeroReturnError, ssl.SSLEOFError)
        self._arrived, self._to_send = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._arrived, self._to_send, server_hostname=server_hostname)
        self._carried(self._tls.do_handshake)

    def _carried(self, act: Callable[..., Any], *arguments: Any) -> Any:
        """What an action gives, once the records that it wrote are sent and those that it waits for are there."""
        while True:
            try:
                done, result = True, act(*arguments)
            except self._wants_data:
                done = False
            self._sock.settimeout(self._left())
            self._sock.sendall(self._to_send.read())
            if done:
                return result
            self._sock.settimeout(self._left())
            if data := self._sock.recv(_BLOCK):
                self._arrived.write(data)
            else:
                self._arrived.write_eof()

    def recv(self, size: int) -> bytes:
        try:
            data: bytes = self._carried(self._tls.read, size)
        except self._at_end:
            return b""
        return data

    def send(self, data: memoryview) -> int:
        sent: int = self._carried(self._tls.write, data)
        return sent

    def settimeout(self, seconds: float | None) -> None:
        pass  # Each wait asks for itself.

    def close(self) -> None:
        self._sock.close()
