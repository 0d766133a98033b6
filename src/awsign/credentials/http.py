"""One request of a source and its answer, whole and in bounded time, with the standard library.

No redirect is followed: what goes out are tokens and signatures, for one host. A proxy is taken only where the settings of the
caller name one, so that none comes between an instance or a container and its metadata.
"""

from __future__ import annotations

import re
import time
from contextlib import suppress
from threading import Event, Timer
from urllib.parse import unquote, urlsplit

from ..errors import CredentialsError, system_reason
from ..redact import without_userinfo
from .document import json_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable
    from http.client import HTTPConnection, HTTPResponse
    from typing import Any
    from urllib.parse import SplitResult

    from ..settings import Settings

# Of calls over the Internet; what is on the machine itself has its own.
TIMEOUT, ATTEMPTS, PAUSE = 10.0, 3, 0.5
_MOST = 1 << 20
_URL = re.compile(r"https?://[!-~]+")
_REPEATABLE = frozenset((429, 500, 502, 503, 504))


class NoAnswer(CredentialsError):
    """Nothing usable came back. connected: whether there was somebody to ask."""

    def __init__(self, message: str, *, connected: bool = False) -> None:
        super().__init__(message)
        self.connected = connected


class Answer:
    """status; body."""

    __slots__ = ("body", "status")

    def __init__(self, status: int, body: bytes) -> None:
        self.status = status
        self.body = body

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def json(self) -> dict[str, Any] | None:
        """The object that the body is, None where it is none."""
        value = json_value(self.body)
        return value if isinstance(value, dict) else None


def ask(
    method: str,
    url: str,
    headers: Iterable[tuple[str, str | bytes]] = (),
    body: bytes | None = None,
    *,
    timeout: float,
    attempts: int = 1,
    pause: float = 0,
    settings: Settings | None = None,
) -> Answer:
    """Send a request; its answer, of whatever status. NoAnswer where none came.

    timeout: seconds to connect, and seconds for the rest. attempts: tries while there is no answer or a passing failure (429, 5xx);
    the answer to the last is given back. pause: seconds between two. settings: whose proxy and CA bundle to use; None for neither.
    """
    parts = split_url(url)
    failure: NoAnswer | None = None
    answer: Answer | None = None
    for attempt in range(attempts):
        if attempt and pause:
            time.sleep(pause)
        try:
            answer = _once(method, parts, list(headers), body, timeout, settings)
        except NoAnswer as error:
            failure = error
            continue
        if answer.status not in _REPEATABLE:
            return answer
    if answer is None:
        assert failure is not None
        tried = f", tried {attempts} times" if attempts > 1 else ""
        raise NoAnswer(f"{failure}{tried}", connected=failure.connected)
    return answer


def split_url(url: str) -> SplitResult:
    """The parts of an http(s) URL; CredentialsError for one that two readers could take for two hosts."""
    if _URL.fullmatch(url):
        try:
            parts = urlsplit(url)
            readable = bool(parts.hostname) and parts.username is None and parts.port != 0 and "\\" not in parts.netloc
        except ValueError:
            readable = False
        if readable:
            return parts
    raise CredentialsError(f"{without_userinfo(url)[:80]!r} is not the URL of a server, as http://127.0.0.1:9000/path")


