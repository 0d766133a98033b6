"""A host -> the service and region that a signature for it names.

The rows are tried in order, the special before the general. Sources: AWS general reference, "Service endpoints and quotas";
S3 user guide, "Virtual hosting of buckets"; botocore's endpoints.json (`credentialScope`) and the `signingName` of its models.
"""

from __future__ import annotations

import re
from functools import lru_cache

from .errors import InvalidRequest
from .scope import REGION

_LONGEST_HOST = 253  # RFC 1035, section 2.3.4. What arrives may be longer, and the patterns would take their time with it.
_REGION = rf"(?P<region>{REGION})"
_AWS = r"\.(?:amazonaws\.com(?:\.cn)?|api\.aws|api\.amazonwebservices\.com\.cn)"
_BUCKET = r"(?:[^/]+\.)?"

_HOSTS = [
    (re.compile(pattern), service, region)
    for pattern, service, region in (
        # Multi-Region Access Points are signed with SigV4A for every region.
        (rf"[^/]+\.accesspoint\.s3-global{_AWS}", "s3", "*"),
        (rf"{_BUCKET}(?P<service>s3-outposts|s3-object-lambda)\.{_REGION}{_AWS}", None, None),
        (rf"{_BUCKET}s3express-[^.]+(?:\.dualstack)?\.{_REGION}{_AWS}", "s3express", None),
        (rf"{_BUCKET}(?:s3|s3-accesspoint|s3-control|s3-fips|s3-accesspoint-fips)[.-](?:dualstack\.)?{_REGION}{_AWS}", "s3", None),
        (rf"{_BUCKET}s3-accelerate(?:\.dualstack)?\.amazonaws\.com", "s3", None),
        # The global host answers for us-east-1 and redirects for other regions.
        (rf"{_BUCKET}s3(?:-external-1)?\.amazonaws\.com", "s3", "us-east-1"),
        (rf"[^.]+\.execute-api(?:-fips)?\.{_REGION}{_AWS}", "execute-api", None),
        (rf"[^.]+\.lambda-url\.{_REGION}\.on\.aws", "lambda", None),
        (rf"[^/]+\.{_REGION}\.(?P<service>es|aoss|cloudsearch){_AWS}", None, None),
        (rf"[^/]+\.{_REGION}\.vpc-lattice-svcs\.on\.aws", "vpc-lattice-svcs", None),
        (rf"[^.]+(?:\.ats)?\.iot\.{_REGION}{_AWS}", "iotdata", None),
        (rf"[^.]+\.appsync-api\.{_REGION}{_AWS}", "appsync", None),
        (rf"aps-workspaces\.{_REGION}{_AWS}", "aps", None),
        # Old names: region first.
        (rf"{_REGION}\.(?P<service>queue|sqs|elasticmapreduce){_AWS}", None, None),
        (rf"(?P<service>[a-z0-9.-]+?)\.{_REGION}{_AWS}", None, None),
        (r"(?P<service>[a-z0-9.-]+)\.amazonaws\.com", None, None),
    )
]

