"""The verifying server, as an ASGI application: it gives the raw path and headers, and streams both ways."""

from __future__ import annotations

import contextlib
import logging

from ..errors import SignatureError
from ..redact import masked
from ..request import MULTIPART, Request, is_form
from ..services import S3_EXPRESS, iam_call_of_s3_express
from .answers import error_answer, posted_answer, verified_answer
from .arriving import LARGEST_UNDECLARED, is_short, may_be_signed_form, too_large
from .explained import Kept, Recorded
from .frames import verify_frames

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from typing import Any

    from ..verify import Claim, Verified, Verifier
    from .answers import Answer
    from .explained import Explainer
    from .forward import Forwarder
    from .issued import Issued
    from .played import Played

    Receive = Callable[[], Awaitable[dict[str, Any]]]
    Send = Callable[[dict[str, Any]], Awaitable[None]]

log = logging.getLogger("awsign.server")


class Disconnected(Exception):
    """The client went away before its body was whole."""


class VerifyingApp:
    """Verifies each request: answers with what it verified, or with AWS's error; or passes it on.

    verifier: whose `secret_for` knows the keys. played: answers the unsigned requests that credentials come from, if given.
    forwarder: where verified requests go on to, if given. issued: answers CreateSession of S3 Express with credentials that it
    keeps, if given. explainer: says why a signature does not match, in the answer. recorded: called with each request of HTTP that was judged.
    """

    def __init__(
        self,
        verifier: Verifier,
        played: Played | None = None,
        forwarder: Forwarder | None = None,
        issued: Issued | None = None,
        explainer: Explainer | None = None,
        recorded: Callable[[Recorded], None] | None = None,
    ) -> None:
        self._explainer = explainer
        self._recorded = recorded
        self._issued = issued
        self._verifier = verifier
        self._played = played
        self._forwarder = forwarder

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return
        target: bytes = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
        if scope["type"] == "websocket":
            handshake = Request.received("GET", target, scope["headers"], b"", scope["scheme"])
            await verify_frames(handshake, self._verifier, receive, send)
            return
        request = Request.received(scope["method"], target, scope["headers"], None, scope["scheme"])
        try:
            await self._serve(request, receive, send)
        except Disconnected:
            log.info("%s %s: the client hung up", request.method, masked(request.target))

    async def _serve(self, request: Request, receive: Receive, send: Send) -> None:
        headers = {name.lower(): value for name, value in request.headers if isinstance(value, str)}
        asked_for_body = False
        kept = Kept()

        async def noted() -> dict[str, Any]:
            nonlocal asked_for_body
            asked_for_body = True
            message = await receive()
            if self._explainer is not None:
                kept.add(message.get("body", b""))
            return message

        blocks = _blocks(noted)
        if self._played is not None and is_short(headers) and (asks := self._played.service_for(request, headers)):
            service, play = asks
            request.body = await _whole_body(blocks)
            if played := play(request.body):
                log.info("%d %s %s (%s)", played[0], request.method, request.path, service)
                await _send(send, request, played)
                return
        try:
            if may_be_signed_form(request) and request.body is None:
                request.body = await _whole_body(blocks)  # A signature may be in it.
            presigned = "signature=" in request.query.lower()
            if "authorization" not in headers and not presigned and is_form(request.method, request.headers, MULTIPART):
                claim = await self._form_claim(request, blocks)
            else:
                claim = self._verifier.claim(request)
            if claim.needs_body and request.body is None:
                request.body = await _whole_body(blocks, claim)
            verified = await self._verifier.verify_async(claim)
            checked = _checked(verified, blocks) if request.body is None else one_block(request.body)
            session = (
                self._issued is not None and verified.service in S3_EXPRESS and iam_call_of_s3_express(request) == "CreateSession"
            )
            if self._forwarder is not None and not session:
                if self._recorded is not None:
                    self._recorded(Recorded(request, verified, None, None))
                status = await self._forwarder.pass_on(request, verified, checked, send)
                self._log(request, verified, f"{status}, from behind,")
                return
            whole = b""
            if self._recorded is not None or (verified.service == "sts" and is_short(headers)):
                whole = b"".join([block async for block in checked])
            if self._recorded is not None:
                self._recorded(Recorded(request, verified, None, None, whole))
            async for _ in checked:
                pass
        except SignatureError as error:
            log.info("%d %s %s: %s, %s", error.status, request.method, masked(request.target), error.code, error)
            report = None
            if self._explainer is not None:
                with contextlib.suppress(Disconnected):
                    report = await self._explainer.report(request, error, kept, blocks)
            if self._recorded is not None:
                self._recorded(Recorded(request, None, error, report))
            status, pairs, body = error_answer(error, report)
            # A client that waits for 100 (Continue) may keep its body, and then ask something else: RFC 9110, section 10.1.1.
            closing = [(b"connection", b"close")] if "expect" in headers and not asked_for_body else []
            await _send(send, request, (status, [*pairs, *closing], body))
            return
        if session and self._issued is not None:
            answer = self._issued.session_answer()
        elif verified.form is not None:
            answer = posted_answer(verified)
        elif self._played is not None and (of_sts := self._played.signed(request, verified, whole)):
            answer = of_sts
        else:
            payload = headers.get("x-amz-content-sha256")
            answer = verified_answer(claim.shape, verified, request.method, request.path, claim.action, payload)
        self._log(request, verified, str(answer[0]))
        await _send(send, request, answer)

    async def _form_claim(self, request: Request, blocks: AsyncIterator[bytes]) -> Claim:
        """What a form claims, once its fields were read; its file is yet to come."""
        reader = self._verifier.form(request)
        async for block in blocks:
            reader.feed(block)
            if reader.claim is not None:
                return reader.claim
        reader.close()
        raise AssertionError("a form that ends without a file is refused")

    def _log(self, request: Request, verified: Verified, outcome: str) -> None:
        log.info(
            "%s %s %s: %s by %s %s",
            outcome, request.method, masked(request.target), verified.scheme, verified.access_key_id, verified.scope or "",
        )  # fmt: skip


async def _blocks(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        if message.get("body"):
            yield message["body"]
        if not message.get("more_body"):
            return


async def _whole_body(blocks: AsyncIterator[bytes], claim: Claim | None = None) -> bytes:
    read = bytearray()
    async for block in blocks:
        if len(read) + len(block) > LARGEST_UNDECLARED:
            too_large(claim, LARGEST_UNDECLARED)
        read += block
    return bytes(read)


async def _checked(verified: Verified, blocks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The body, each block as soon as it may be used, the last one when the whole is what was signed."""
    if begun := verified.body.feed(b""):  # Of a form's file, what came with its fields.
        yield begun
    async for block in blocks:
        if checked := verified.body.feed(block):
            yield checked
    if last := verified.body.close():
        yield last


async def one_block(body: Any) -> AsyncIterator[bytes]:
    """A body that was read whole, as the stream that the others are."""
    if body:
        yield body


async def _send(send: Send, request: Request, answer: Answer) -> None:
    status, headers, body = answer
    headers = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if request.method == "HEAD" else body})
