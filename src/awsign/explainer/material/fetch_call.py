"""JavaScript's `fetch(url, {...})`, as Chrome's "Copy as fetch" writes it."""

from __future__ import annotations

import json
import re

from .material import Material, assumed_body, received

_CALL = re.compile(r"\bfetch\(\s*(\"(?:[^\"\\\n]|\\.)*\")\s*,\s*(?=\{)")


def read_fetch(text: str) -> Material | None:
    """None for a text without such a call."""
    call = _CALL.search(text)
    if call is None:
        return None
    try:
        url = json.loads(call[1])
        options, _ = json.JSONDecoder(strict=False).raw_decode(text, call.end())
    except (ValueError, RecursionError):
        return None
    if not isinstance(options, dict):
        return None
    given = options.get("headers")
    headers = [(str(name), str(value)) for name, value in given.items()] if isinstance(given, dict) else []
    method = str(options.get("method") or "GET")
    notes: list[str] = []
    content = options.get("body")
    body = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else assumed_body(method, headers, notes)
    if "body" in options and content is None:
        body = b""
    material = Material("fetch call", received(method, url, headers, body))
    material.notes = [] if body is not None else notes
    return material