# What stands before the region -> signing name, where its last label is not the name (botocore's models: `endpointPrefix`,
# `signingName`; tests/test_endpoints.py holds all of botocore's services against this).
_SIGNING_NAMES = {
    "account-access-runtime": "account-access",
    "agent-registry-control": "agent-registry",
    "agreement-marketplace": "aws-marketplace",
    "api.tunneling.iot": "IoTSecuredTunneling",
    "appconfigdata": "appconfig",
    "appstream2": "appstream",
    "bedrock-agent": "bedrock",
    "bedrock-agent-runtime": "bedrock",
    "bedrock-agentcore-control": "bedrock-agentcore",
    "bedrock-data-automation": "bedrock",
    "bedrock-data-automation-runtime": "bedrock",
    "bedrock-runtime": "bedrock",
    "cassandra-streams": "cassandra",
    "catalog.marketplace": "aws-marketplace",
    "cloudhsmv2": "cloudhsm",
    "cloudsearchdomain": "cloudsearch",
    "cloudwatch-omni": "cloudwatch",
    "contact-lens": "connect",
    "data-signer": "signer",
    "data.jobs.iot": "iot-jobs-data",
    "deployment-marketplace": "aws-marketplace",
    "discovery-marketplace": "aws-marketplace",
    "email": "ses",
    "entitlement.marketplace": "aws-marketplace",
    "eventsv2": "events",
    "forecastquery": "forecast",
    "global.health": "health",
    "iam-toolbox": "iam",
    "identity-chime": "chime",
    "ivsrealtime": "ivs",
    "mail-manager": "ses",
    "media-pipelines-chime": "chime",
    "meetings-chime": "chime",
    "memory-db": "memorydb",
    "messaging-chime": "chime",
    "metering.marketplace": "aws-marketplace",
    "migrationhub-config": "mgh",
    "models-v2-lex": "lex",
    "oidc": "sso-oauth",
    "participant.connect": "execute-api",
    "partnercentral-prm": "partnercentral",
    "personalize-events": "personalize",
    "personalize-runtime": "personalize",
    "pinpoint": "mobiletargeting",
    "portal.sso": "awsssoportal",
    "queue": "sqs",
    "reporting-marketplace": "aws-marketplace",
    "runtime-v2-lex": "lex",
    "runtime.sagemaker": "sagemaker",
    "servicecatalog-appregistry": "servicecatalog",
    "sms-voice.pinpoint": "sms-voice",
    "transcribestreaming": "transcribe",
    "voice-chime": "chime",
}

# Services with one endpoint, and the region that its credential scope names (endpoints.json, `aws-global`).
_GLOBAL = {
    "iam": "us-east-1",
    "sts": "us-east-1",
    "route53": "us-east-1",
    "cloudfront": "us-east-1",
    "organizations": "us-east-1",
    "shield": "us-east-1",
    "waf": "us-east-1",
    "budgets": "us-east-1",
    "ce": "us-east-1",
    "health": "us-east-1",
    "support": "us-east-1",
    "globalaccelerator": "us-west-2",
    "importexport": "us-east-1",
    "sdb": "us-east-1",
    "ec2": "us-east-1",
    "sqs": "us-east-1",
    "sns": "us-east-1",
    "dynamodb": "us-east-1",
    "savingsplans": "us-east-1",
    "elasticmapreduce": "us-east-1",
}


def infer(url: str) -> tuple[str | None, str | None]:
    """The signing name and region that a URL's host tells; None for what it does not, "*" where every region is meant.

    A custom domain, an IP address and localhost tell nothing.
    """
    authority = url.partition("://")[2].partition("/")[0].partition("?")[0]
    return _infer_host(authority.rpartition("@")[2].partition(":")[0].lower().removesuffix("."))


@lru_cache(maxsize=256)
def _infer_host(host: str) -> tuple[str | None, str | None]:
    for pattern, service, region in _HOSTS if len(host) <= _LONGEST_HOST else ():
        if match := pattern.fullmatch(host):
            groups = match.groupdict()
            if service is None:
                labels = groups["service"].removesuffix("-fips").removesuffix(".dualstack")
                last = labels.rpartition(".")[2].removesuffix("-fips")
                service = _SIGNING_NAMES.get(labels) or _SIGNING_NAMES.get(last, last)
            return service, region or groups.get("region") or _GLOBAL.get(service)
    return None, None


_BUCKET_LABEL = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
_DIRECTORY_BUCKET = re.compile(r"[a-z0-9][a-z0-9-]*--([a-z0-9-]+)--x-s3")
_ENDPOINT = re.compile(r"(https?://)([^/?#@]+)(/[^?#]*)?")
# Where a name in front of the host would not resolve, or not be a name at all.
_NO_SUBDOMAINS = re.compile(r"(?:\d+(?:\.\d+){3}|localhost|\[.*\])(?::\d+)?")

