"""What a snippet printed: a dict of headers (requests, httpx, aiohttp), or lines of them, with a URL and a method somewhere near."""

from __future__ import annotations

import ast
import re

from ..answer import as_response
from .material import Material, received

_URL = re.compile(r"(?:https?|wss?)://[^\s'\"<>\\]+")
_METHOD = re.compile(r"\b(GET|PUT|POST|HEAD|DELETE|PATCH|OPTIONS)\b")
_LINE = re.compile(r"^\s*([A-Za-z][A-Za-z0-9-]*)\s*:\s?(.*?)\s*$", re.MULTILINE)
_SIGNED_BY = re.compile(r"authorization|x-amz-date|awsaccesskeyid", re.IGNORECASE)


def read_printed(text: str) -> Material | None:
    """None for a text without headers or a URL that are signed."""
    request, _, answered = text.partition("\nHTTP/1")
    headers, where = _literal_headers(request)
    if not headers and _SIGNED_BY.search(request):
        headers = [
            (name, value) for name, value in _LINE.findall(request) if name.lower() not in ("http", "https", "url", "method")
        ]
    rest = request[: where[0]] + "\n" + request[where[1] :] if where else request
    url = _URL.search(rest)
    if not headers and not (url and re.search(r"(?i)signature=", url[0])):
        return None
    method = _METHOD.search(_URL.sub(" ", rest))
    path = re.search(r"(?:^|\s)(/[^\s'\"]*)", _URL.sub(" ", rest))
    target = url[0].rstrip(".,;)") if url else path[1] if path else "/"
    body = _body(rest)
    material = Material("printed headers", received(method[1] if method else ("POST" if body else "GET"), target, headers, body))
    material.method_known = method is not None
    if not url and not path:
        material.notes.append("the text has no URL: the path is taken to be /")
    if not method:
        material.notes.append(f"the text names no method: it is taken to be {material.request.method}")
    if body is None:
        length = next((value for name, value in headers if name.lower() == "content-length"), "0")
        if length.strip() not in ("", "0"):
            material.notes.append("the text does not have the body: it was not checked")
        else:
            material.request.body = b""
    if answered:
        material.response = as_response(f"HTTP/1{answered}")
    return material


def _literal_headers(text: str) -> tuple[list[tuple[str, str]], tuple[int, int] | None]:
    """A dict, or a list of pairs, that reads as headers of a signed request; and where it stands."""
    for opening, closing in (("{", "}"), ("[(", ")]")):
        at = -1
        while (at := text.find(opening, at + 1)) >= 0:
            end = at
            for _ in range(50):
                end = text.find(closing, end + 1)
                if end < 0:
                    break
                try:
                    found = ast.literal_eval(text[at : end + len(closing)])
                except (ValueError, SyntaxError, MemoryError, RecursionError):
                    continue
                pairs = list(found.items()) if isinstance(found, dict) else found
                if not isinstance(pairs, list) or not all(isinstance(pair, tuple) and len(pair) == 2 for pair in pairs):
                    continue
                named = [(_text(name), _text(value)) for name, value in pairs]
                if any(_SIGNED_BY.search(name) for name, _ in named):
                    return named, (at, end + len(closing))
    return [], None


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _body(text: str) -> bytes | None:
    """`body: b'...'`, `data = "..."`."""
    match = re.search(
        r"(?im)^\s*(?:body|data|content|payload)\s*[:=]\s*(b?'(?:[^'\\\n]|\\.)*'|b?\"(?:[^\"\\\n]|\\.)*\"|None)\s*$", text
    )
    if match is None:
        return None
    found = ast.literal_eval(match[1])
    return b"" if found is None else found.encode() if isinstance(found, str) else found
