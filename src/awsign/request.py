"""A request as it goes on the wire: method, URL, headers in order, body.

`Request(...)` is one that will be sent: whatever a wire cannot carry unchanged is refused, or encoded once and for all.
`Request.received(...)` is one that arrived: kept as it came, whatever is wrong with it.
"""

from __future__ import annotations

import re
from functools import lru_cache

from .body import seekable
from .canonical import canonical_fields, lower_name, may_be_repeated
from .encoding import arrived, utf8
from .errors import InvalidRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, TypeAlias

    from .body import Body
    from .canonical import Header

    Headers: TypeAlias = Mapping[str, str | bytes] | Iterable[tuple[str, str | bytes]]

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110, section 5.6.2
_ABSOLUTE_FORM = re.compile(r"(https?)://([^/?#]*)", re.IGNORECASE)
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*+://[^/?#]*+)([^?#]*+)(?:\?([^#]*+))?(#.*)?", re.DOTALL)
_AUTHORITY = re.compile(r"(?:(.*)@)?(\[[^\]]*\]|[^:]*)(?::(.*))?", re.DOTALL)
_HOST = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=\-]+|\[[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*\]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# What a path or a query may hold as it is: RFC 3986, sections 3.3 and 3.4. Upper-case escapes alone, so that no client has
# a reason to rewrite them (section 2.1).
_SENDABLE = re.compile(r"[A-Za-z0-9\-._~!$&'()*,;=:@/+?]*+(?:%[0-9A-F]{2}[A-Za-z0-9\-._~!$&'()*,;=:@/+?]*+)*+")
_UNSENDABLE = re.compile(r"[^A-Za-z0-9\-._~!$&'()*,;=:@/+?%]")
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_PLAIN_VALUE = re.compile(r"(?:[!-~](?:[ -~\t]*[!-~])?)?")
_LONGEST_KEPT = 256  # What is longer is not remembered: it may be a stranger's.
_METHODS = frozenset(("GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"))
_DEFAULT_PORTS = {"http": "80", "https": "443", "ws": "80", "wss": "443"}


def split_authority(authority: str) -> tuple[str | None, str, str | None]:
    """user-info, host (brackets kept) and port of a URL's authority. Source: RFC 3986, section 3.2."""
    match = _AUTHORITY.fullmatch(authority)
    assert match is not None  # It matches anything.
    return match[1], match[2], match[3]


def host_header(scheme: str, host: str, port: str | None) -> str:
    """The Host header of a URL: lower-case, with the port where it is not the scheme's own (RFC 9110, section 7.2)."""
    host = host.lower()
    return host if not port or port == _DEFAULT_PORTS.get(scheme) else f"{host}:{port}"


def with_parameters(url: str, parameters: Any) -> str:
    """A URL with more parameters in its query, as HTTP clients write those that they are given.

    parameters: a mapping or pairs; a value that is a list stands once for each of its items, None not at all; or a str, as it is.
    """
    if not parameters:
        return url
    if isinstance(parameters, (str, bytes)):
        more = parameters.decode() if isinstance(parameters, bytes) else parameters
    else:
        from urllib.parse import urlencode

        pairs = [
            (name, each)
            for name, values in (parameters.items() if hasattr(parameters, "items") else parameters)
            for each in ([values] if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__") else values)
            if each is not None
        ]
        more = urlencode(pairs)
    return f"{url}{'&' if '?' in url else '?'}{more}" if more else url


def target_in(url: str) -> str:
    """Path and query of an absolute URL, as on the request line."""
    match = _URL.fullmatch(url)
    assert match is not None
    path, query = match[2] or "/", match[3]
    return path if query is None else f"{path}?{query}"


class Request:
    """One HTTP request.

    method: its name; upper-case from here on, as clients send it. url: an absolute URL, http, https, ws or wss. headers: a mapping
    or an iterable of pairs; a value is ASCII text, or bytes that are sent as they are. body: bytes, str (UTF-8), a binary file from
    where it stands, an iterable or async iterable of bytes, or None.

    The URL is encoded where it has to be (spaces, non-ASCII, what RFC 3986 allows in no URL; a bare `+` of the query becomes
    `%20`, as servers read it; escapes become upper-case): `request.url` is what will be sent. Raises InvalidRequest for what
    cannot be sent faithfully, TypeError for a value of another type.
    """

    __slots__ = ("_headers", "_start", "authority", "body", "fields", "host", "method", "path", "query", "scheme")

    method: str
    scheme: str
    authority: str
    host: str
    path: str
    query: str
    _headers: tuple[Header, ...]
    fields: dict[str, str]
    body: Body
    _start: int | None

    def __init__(self, method: str, url: str, headers: Headers = (), body: Body | str = None) -> None:
        self.method = method if method.__class__ is str and method in _METHODS else _sendable_method(method)
        if not isinstance(url, str):
            raise TypeError(f"a URL must be a str, not {type(url).__name__}")
        # Most services have one URL for all their calls. A query may hold what is not to be kept.
        split = _known_url if len(url) < _LONGEST_KEPT and "?" not in url else _split_url
        self.scheme, self.authority, self.path, self.query = split(url)
        self.host = self.authority
        self._headers = tuple(headers.items() if isinstance(headers, dict) else _pairs(headers))
        fields = _plain_fields(self._headers)
        if fields is None:
            host, self._headers = _sendable_headers(self._headers)
            self.host = host or self.authority
            fields = canonical_fields(self._headers)
        self.fields = fields
        self.put_body(body if body is None or body.__class__ is bytes else _body(body))

    def put_body(self, body: Body) -> None:
        """Take another body, from where it stands."""
        self.body = body
        plain = body is None or isinstance(body, bytes)
        self._start = None if plain or not seekable(body) else body.tell()  # type: ignore[union-attr]

    def rewind(self) -> None:
        """Put a file back to where it stood when the request was made: what was sent may be signed, and sent, again."""
        if self._start is not None and seekable(self.body):
            self.body.seek(self._start)  # type: ignore[union-attr]

    @classmethod
    def received(
        cls,
        method: str,
        target: str | bytes,
        headers: Headers,
        body: Body | str = None,
        scheme: str = "https",
    ) -> Request:
        """A request as it arrived at a server; nothing about it is checked or changed here.

        target: as on the request line, its path still percent-encoded. str is text (UTF-8 on the wire), bytes are exact; the
        same goes for header values. headers: in the order of the wire, Host (or HTTP/2's :authority) included. body: bytes, or
        None or a stream where it is yet to be read. scheme: of the connection, as the client saw it.
        """
        self = cls.__new__(cls)
        self._start = None
        self.method = arrived(method)
        self.scheme = scheme
        target = arrived(target)
        authority = None
        if absolute := _ABSOLUTE_FORM.match(target):  # RFC 9112, section 3.2.2: as proxies are asked.
            authority, target = absolute[2], target[absolute.end() :]
        path, _, self.query = target.partition("?")
        self.path = path or "/"
        pairs = []
        hosts, authorities = [], []
        for name, value in headers.items() if hasattr(headers, "items") else headers:
            if not (name.__class__ is str and value.__class__ is str and name.isascii() and value.isascii()):
                name, value = arrived(name), arrived(value)
            lower = lower_name(name)
            if lower == "host":
                hosts.append(value)
            elif name == ":authority":
                authorities.append(value)
            else:
                pairs.append((name, value))
        # HTTP/2's :authority is the host; both are there where something on the way made one of the other.
        hosts += [value for value in authorities if value not in hosts]
        self.host = ",".join([host.strip(" \t") for host in hosts])
        self.authority = self.host if authority is None else authority
        self.headers = (*[("host", host) for host in hosts], *pairs)
        if isinstance(body, str):
            body = body.encode("utf-8", "surrogatepass")
        self.body = bytes(body) if isinstance(body, (bytearray, memoryview)) else body
        plain = self.body is None or isinstance(self.body, bytes)
        if not plain and not any(hasattr(self.body, name) for name in ("read", "__iter__", "__aiter__")):
            raise TypeError(f"a body that arrived is bytes, a stream or None, not {type(body).__name__}")
        return self

    def but(self, **changes: object) -> Request:
        """A copy in which the named parts are others; nothing is checked."""
        copy = type(self).__new__(type(self))
        for name in self.__slots__:
            setattr(copy, name, getattr(self, name))
        for name, value in changes.items():
            setattr(copy, name, value)
        return copy

    @property
    def headers(self) -> tuple[Header, ...]:
        """The headers in their order; Host is among those that arrived, and apart (`host`) from those to be sent."""
        return self._headers

    @headers.setter
    def headers(self, headers: tuple[Header, ...]) -> None:
        self._headers = tuple([(name, value) for name, value in headers])
        self.fields = canonical_fields(self._headers)

    @property
    def target(self) -> str:
        """Path and query, as on the request line."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def url(self) -> str:
        """The URL as it is sent."""
        return self.url_of(self.path, self.query)

    def url_of(self, path: str, query: str) -> str:
        """The URL with another path and query, as on the wire."""
        return f"{self.scheme}://{self.authority}{path}?{query}" if query else f"{self.scheme}://{self.authority}{path}"

    def __repr__(self) -> str:
        # Headers, query and body may hold secrets.
        return f"<Request {self.method} {self.scheme}://{self.authority}{self.path}>"


URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"


def is_form(method: str, headers: Iterable[Header], media_type: str) -> bool:
    """Whether a request is a POST of a form, of one of the two media types that HTML has."""
    if method != "POST":
        return False
    for name, value in headers:
        if name.lower() == "content-type":
            text = value if isinstance(value, str) else value.decode("latin-1")
            return text.partition(";")[0].strip().lower() == media_type
    return False


def require_request(request: object) -> Request:
    """The request; TypeError, with what to do, for what is no Request."""
    if not isinstance(request, Request):
        raise TypeError(
            f"a request must be awsign.Request(method, url, headers, body), not {type(request).__name__}; "
            "of a signed one, make Request(signed.method, signed.url, signed.headers, signed.body)"
        )
    return request


def _split_url(url: str) -> tuple[str, str, str, str]:
    """Scheme, authority, path and query of a URL, as they are sent."""
    match = _URL.fullmatch(url)
    if match is None:
        raise InvalidRequest(f"the URL {_shown(url)!r} is not absolute; it must begin as https://host/")
    origin, path, query, fragment = match.groups()
    scheme, authority = (_known_origin if len(origin) < _LONGEST_KEPT else _origin)(origin)
    if fragment is not None:
        raise InvalidRequest(f"the URL has a fragment, {fragment[:40]!r}, which no client sends; write # as %23, or leave it out")
    path = _sendable("path", path) or "/"
    query = _sendable("query", query).replace("+", "%20") if query else ""
    return scheme, authority, path, query


def _origin(origin: str) -> tuple[str, str]:
    """Scheme and authority of a URL, from what is before its path."""
    scheme, _, authority = origin.partition("://")
    scheme = scheme.lower()
    if scheme not in _DEFAULT_PORTS:
        raise InvalidRequest(f"the URL scheme {scheme!r} is not one of {', '.join(_DEFAULT_PORTS)}")
    user_info, host, port = split_authority(authority)
    if user_info is not None:
        raise InvalidRequest(
            "the URL has a user name or password before its host; a signed request has no use for them, leave them out"
        )
    if not host:
        raise InvalidRequest(f"the URL {_shown(origin)!r} has no host")
    if not _HOST.fullmatch(host):
        fix = "write it in its xn-- form" if not host.isascii() else "is it spelt right?"
        raise InvalidRequest(f"the host {host!r} has a character that no host has; {fix}")
    if port and not (port.isascii() and port.isdigit() and len(port) < 6 and int(port) < 65536):
        shown = f" {port[:12]}" if port.isdigit() else ""
        raise InvalidRequest(f"the port{shown} is not a number from 0 to 65535; is there a password before the host?")
    return scheme, host_header(scheme, host, port)


_known_url = lru_cache(maxsize=128)(_split_url)
_known_origin = lru_cache(maxsize=256)(_origin)


def _shown(url: str) -> str:
    """The beginning of a URL for a message: without what may be a password."""
    return f"...@{url.rpartition('@')[2][:60]}" if "@" in url else url[:60]


def _sendable(what: str, text: str) -> str:
    if _SENDABLE.fullmatch(text):
        return text
    if control := _CONTROL.search(text):
        raise InvalidRequest(f"the {what} of the URL has the control character {control[0]!r}; write it as %{ord(control[0]):02X}")
    if stray := _STRAY_PERCENT.search(text):
        raise InvalidRequest(
            f"in the {what} of the URL, no two hex digits follow the % of {text[stray.start() :][:12]!r}; write % as %25"
        )
    try:
        text = _UNSENDABLE.sub(lambda match: f"%{ord(match[0]):02X}", utf8(text))
    except UnicodeEncodeError:
        raise InvalidRequest(f"the {what} of the URL has a lone surrogate, which no encoding has bytes for") from None
    return _ESCAPE.sub(lambda match: match[0].upper(), text)


def _sendable_method(method: object) -> str:
    if not isinstance(method, str) or not _TOKEN.fullmatch(method):
        raise InvalidRequest(f"the method {method!r} is not an HTTP method such as GET")
    return method.upper()


def _pairs(headers: Headers) -> Iterable[Any]:
    items = headers.items() if hasattr(headers, "items") else headers
    for pair in items:
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise TypeError("headers must be a mapping, or an iterable of (name, value) pairs")
        yield tuple(pair)  # Not the caller's own, which may change.


def _plain_fields(headers: tuple[Header, ...]) -> dict[str, str] | None:
    """Headers by lower-case name if they are what most are: text that is sent and signed as it is, each once, no Host. None for others."""
    fields: dict[str, str] = {}
    for name, value in headers:
        if not (
            name.__class__ is str
            and value.__class__ is str
            and value.isascii()
            and value.isprintable()
            and (" " not in value or ("  " not in value and value == value.strip(" ")))
        ):
            return None
        lower = _lower_token(name) if len(name) < _LONGEST_KEPT else None
        if lower is None or lower == "host" or lower in fields:
            return None
        fields[lower] = value
    return fields


@lru_cache(maxsize=1024)  # The names of a program's headers are few.
def _lower_token(name: str) -> str | None:
    """A header's name in lower case, None for what cannot be one."""
    return lower_name(name) if _TOKEN.fullmatch(name) else None


def _sendable_headers(headers: tuple[tuple[Any, Any], ...]) -> tuple[str | None, tuple[Header, ...]]:
    """The Host that was given among headers, and the others; InvalidRequest for what cannot be sent, or could be read in two ways."""
    host = None
    kept: list[Header] = []
    seen = set()
    for name, value in headers:
        name = name.decode("latin-1") if isinstance(name, bytes) else name
        lower = name.lower() if isinstance(name, str) and _TOKEN.fullmatch(name) else None
        if lower is None:
            raise InvalidRequest(f"{name!r} is not the name of a header: letters, digits and -_.~!#$%&'*+^`| only")
        value = _sendable_value(name, value)
        if lower in seen and not may_be_repeated(lower):
            raise InvalidRequest(
                f"the request has the header {lower} twice, which two readers could read in two ways; leave one out"
            )
        seen.add(lower)
        if lower != "host":
            kept.append((name, value))
        elif isinstance(value, str) and value and " " not in value and "\t" not in value:
            host = value
        else:
            raise InvalidRequest(f"the Host header {value!r} is not a host; leave it out to have that of the URL")
    return host, tuple(kept)


def _sendable_value(name: str, value: str | bytes) -> str | bytes:
    """A header's value if it can be sent unchanged: else the reason why not."""
    if isinstance(value, str):
        text = value
    elif isinstance(value, bytes):
        text = value.decode("latin-1")
    else:
        raise TypeError(
            f"the header {name} must be a str or bytes, not {type(value).__name__}; write str({type(value).__name__}) yourself"
        )
    if _PLAIN_VALUE.fullmatch(text):
        return text
    if isinstance(value, str) and not value.isascii():
        raise InvalidRequest(
            f"the header {name} is not ASCII: clients send that as Latin-1 or as UTF-8, each as it likes; "
            "pass the bytes that are to be sent, or encode the text (RFC 2047, or %-escapes)"
        )
    if control := re.search(r"[\x00-\x08\x0a-\x1f\x7f]", text):
        raise InvalidRequest(f"the header {name} has the control character {control[0]!r}, which cannot be sent")
    if text != text.strip(" \t"):
        raise InvalidRequest(f"the header {name} begins or ends with white space, which is lost on the way; strip it")
    return value


def _body(body: Body | str) -> Body:
    if body is None or isinstance(body, bytes):
        return body
    if isinstance(body, str):
        try:
            return body.encode()
        except UnicodeEncodeError:
            raise InvalidRequest("the body has a lone surrogate, which UTF-8 has no bytes for; pass bytes") from None
    if isinstance(body, (bytearray, memoryview)):
        return bytes(body)
    if hasattr(body, "items"):
        raise TypeError(
            f"a body cannot be a {type(body).__name__}: encode it first, with json.dumps(...) or urllib.parse.urlencode(...), "
            "and set its content-type"
        )
    if hasattr(body, "read") or hasattr(body, "__iter__") or hasattr(body, "__aiter__"):
        return body
    fix = "; open it, as open(path, 'rb')" if hasattr(body, "__fspath__") else ""
    raise TypeError(f"a body must be bytes, str, a binary file, an iterable of bytes or None, not {type(body).__name__}{fix}")
