"""Where S3 keeps things: buckets, access points and keys as URLs, and the bucket that a host stands for.

Sources: S3 user guide, "Virtual hosting of buckets", "Naming, ARNs, and aliases for access points".
"""

from __future__ import annotations

import re

from .encoding import encode_octets, encode_path, utf8
from .errors import InvalidRequest
from .partitions import HOST_SUFFIX, LONGEST_HOST, host_in, partition_named, partition_of, suffix_for
from .scope import REGION

_REGION = rf"(?P<region>{REGION})"
_BUCKET = r"(?:[^/]+\.)?"

# Older buckets of us-east-1 may have upper case, underscores and 255 characters: S3 user guide, "General purpose bucket naming rules".
_BUCKET_NAME = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9._-]{1,255}")
_BUCKET_LABEL = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
_DIRECTORY_BUCKET = re.compile(r"[a-z0-9][a-z0-9-]*--([a-z0-9-]+)--xa?-s3")  # xa: an access point of one
_ENDPOINT = re.compile(r"(https?://)([^/?#@]+)(/[^?#]*)?")
# Where a name in front of the host would not resolve, or not be a name at all.
_NO_SUBDOMAINS = re.compile(r"(?:\d+(?:\.\d+){3}|localhost|\[.*\])(?::\d+)?")

# The ARN of what stands in the place of a bucket -> its host. Sources: S3 user guide, "Naming, ARNs, and aliases for access
# points", "Accessing S3 on Outposts", "How to use Object Lambda Access Points", "Making requests through a Multi-Region Access
# Point".
_ARN = r"arn:(?P<partition>aws(?:-[a-z-]+)?)"
_ACCESS_POINT = r"(?P<account>\d+):accesspoint[:/](?P<name>[a-z0-9-]+)"
_HOSTS_OF_ARNS = [
    (re.compile(pattern), host)
    for pattern, host in (
        (rf"{_ARN}:s3::\d+:accesspoint[:/](?P<name>[a-z0-9]+\.mrap)", "{name}.accesspoint.s3-global.{suffix}"),
        (rf"{_ARN}:s3:{_REGION}:{_ACCESS_POINT}", "{name}-{account}.s3-accesspoint.{region}.{suffix}"),
        (
            rf"{_ARN}:s3-object-lambda:{_REGION}:{_ACCESS_POINT}",
            "{name}-{account}.s3-object-lambda.{region}.{suffix}",
        ),
        (
            rf"{_ARN}:s3-outposts:{_REGION}:(?P<account>\d+):outpost[:/](?P<outpost>op-[a-z0-9]+)[:/]accesspoint[:/](?P<name>[a-z0-9-]+)",
            "{name}-{account}.{outpost}.s3-outposts.{region}.{suffix}",
        ),
    )
]


def is_directory_bucket(name: str) -> bool:
    """Whether a name is that of a directory bucket (S3 Express), or of an access point of one."""
    return _DIRECTORY_BUCKET.fullmatch(name) is not None


def service_url(region: str) -> str:
    """The URL of S3 itself in a region; of `aws-global`, as SDKs call S3 without a region, the global one."""
    return "https://s3.amazonaws.com" if region == "aws-global" else f"https://{host_in(region, 's3')}"


def bucket_url(bucket: str, *, region: str | None = None, endpoint: str | None = None, path_style: bool = False) -> str:
    """The URL of a bucket, of a directory bucket (S3 Express) or of an access point by its ARN; without a slash at its end.

    region: of the bucket; needed at AWS. endpoint: another than AWS's. path_style: the bucket is in the path. Where it is not asked for, it is there too if the bucket
    cannot be in the host: a name that is none of DNS or has a dot, which TLS's certificate would not cover, or an endpoint that is
    an IP address. Source: S3 user guide, "Virtual hosting of buckets".
    """
    for pattern, host in _HOSTS_OF_ARNS:
        if match := pattern.fullmatch(bucket):
            if endpoint is not None or path_style:
                raise InvalidRequest(
                    f"{bucket!r} has a host of its own at AWS; leave endpoint and path_style out, or name a bucket"
                )
            parts = match.groupdict()
            partition = partition_named(parts["partition"])
            if partition is None or ("region" in parts and partition_of(parts["region"]) is not partition):
                raise InvalidRequest(f"{bucket!r} names a partition of AWS that is none, or a region of another")
            return f"https://{host.format(**parts, suffix=partition.suffix)}"
    if not _BUCKET_NAME.fullmatch(bucket):
        raise InvalidRequest(f"{bucket!r} is not the name of a bucket, nor the ARN of an access point")
    in_host = _BUCKET_LABEL.fullmatch(bucket) is not None and not path_style
    if endpoint is not None:
        parsed = _ENDPOINT.fullmatch(endpoint)
        if parsed is None:
            raise InvalidRequest(f"endpoint={endpoint[:60]!r}: it is the URL of a server, as http://127.0.0.1:9000")
        scheme, authority, path = parsed[1], parsed[2], (parsed[3] or "").rstrip("/")
        if in_host and not path and not _NO_SUBDOMAINS.fullmatch(authority):
            return f"{scheme}{bucket}.{authority}"
        return f"{scheme}{authority}{path}/{bucket}"
    if region is None:
        raise InvalidRequest(f"the bucket {bucket!r} is in a region; pass region=..., or the endpoint of another store")
    service = service_url(region)
    if match := _DIRECTORY_BUCKET.fullmatch(bucket):
        return f"https://{bucket}.{host_in(region, f's3express-{match[1]}')}"
    return service.replace("//", f"//{bucket}.", 1) if in_host else f"{service}/{bucket}"


