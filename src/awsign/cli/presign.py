"""`awsign presign`: a URL that carries its signature."""

from __future__ import annotations

import json
import re
import shlex
from datetime import timedelta

import click

from ..encoding import readable
from ..errors import InvalidRequest
from ..query import query_pairs
from ..request import Request
from ..s3_sigv2 import S3SigV2
from ..scope import now
from .failure import Failure
from .request_options import Options, RequestCommand, where_options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..post_policy import PostForm
    from ..signed import Presigned

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_LONGEST = 10**10  # Far beyond what any scheme takes: the signer says what it takes.
_SIZE = re.compile(r"(\d{1,12})\s*(?:([KMG])(i?))?B?", re.ASCII | re.IGNORECASE)
_DURATION = re.compile(r"(?:\d+[smhdw])+|\d+", re.ASCII)


class Duration(click.ParamType):  # type: ignore[type-arg]
    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        if not _DURATION.fullmatch(value):
            self.fail(f"{value!r} is not a duration such as 3600, 15m, 1h30m or 7d", param, ctx)
        if value.isdigit():
            return timedelta(seconds=min(int(value[:12]), _LONGEST))
        seconds = sum(int(n[:12]) * _UNITS[unit] for n, unit in re.findall(r"(\d+)([smhdw])", value))
        return timedelta(seconds=min(seconds, _LONGEST))


class Size(click.ParamType):  # type: ignore[type-arg]
    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        match = _SIZE.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            self.fail(f"{value!r} is not a number of bytes such as 1000000, 10MB or 10MiB", param, ctx)
        unit: int = (1024 if match[3] else 1000) ** " KMG".index((match[2] or " ").upper())
        return int(match[1]) * unit


@click.command(
    cls=RequestCommand,
    help="Print a URL that anyone may use until it expires; on standard error, what must be sent with it and when it really ends. "
    "With --post, a form with which a browser uploads to S3.",
    epilog="\b\nExample: awsign presign --expires 15m --method PUT -H 'Content-Type: image/jpeg' s3://my-bucket/photo.jpg"
    "\n         awsign presign --from keys.txt --to urls.txt --jobs 0 s3://my-bucket"
    "\n         awsign presign --post --format html --max-size 10MB 's3://my-bucket/in/${filename}' > upload.html",
)
@click.argument("url", required=False)
@click.option(
    "--expires", type=Duration(), default=timedelta(hours=1), metavar="DURATION", help="How long it lives: 3600, 15m, 1h, 7d [1h]."
)
@click.option("-X", "--method", "--request", "method", default="GET", metavar="METHOD", help="The method that it is for [GET].")
@click.option("-H", "--header", "header", multiple=True, metavar="LINE", help="A header that must be sent with it.")
@click.option(
    "--scheme", type=click.Choice(["auto", "sigv4", "sigv4a", "s3v2"]), default="auto", help="The signature scheme [sigv4]."
)
@click.option(
    "--post", is_flag=True, help="A form for s3://bucket/key in place of a URL; in the key, ${filename} is the file's name."
)
@click.option("--field", "fields", multiple=True, metavar="NAME=VALUE", help="--post: a field that the form has.")
@click.option(
    "--condition",
    "conditions",
    multiple=True,
    metavar="JSON",
    help='--post: a condition of its policy, as ["starts-with","$Content-Type","image/"].',
)
@click.option("--max-size", type=Size(), metavar="BYTES", help="--post: the most that the file may have: 1000000, 10MB, 10MiB.")
@click.option("--format", "form", type=click.Choice(["json", "html", "curl"]), default="json", help="--post: what to print [json].")
@click.option(
    "--from", "source", metavar="FILE", help="A list of keys, of the bucket or prefix that the URL is; - is standard input."
)
@click.option("--to", metavar="FILE", help="--from: where the list goes, with the URLs [standard output].")
@click.option(
    "--list-format",
    type=click.Choice(["text", "csv", "tsv", "parquet"]),
    help="--from: what it is [by the file's name, else text].",
)
@click.option("--column", metavar="NAME", help="--from: the column of the keys, in CSV and Parquet [key].")
@click.option("--jobs", type=click.IntRange(0), default=1, metavar="N", help="--from: processes; 0 is one for each core [1].")
@click.option("-d", "--data", "data", multiple=True, metavar="DATA", help="A parameter of the query.")
@click.option("--data-urlencode", multiple=True, metavar="DATA", help="A parameter of the query, percent-encoded: NAME=TEXT.")
@click.option("-G", "--get", "as_query", is_flag=True, hidden=True, help="As curl wants it before -d.")
@where_options
@click.pass_context
def command(
    ctx: click.Context, /, expires: timedelta, scheme: str, as_query: bool, post: bool, fields: tuple[str, ...],
    conditions: tuple[str, ...], max_size: int | None, form: str, source: str | None, to: str | None, list_format: str | None,
    column: str | None, jobs: int, **values: Any,
) -> None:  # fmt: skip
    if source is not None:
        if post or scheme not in ("auto", "sigv4") or values["service"]:
            raise click.UsageError("--from presigns URLs of S3 by SigV4; it takes no --post, --scheme or --service")
        _list(Options(ctx, scheme=scheme, as_query=True, **values), source, to, list_format, column, jobs, expires)
        return
    if to is not None or list_format is not None or column is not None or jobs != 1:
        raise click.UsageError("--to, --list-format, --column and --jobs belong to --from")
    if values["url"] is None:
        raise click.UsageError("Missing argument 'URL'.")
    chosen = Options(ctx, scheme=scheme, as_query=True, **values)
    if post:
        others = (chosen.data, chosen.data_urlencode, chosen.header, chosen.service, chosen.method != "GET", scheme == "sigv4a")
        if any(others):
            raise click.UsageError("--post takes --field and --condition, not -d, -H, -X, --service or --scheme sigv4a")
        posted = _form(chosen, expires, fields, conditions, max_size)
        click.echo(_FORMS[form](posted), nl=False)
        left = (posted.expires_at - now()).total_seconds()
        click.echo(f"POST until {posted.expires_at:%Y-%m-%d %H:%M:%S} UTC ({_words(left)} from now)", err=True)
        for name in posted.open_fields:
            click.echo(f"to be filled in  {name}", err=True)
        return
    if fields or conditions or max_size is not None or ctx.get_parameter_source("form") is not click.core.ParameterSource.DEFAULT:
        raise click.UsageError("--field, --condition, --max-size and --format belong to --post")
    given = {name.partition(":")[0].strip().lower() for name in chosen.header}
    request = chosen.build()
    # What curl sends by itself is of no use in a URL that anyone may send; what -H gives is signed, so that it must be sent.
    request = Request(request.method, request.url, [pair for pair in request.headers if pair[0].lower() in given])
    signer = chosen.signer(request)
    if signer.scheme == "sigv2":
        raise InvalidRequest(
            "Signature Version 2 of the Query APIs has no presigned URL; `awsign sign --format json` with Expires= in the query comes closest"
        )
    link: Presigned
    if signer.scheme == "s3v2":
        link = S3SigV2(signer.provider).presign(request, expires=expires)
    else:
        link = signer.sigv4(request, given - {"host"}).presign(request, expires=expires)
    click.echo(link.url)
    if link.expires_at is not None:
        left = (link.expires_at - now()).total_seconds()
        early = left < expires.total_seconds() - 5
        why = ", when the credentials that signed it end, earlier than asked for" if early else ""
        click.echo(
            f"{link.method} until {link.expires_at:%Y-%m-%d %H:%M:%S} UTC ({_words(left if early else expires.total_seconds())} from now){why}",
            err=True,
        )
    for name, value in link.headers:
        click.echo(f"send with it  {name}: {value if isinstance(value, str) else value.decode('utf-8', 'replace')}", err=True)
    covered = {name.lower() for name, _ in link.headers}
    for name, _ in request.headers:
        if name.lower() not in covered:
            click.echo(f"not covered   {name}: this scheme signs no such header; it may be sent or not", err=True)


