"""Passing a verified request on to a server behind this one, and its answer back, both as streams."""

from __future__ import annotations

import logging
from http import HTTPStatus
from urllib.parse import urlsplit
from uuid import uuid4

import httpcore2
from h11 import LocalProtocolError

from ..authorization import TOKEN_HEADERS, without_signature
from ..canonical import joined_headers
from ..errors import InvalidRequest, SignatureError
from ..post_policy import SIGNING_FIELDS
from .app import one_block
from .arriving import decoded_headers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from ..canonical import Header
    from ..request import Request
    from ..verify import Verified
    from ..verify.form_reader import Form
    from .app import Send

log = logging.getLogger("awsign.server")

# What belongs to one connection goes no further, in either direction (RFC 9110, section 7.6.1).
_HOP_BY_HOP = frozenset(("connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"))
# Nor do, of a request: what the client says to this server as a proxy, the signature and the token, which are meant for this
# server alone, and the names that this server itself speaks by.
_DROPPED = _HOP_BY_HOP.union(
    ("proxy-authenticate", "proxy-authorization", "proxy-connection", "expect", "host", "authorization"),
    TOKEN_HEADERS,
    ("x-awsign-access-key-id", "x-forwarded-host", "x-forwarded-proto"),
)

_STATUSES = frozenset(HTTPStatus)


def _of_this_connection(headers: Iterable[Header]) -> frozenset[str]:
    """The headers that Connection names, which go no further (RFC 9110, section 7.6.1)."""
    named = ",".join(str(value) for name, value in headers if name.lower() == "connection")
    return frozenset(name.strip().lower() for name in named.split(",") if name.strip())


def _unsigned(
    request: Request, verified: Verified, body: AsyncIterator[bytes]
) -> tuple[AsyncIterator[bytes], dict[str, str | None]]:
    """A body without what signed it, and the headers that it then has others of: by lower-case name, None for none."""
    if verified.form is not None:
        kind, form = _form(verified.form, body)
        return form, {"content-type": kind, "content-length": None}
    if verified.location == "form" and isinstance(request.body, bytes):
        pairs = without_signature(request.body.decode("latin-1"), verified.scheme).encode("latin-1")
        return one_block(pairs), {"content-length": str(len(pairs))}
    if not verified.body.decodes:
        return body, {}
    return body, decoded_headers(joined_headers(request.headers))


def _form(form: Form, file: AsyncIterator[bytes]) -> tuple[str, AsyncIterator[bytes]]:
    """The fields that were verified, and the file, as a form of their own: its Content-Type, and the body."""
    boundary = f"awsign-{uuid4().hex}"

    async def parts() -> AsyncIterator[bytes]:
        for name, value in form.fields.items():
            if name not in SIGNING_FIELDS:
                yield f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"\r\n\r\n{value}\r\n'.encode()
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{_quoted(form.file_name)}"\r\n'
        if form.file_type:
            head += f"Content-Type: {form.file_type}\r\n"
        yield f"{head}\r\n".encode()
        async for block in file:
            yield block
        yield f"\r\n--{boundary}--\r\n".encode()

    return f"multipart/form-data; boundary={boundary}", parts()


def _quoted(text: str) -> str:
    """A name in a part's header, as HTML has it ("Multipart form data")."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


class Forwarder:
    """Sends what was verified to `url`: the path and query as they came, without the signature.

    The server behind learns who signed from X-Awsign-Access-Key-Id, which no client can set.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InvalidRequest(f"--forward {url!r}: it must be an http:// or https:// URL")
        self._parts = parts
        self._pool = httpcore2.AsyncConnectionPool(max_connections=100)

    async def pass_on(self, request: Request, verified: Verified, body: AsyncIterator[bytes], send: Send) -> int:
        """Send the request on, and its answer back to the client; gives its status. SignatureError if its body is not what was signed."""
        query = without_signature(request.query, verified.scheme) if verified.location == "query" else request.query
        body, replaced = _unsigned(request, verified, body)
        target = self._parts.path.rstrip("/") + request.path + (f"?{query}" if query else "")
        url = httpcore2.URL(
            scheme=self._parts.scheme.encode(),
            host=(self._parts.hostname or "").encode(),
            port=self._parts.port,
            target=target.encode("latin-1"),
        )
        headers = [(b"Host", self._parts.netloc.encode())]
        chunked = any(name.lower() == "transfer-encoding" for name, _ in request.headers)
        dropped = _of_this_connection(request.headers) | _DROPPED | replaced.keys()
        if chunked:
            dropped |= {"content-length"}  # With both, the chunks count (RFC 9112, section 6.3).
        headers += [
            (name.encode("latin-1"), value.encode("latin-1") if isinstance(value, str) else value)
            for name, value in request.headers
            if name.lower().replace("_", "-") not in dropped  # CGI and WSGI read `_` and `-` as one.
        ]
        headers += [(name.encode(), value.encode("latin-1")) for name, value in replaced.items() if value is not None]
        names = {name.lower() for name, _ in headers}
        has_body = b"content-length" in names or chunked or replaced.get("content-length", "") is None
        if has_body and b"content-length" not in names:
            headers.append((b"Transfer-Encoding", b"chunked"))
        headers += [
            (b"X-Awsign-Access-Key-Id", verified.access_key_id.encode()),
            (b"X-Forwarded-Host", request.host.encode("latin-1")),
            (b"X-Forwarded-Proto", request.scheme.encode()),
        ]
        started = False
        try:
            async with self._pool.stream(request.method, url, headers=headers, content=body if has_body else None) as response:
                if response.status not in _STATUSES:
                    raise httpcore2.RemoteProtocolError(f"the status {response.status}")
                pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers]
                dropped = _of_this_connection(pairs) | _HOP_BY_HOP
                kept = [(name, value) for name, value in response.headers if name.decode("latin-1").lower() not in dropped]
                await send({"type": "http.response.start", "status": response.status, "headers": kept})
                started = True
                async for block in response.aiter_stream():
                    await send({"type": "http.response.body", "body": block, "more_body": True})
                await send({"type": "http.response.body", "body": b""})
                return response.status
        except SignatureError:
            raise
        except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.TimeoutException, LocalProtocolError) as error:
            log.warning(
                "the server behind, %s://%s, did not answer: %s",
                self._parts.scheme,
                self._parts.netloc,
                error or type(error).__name__,
            )
            if started:
                return 502  # The answer is not completed: uvicorn closes the connection, so that the client notices.
            text = f"the server behind this gateway did not answer: {type(error).__name__}\n".encode()
            await send({"type": "http.response.start", "status": 502, "headers": [(b"content-length", str(len(text)).encode())]})
            await send({"type": "http.response.body", "body": text})
            return 502
