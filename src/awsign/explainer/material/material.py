"""What was read, and how the form of a text is told."""

from __future__ import annotations

import re

from ...encoding import readable
from ...errors import InvalidRequest
from ...redact import masked
from ...request import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ...response import Response

LONGEST = 16 << 20


class Unreadable(InvalidRequest):
    """A text in which there is no request to be found."""


class Material:
    """A request, and what the text around it says.

    form: a word for the kind of text. response: the server's answer, where the text has it. canonical_request, string_to_sign: what
    the signer itself says that it signed. method_known: whether the text names the method. notes: what was assumed or is missing.
    """

    __slots__ = ("canonical_request", "form", "method_known", "notes", "request", "response", "string_to_sign")

    def __init__(self, form: str, request: Request) -> None:
        self.form = form
        self.request = request
        self.response: Response | None = None
        self.canonical_request: str | None = None
        self.string_to_sign: str | None = None
        self.method_known = True
        self.notes: list[str] = []

    def shown(self) -> str:
        """The request as a person would write it down, secrets masked."""
        request = self.request
        lines = [f"{request.method} {request.target}"]
        lines += [f"{name}: {value if isinstance(value, str) else value.decode('latin-1')}" for name, value in request.headers]
        return masked(readable("\n".join(lines)))


def received(method: str, url: str, headers: list[tuple[str, str]], body: bytes | None, *, scheme: str = "https") -> Request:
    """A request from its URL, whole or only a target, as it would arrive."""
    match = re.match(r"(?i)(https?|wss?)://([^/?#]*)([^#]*)", url)
    target = url
    if match:
        scheme = {"ws": "http", "wss": "https"}.get(match[1].lower(), match[1].lower())
        target = match[3] or "/"
        if not any(name.lower() in ("host", ":authority") for name, _ in headers):
            authority = match[2].rpartition("@")[2].lower()
            default = ":443" if scheme == "https" else ":80"
            headers = [("Host", authority.removesuffix(default)), *headers]
    if target.startswith("?"):
        target = f"/{target}"
    kept = [(name, value) for name, value in headers if not name.startswith(":") or name == ":authority"]
    # A lone surrogate is the bytes of nothing; it is kept as what it was in the text.
    exact = [
        (name, value.encode("utf-8", "surrogatepass") if isinstance(value, str) and not value.isascii() else value)
        for name, value in kept
    ]
    return Request.received(method, target, exact, body, scheme)


def assumed_body(method: str, headers: list[tuple[str, str]], notes: list[str]) -> bytes | None:
    """The body of a request whose text shows none: empty where the headers or the method say so, else not known."""
    given = {name.lower(): value.strip() for name, value in headers}
    length = given.get("content-length")
    if "transfer-encoding" not in given and (
        length == "0" or (length is None and method.upper() in ("GET", "HEAD", "DELETE", "OPTIONS"))
    ):
        return b""
    notes.append("The text does not have the body: it was not checked")
    return None


def read(text: str | bytes | Request | object, *, read_file: Callable[[str], bytes] | None = None) -> Material:
    """Find the request in whatever was given. Unreadable (a ValueError) if there is none.

    read_file: reads the files that a command line names; None leaves them unread, as is right for text from somebody else.
    """
    from .curl_line import read_curl
    from .fetch_call import read_fetch
    from .http_message import read_message
    from .json_text import read_json
    from .logs import read_log
    from .printed import read_printed
    from .unwrapped import unwrapped

    if isinstance(text, Request):
        return _of_request(text)
    if (
        hasattr(text, "method") and hasattr(text, "url") and hasattr(text, "headers")
    ):  # Signed, Presigned; requests' PreparedRequest too.
        return _of_signed(text)
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if not isinstance(raw, (bytes, bytearray)):
        raise TypeError(f"a request to explain is awsign.Request, or text or bytes, not {type(text).__name__}")
    if len(raw) > LONGEST:
        raise Unreadable(f"the text is longer than {LONGEST >> 20} MiB; give the request alone")
    raw = unwrapped(bytes(raw))
    words = raw.strip().decode("utf-8", "surrogateescape")
    if not words:
        raise Unreadable("the text is empty; give a request: a raw one, a curl command line, a URL, a HAR or a log")
    if re.match(r"<\?xml|<Error|<[A-Za-z]*Response\b|HTTP/[\d.]+ \d{3}", words):
        raise Unreadable("this is what a server answered; give the request that it refused, and this as its response (--response)")
    url = words.strip("'\"<>")
    if re.fullmatch(r"(?i)(?:https?|wss?)://\S+", url):
        found = Material("URL", received("GET", url, [], b""))
        found.method_known = False
        return found
    material = (
        read_curl(words, read_file)
        or read_json(words)
        or read_fetch(words)
        or read_log(words)
        or read_message(raw, words)
        or read_printed(words)
    )
    if material is not None:
        return material
    raise Unreadable(  # Nothing of the text: it may be a secret.
        f"there is no signed request in this text of {len(raw)} bytes; give a raw HTTP request, a curl command line, a URL, a HAR entry, "
        "botocore's debug log or printed headers"
    )


def _of_request(request: Request) -> Material:
    """A request that arrived as it is; of one that is to be sent, what would arrive."""
    headers = list(request.headers)
    if not any(name.lower() in ("host", ":authority") for name, _ in headers):
        headers.insert(0, ("Host", request.host))
    scheme = {"ws": "http", "wss": "https"}.get(request.scheme, request.scheme)
    notes: list[str] = []
    body = request.body
    if body is None and not _says_body(headers):
        body = b""  # As the verifier takes it.
    elif not isinstance(body, bytes):
        body = None
        notes.append("The body was not read: it was not checked")
    copy = Request.received(request.method, "/", headers, body, scheme)
    copy.path, copy.query, copy.authority = request.path, request.query, request.authority
    material = Material("request", copy)
    material.notes = notes
    return material


def _says_body(headers: list[tuple[str, str | bytes]]) -> bool:
    """Whether the head says that there is a body."""
    given = {name.lower(): value for name, value in headers}
    return "transfer-encoding" in given or given.get("content-length", "0") not in ("0", b"0")


def _of_signed(signed: Any) -> Material:
    """What would arrive of a signed request, a presigned URL, or another library's request with a method, a URL, headers and a body."""
    body = getattr(signed, "body", None)
    content = b"" if body is None else body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else None
    pairs = signed.headers.items() if hasattr(signed.headers, "items") else signed.headers
    material = Material("request", received(signed.method, signed.url, list(pairs), content))
    if content is None:
        material.notes.append("The body was not read: it was not checked")
    return material