def _list(
    chosen: Options, source: str, to: str | None, list_format: str | None, column: str | None, jobs: int, expires: timedelta
) -> None:
    from . import presign_list

    # The options make a request; of it a list takes what is around the keys.
    bare = chosen.url
    chosen.url = "s3://bucket/key"
    request, given = chosen.build(), {line.partition(":")[0].strip().lower() for line in chosen.header}
    chosen.url = bare
    bad = presign_list.run(
        chosen, source, to, form=list_format, column=column, jobs=jobs, expires=expires,
        query=tuple([(readable(name), readable(value)) for name, value in query_pairs(request.query)]),
        headers=tuple([pair for pair in request.headers if pair[0].lower() in given]),
    )  # fmt: skip
    if bad:
        raise Failure(1, "some lines could not be presigned", silent=True)


def _form(
    chosen: Options, expires: timedelta, fields: tuple[str, ...], conditions: tuple[str, ...], max_size: int | None
) -> PostForm:
    given = {}
    for field in fields:
        name, equals, value = field.partition("=")
        if not (name and equals):
            raise click.UsageError(f"--field {field!r}: it is NAME=VALUE")
        given[name] = value
    parsed: list[Any] = [] if max_size is None else [["content-length-range", 0, max_size]]
    for text in conditions:
        try:
            parsed.append(json.loads(text))
        except ValueError:
            raise click.UsageError(f'--condition {text!r}: it is JSON, such as ["starts-with", "$key", "in/"]') from None
    presigner, key = chosen.presigner()
    return presigner.post(key, parsed, given, expires, scheme="s3v2" if chosen.scheme == "s3v2" else "sigv4")


def _as_json(form: PostForm) -> str:
    return json.dumps({"url": form.url, "fields": form.fields}, indent=2, ensure_ascii=False) + "\n"


def _as_curl(form: PostForm) -> str:
    words = ["curl"]
    for name, value in form.fields.items():
        words += ["--form-string", f"{name}={value}"]
    words += [word for name in form.open_fields for word in ("--form-string", f"{name}=...")]
    return shlex.join([*words, "-F", "file=@FILE", form.url]) + "\n"


_FORMS = {"json": _as_json, "html": lambda form: form.html(), "curl": _as_curl}


def _words(seconds: float) -> str:
    """A span in its two largest units: 1 h 30 min."""
    seconds = max(0, round(seconds))
    parts = []
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        if seconds >= size:
            parts.append(f"{seconds // size} {unit}")
            seconds %= size
    return " ".join(parts[:2]) or "0 s"
