"""Running the verifying server on uvicorn, bound to 127.0.0.1."""

from __future__ import annotations

import logging
import socket

import uvicorn

from ..event_stream import LARGEST_HEADERS, LARGEST_PAYLOAD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .app import VerifyingApp


def serve(
    app: VerifyingApp, port: int, ready: Callable[[int], None], certificate: str | None = None, private_key: str | None = None
) -> None:
    """Serve until interrupted. port: 0 takes a free one. ready: called with the port once connections are taken.

    certificate, private_key: files, in PEM, to serve https; the key may be in the certificate's file.
    """
    listener = listening(port)
    server = server_of(app, certificate, private_key)
    ready(listener.getsockname()[1])
    server.run(sockets=[listener])


def listening(port: int) -> socket.socket:
    """A socket that listens on a port of 127.0.0.1; 0 takes a free one."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(1024)
    return listener


def server_of(app: VerifyingApp, certificate: str | None = None, private_key: str | None = None) -> uvicorn.Server:
    """A server with what the verifier needs. OSError for a certificate that is not one, before anyone is told that the server is there."""
    config = uvicorn.Config(
        app,
        http="h11",  # Raw targets and headers of up to 256 KiB, refused where they are malformed.
        h11_max_incomplete_event_size=1 << 18,
        lifespan="off",
        access_log=False,
        log_level="warning",
        proxy_headers=False,  # Host and scheme are part of what is signed: no header may change them.
        server_header=False,
        ws="websockets-sansio",
        ws_max_size=LARGEST_HEADERS + LARGEST_PAYLOAD + 1024,  # What a frame may have.
        ws_per_message_deflate=False,
        ssl_certfile=certificate,
        ssl_keyfile=private_key,
    )
    logging.getLogger("uvicorn.error").addFilter(_is_news)
    config.load()
    return uvicorn.Server(config)


def _is_news(record: logging.LogRecord) -> bool:
    """Not what uvicorn says of each WebSocket handshake that was answered in HTTP (ASGI's websocket.http.response), as refusals are."""
    return record.msg != "ASGI callable returned without completing handshake."
