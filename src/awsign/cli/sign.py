"""`awsign sign`: the request of `awsign curl`, printed in place of being sent."""

from __future__ import annotations

import base64
import json
import shlex
import sys

import click

from .request_options import Options, RequestCommand, request_options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..signed import Signed


@click.command(
    cls=RequestCommand,
    help="Sign a request and print what would be sent: its headers, or something to paste. It holds the session token of temporary credentials.",
    epilog="\b\nExample: awsign sign --format curl -d '{}' https://dynamodb.us-east-1.amazonaws.com/",
)
@request_options
@click.option(
    "--format",
    "form",
    type=click.Choice(["headers", "curl", "http", "json", "python"]),
    default="headers",
    help="What to print [headers].",
)
@click.pass_context
def command(ctx: click.Context, /, form: str, **values: Any) -> None:
    chosen = Options(ctx, **values)
    request = chosen.build()
    signer = chosen.signer(request)
    if form == "headers" and signer.scheme == "sigv2":
        raise click.UsageError("Signature Version 2 is in the URL or the form, not in headers; --format http, curl, json or python")
    signed = signer.sign(request)
    # What is sent in chunks is no longer the file.
    file = chosen.upload_file if chosen.upload_file != "-" and chosen.payload not in ("chunked", "trailer") else None
    sent = Sent(signed, file)
    sys.stdout.buffer.write(_FORMATS[form](sent))
    sys.stdout.flush()


class Sent:
    """What is to be sent, as the formats print it: headers as text, the body read or the file that it is in."""

    def __init__(self, signed: Signed, file: str | None) -> None:
        self.method, self.url = signed.method, signed.url
        self.scheme, _, rest = signed.url.partition("://")
        self.authority, slash, target = rest.partition("/")
        self.target = slash + target
        self.headers = [(n, v if isinstance(v, str) else v.decode("utf-8", "surrogateescape")) for n, v in signed.headers]
        self.file = file
        self._signed = signed

    @property
    def has_body(self) -> bool:
        return self._signed.body is not None

    def body(self) -> bytes:
        body: Any = self._signed.body
        if body is None or isinstance(body, bytes):
            return body or b""
        return body.read() if hasattr(body, "read") else b"".join(body)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _as_headers(sent: Sent) -> bytes:
    return _bytes("".join(f"{name}: {value}\n" for name, value in sent.headers))


def _as_curl(sent: Sent) -> bytes:
    # --path-as-is: curl would resolve dot segments; an empty Content-Type: it would add one of its own.
    words = ["curl", "--path-as-is", *(["-I"] if sent.method == "HEAD" else ["-X", sent.method])]
    for name, value in sent.headers:
        words += ["-H", f"{name}: {value}" if value else f"{name};"]
    if sent.file:
        words += ["-T", sent.file, "-H", "Expect:"]
    elif sent.has_body:
        body = sent.body()
        if b"\0" in body or len(body) > _LONGEST_WORD:
            raise click.UsageError(
                "no shell takes this body as a word: --format http writes it; or give it as a file, with -T FILE, not in chunks"
            )
        if not any(name.lower() == "content-type" for name, _ in sent.headers):
            words += ["-H", "Content-Type:"]
        words += ["--data-raw", body.decode("utf-8", "surrogateescape")]
    return _bytes(shlex.join([*words, sent.url]) + "\n")


def _as_http(sent: Sent) -> bytes:
    body = sent.body()
    headers = list(sent.headers)
    if (sent.has_body or sent.method in ("POST", "PUT", "PATCH")) and not any(n.lower() == "content-length" for n, _ in headers):
        headers.append(("Content-Length", str(len(body))))
    lines = [f"{sent.method} {sent.target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers), "", ""]
    return _bytes("\r\n".join(lines)) + body


def _as_json(sent: Sent) -> bytes:
    told: dict[str, Any] = {"method": sent.method, "url": sent.url, "headers": sent.headers}
    body = sent.body()
    try:
        told["body"] = body.decode() if sent.has_body else None
    except UnicodeDecodeError:
        told["body_base64"] = base64.b64encode(body).decode()
    return _bytes(json.dumps(told, indent=2) + "\n")


def _as_python(sent: Sent) -> bytes:
    body = f"open({sent.file!r}, 'rb')" if sent.file else repr(sent.body())
    size = "os.path.getsize(" + repr(sent.file) + ")" if sent.file else "len(body)"
    headers = "".join(f"    ({name!r}, {_bytes(value)!r}),\n" for name, value in sent.headers)
    imports = "import http.client\nimport os\n" if sent.file else "import http.client\n"
    sized = any(name.lower() == "content-length" for name, _ in sent.headers)
    length = f"    ('Content-Length', str({size}).encode()),\n" if sent.has_body and not sized else ""
    return _bytes(
        f"{imports}\n"
        f"body = {body}\n"
        f"headers = [\n{headers}{length}]\n"
        f"connection = http.client.{'HTTPSConnection' if sent.scheme == 'https' else 'HTTPConnection'}({sent.authority!r})\n"
        f"connection.putrequest({sent.method!r}, {sent.target!r}, skip_host=True, skip_accept_encoding=True)\n"
        f"for name, value in headers:\n"
        f"    connection.putheader(name, value)\n"
        f"connection.endheaders(body)\n"
        f"response = connection.getresponse()\n"
        f"print(response.status, response.read().decode())\n"
    )


_LONGEST_WORD = 100_000  # Linux takes 128 KiB in one argument.
_FORMATS = {"headers": _as_headers, "curl": _as_curl, "http": _as_http, "json": _as_json, "python": _as_python}
