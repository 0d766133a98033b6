"""JSON: a HAR (or one entry of it, or its request), and what `awsign sign --format json` prints."""

from __future__ import annotations

import base64
import json

from ...response import Response
from .material import Material, assumed_body, received

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def read_json(text: str) -> Material | None:
    """None for a text that is not the JSON of a request."""
    if text[:1] not in ("{", "["):
        return None
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(told, list):
        told = {"entries": told}
    if not isinstance(told, dict):
        return None
    if isinstance(told.get("log"), dict):
        told = told["log"]
    if isinstance(told.get("entries"), list):
        entries = [entry for entry in told["entries"] if isinstance(entry, dict)]
        if not entries:
            return None
        # Of many, the last that was signed and refused, or the last that was signed.
        ranked = sorted(enumerate(entries), key=lambda pair: (_is_signed(pair[1]), _is_refused(pair[1]), pair[0]))
        told = ranked[-1][1]
    if isinstance(told.get("request"), dict):
        material = _of_har(told["request"])
        if material is not None and isinstance(told.get("response"), dict):
            material.response = _har_response(told["response"])
        return material
    return _of_har(told)


def _is_signed(entry: Any) -> bool:
    request = json.dumps(entry.get("request"))
    return "AWS4-" in request or "AWSAccessKeyId" in request or '"AWS ' in request or "X-Amz-Signature" in request


def _is_refused(entry: Any) -> bool:
    status = (entry.get("response") or {}).get("status") if isinstance(entry.get("response"), dict) else None
    return isinstance(status, int) and status >= 300


def _of_har(told: dict[str, Any]) -> Material | None:
    url = told.get("url")
    if not isinstance(url, str):
        return None
    headers = _pairs(told.get("headers"))
    body: bytes | None = None
    posted = told.get("postData")
    if isinstance(posted, dict) and isinstance(posted.get("text"), str):
        body = _text(posted)
    elif isinstance(told.get("body"), str):
        body = told["body"].encode("utf-8", "surrogatepass")
    elif isinstance(told.get("body_base64"), str):
        body = _text({"text": told["body_base64"], "encoding": "base64"})
    method = told.get("method")
    notes: list[str] = []
    size = told.get("bodySize")
    if body is None and (size == 0 or ("body" in told and told["body"] is None)):
        body = b""
    elif body is None:
        body = assumed_body(str(method or "GET"), headers, notes)
    form = "HAR" if "httpVersion" in told or "queryString" in told or posted else "JSON"
    if (
        form == "HAR"
        and any(n.lower() == "x-amz-date" for n, _ in headers)
        and not any(n.lower() == "authorization" for n, _ in headers)
    ):
        notes.append("Browsers leave Authorization out of a HAR: export it with sensitive data")
    material = Material(form, received(str(method or "GET"), url, headers, body))
    material.method_known = isinstance(method, str)
    material.notes = notes
    return material


def _pairs(headers: Any) -> list[tuple[str, str]]:
    if isinstance(headers, dict):
        return [(str(name), str(value)) for name, value in headers.items()]
    found = []
    for pair in headers if isinstance(headers, list) else ():
        if isinstance(pair, dict):
            found.append((str(pair.get("name", "")), str(pair.get("value", ""))))
        elif isinstance(pair, list) and len(pair) == 2:
            found.append((str(pair[0]), str(pair[1])))
    return [(name, value) for name, value in found if name]


def _har_response(told: dict[str, Any]) -> Response:
    content = told.get("content")
    status = told.get("status")
    body = _text(content) if isinstance(content, dict) and isinstance(content.get("text"), str) else b""
    return Response(status if isinstance(status, int) else None, _pairs(told.get("headers")), body)


def _text(content: dict[str, Any]) -> bytes:
    text: str = content["text"]
    if content.get("encoding") == "base64":
        try:
            return base64.b64decode(text)
        except ValueError:
            pass
    return text.encode("utf-8", "surrogatepass")
