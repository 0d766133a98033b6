"""A proxy, as curl's --proxy has it: http:// and https://, with a name and a password."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import unquote_to_bytes, urlsplit

from . import failure
from .connection import Connection, Peer
from .failure import Failure
from .http1 import Http1

_DEFAULT_PORTS = {"http": 1080, "https": 443}  # CURLOPT_PROXY(3)


class Proxy:
    """url: of the proxy; without a scheme it is http. Failure for what is none."""

    def __init__(self, url: str) -> None:
        try:
            parts = urlsplit(url if "://" in url else f"http://{url}")
            port = parts.port
        except ValueError:
            raise Failure(failure.COULD_NOT_RESOLVE_PROXY, "the proxy is not a URL such as http://proxy.example:3128") from None
        if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
            raise Failure(
                failure.COULD_NOT_RESOLVE_PROXY,
                f"a proxy of the kind {parts.scheme!r} is not spoken here; http:// and https:// are",
            )
        self.has_tls = parts.scheme == "https"
        self.peer = Peer(parts.hostname, port or _DEFAULT_PORTS[parts.scheme], parts.hostname, is_proxy=True)
        self.headers: list[tuple[str, str | bytes]] = []  # What it has to be told with each request.
        if parts.username:
            pair = [unquote_to_bytes(part.encode("utf-8", "surrogateescape")) for part in (parts.username, parts.password or "")]
            self.headers.append(("Proxy-Authorization", f"Basic {b64encode(b':'.join(pair)).decode()}"))

    def tunnel(self, connection: Connection, host: str, port: int) -> None:
        """Have it pass on what follows, to a server: RFC 9110, section 9.3.6."""
        target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            answer = Http1(connection, self.peer).ask("CONNECT", target, [("Host", target), *self.headers])
        except Failure as error:
            if error.exit_code == failure.EMPTY_REPLY:  # That would be the server's.
                error.exit_code = failure.RECEIVE_ERROR
            raise
        if not 200 <= answer.status_code < 300:
            reason = answer.reason.decode("latin-1")
            raise Failure(failure.RECEIVE_ERROR, f"{self.peer} refused to connect to {target}: {answer.status_code} {reason}")
