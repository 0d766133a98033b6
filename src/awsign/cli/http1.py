"""HTTP/1.1 on a connection: one request, and its answer. h11 knows the protocol."""

from __future__ import annotations

import h11

from . import failure
from .failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, NoReturn

    from .connection import Connection, Peer

_LONGEST_HEAD = 100 * 1024


class Http1:
    """peer: who answers. All raise Failure, with curl's exit code, where no answer comes, or a part of one."""

    def __init__(self, connection: Connection, peer: Peer) -> None:
        self._connection = connection
        self._peer = peer
        self._protocol = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LONGEST_HEAD)
        self._broke_off = False  # While the request was sent.

    def ask(
        self, method: str, target: str, headers: list[tuple[str, str | bytes]], body: Iterable[bytes] = ()
    ) -> h11.Response | h11.InformationalResponse:
        """Send a request; the head of its answer, after those that only inform."""
        self._send(h11.Request(method=method, target=target, headers=_encoded(headers)))
        for block in body:
            self._send(h11.Data(data=block))
            if self._broke_off:
                break
        else:
            self._send(h11.EndOfMessage())
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

    def _send(self, event: Any) -> None:
        try:
            self._connection.write(self._protocol.send(event) or b"")
        except h11.LocalProtocolError as error:
            raise Failure(failure.RECEIVE_ERROR, f"{self._peer}: the request could not be sent: {error}") from None
        except TimeoutError:
            self._time_out()
        except OSError:
            self._broke_off = True  # There may be an answer that says why.

    def _receive(self) -> Any:
        data = None
        try:
            while (event := self._protocol.next_event()) is h11.NEED_DATA:
                data = self._connection.read()
                if not data and self._protocol.their_state is h11.SEND_RESPONSE:
                    self._lose(failure.EMPTY_REPLY, "closed the connection without an answer")
                self._protocol.receive_data(data)
        except h11.RemoteProtocolError as error:
            if data == b"":
                self._lose(failure.PARTIAL, "closed the connection before the whole answer was sent")
            self._lose(failure.RECEIVE_ERROR, f"answered something that is not HTTP: {error}")
        except TimeoutError:
            self._time_out()
        except OSError as error:
            self._lose(failure.RECEIVE_ERROR, f"broke the connection off before the whole answer was sent: {error}")
        return event

    def _lose(self, code: int, what: str) -> NoReturn:
        if self._broke_off:
            code, what = failure.SEND_ERROR, "broke the connection off while the request was sent"
        raise Failure(code, f"{self._peer} {what}") from None

    def _time_out(self) -> NoReturn:
        raise Failure(failure.TIMED_OUT, f"{self._peer}: timed out") from None


def _encoded(headers: list[tuple[str, str | bytes]]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode() if isinstance(value, str) else value) for name, value in headers]