def s3_url(bucket: str, key: str = "", *, region: str | None = None, endpoint: str | None = None) -> str:
    """The URL of a bucket or a key, which is literal: `%`, `?` and `#` belong to it.

    At another endpoint the bucket is in the path.
    """
    base = bucket_url(bucket, region=region, endpoint=endpoint, path_style=endpoint is not None)
    path = encode_path(utf8(key))
    return f"{base}/{path}" if path or endpoint is None else base


# S3 user guide, "Naming Amazon S3 objects": up to 1024 bytes of UTF-8, and, read from the left, never more `..` than names.
_LONGEST_KEY = 1024
# What the path of a URL holds as it is: a key that this matches, and that has no `..`, needs neither a look nor an escape.
plain_key = re.compile(rf"[A-Za-z0-9\-._~/]{{1,{_LONGEST_KEY}}}+").fullmatch


def key_path(key: str) -> str:
    """A key, which is literal, as the path of a URL without the slash before it. InvalidRequest for one that S3 does not allow."""
    try:
        octets = key.encode()
    except (AttributeError, UnicodeEncodeError):
        if not isinstance(key, str):
            raise TypeError(f"a key must be a str, not {type(key).__name__}") from None
        raise InvalidRequest(f"the key {key[:60]!r} has a lone surrogate: it is not text, and S3 keeps keys as UTF-8") from None
    if not key:
        raise InvalidRequest("the key is empty: the URL would be that of the bucket; awsign.SigV4(...).presign signs for a bucket")
    if len(octets) > _LONGEST_KEY:
        raise InvalidRequest(f"the key {key[:60]!r}... has {len(octets)} bytes as UTF-8; S3 allows {_LONGEST_KEY}")
    if ".." in key:
        depth = 0
        for segment in key.split("/"):
            depth += -1 if segment == ".." else segment != "."
            if depth < 0:
                raise InvalidRequest(f"the key {key[:60]!r} goes up, by `..`, further than down; S3 refuses that")
    return encode_octets(octets)


def split_s3_uri(rest: str) -> tuple[str, str, str]:
    """What follows `s3://`, as bucket (or the ARN of an access point, which has slashes of its own), slash and key."""
    for pattern, _ in _HOSTS_OF_ARNS:
        if (match := pattern.match(rest)) and rest[match.end() : match.end() + 1] in ("", "/"):
            return match[0], rest[match.end() : match.end() + 1], rest[match.end() + 1 :]
    return rest.partition("/")


_PLAIN_S3 = re.compile(rf"({_BUCKET})s3(?:[.-](?:dualstack\.)?{_REGION})?\.(?:{HOST_SUFFIX})")


def s3_host_in(authority: str, region: str) -> str | None:
    """The host of the same bucket (or of none) in another region; None for a host of S3 that is not a plain one of AWS.

    region: as a server may have told it; None for what is no region of AWS.
    """
    host, colon, port = authority.partition(":")
    match = _PLAIN_S3.fullmatch(host.lower().removesuffix("."))
    if match is None or partition_of(region) is None:
        return None
    return f"{match[1]}s3.{region}.{suffix_for(region)}{colon}{port}"


_VIRTUAL_HOST = re.compile(
    rf"(?P<bucket>.+)\.(?:s3(?:-fips|-external-1|-1|-accelerate)?(?:\.dualstack)?(?:[.-]{REGION})?|s3express-[^.]+(?:\.dualstack)?\.{REGION})"
    rf"\.(?:{HOST_SUFFIX})|(?P<local>.+)\.s3(?:\.[a-z0-9-]+)*\.localhost"
)


def bucket_of(host: str) -> str | None:
    """The bucket that a virtual-hosted S3 host (of AWS, or `bucket.s3.localhost`) stands for; None for any other host."""
    host = host.partition(":")[0].lower().removesuffix(".")
    match = _VIRTUAL_HOST.fullmatch(host) if len(host) <= LONGEST_HOST else None
    return match["bucket"] or match["local"] if match else None
