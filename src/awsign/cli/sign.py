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

    from ..canonical import Header
    from ..sigv4 import Signed


@click.command(
    cls=RequestCommand,
    help="Sign a request and print what would be sent: its headers, or something to paste. It holds the session token of temporary credentials.",
    epilog="Example: awsign sign --format curl -d '{}' https://dynamodb.us-east-1.amazonaws.com/",
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
    signed = chosen.signer(request).sign(request)
    out = _FORMATS[form](signed, chosen.upload_file)
    sys.stdout.buffer.write(out)
    sys.stdout.flush()


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("utf-8", "surrogateescape")


def _lines(headers: tuple[Header, ...]) -> list[str]:
    return [f"{name}: {_text(value)}" for name, value in headers]


def _body(signed: Signed) -> bytes:
    body: Any = signed.body
    if body is None or isinstance(body, bytes):
        return body or b""
    return body.read()  # type: ignore[no-any-return]


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _as_headers(signed: Signed, file: str | None) -> bytes:
    return _encoded("\n".join([*_lines(signed.headers), ""]))


def _as_curl(signed: Signed, file: str | None) -> bytes:
    # --path-as-is: curl would resolve dot segments; the empty Content-Type: it would add one of its own.
    words = ["curl", "--path-as-is", "-X", signed.method] if signed.method != "HEAD" else ["curl", "--path-as-is", "-I"]
    for name, value in signed.headers:
        text = _text(value)
        words += ["-H", f"{name}: {text}" if text else f"{name};"]
    if file and file != "-":
        words += ["-T", file, "-H", "Expect:"]
    elif signed.body is not None:
        if not any(name.lower() == "content-type" for name, _ in signed.headers):
            words += ["-H", "Content-Type:"]
        words += ["--data-binary", _body(signed).decode("utf-8", "surrogateescape")]
    words.append(signed.url)
    return _encoded(shlex.join(words) + "\n")


def _as_http(signed: Signed, file: str | None) -> bytes:
    from .wire import framed

    target = "/" + signed.url.split("://", 1)[1].partition("/")[2]
    lines = [f"{signed.method} {target} HTTP/1.1", *_lines(tuple(framed(signed))), "", ""]
    return _encoded("\r\n".join(lines)) + _body(signed)


def _as_json(signed: Signed, file: str | None) -> bytes:
    body = _body(signed)
    told: dict[str, Any] = {"method": signed.method, "url": signed.url, "headers": [[n, _text(v)] for n, v in signed.headers]}
    try:
        told["body"] = body.decode() if signed.body is not None else None
    except UnicodeDecodeError:
        told["body_base64"] = base64.b64encode(body).decode()
    return _encoded(json.dumps(told, indent=2) + "\n")


def _as_python(signed: Signed, file: str | None) -> bytes:
    scheme, _, rest = signed.url.partition("://")
    authority, slash, target = rest.partition("/")
    kind = "HTTPSConnection" if scheme == "https" else "HTTPConnection"
    headers = "\n".join(f"    {name!r}: {_text(value)!r}," for name, value in signed.headers)
    body = f"open({file!r}, 'rb')" if file and file != "-" else repr(_body(signed)) if signed.body is not None else "None"
    return _encoded(
        f"import http.client\n\n"
        f"connection = http.client.{kind}({authority!r})\n"
        f"connection.request({signed.method!r}, {slash + target!r}, body={body}, headers={{\n{headers}\n}})\n"
        f"response = connection.getresponse()\n"
        f"print(response.status, response.read().decode())\n"
    )


_FORMATS = {"headers": _as_headers, "curl": _as_curl, "http": _as_http, "json": _as_json, "python": _as_python}
