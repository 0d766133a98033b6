"""The options that make a request, shared by `curl`, `sign` and `presign`: curl's, with curl's meaning, and awsign's own.

Source: curl's manual page.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from urllib.parse import quote

import click

from ..body import size_of
from ..credentials import find_credentials, find_region
from ..endpoints import infer
from ..errors import InvalidRequest
from ..payload import UNSIGNED_PAYLOAD, spool
from ..request import URLENCODED, Request
from ..s3_urls import is_directory_bucket, s3_url, service_url, split_s3_uri
from ..services import S3_FAMILY, SESSION_TOKEN, SIGV2_ONLY, rules_for, rules_of_call
from ..settings import Settings
from ..sigv4 import SigV4
from .failure import MALFORMED_URL, READ_ERROR, Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import IO, Any

    from ..canonical import Header
    from ..chunked import Chunked
    from ..credentials.chain import Found
    from ..credentials.s3_express import Send
    from ..identity import Provider
    from ..presign import S3Presigner
    from ..signed import Signed

_JSON = "application/json"
_S3_REGION = "us-east-1"  # S3 API reference, "GetBucketLocation": where a bucket is for which nothing was said.
_DATA = {"data", "data_raw", "data_binary", "data_urlencode", "json_data"}


class RequestCommand(click.Command):
    """A command that remembers in which order its data options came, since curl joins them in that order."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        _, _, order = self.make_parser(ctx).parse_args(list(args))
        ctx.meta["order"] = [option.name for option in order]
        return super().parse_args(ctx, args)


