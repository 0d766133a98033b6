"""Event streams over a WebSocket, as Amazon Transcribe has them: a presigned handshake, then signed frames, each verified.

They end here: nothing is passed on. Source: ASGI, "WebSocket"; Amazon Transcribe developer guide, "Setting up a WebSocket stream".
"""

from __future__ import annotations

import json
import logging

from ..errors import SignatureError
from ..event_stream import Message
from ..redact import masked
from .answers import error_answer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..request import Request
    from ..verify import Verified, Verifier
    from .app import Receive, Send

log = logging.getLogger("awsign.server")

# RFC 6455, section 7.4.1.
_NORMAL, _NOT_BYTES, _REFUSED = 1000, 1003, 1008


async def verify_frames(request: Request, verifier: Verifier, receive: Receive, send: Send) -> None:
    """One connection, from its handshake to its end. request: the handshake, with an empty body."""
    await receive()
    try:
        claim = verifier.claim(request)
        if (claim.scheme, claim.location) != ("sigv4", "query"):
            claim.refuse("missing-authentication", "the handshake of an event stream is presigned by Signature Version 4")
        verified = await verifier.verify_async(claim)
        check = verified.events()
    except SignatureError as error:
        await _refuse(request, error, send)
        return
    await send({"type": "websocket.accept"})
    count = 0
    try:
        while not check.ended:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                log.info("%s: the client hung up after %d events", masked(request.target), count)
                return
            data = message.get("bytes")
            if data is None:
                await send({"type": "websocket.close", "code": _NOT_BYTES, "reason": "frames of an event stream are binary"})
                return
            count += len(check.events(data))
        check.close()
    except SignatureError as error:
        log.info("%s: %s, %s", masked(request.target), error.code, error)
        headers = {":message-type": "exception", ":exception-type": error.code}
        await _say(send, headers, {"Message": f"{error}"})
        await send({"type": "websocket.close", "code": _REFUSED, "reason": error.code})
        return
    log.info("%s: %d events by %s %s", masked(request.target), count, verified.access_key_id, verified.scope)
    await _say(send, {":message-type": "event", ":event-type": "VerifiedEvent"}, _facts(verified, count))
    await send({"type": "websocket.close", "code": _NORMAL})


def _facts(verified: Verified, count: int) -> dict[str, Any]:
    return {"Verified": {"AccessKeyId": verified.access_key_id, "Scope": verified.scope, "Events": count}}


async def _say(send: Send, headers: dict[str, str], told: dict[str, Any]) -> None:
    """An event to the client: its own stream is not signed."""
    message = Message({**headers, ":content-type": "application/json"}, json.dumps(told).encode())
    await send({"type": "websocket.send", "bytes": message.encode()})


async def _refuse(request: Request, error: SignatureError, send: Send) -> None:
    """The handshake's answer in HTTP."""
    log.info("%d %s: %s, %s", error.status, masked(request.target), error.code, error)
    status, headers, body = error_answer(error)
    headers = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})