# The ARN of what stands in the place of a bucket -> its host. Sources: S3 user guide, "Naming, ARNs, and aliases for access
# points", "Accessing S3 on Outposts", "How to use Object Lambda Access Points", "Making requests through a Multi-Region Access
# Point".
_ARN = r"arn:aws(?:(?P<cn>-cn)|-us-gov)?"
_ACCESS_POINT = r"(?P<account>\d+):accesspoint[:/](?P<name>[a-z0-9-]+)"
_HOSTS_OF_ARNS = [
    (re.compile(pattern), host)
    for pattern, host in (
        (rf"{_ARN}:s3::\d+:accesspoint[:/](?P<name>[a-z0-9]+\.mrap)", "{name}.accesspoint.s3-global.amazonaws.com"),
        (rf"{_ARN}:s3:{_REGION}:{_ACCESS_POINT}", "{name}-{account}.s3-accesspoint.{region}.amazonaws.com"),
        (
            rf"{_ARN}:s3-object-lambda:{_REGION}:{_ACCESS_POINT}",
            "{name}-{account}.s3-object-lambda.{region}.amazonaws.com",
        ),
        (
            rf"{_ARN}:s3-outposts:{_REGION}:(?P<account>\d+):outpost[:/](?P<outpost>op-[a-z0-9]+)[:/]accesspoint[:/](?P<name>[a-z0-9-]+)",
            "{name}-{account}.{outpost}.s3-outposts.{region}.amazonaws.com",
        ),
    )
]


def bucket_url(bucket: str, *, region: str = "us-east-1", endpoint: str | None = None, path_style: bool = False) -> str:
    """The URL of a bucket, of a directory bucket (S3 Express) or of an access point by its ARN; without a slash at its end.

    endpoint: another than AWS's. path_style: the bucket is in the path. Where it is not asked for, it is there too if the bucket
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
            return f"https://{host.format(**parts)}{'.cn' if parts['cn'] else ''}"
    if not bucket or "/" in bucket or ":" in bucket or not bucket.isascii():
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
    suffix = ".cn" if region.startswith("cn-") else ""
    if match := _DIRECTORY_BUCKET.fullmatch(bucket):
        return f"https://{bucket}.s3express-{match[1]}.{region}.amazonaws.com{suffix}"
    if in_host:
        return f"https://{bucket}.s3.{region}.amazonaws.com{suffix}"
    return f"https://s3.{region}.amazonaws.com{suffix}/{bucket}"


def s3_url(bucket: str, key: str = "", *, region: str = "us-east-1", endpoint: str | None = None) -> str:
    """The URL of a bucket or a key, which is literal: `%`, `?` and `#` belong to it.

    At another endpoint the bucket is in the path.
    """
    from .encoding import encode_path, utf8

    base = bucket_url(bucket, region=region, endpoint=endpoint, path_style=endpoint is not None)
    path = encode_path(utf8(key))
    return f"{base}/{path}" if path or endpoint is None else base


def split_s3_uri(rest: str) -> tuple[str, str, str]:
    """What follows `s3://`, as bucket (or the ARN of an access point, which has slashes of its own), slash and key."""
    for pattern, _ in _HOSTS_OF_ARNS:
        if (match := pattern.match(rest)) and rest[match.end() : match.end() + 1] in ("", "/"):
            return match[0], rest[match.end() : match.end() + 1], rest[match.end() + 1 :]
    return rest.partition("/")


_PLAIN_S3 = re.compile(rf"({_BUCKET})s3(?:[.-](?:dualstack\.)?{_REGION})?\.amazonaws\.com(\.cn)?")


def s3_host_in(authority: str, region: str) -> str | None:
    """The host of the same bucket (or of none) in another region; None for a host of S3 that is not a plain one of AWS."""
    host, colon, port = authority.partition(":")
    match = _PLAIN_S3.fullmatch(host)
    return f"{match[1]}s3.{region}.amazonaws.com{match[3] or ''}{colon}{port}" if match else None


_VIRTUAL_HOST = re.compile(r"(.+)\.s3(?:-[a-z0-9-]+)?(?:\.[a-z0-9-]+)*\.(?:amazonaws\.com(?:\.cn)?|api\.aws|localhost)")


def bucket_of(host: str) -> str | None:
    """The bucket that a virtual-hosted S3 host (of AWS, or `bucket.s3.localhost`) stands for; None for any other host."""
    host = host.partition(":")[0].lower().removesuffix(".")
    match = _VIRTUAL_HOST.fullmatch(host) if len(host) <= _LONGEST_HOST else None
    return match[1] if match else None
