"""Logs in which a request stands in pieces: botocore's (and so boto3's and the AWS CLI's --debug), http.client's, awscurl's."""

from __future__ import annotations

import re

from ...response import Response
from .http_message import of_message
from .material import Material, Unreadable, received
from .printed import literal

_PREPARED = re.compile(r"<AWSPreparedRequest stream_output=\w+, method=(\w+), url=(\S+?), headers=(\{[^\n]*\})>")
# What was signed is told by its own form, since each logging set-up writes other words between the lines.
_CANONICAL = re.compile(
    r"CanonicalRequest:\n([A-Z]+\n[^\n]*\n[^\n]*\n(?:[^\n]+\n)+\n[^\n]+\n(?:[0-9a-f]{64}|UNSIGNED-PAYLOAD|STREAMING-[A-Z0-9-]+))"
)
_TO_SIGN = re.compile(r"StringToSign:\n(AWS4-[A-Z0-9-]+\n[^\n]+\n[^\n]+\n[0-9a-f]{64})")
_SEND = re.compile(r"^send: (b'(?:[^'\\\n]|\\.)*'|b\"(?:[^\"\\\n]|\\.)*\")", re.MULTILINE)
_S3CMD = re.compile(r"Sending request method_string='([A-Z]+)', uri='([^'\n]*)', headers=(\{[^\n]*\}), body=\((\d+) bytes\)")
_MARKS = (b"AWS4-", b"X-Amz-Signature", b"AWSAccessKeyId", b": AWS ")
_REPLY = re.compile(r"^reply: '(HTTP/[\d.]+ (\d+)[^\n]*)'", re.MULTILINE)


def read_log(text: str) -> Material | None:
    """None for a text that is no log."""
    text = text.replace("\r\n", "\n")
    if _PREPARED.search(text):
        return _of_botocore(text)
    if _SEND.search(text):
        return _of_http_client(text)
    if match := _S3CMD.search(text):
        return _of_s3cmd(match, text)
    if "CanonicalRequest:\n" in text or "CANONICAL REQUEST" in text:
        raise Unreadable(
            "this log has what was signed, and not the request that was sent: log that too (botocore: boto3.set_stream_logger(''))"
        )
    return None


def _of_botocore(text: str) -> Material | None:
    """The last request that was sent; what botocore signed and what came back are next to it."""
    prepared = list(_PREPARED.finditer(text))[-1]
    given = literal(prepared[3])
    if not isinstance(given, dict):
        return None
    headers = [(str(name), _header(value)) for name, value in given.items()]
    given_names = {name.lower(): value.strip() for name, value in headers}
    empty = given_names.get("content-length", "0") == "0" and "transfer-encoding" not in given_names
    body = b"" if empty else _botocore_body(text[: prepared.start()])
    material = Material("botocore log", received(prepared[1], prepared[2], headers, body))
    if body is None:
        material.notes.append("The log does not have the body: it was not checked")
    before, after = text[: prepared.start()], text[prepared.end() :]
    material.canonical_request = (_CANONICAL.findall(before) or [None])[-1]
    material.string_to_sign = (_TO_SIGN.findall(before) or [None])[-1]
    status = re.search(r'"[A-Z]+ \S+ HTTP/[\d.]+" (\d{3})', after)
    answered = re.search(r"Response headers: (\{[^\n]*\})", after)
    told = literal(answered[1]) if answered else None
    answer = re.search(r"Response body:\n(b'(?:[^'\\\n]|\\.)*'|b\"(?:[^\"\\\n]|\\.)*\")", after)
    content = literal(answer[1]) if answer else b""
    if status or content:
        pairs = [(str(name), str(value)) for name, value in told.items()] if isinstance(told, dict) else []
        material.response = Response(int(status[1]) if status else None, pairs, content if isinstance(content, bytes) else b"")
    return material


def _header(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _botocore_body(before: str) -> bytes | None:
    """The body as the line "Making request" has it, where that is bytes or text."""
    found = re.findall(r"'body': (b'(?:[^'\\\n]|\\.)*'|b\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*')", before)
    content = literal(found[-1]) if found else None
    return content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content if isinstance(content, bytes) else None


def _of_s3cmd(match: re.Match[str], text: str) -> Material | None:
    """s3cmd --debug: a line has the request."""
    given = literal(match[3])
    if not isinstance(given, dict):
        return None
    headers = [(str(name), _header(value)) for name, value in given.items()]
    if not any(name.lower() == "host" for name, _ in headers) and (host := re.search(r"(?m)^host:(\S+)$", text)):
        headers.insert(0, ("Host", host[1]))
    material = Material("s3cmd log", received(match[1], match[2], headers, b"" if match[4] == "0" else None))
    if material.request.body is None:
        material.notes.append("The log does not have the body: it was not checked")
    status = re.search(r"'status': (\d{3})", text[match.end() :])
    if status:
        material.response = Response(int(status[1]))
    return material


def _of_http_client(text: str) -> Material | None:
    """http.client with debuglevel=1, as requests and urllib3 have it: the last head that was sent, with its body and the reply."""
    heads: list[tuple[bytes, int]] = []  # Of each, the bytes that were sent and where its last line ends.
    for match in _SEND.finditer(text):
        block = literal(match[1])
        if not isinstance(block, bytes):
            continue
        if re.match(rb"[A-Z]+ \S+ HTTP/1", block):
            heads.append((block, match.end()))
        elif heads:
            heads[-1] = heads[-1][0] + block, match.end()
    if not heads:
        return None
    signed = [head for head in heads if any(mark in head[0] for mark in _MARKS)]
    message, end = (signed or heads)[-1]
    material = of_message(message)
    if material is None:
        return None
    material.form = "http.client log"
    rest = text[end:]
    if reply := _REPLY.search(rest):
        told = re.findall(r"^header: ([^:\n]+): ([^\n]*)$", rest[reply.end() :], re.MULTILINE)
        body = re.search(r"(?:<\?xml|<Error|\{\").*", rest[reply.end() :], re.DOTALL)
        material.response = Response(int(reply[2]), told, body[0] if body else "")
    return material
