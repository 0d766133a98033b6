"""The applications behind the middleware in test_middleware.py, for servers of their own processes."""

from __future__ import annotations

import json

import awsign
from awsign.server import AsgiMiddleware, WsgiMiddleware

KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
verifier = awsign.Verifier({KEY: awsign.Credentials(KEY, SECRET)}.get)


def told(verified, size: int, length: str | None, encoding: str | None) -> bytes:
    facts = {
        "access_key_id": verified.access_key_id,
        "scope": verified.scope or "///",
        "size": size,
        "length": length,
        "encoding": encoding,
    }
    return json.dumps(facts).encode()


def application(environ, start_response):
    if environ["PATH_INFO"] == "/by-length":
        content = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        start_response("200 OK", [])
        return [content]
    if environ["PATH_INFO"] == "/late":
        return late(environ, start_response)
    size = 0
    try:
        for block in iter(lambda: environ["wsgi.input"].read(50_000), b""):
            size += len(block)
    except Exception:
        if environ["PATH_INFO"] != "/swallow":
            raise
        start_response("500 Oh", [("Content-Type", "text/plain")])
        return [b"something went wrong"]
    start_response("200 OK", [("Content-Type", "application/json")])
    if environ["PATH_INFO"].endswith("/empty"):  # botocore takes no JSON for S3's answer.
        return []
    return [told(environ["awsign.verified"], size, environ.get("CONTENT_LENGTH"), environ.get("HTTP_CONTENT_ENCODING"))]


def late(environ, start_response):
    start_response("200 OK", [])
    yield b""
    yield b"the beginning"
    while environ["wsgi.input"].read(50_000):
        pass
    yield b"the end"


async def asgi_by_length(scope, receive, send):
    wanted, content = int(dict(scope["headers"]).get(b"content-length", b"0")), b""
    while len(content) < wanted:
        content += (await receive())["body"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": content})


async def asgi_late(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"the beginning", "more_body": True})
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.body", "body": b"the end"})


async def asgi_application(scope, receive, send):
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": scope["awsign"].access_key_id})
        await send({"type": "websocket.close"})
        return
    if scope["type"] != "http":
        return
    if scope["path"] in ("/by-length", "/late"):
        await (asgi_late if scope["path"] == "/late" else asgi_by_length)(scope, receive, send)
        return
    size, more = 0, True
    try:
        while more:
            message = await receive()
            size += len(message.get("body", b""))
            more = message.get("more_body", False)
    except Exception:
        if scope["path"] != "/swallow":
            raise
        await send({"type": "http.response.start", "status": 500, "headers": []})
        await send({"type": "http.response.body", "body": b"something went wrong"})
        return
    headers = dict(scope["headers"])
    length, encoding = (headers[name].decode() if name in headers else None for name in (b"content-length", b"content-encoding"))
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    empty = scope["path"].endswith("/empty")
    await send({"type": "http.response.body", "body": b"" if empty else told(scope["awsign"], size, length, encoding)})


wsgi = WsgiMiddleware(application, verifier)
asgi = AsgiMiddleware(asgi_application, verifier)