def _once(
    method: str,
    parts: SplitResult,
    headers: list[tuple[str, str | bytes]],
    body: bytes | None,
    timeout: float,
    settings: Settings | None,
) -> Answer:
    from http.client import HTTPException, IncompleteRead  # Half of what a command that needs no network would import.

    where = parts.netloc
    try:
        connection, target, more = _connection(parts, timeout, settings)
    except (HTTPException, ValueError):
        raise CredentialsError(
            f"neither {where} nor its proxy can be asked: a host that is named has a character that no host has"
        ) from None
    expired = Event()
    connected = unsendable = False
    read = bytearray()
    timer: Timer | None = None
    response: HTTPResponse | None = None
    try:
        timer = _timer(timeout, lambda: connection.sock, expired)  # What a proxy answers is read in here too.
        connection.connect()
        connected = True
        timer.cancel()
        if expired.is_set():  # It went through after all; whoever asks has been told otherwise, or is about to be.
            raise TimeoutError
        sock = connection.sock  # The response takes it over.
        timer = _timer(timeout, lambda: sock, expired)
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        if not any(name.lower() == "host" for name, _ in headers):
            connection.putheader("Host", where)
        unsendable = not all(_put(connection, name, value) for name, value in [*headers, *more])
        if not unsendable:
            if body is not None or method in ("POST", "PUT"):
                connection.putheader("Content-Length", str(len(body or b"")))
            connection.endheaders(body)
            response = connection.getresponse()
            # read() of all at once would take a chunk of the size -1 for one without an end.
            while len(read) <= _MOST and (block := response.read1(1 << 16)):
                read += block
            if response.length and len(read) <= _MOST:
                raise IncompleteRead(b"", response.length)
    except (OSError, HTTPException, ValueError, RuntimeError) as error:
        # The text of some of these is what was read, or what a proxy said.
        tunnel = re.match(r"Tunnel connection failed: (\d+)", str(error))
        said = f"the proxy answered {tunnel[1]}" if tunnel else system_reason(error)
        said = "it took too long" if expired.is_set() or isinstance(error, TimeoutError) else said
        raise NoAnswer(f"no answer from {where} ({said})", connected=connected) from None
    finally:
        if timer is not None:
            timer.cancel()
        if response is not None:
            response.close()  # It holds the socket of a body that did not end.
        connection.close()
    if unsendable:  # Outside of the block above: the error quotes the value, which may be a token.
        raise CredentialsError(f"what was to be sent to {where} holds a character that no header can carry")
    if expired.is_set():
        raise NoAnswer(f"no whole answer from {where} in {timeout:g} seconds", connected=True)
    if len(read) > _MOST:
        raise NoAnswer(f"the answer from {where} is longer than {_MOST} bytes", connected=True)
    assert response is not None
    return Answer(response.status, bytes(read))


def _put(connection: HTTPConnection, name: str, value: str | bytes) -> bool:
    try:
        connection.putheader(name, value)
    except ValueError:
        return False
    return True


def _timer(seconds: float, sock: Callable[[], socket.socket | None], expired: Event) -> Timer:
    """What ends a connection. A socket's own timeout starts anew with each byte: a server that drips them would hold us for hours."""
    timer = Timer(seconds, _cut, (sock, expired))
    timer.daemon = True
    timer.start()
    return timer


def _cut(sock: Callable[[], socket.socket | None], expired: Event) -> None:
    import socket

    expired.set()
    if (open_one := sock()) is not None:  # Connecting has a timeout of its own.
        with suppress(OSError):  # It may be closed in this moment.
            socket.socket.shutdown(open_one, socket.SHUT_RDWR)  # Under TLS too: the reader is in another thread.


def without(text: str, *secrets: object, most: int = 300) -> str:
    """What a service said: without what was sent to it, printable, and cut."""
    for secret in secrets:
        if isinstance(secret, str) and len(secret) >= 4:
            text = text.replace(secret, "***")
    return "".join(character if character.isprintable() else " " for character in text).strip()[:most]


def _connection(parts: SplitResult, timeout: float, settings: Settings | None) -> tuple[HTTPConnection, str, list[tuple[str, str]]]:
    """What to send through, the target to ask for, and what a proxy wants to be told."""
    from http.client import HTTPConnection, HTTPSConnection

    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    proxy = settings.proxy_for(parts.scheme, parts.netloc) if settings is not None else None
    if proxy is None:
        if not secure:
            return HTTPConnection(host, port, timeout=timeout), target, []
        return HTTPSConnection(host, port, timeout=timeout, context=_ssl_context(settings)), target, []
    server, authorization = _proxy(proxy)
    if not secure:
        return HTTPConnection(*server, timeout=timeout), f"http://{parts.netloc}{target}", list(authorization.items())
    tunnel = HTTPSConnection(*server, timeout=timeout, context=_ssl_context(settings))
    tunnel.set_tunnel(host, port, authorization)
    return tunnel, target, []


def _proxy(url: str) -> tuple[tuple[str, int], dict[str, str]]:
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        host, port = parts.hostname, parts.port or 1080  # curl(1), --proxy
    except ValueError:
        host, port = None, 0
    if not host or parts.scheme != "http":
        # Its text may hold a password.
        raise CredentialsError(
            "the proxy of the environment is not a URL such as http://proxy.example:3128, which is what is spoken here"
        )
    headers = {}
    if parts.username:
        from base64 import b64encode

        secret = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode("utf-8", "surrogateescape")
        headers["Proxy-Authorization"] = f"Basic {b64encode(secret).decode()}"
    return (host, port), headers


def _ssl_context(settings: Settings | None) -> Any:
    import ssl

    bundle = settings.ca_bundle if settings is not None else None
    try:
        return ssl.create_default_context(cafile=bundle)
    except (OSError, ValueError) as error:
        raise CredentialsError(
            f"the certificates of {bundle!r} cannot be read: {getattr(error, 'strerror', None) or error}"
        ) from None
