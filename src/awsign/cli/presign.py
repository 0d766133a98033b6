"""`awsign presign`: a URL that carries its signature."""

from __future__ import annotations

import re
from datetime import timedelta

import click

from ..errors import InvalidRequest
from ..s3_sigv2 import S3SigV2
from ..scope import now
from .request_options import Options, RequestCommand, where_options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_DURATION = re.compile(r"(?:\d+[smhdw])+|\d+", re.ASCII)


class Duration(click.ParamType):  # type: ignore[type-arg]
    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        if not _DURATION.fullmatch(value):
            self.fail(f"{value!r} is not a duration such as 3600, 15m, 1h30m or 7d", param, ctx)
        if value.isdigit():
            return timedelta(seconds=int(value))
        return timedelta(seconds=sum(int(n) * _UNITS[unit] for n, unit in re.findall(r"(\d+)([smhdw])", value)))


@click.command(
    cls=RequestCommand,
    help="Print a URL that anyone may use until it expires; on standard error, what must be sent with it and when it really ends.",
    epilog="Example: awsign presign --expires 15m --method PUT -H 'Content-Type: image/jpeg' s3://my-bucket/photo.jpg",
)
@click.argument("url")
@click.option(
    "--expires", type=Duration(), default=timedelta(hours=1), metavar="DURATION", help="How long it lives: 3600, 15m, 1h, 7d [1h]."
)
@click.option("-X", "--method", "--request", "method", default="GET", metavar="METHOD", help="The method that it is for [GET].")
@click.option("-H", "--header", "header", multiple=True, metavar="LINE", help="A header that must be sent with it.")
@click.option("--scheme", type=click.Choice(["sigv4", "s3v2"]), default="sigv4", help="The signature scheme [sigv4].")
@where_options
@click.pass_context
def command(ctx: click.Context, /, expires: timedelta, scheme: str, **values: Any) -> None:
    chosen = Options(
        ctx, **values, data=(), data_raw=(), data_binary=(), data_urlencode=(), json_data=(), as_query=False, upload_file=None,
        head=False, payload=None, scheme=scheme,
    )  # fmt: skip
    request = chosen.build()
    request.headers = tuple(pair for pair in request.headers if pair[0].lower() not in ("user-agent", "accept"))
    signer = chosen.signer(request)
    if signer.scheme == "sigv2":
        raise InvalidRequest(
            "Signature Version 2 of the Query APIs has no presigned URL; awsign sign with Expires= in the query comes closest"
        )
    link = (
        S3SigV2(signer.provider).presign(request, expires=expires)
        if scheme == "s3v2"
        else signer.sigv4().presign(request, expires=expires)
    )
    click.echo(link.url)
    if link.expires_at is not None:
        left = (link.expires_at - now()).total_seconds()
        early = left < expires.total_seconds() - 5
        why = ", when the credentials that signed it end, earlier than asked for" if early else ""
        click.echo(
            f"{link.method} until {link.expires_at:%Y-%m-%d %H:%M:%S} UTC ({_words(left if early else expires.total_seconds())} from now){why}",
            err=True,
        )
    unsigned = [name for name, _ in request.headers if name.lower() not in {n.lower() for n, _ in link.headers}]
    for name, value in link.headers:
        click.echo(f"send with it  {name}: {value if isinstance(value, str) else value.decode('utf-8', 'replace')}", err=True)
    for name in unsigned:
        click.echo(f"not covered   {name}: whoever uses the URL may send it or not", err=True)


def _words(seconds: float) -> str:
    """A span in its two largest units: 1 h 30 min."""
    seconds = max(0, round(seconds))
    parts = []
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        if seconds >= size:
            parts.append(f"{seconds // size} {unit}")
            seconds %= size
    return " ".join(parts[:2]) or "0 s"
