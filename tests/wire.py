"""Sends what was signed, exactly: bytes on a socket, no HTTP library between. For tests of what servers make of it."""

from __future__ import annotations

import http.client
import socket
from urllib.parse import urlsplit

import awsign


def send(signed: awsign.Signed | awsign.Presigned, body: bytes | None = None) -> tuple[int, bytes]:
    """The status and body of the answer to a signed request or a presigned URL."""
    status, _, read = _sent(signed, body)
    return status, read


def send_whole(signed: awsign.Signed) -> awsign.Response:
    """The answer with its headers."""
    return awsign.Response(*_sent(signed, None))


def _sent(signed: awsign.Signed | awsign.Presigned, body: bytes | None) -> tuple[int, list[tuple[str, str]], bytes]:
    parts = urlsplit(signed.url)
    content = body if body is not None else getattr(signed, "body", None)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    try:
        connection.putrequest(
            signed.method, signed.url.partition(parts.netloc)[2] or "/", skip_host=True, skip_accept_encoding=True
        )
        pairs = list(signed.headers)
        if not any(name.lower() == "host" for name, _ in pairs):
            pairs.insert(0, ("Host", parts.netloc))
        for name, value in pairs:
            connection.putheader(name, value)
        sized = any(name.lower() == "content-length" for name, _ in pairs)
        if not sized and (content is not None or signed.method in ("PUT", "POST")):
            connection.putheader("Content-Length", str(len(content or b"")))
        connection.endheaders(content)
        response = connection.getresponse()
        return response.status, response.getheaders(), response.read()
    finally:
        connection.close()


def one_byte_changed(signed: awsign.Signed) -> awsign.Signed:
    """The same with one hex digit of its signature changed."""
    headers = []
    for name, value in signed.headers:
        if name == "Authorization":
            head, tail = value[:-1], value[-1]
            value = head + ("0" if tail != "0" else "1")
        headers.append((name, value))
    return awsign.Signed(signed.method, signed.url, tuple(headers), signed.body, signed.derivation)


def raw_exchange(url: str, message: bytes) -> bytes:
    """What a server answers to bytes as they are, until it closes the connection."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as link:
        link.sendall(message)
        return b"".join(iter(lambda: link.recv(65536), b""))
