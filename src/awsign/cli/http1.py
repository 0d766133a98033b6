"""HTTP/1.1 on a connection: one request, and its answer. h11 knows the protocol."""

from __future__ import annotations

import h11

from . import failure
from .failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any, NoReturn

    from .connection import Connection, Peer

_LONGEST_HEAD = 100 * 1024


class Http1:
    """peer: who answers. All raise Failure, with curl's exit code, where no answer comes, or a part of one."""

    def __init__(self, connection: Connection, peer: Peer) -> None:
        self._connection = connection
        self._peer = peer
        self._protocol = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LONGEST_HEAD)
        self._takes_more = True

    def ask(
        self, method: str, target: str, headers: list[tuple[str, str | bytes]], body: Iterable[bytes] = ()
    ) -> h11.Response | h11.InformationalResponse:
        """Send a request; the head of its answer, after those that only inform."""
        self._send(h11.Request, method=method, target=target, headers=_encoded(headers))
        for block in body:
            self._send(h11.Data, data=block)
            if not self._takes_more:
                break
        else:
            self._send(h11.EndOfMessage)
        while True:
            event = self._receive()
            if isinstance(event, h11.Response) or (isinstance(event, h11.InformationalResponse) and event.status_code == 101):
                return event

    def blocks(self) -> Iterator[bytes]:
        """The body of the answer."""
        while isinstance(event := self._receive(), h11.Data):
            yield bytes(event.data)

    def close(self) -> None:
        self._connection.close()

    def _send(self, kind: Callable[..., Any], **parts: object) -> None:
        try:
            self._connection.write(self._protocol.send(kind(**parts)) or b"")
        except h11.LocalProtocolError as error:
            raise Failure(failure.RECEIVE_ERROR, f"{self._peer}: the request could not be sent: {error}") from None
        except TimeoutError:
            self._time_out()
        except OSError:
            self._takes_more = False  # There may be an answer that says why.

    def _receive(self) -> Any:
        data = None
        try:
            while (event := self._protocol.next_event()) is h11.NEED_DATA:
                data = self._connection.read()
                if not data and self._protocol.their_state is h11.SEND_RESPONSE:
                    raise Failure(failure.EMPTY_REPLY, f"{self._peer} closed the connection without an answer")
                self._protocol.receive_data(data)
        except h11.RemoteProtocolError as error:
            if data == b"":
                raise Failure(failure.PARTIAL, f"{self._peer} closed the connection before the whole answer was sent") from None
            raise Failure(failure.RECEIVE_ERROR, f"{self._peer} answered something that is not HTTP: {error}") from None
        except TimeoutError:
            self._time_out()
        except OSError as error:
            raise Failure(failure.RECEIVE_ERROR, f"{self._peer} broke the connection off: {error}") from None
        return event

    def _time_out(self) -> NoReturn:
        raise Failure(failure.TIMED_OUT, f"{self._peer}: timed out") from None


def _encoded(headers: list[tuple[str, str | bytes]]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode() if isinstance(value, str) else value) for name, value in headers]
