"""What a WSGI or ASGI server hands on -> the request as it arrived: its path as on the wire, its host and scheme as the client saw them."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from ..chunked import CODING, DECODED_LENGTH, TRAILER, codings_of
from ..errors import InvalidRequest, SignatureError
from ..request import URLENCODED, is_form
from ..services import answer_shape
from .answers import error_answer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

    from ..request import Request
    from ..verify import Claim, Verifier
    from .answers import Answer

_PLAIN = re.compile(r"[A-Za-z0-9\-._~/]*")
_HOST = re.compile(r"[A-Za-z0-9._-]+(?::\d+)?|\[[0-9A-Fa-f:.]+\](?::\d+)?")

# A body whose hash is not declared has to be read before its signature can be checked.
_SHORT = 1 << 16
LARGEST_UNDECLARED = 16 << 20


class Place:
    """Where clients reach this application: what is behind a proxy cannot know that by itself, and a signature covers the host.

    host: the Host header that clients sign, where a proxy sends another one on; None takes the one that arrives. scheme: "http" or
    "https", as clients use it; None takes that of the connection. prefix: what a proxy takes from the beginning of the path.
    """

    __slots__ = ("host", "prefix", "scheme")

    def __init__(self, host: str | None = None, scheme: str | None = None, prefix: str = "") -> None:
        if host is not None and not _HOST.fullmatch(host):
            raise InvalidRequest(f"host={host!r}: it is a Host header such as 'api.example.com' or 'localhost:8000'")
        if scheme not in (None, "http", "https"):
            raise InvalidRequest(f"scheme={scheme!r}: it is 'http' or 'https'")
        if prefix and (not prefix.startswith("/") or prefix.endswith("/")):
            raise InvalidRequest(f"prefix={prefix!r}: it begins with a slash and ends with none, as '/api'")
        self.host = host
        self.scheme = scheme
        self.prefix = prefix

    def target(self, path: str, query: str) -> str:
        """The target that the client sent; both as on the wire."""
        return f"{self.prefix}{path}?{query}" if query else f"{self.prefix}{path}"

    def headers(self, pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """The headers that the client sent, as to the host."""
        if self.host is None:
            return pairs
        return [("Host", self.host), *(pair for pair in pairs if pair[0].lower() != "host")]


class Middleware:
    """What the middlewares of WSGI and ASGI have alike: see AsgiMiddleware."""

    def __init__(
        self,
        app: Any,
        verifier: Verifier,
        *,
        host: str | None = None,
        scheme: str | None = None,
        prefix: str = "",
        on_refusal: Callable[[Request, SignatureError], None] | None = None,
    ) -> None:
        self._app = app
        self._verifier = verifier
        self._place = Place(host, scheme, prefix)
        self._on_refusal = on_refusal

    def _answer(self, request: Request | None, error: SignatureError) -> Answer:
        """The answer to a request that is refused, once that is told to whoever asked to be told."""
        if self._on_refusal is not None and request is not None:
            self._on_refusal(request, error)
        return error_answer(error)


def wire_path(decoded: str, headers: dict[str, str]) -> str:
    """The path of the wire from a decoded one, where there is only one; SignatureError where there could be several."""
    if not _PLAIN.fullmatch(decoded):
        _refuse(
            "path-not-recoverable",
            headers,
            "the path of this request arrived decoded, and its signature covers how it was encoded: run the application behind a server "
            "that gives the raw path (WSGI: RAW_URI or REQUEST_URI, as gunicorn and uWSGI; ASGI: raw_path, as uvicorn and hypercorn)",
        )
    return decoded


def check_handed_on(raw_path: bytes, handed_on: bytes, headers: dict[str, str]) -> None:
    """That the application is asked for the path that is verified: a server may have cut, joined or rewritten it."""
    decoded = unquote_to_bytes(raw_path)
    # ASGI's path is text: bytes that are not UTF-8 were replaced there.
    if not raw_path.startswith(b"/") or handed_on not in (decoded, decoded.decode("utf-8", "replace").encode()):
        refuse_path(headers, "path")


def refuse_path(headers: dict[str, str], what: str) -> NoReturn:
    """Refuse a request for another path or query than the application is asked for."""
    _refuse(
        "path-not-recoverable",
        headers,
        f"the server gives the application another {what} than the request has; a signature covers the one of the request",
    )


def _refuse(kind: str, headers: dict[str, str], message: str) -> NoReturn:
    raise SignatureError(kind, message, shape=answer_shape(None, headers, False))


def may_be_signed_form(request: Request) -> bool:
    """Whether the signature of a request may be in its body: a form of a Query API."""
    has_header = any(name.lower() == "authorization" for name, _ in request.headers)
    return not has_header and is_form(request.method, request.headers, URLENCODED)


def largest_undeclared(verifier: Verifier) -> int:
    """How much is read of a body that has to be whole before it can be checked."""
    return LARGEST_UNDECLARED if verifier.max_body is None else min(verifier.max_body, LARGEST_UNDECLARED)


def declared_length(headers: dict[str, str]) -> int | None:
    """How long the body says that it is; None where it says nothing, or is in chunks. SignatureError where it says both, or no number."""
    text = headers.get("content-length", "")
    if "transfer-encoding" in headers:
        if text:  # One reader could take the one, another the other (RFC 9112, section 6.3).
            _refuse("two-lengths", headers, "the request has Content-Length and Transfer-Encoding; send one")
        return None
    if text and not (text.isascii() and text.isdigit() and len(text) < 19):
        _refuse("two-lengths", headers, f"Content-Length is {text[:40]!r}, not one number")
    return int(text) if text else None


def too_large(claim: Claim | None, most: int) -> NoReturn:
    """Refuse a body that has to be read whole, and is larger than that."""
    text = f"the request does not declare its body's hash, and the body is larger than {most} bytes; send x-amz-content-sha256"
    if claim is not None:
        claim.refuse("body-too-large", text)
    raise SignatureError("body-too-large", text, shape="query")


def decoded_headers(given: dict[str, str]) -> dict[str, str | None]:
    """The headers that a body which came in signed chunks has once it is decoded: by lower-case name, None for none.

    given: those that arrived, by lower-case name. The chunks were checked and are gone: what is left is the body that they made up.
    """
    length = DECODED_LENGTH.lower()
    return {
        "content-length": given.get(length),
        "content-encoding": ",".join(coding for coding in codings_of(given) if coding != CODING) or None,
        **dict.fromkeys(("x-amz-content-sha256", length, TRAILER.lower(), "x-amz-sdk-checksum-algorithm")),
    }


def is_short(headers: dict[str, str]) -> bool:
    """Whether a body is of a length that is read whole here."""
    length = headers.get("content-length", "0")
    return (
        length.isascii() and length.isdigit() and len(length) < 7 and int(length) <= _SHORT and "transfer-encoding" not in headers
    )