def options(*decorators: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Decorators as one, in the order in which --help shows them."""

    def apply(command: Any) -> Any:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return apply


where_options = options(
    click.option("--service", metavar="NAME", help="The signing name of the service, where the host does not tell it."),
    click.option(
        "--region", metavar="NAME", help="The region, where the host does not tell it [AWS_REGION, the profile's, the instance's]."
    ),
    click.option("--profile", metavar="NAME", help="The profile of the shared files to take credentials from [AWS_PROFILE]."),
    click.option(
        "--endpoint-url",
        metavar="URL",
        help="Where s3:// URLs and bare paths go, in place of AWS [AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, the profile's].",
    ),
)

request_options = options(
    click.argument("url"),
    click.option("-X", "--request", "method", metavar="METHOD", help="The method, in place of the one that the options imply."),
    click.option("-d", "--data", "data", multiple=True, metavar="DATA", help="Form data; @FILE reads a file, without its line breaks."),
    click.option("--data-raw", multiple=True, metavar="DATA", help="Form data, an @ being no more than an @."),
    click.option("--data-binary", multiple=True, metavar="DATA", help="Data as it is; @FILE reads a file as it is."),
    click.option("--data-urlencode", multiple=True, metavar="DATA", help="Form data, percent-encoded: TEXT, NAME=TEXT or NAME@FILE."),
    click.option("--json", "json_data", multiple=True, metavar="DATA", help="JSON data, with its content-type and accept."),
    click.option("-G", "--get", "as_query", is_flag=True, help="Put the data into the query."),
    click.option("-T", "--upload-file", metavar="FILE", help="Upload a file with PUT; - is standard input."),
    click.option("-H", "--header", "header", multiple=True, metavar="LINE", help="'Name: value'; 'Name:' leaves it out, 'Name;' sends it empty."),
    click.option("-I", "--head", is_flag=True, help="Send HEAD, show the headers."),
    where_options,
    click.option("--scheme", type=click.Choice(["auto", "sigv4", "sigv4a", "sigv2", "s3v2"]), default="auto", help="The signature scheme; of sigv4a, --region is the region set."),
    click.option("--payload", type=click.Choice(["signed", "unsigned", "chunked", "trailer"]), help="Sign the body's hash, UNSIGNED-PAYLOAD, each chunk as it is sent, or unsigned chunks with a checksum as their trailer [what the service wants]."),
)  # fmt: skip


class Options:
    """The values of the request options, and the order of those whose order counts. A command without some of them has the
    defaults.
    """

    url: str
    method: str | None = None
    data: tuple[str, ...] = ()
    data_raw: tuple[str, ...] = ()
    data_binary: tuple[str, ...] = ()
    data_urlencode: tuple[str, ...] = ()
    json_data: tuple[str, ...] = ()
    as_query: bool = False
    upload_file: str | None = None
    header: tuple[str, ...] = ()
    head: bool = False
    service: str | None = None
    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None
    scheme: str = "auto"
    payload: str | None = None

    def __init__(self, ctx: click.Context, **values: Any) -> None:
        for name, value in values.items():
            if name not in Options.__annotations__:
                raise TypeError(f"{name} is not a request option")
            setattr(self, name, value)
        self._order: list[str] = ctx.meta.get("order", [])
        self._said = bool(ctx.params.get("silent"))

    def build(self, *more: tuple[str, str]) -> Request:
        """The request that the options describe, as curl would make it. more: headers to send where no -H says otherwise."""
        if self.head and not self.as_query and (self.upload_file or set(self._order) & _DATA):
            raise click.UsageError("-I asks for a HEAD and -d or -T for something to send; give one of them")
        body = self._body()
        url = self._url(body if self.as_query and isinstance(body, bytes) else b"")
        if self.as_query:
            body = None
        headers = self._headers(more, with_form=isinstance(body, bytes) and self.upload_file is None)
        method = self.method or ("HEAD" if self.head else "PUT" if self.upload_file else "POST" if body is not None else "GET")
        try:
            Request("GET", url)
        except InvalidRequest as error:
            raise Failure(MALFORMED_URL, str(error)) from None
        return Request(method, url, headers, body)

    def signer(self, request: Request, *, streams: bool = False) -> Signer:
        """streams: whether what is uploaded to S3 is sent in chunks, where --payload does not say otherwise."""
        return Signer(self, request, streams=streams)

    # The URL.

    def _url(self, query: bytes) -> str:
        url = self.url
        if url[:3].lower() == "s3:":
            url = self._s3_url(url)
        elif url.startswith("/") and (endpoint := self.endpoint()):
            url = endpoint.rstrip("/") + url
        elif self.endpoint_url:
            raise click.UsageError(f"--endpoint-url is for s3:// URLs and bare paths; {url[:60]!r} says itself where it goes")
        elif "://" not in url:
            local = re.match(r"(localhost|127\.\d+\.\d+\.\d+|\[::1\])(?=[:/?]|$)", url)
            url = f"{'http' if local else 'https'}://{url}"
        head, mark, rest = url.partition("?")
        if self.upload_file and self.upload_file != "-":
            if "/" not in head.partition("://")[2]:
                head += "/"
            if head.endswith("/"):
                head += quote(Path(self.upload_file).name, safe="")
        if query:
            joint = "&" if rest and not rest.endswith("&") else ""
            mark, rest = "?", rest + joint + query.decode("utf-8", "surrogateescape")
        return head + mark + rest

    def _s3_url(self, url: str) -> str:
        bucket, slash, key = split_s3_uri(url[5:])
        if url[3:5] != "//" or (slash and not bucket):
            raise Failure(
                MALFORMED_URL, f"there is no bucket in {url[:60]!r}; write s3://bucket/key, or s3:// for the list of buckets"
            )
        if not bucket:
            if endpoint := self.endpoint():
                return f"{endpoint.rstrip('/')}/"
            return f"{service_url(self.s3_region())}/"
        if self.upload_file and self.upload_file != "-" and (not key or key.endswith("/")):
            key += Path(self.upload_file).name
        return s3_url(bucket, key, region=self.s3_region(), endpoint=self.endpoint())

    def endpoint(self) -> str | None:
        """Where s3:// URLs and bare paths go: --endpoint-url, or what is configured for the service; None for AWS's own."""
        return self.endpoint_url or Settings(self.profile).endpoint_url(self.service or "s3")

    def found_region(self, *, instance: bool) -> str | None:
        """--region, or what is configured. instance: whether the metadata service is worth asking."""
        return self.region or find_region(self.profile, instance=instance)

    def s3_region(self) -> str:
        """The region of a bucket that nothing tells of: S3's own default, and it is said."""
        region = self.found_region(instance=self.endpoint() is None)
        if region is None:
            region = _S3_REGION
            if not self._said:
                self._said = True
                click.echo(f"awsign: no region is given or configured; taken for S3's default, {region} (--region)", err=True)
        return region

    def presigner(self) -> tuple[S3Presigner, str]:
        """What presigns for the bucket of an s3:// URL, and the key, which is literal."""
        bucket, _, key = split_s3_uri(self.url[5:])
        if self.url[:5].lower() != "s3://" or not bucket or not key:
            raise Failure(MALFORMED_URL, f"{self.url[:60]!r}: a form is for s3://bucket/key")
        from ..presign import S3Presigner

        endpoint = self.endpoint()
        return S3Presigner(
            find_credentials(self.profile), self.s3_region(), bucket, endpoint=endpoint, path_style=endpoint is not None
        ), key

    # The headers.

    def _headers(self, more: tuple[tuple[str, str], ...], *, with_form: bool) -> list[Header]:
        """What curl sends by itself, where no -H replaces it or leaves it out, then what -H gives, in its order."""
        from .. import __version__

        own = {"user-agent": ("User-Agent", f"awsign/{__version__}"), "accept": ("Accept", "*/*")}
        own |= {name.lower(): (name, value) for name, value in more}
        if self.json_data:
            own |= {"accept": ("Accept", _JSON), "content-type": ("Content-Type", _JSON)}
        elif with_form:
            own["content-type"] = ("Content-Type", URLENCODED)
        given: list[Header] = []
        for line in self._header_lines():
            name, colon, value = line.partition(":")
            empty = not colon and line.rstrip().endswith(";")
            if not colon and not empty:
                raise click.UsageError(
                    f"-H {line!r}: a header is 'Name: value', 'Name:' to leave it out, or 'Name;' to send it empty"
                )
            name, value = name.rstrip("; ") if empty else name.strip(), value.strip()
            own.pop(name.lower(), None)
            if value or empty:
                given.append((name, value if value.isascii() else value.encode("utf-8", "surrogateescape")))
        return [*own.values(), *given]

    def _header_lines(self) -> list[str]:
        lines = []
        for line in self.header:
            if line.startswith("@"):
                lines += [each for each in _read_file(line[1:]).decode("utf-8", "surrogateescape").splitlines() if each.strip()]
            else:
                lines.append(line)
        return lines

    # The body.

    def _body(self) -> bytes | IO[bytes] | None:
        if self.upload_file is not None:
            if set(self._order) & _DATA:
                raise click.UsageError("-T and -d are two bodies; a request has one")
            return open_file("-" if self.upload_file == "." else self.upload_file)
        readers: dict[str, tuple[Callable[[str], bytes], list[str]]] = {
            "data": (_data, list(self.data)),
            "data_raw": (lambda text: text.encode("utf-8", "surrogateescape"), list(self.data_raw)),
            "data_binary": (_data_binary, list(self.data_binary)),
            "data_urlencode": (_data_urlencode, list(self.data_urlencode)),
            "json_data": (_data_binary, list(self.json_data)),
        }
        body: bytes | None = None
        for name in self._order:
            if name in readers:
                read, values = readers[name]
                part = read(values.pop(0))
                # Pieces of a form are joined with &, pieces of JSON as they are.
                body = part if body is None else body + (b"" if name == "json_data" else b"&") + part
        return body


class Signer:
    """Signs a request of the command line with what its options say; again for each retry and redirect."""

    def __init__(self, chosen: Options, request: Request, *, streams: bool) -> None:
        self._chosen = chosen
        self._streams = streams
        self._authority = request.authority
        self._service, self._region = self._where(request)
        self._provider: Found | None = None
        self._session: Provider | None = None
        self.send: Send | None = None  # What sends the request for a session; None is the session's own.
        self.scheme = self._scheme(request)

    def sign(self, request: Request) -> Signed:
        if self._chosen.payload is not None and self.scheme in ("sigv2", "s3v2"):
            raise click.UsageError(f"--payload belongs to Signature Version 4; {self.scheme} covers no body")
        if self.scheme == "sigv2":
            from ..sigv2 import SigV2

            return SigV2(self.provider).sign(request)
        if self.scheme == "s3v2":
            from ..s3_sigv2 import S3SigV2

            return S3SigV2(self.provider).sign(request)
        return self.sigv4(request).sign(request, payload=self._payload(request))

    def _payload(self, request: Request) -> str | Chunked | None:
        """How the body is signed. What is uploaded to S3 goes as the SDKs send it: in signed chunks, or over TLS with a trailer."""
        choice = self._chosen.payload
        if choice is None and self._streams and self._chosen.upload_file and self._may_stream(request):
            choice = "trailer" if request.scheme == "https" else "chunked"
        if choice in ("chunked", "trailer") and size_of(request.body) is None:
            request.put_body(spool(request.body))  # A pipe's length has to be known beforehand.
        if choice not in ("chunked", "trailer"):
            return UNSIGNED_PAYLOAD if choice == "unsigned" else None
        from ..chunked import Chunked

        return Chunked() if choice == "chunked" else Chunked(signed=False, trailer="CRC32")

    def _may_stream(self, request: Request) -> bool:
        """Whether the length of the body is known, and no header says how it is to be sent."""
        given = [name.lower() for name, _ in request.headers]
        says = any(name in ("x-amz-content-sha256", "transfer-encoding") or name.startswith("x-amz-checksum-") for name in given)
        # An empty one needs no chunks, which Ceph RGW would not take.
        return self._service in S3_FAMILY and bool(size_of(request.body)) and not says

    def sigv4(self, request: Request, sign_headers: Iterable[str] = ()) -> SigV4:
        for option, value, example in (("service", self._service, "execute-api"), ("region", self._region, "us-east-1")):
            if value is None:
                raise InvalidRequest(
                    f"the host {self._authority!r} does not tell the {option}; pass --{option}, as --{option} {example}"
                )
        if self.scheme == "sigv4a":
            from ..sigv4a import SigV4A

            return SigV4A(self.provider, self._service, self._region, sign_headers=sign_headers)
        return SigV4(self._provider_for(request), self._service, self._region, sign_headers=sign_headers)

    def _provider_for(self, request: Request) -> Provider:
        """The session of a directory bucket, for the calls that take one; else what was found."""
        endpoint = self._chosen.endpoint()
        bucket = request.host.partition(".")[0] if endpoint is None else request.path.split("/")[1]
        takes_session = rules_of_call(rules_for(self._service or ""), request).token_header == SESSION_TOKEN
        if not takes_session or not is_directory_bucket(bucket):
            return self.provider
        if self._session is None:
            from ..credentials import s3_express_session

            self._session = s3_express_session(self.provider, bucket, region=self._region or "", endpoint=endpoint, send=self.send)
        return self._session

    @property
    def provider(self) -> Found:
        """Where the credentials come from; looked for once."""
        if self._provider is None:
            self._provider = find_credentials(self._chosen.profile)
        return self._provider

    @property
    def region(self) -> str | None:
        return self._region

    def move(self, region: str) -> None:
        """Sign for another region from now on: S3 said so."""
        self._region = region

    def _where(self, request: Request) -> tuple[str | None, str | None]:
        """--service and --region count first, then what the host tells, then the environment and the profile for the region."""
        chosen = self._chosen
        service, region = infer(request.url)
        if chosen.url[:3].lower() == "s3:":
            service = service or ("s3express" if is_directory_bucket(split_s3_uri(chosen.url[5:])[0]) else "s3")
        service = chosen.service or service
        region = chosen.region or region
        if region is None and chosen.scheme == "sigv4a":
            region = Settings(chosen.profile).sigv4a_signing_region_set
        if region is None and service == "s3" and chosen.scheme != "s3v2":
            region = chosen.s3_region()
        # A region that is not needed, or that a host which is none of AWS leaves open, is not worth a second of waiting.
        return service, region or chosen.found_region(instance=service is not None)

    def _scheme(self, request: Request) -> str:
        chosen = self._chosen
        if chosen.scheme != "auto":
            return chosen.scheme
        form = request.body if isinstance(request.body, bytes) else b""
        asks = "SignatureVersion=2" in request.query.split("&") or b"SignatureVersion=2" in form.split(b"&")
        if asks or self._service in SIGV2_ONLY:
            return "sigv2"
        return "sigv4a" if self._region == "*" else "sigv4"  # A Multi-Region Access Point is of every region.


def _data(text: str) -> bytes:
    if text.startswith("@"):
        return _read_file(text[1:]).translate(None, b"\r\n\0")
    return text.encode("utf-8", "surrogateescape")


def _data_binary(text: str) -> bytes:
    return _read_file(text[1:]) if text.startswith("@") else text.encode("utf-8", "surrogateescape")


def _data_urlencode(text: str) -> bytes:
    """curl: `content`, `=content`, `name=content`, `@file`, `name@file`."""
    match = re.match(r"([^=@]*)([=@])", text)
    if match is None:
        name, content = "", text.encode("utf-8", "surrogateescape")
    elif match[2] == "=":
        name, content = match[1], text[match.end() :].encode("utf-8", "surrogateescape")
    else:
        name, content = match[1], _read_file(text[match.end() :])
    encoded = quote(content, safe="").encode()
    return f"{name}=".encode("utf-8", "surrogateescape") + encoded if name else encoded


def _read_file(name: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise Failure(READ_ERROR, f"cannot read {name!r}: {error.strerror}") from None


def open_file(name: str) -> IO[bytes]:
    """A file to read; - is standard input."""
    try:
        return sys.stdin.buffer if name == "-" else Path(name).open("rb")
    except OSError as error:
        raise Failure(READ_ERROR, f"cannot read {name!r}: {error.strerror}") from None
