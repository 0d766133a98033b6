"""The Host header: its port, its brackets, another host."""

from __future__ import annotations

import re

from ...endpoints import infer
from ...request import split_authority
from ...s3_urls import bucket_of
from .case import Variant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .case import Case

_PORTS = ("80", "443", "8080", "8000", "8443", "9000", "4566", "5000", "3000")


def hosts(case: Case) -> Iterator[tuple[str, str, str]]:
    """What may have been signed in the place of the Host header: the kind, the value and a few words."""
    given = case.request.host
    _, host, port = split_authority(given)
    if port:
        yield "host-without-port", host, "without its port"
    for other in dict.fromkeys(["443" if case.request.scheme == "https" else "80", *_PORTS]):
        if other != port:
            yield "host-with-port", f"{host}:{other}", f"with the port {other}"
    bare = host.strip("[]")
    if ":" in bare:
        yield "ipv6-brackets", bare, "without its brackets"
        if port:
            yield "ipv6-brackets", f"{bare}:{port}", "without its brackets"
        yield "ipv6-brackets", f"[{bare}]" + (f":{port}" if port else ""), "with brackets"
    elif given.count(":") > 1:
        yield "ipv6-brackets", f"[{given}]", "with brackets"
        address, _, last = given.rpartition(":")
        yield "ipv6-brackets", f"[{address}]:{last}", "with brackets"
    yield "other-host", f"{case.request.scheme}://{given}", "with the scheme of the URL before it"
    for other, what in _others(case, host):
        yield "other-host", other, what
        if port:
            yield "other-host", f"{other}:{port}", what
    yield from (("global-endpoint-redirected", other, "for the global endpoint of S3") for other in _global(host))


def _others(case: Case, host: str) -> Iterator[tuple[str, str]]:
    for name in ("x-forwarded-host", "x-original-host", "x-amz-cf-host", "x-host"):
        if value := case.headers.get(name):
            yield value.partition(",")[0].strip(), f"for the host of {name}"
    if match := re.search(r"host=\"?([^;,\"]+)", case.headers.get("forwarded", "")):
        yield match[1], "for the host of Forwarded"
    if case.request.authority != case.request.host:
        yield case.request.authority, "for the host of the URL"
    for name in ("referer", "origin"):
        if match := re.match(r"https?://([^/]+)", case.headers.get(name, "")):
            yield match[1], f"for the host of {name}"
    if case.answer is not None and (endpoint := case.answer.elements.get("Endpoint")):
        yield endpoint, "for the endpoint that the server names"
    if bucket := bucket_of(host):
        yield host[len(bucket) + 1 :], "for the host without the bucket"
    else:
        first = case.request.path[1:].partition("/")[0]
        if first and infer(f"https://{host}/")[0] == "s3":
            yield f"{first}.{host}", "for the host of the bucket"
    service, region = case.claim.service, case.claim.region
    if service and region:
        for candidate in (
            f"{service}.{region}.amazonaws.com",
            f"{service}.amazonaws.com",
            f"{service}-fips.{region}.amazonaws.com",
        ):
            yield candidate, "for the endpoint of AWS"
        if bucket:
            yield f"{bucket}.{service}.{region}.amazonaws.com", "for the endpoint of AWS"
    if host != host.lower():
        yield host.lower(), "in lower case"
    if host.endswith("."):
        yield host[:-1], "without the dot at its end"
    for local in ("localhost", "127.0.0.1", "minio", "host.docker.internal"):
        yield local, f"for {local}"


def _global(host: str) -> Iterator[str]:
    if match := re.fullmatch(r"(.*?)s3[.-](?:dualstack\.)?[a-z0-9-]+\.amazonaws\.com", host):
        yield f"{match[1]}s3.amazonaws.com"
        yield f"{match[1]}s3-external-1.amazonaws.com"


def other_host(case: Case) -> Iterator[Variant]:
    if "host" not in case.steps["signed"]:
        return
    seen = {case.request.host}
    for kind, value, what in hosts(case):
        if value and value not in seen:
            seen.add(value)
            yield Variant(kind, {"header.host": value}, what, rare=kind in ("other-host", "host-with-port"))


def other_ports(case: Case) -> Iterator[tuple[str, str]]:
    """The same host on any other port, as a proxy or a container has it: there are few enough to try all. Each with its kind."""
    if "host" not in case.steps["signed"] or case.request.host.endswith(
        (".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".on.aws")
    ):
        return
    _, host, port = split_authority(case.request.host)
    for number in range(1, 65536):
        yield ("other-host" if port else "host-with-port"), f"{host}:{number}"
