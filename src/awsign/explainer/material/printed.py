"""What a snippet printed: a dict of headers (requests, httpx, aiohttp), or lines of them, with a URL and a method somewhere near."""

from __future__ import annotations

import ast
import re

from ..answer import as_response
from .material import Material, assumed_body, received

_URL = re.compile(r"(?:https?|wss?)://[^\s'\"<>\\]+")
_METHOD = re.compile(r"\b(GET|PUT|POST|HEAD|DELETE|PATCH|OPTIONS)\b")
_LINE = re.compile(r"^[ \t]*([A-Za-z][A-Za-z0-9-]*)[ \t]*:[ \t]?([^\n]*)$", re.MULTILINE)
_CALLED = re.compile(r"\.(get|put|post|head|delete|patch|options)\(")
_SIGNED_BY = re.compile(r"authorization|x-amz-date|awsaccesskeyid", re.IGNORECASE)


def read_printed(text: str) -> Material | None:
    """None for a text without headers or a URL that are signed."""
    request, answered = _split_answer(text)
    headers, where = _literal_headers(request)
    if not headers and _SIGNED_BY.search(request):
        headers = [(name, value) for name, value in _LINE.findall(request) if name.lower() not in _NO_HEADERS]
    rest = request[: where[0]] + "\n" + request[where[1] :] if where else request
    urls = _URL.findall(rest)
    if not headers and not any(re.search(r"(?i)signature=", url) for url in urls):
        return None
    url = _likely_url(urls, rest)
    bare = _URL.sub(" ", rest)
    method = _METHOD.search(bare) or _CALLED.search(bare)
    path = re.search(r"(?:^|\s)(/[^\s'\"]*)", bare)
    target = url or (path[1] if path else "/")
    notes: list[str] = []
    body = _body(rest)
    named = method[1].upper() if method else "POST" if body else "GET"
    if body is None:
        body = assumed_body(named, headers, notes)
    material = Material("printed headers", received(named, target, headers, body))
    material.method_known = method is not None
    if not url and not path:
        notes.append("The text has no URL: the path is taken to be /")
    if not method:
        notes.append(f"The text names no method: it is taken to be {named}")
    if any(
        name.lower() == "authorization" and value.strip("[]*<> ").lower() in ("secure", "redacted", "", "hidden")
        for name, value in headers
    ):
        notes.append("Authorization was hidden by what printed it; with httpx, print dict(request.headers)")
    material.notes = notes
    if answered:
        material.response = as_response(answered)
    return material


_NO_HEADERS = ("http", "https", "url", "method", "status", "body", "data")
_ANSWER = re.compile(r"^(?:HTTP(?:/[\d.]+)? ?(?=\d{3}\b)|(?=b?['\"]?<\?xml|b?['\"]?<Error|\{\"(?:message|__type)\"))", re.MULTILINE)


def _split_answer(text: str) -> tuple[str, str]:
    """What stands before the server's answer, and the answer."""
    match = _ANSWER.search(text)
    if match is None or match.start() == 0:
        return text, ""
    answered = text[match.start() :]
    if answered.startswith("HTTP "):
        answered = f"HTTP/1.1 {answered[5:]}"
    return text[: match.start()], answered


def _likely_url(urls: list[str], text: str) -> str | None:
    """Of several URLs the one that is signed, or that a method stands before; else the first."""
    cleaned = [url.rstrip(".,;)") for url in urls]
    signed = [url for url in cleaned if re.search(r"(?i)[?&](?:x-amz-)?signature=", url)]
    after = re.search(rf"(?:GET|PUT|POST|HEAD|DELETE|PATCH|OPTIONS|url['\"]?\s*[:=])\s*['\"]?({_URL.pattern})", text)
    return signed[0] if signed else after[1].rstrip(".,;)") if after else cleaned[0] if cleaned else None


def _literal_headers(text: str) -> tuple[list[tuple[str, str]], tuple[int, int] | None]:
    """A dict, or a list of pairs, that reads as headers of a signed request; and where it stands."""
    tried = 0
    for name in _SIGNED_BY.finditer(text):
        for opening, closing in (("{", "}"), ("[(", ")]")):
            start = text.rfind(opening, 0, name.start())
            end = name.end()
            for _ in range(8):
                end = text.find(closing, end + 1)
                if start < 0 or end < 0 or end - start > _LONGEST or tried > _MOST:
                    break
                tried += 1
                named = _pairs(text[start : end + len(closing)])
                if named:
                    return named, (start, end + len(closing))
    return [], None


_LONGEST = 1 << 16
_MOST = 64


def _pairs(text: str) -> list[tuple[str, str]]:
    """The pairs of a literal; none for what is none."""
    found = literal(text)
    pairs = list(found.items()) if isinstance(found, dict) else found
    if not isinstance(pairs, list) or not all(isinstance(pair, tuple) and len(pair) == 2 for pair in pairs):
        return []
    return [(_text(name), _text(value)) for name, value in pairs]


def literal(text: str) -> object:
    """The value of a Python literal; None for what is none."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


_BODY = re.compile(
    r"(?im)^[ \t]*['\"]?(?:body|data|content|payload)['\"]?[ \t]*[:=][ \t]*(b?'(?:[^'\\\n]|\\.)*'|b?\"(?:[^\"\\\n]|\\.)*\"|None)[ \t]*,?[ \t]*$"
)
_BARE_BODY = re.compile(r"(?m)^(b'(?:[^'\\\n]|\\.)*'|b\"(?:[^\"\\\n]|\\.)*\")[ \t]*$")


def _body(text: str) -> bytes | None:
    """`body: b'...'`, `data = "..."`, or bytes on a line of their own."""
    match = _BODY.search(text) or _BARE_BODY.search(text)
    if match is None:
        return None
    found = literal(match[1])
    if isinstance(found, str):
        return found.encode("utf-8", "surrogatepass")
    return found if isinstance(found, bytes) else b"" if match[1] == "None" else None
