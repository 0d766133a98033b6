"""A host -> the service and region that a signature for it names.

In this order: hosts without a region; the API endpoints of services (their names are in endpoint_names.py); what customers have of
their own there (buckets, APIs, clusters, domains); other clouds that speak S3. What no row tells is None.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

from .endpoint_names import signing_name
from .partitions import HOST_SUFFIX, LONGEST_HOST, PARTITIONS, partition_of, partitions_of_host, partitions_under
from .scope import REGION
from .services import S3_FAMILY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .partitions import Partition

# `aws-global` and its like are what SDKs call the region of a service that has but one, and their rules make hosts of it.
_REGION = rf"(?P<region>{REGION}|aws(?:-[a-z]+)*-global)"
_ON_SUFFIXES = "|".join(re.escape(partition.on_suffix) for partition in PARTITIONS if partition.on_suffix)
_SIGN_IN_SUFFIXES = "|".join(re.escape(partition.sign_in_suffix) for partition in PARTITIONS)
_SUFFIX = re.compile(rf"\.(?:{HOST_SUFFIX}|{_ON_SUFFIXES})\Z")
_AWS = rf"(?P<suffix>{HOST_SUFFIX})"
_UNDER_AWS = re.compile(rf"\.(?:{HOST_SUFFIX}|{_ON_SUFFIXES}|{_SIGN_IN_SUFFIXES})\Z")
# The mark of FIPS 140 comes at the end of a name, or as a label before it: `sts-fips.`, `models-fips.lex.`, `fips.batch.`.
_FIPS = re.compile(r"-fips(?=\.)|^fips\.")

# With anything else before or after the host, clients do not agree on which it is.
_AUTHORITY = re.compile(
    r"(?:(?P<scheme>(?i:https?|wss?))://|(?![A-Za-z][A-Za-z0-9+.-]*:/))(?:[^@/?#\\]*@)?"
    r"(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?(?=[/?#]|\Z)"
)

_DEFAULT_PORTS = {"http": ":80", "https": ":443", "ws": ":80", "wss": ":443"}

# Whole hosts without a region, and the region that a signature for them names all the same; None where several do.
# Source: botocore's rulesets, those of two partitions giving the same host for some; AWS general reference, "General endpoints"
# (autoscaling, ec2, elasticmapreduce); SQS developer guide, "Legacy endpoints" (queue).
_HOSTS = {
    "autoscaling.amazonaws.com": ("autoscaling", "us-east-1"),
    "budgets.amazonaws.com": ("budgets", None),
    "budgets-fips.amazonaws.com": ("budgets", None),
    "budgets.api.aws": ("budgets", "us-gov-west-1"),
    "budgets-fips.api.aws": ("budgets", None),
    "cloudfront.amazonaws.com": ("cloudfront", None),
    "cloudfront-fips.amazonaws.com": ("cloudfront", None),
    "cloudfront.api.aws": ("cloudfront", "us-gov-west-1"),
    "cloudfront-fips.api.aws": ("cloudfront", "us-gov-west-1"),
    "ec2.amazonaws.com": ("ec2", "us-east-1"),
    "elasticmapreduce.amazonaws.com": ("elasticmapreduce", "us-east-1"),
    "global.health.amazonaws.com": ("health", "us-east-1"),
    "global.health.amazonaws.com.cn": ("health", "cn-northwest-1"),
    "global.health.us-gov.amazonaws.com": ("health", "us-gov-west-1"),
    "importexport.amazonaws.com": ("IngestionService", "us-east-1"),
    "queue.amazonaws.com": ("sqs", "us-east-1"),
    "savingsplans.amazonaws.com": ("savingsplans", "us-east-1"),
    "savingsplans.global.api.aws": ("savingsplans", "us-east-1"),
    "sdb.amazonaws.com": ("sdb", "us-east-1"),
    "sts.amazonaws.com": ("sts", "us-east-1"),
    "waf.amazonaws.com": ("waf", "us-east-1"),
    "waf-fips.amazonaws.com": ("waf", "us-east-1"),
}

# Services with one endpoint a partition, `NAME`, `NAME.global` or `NAME.us-gov` before the suffix, signed for the partition's
# global region but in these.
_GLOBAL = frozenset(("budgets", "cloudfront", "iam", "route53"))
_GLOBAL_REGION = {("iam", "aws-cn"): "cn-north-1"}
# The same, signed for whatever region the caller chooses: NAME -> signing name.
_OF_EVERY_REGION = {
    "codecatalyst": "codecatalyst",
    "partnercentral-channel": "partnercentral-channel",
    "partnercentral-prm": "partnercentral",
    "sustainability": "sustainability",
}
# One endpoint for all regions of the standard partition, whatever region its host names.
_OF_ONE_REGION = {("importexport", "aws"): ("IngestionService", "us-east-1")}
# Location's operations, at hosts that are those of newer services where there are any.
_ELSEWHERE = {"maps.geo": "geo", "places.geo": "geo", "routes.geo": "geo"}
_WITHOUT_REGION = re.compile(rf"(?P<name>[a-z0-9-]+?)(?P<part>\.global|\.us-gov)?\.{_AWS}")

# Hosts that belong to customers, by service: `*` is one label or several, {id} is one; {region} with {aws} or {on} are a region and a
# suffix of its partition; what is in brackets may be missing. SERVICE@REGION: where the host does not say the region. `-`: not
# signed, though it looks like others that are. docs/endpoints.md has the source of each.
_SHAPES = """
    s3@*                *.accesspoint.s3-global.{aws}
    s3-object-lambda    [*.]s3-object-lambda.{region}.{aws}
    s3-outposts         [*.]s3-outposts[.dualstack].{region}.{aws}
    s3express           [*.]s3express-{id}[.dualstack].{region}.{aws}
    s3                  [*.]s3[.dualstack].{region}.{aws} [*.]s3[-fips]-{region}.{aws} [*.]s3-accesspoint[.dualstack].{region}.{aws} \
                        *.s3-control[.dualstack].{region}.{aws} [*.]s3-accelerate[.dualstack].{aws} [*.]s3-accelerate.dualstack.{region}.{aws} \
                        *.vpce-{id}.s3.{region}.vpce.{aws}
    s3@us-east-1        [*.]s3.amazonaws.com [*.]s3-external-1.amazonaws.com [*.]s3-1.amazonaws.com

    airflow             *.airflow.{region}.{on}
    aoss                *.{region}.aoss.{aws} *.aoss.{region}.{on}
    appsync             *.appsync-api.{region}.{aws} *.appsync-realtime-api.{region}.{aws}
    aps                 aps-workspaces.{region}.{aws}
    bedrock-agentcore   *.gateway.bedrock-agentcore.{region}.{aws}
    chime               *.ws-messaging.chime.aws
    cloudfront-keyvaluestore@*  *.cloudfront-kvs.global.{aws}
    cloudsearch         *.{region}.cloudsearch.{aws}
    dax                 *.dax-clusters.{region}.{aws}
    dsql                {id}.dsql.{region}.{on} {id}.dsql-{id}.{region}.{on}
    dynamodb            *.ddb.{region}.{aws} *.streams-ddb.{region}.{aws} *.search-ddb.{region}.{aws}
    ec2-instance-connect  *.ec2-instance-connect-endpoint.{region}.{aws}
    elasticache         *.cache.{aws}
    elasticmapreduce    {region}.elasticmapreduce.{aws}
    emr-serverless      *.livy.emr-serverless-services.{region}.{aws}
    es                  *.{region}.es.{aws} *.aos.{region}.{on}
    events              *.eventsv2.{region}.{aws}
    events@*            *.endpoint.events.{aws}
    execute-api         *.execute-api.{region}.{aws}
    geo-routes          routes.geo.{region}.us-gov.{aws}
    -                   greengrass-ats.iot.{region}.{aws} greengrass.iot.{region}.{aws} stun.kinesisvideo.{region}.{aws}
    iot-jobs-data       {id}.jobs.iot.{region}.{aws}
    iotdata             {id}.iot.{region}.{aws} {id}.ats.iot.{region}.{aws}
    kafka-cluster       *.kafka.{region}.{aws} *.kafka-serverless.{region}.{aws}
    kinesis             *.data-kinesis[-{id}].{region}.{aws} *.control-kinesis[-{id}].{region}.{aws}
    kinesisvideo        *.kinesisvideo.{region}.{aws}
    lambda              *.lambda-url.{region}.on.aws
    mediaconvert        *.mediaconvert.{region}.{aws}
    mediapackagev2      *.mediapackagev2.{region}.{aws}
    mediastore          *.data.mediastore.{region}.{aws}
    memorydb            *.memorydb.{region}.{aws}
    neptune-db          *.{region}.neptune.{aws} *.neptune.{region}.{aws}
    neptune-graph       [*.]{region}.neptune-graph.{aws} [*.]neptune-graph.{region}.{on} *.neptune-graph.{region}.{aws}
    osis                *.{region}.osis.{aws}
    osm                 *.osm.{region}.{on}
    rds-db              *.{region}.rds.{aws} *.rds.{region}.{aws} *.global.rds.{aws}
    s3files             *.s3files.{region}.{on}
    sagemaker-mlflow    {region}.experiments.sagemaker.aws
    ses@*               *.endpoints.email[.global].{aws} *.endpoints.email.us-gov.{aws}
    signin              {region}.{signin} {region}.signin.{aws} {region}.oauth.signin.aws {region}.signin-fips.amazonaws-us-gov.com
    signin@us-gov-west-1  signin.amazonaws-us-gov.com signin-fips.amazonaws-us-gov.com
    sqs                 {region}.queue.{aws}
    timestream          *.timestream.{region}.{aws}
    vpc-lattice-svcs    *.vpc-lattice-svcs.{region}.{on} *.{region}.vpc-lattice-svcs.{on}

    s3@auto             [*.]*.r2.cloudflarestorage.com [*.]storage.googleapis.com [*.]t3.storage.dev [*.]fly.storage.tigris.dev
    s3@us-east-1        [*.]s3.wasabisys.com [*.]play.min.io
    s3                  [*.]s3.{cloud}.backblazeb2.com [*.]s3.{cloud}.wasabisys.com [*.]{slug}.digitaloceanspaces.com \
                        [*.]s3.{cloud}.scw.cloud [*.]{slug}.your-objectstorage.com [*.]s3.{cloud}.io.cloud.ovh.net \
                        [*.]s3.{cloud}.cloud-object-storage.appdomain.cloud [*.]s3.oss-{cloud}.aliyuncs.com
"""
# Over a WebSocket (wss://) the same host is another service: IoT developer guide, "MQTT over WebSocket".
_OVER_WEBSOCKET = {"iotdata": "iotdevicegateway"}

# Interface VPC endpoints whose name is not that of the API endpoint: VPC user guide, "AWS services that integrate with PrivateLink".
_PRIVATE_LINK = {"kinesis-streams": "kinesis", "kinesis-firehose": "firehose"}
_VPC_ENDPOINT = re.compile(rf"vpce-[a-z0-9-]+\.(?P<name>[a-z0-9.-]+?)\.{_REGION}\.vpce\.{_AWS}")
_API_ENDPOINT = re.compile(rf"(?P<name>[a-z0-9.-]+?)\.{_REGION}\.{_AWS}")
_PARTS = {
    "*": r"[^/]+",
    "{id}": r"[^./]+",
    "{region}": _REGION,
    "{aws}": _AWS,
    "{on}": rf"(?P<suffix>{_ON_SUFFIXES})",
    "{signin}": rf"(?P<suffix>{_SIGN_IN_SUFFIXES})",
    "{cloud}": r"(?P<region>[a-z0-9-]+?)(?:-internal)?",  # Alibaba's hosts inside its network.
    "{slug}": r"(?P<region>[a-z]{3,4}\d)",  # nyc3, fsn1
    "[": "(?:",
    "]": ")?",
}


@cache
def _pattern(shape: str) -> re.Pattern[str]:
    """A shape, compiled when a host first comes that far: all of them would take 15 ms."""
    pieces = re.split(r"(\*|\{[a-z]+\}|\[|\])", shape)
    return re.compile("".join(_PARTS.get(piece) or re.escape(piece) for piece in pieces))


def _rows() -> Iterator[tuple[str, str, str | None]]:
    for row in _SHAPES.splitlines():
        if row.strip():
            told, *shapes = row.split()
            service, _, region = told.partition("@")
            for shape in shapes:
                yield shape, service, region or None


_ROWS = tuple(_rows())


def infer(url: str) -> tuple[str | None, str | None]:
    """The signing name and region that a URL's host tells; None for what it does not, "*" where every region is meant.

    A custom domain, an IP address and localhost tell nothing. A URL without a scheme is one of https.
    """
    if not isinstance(url, str):
        raise TypeError(f"url must be a str, not {type(url).__name__}")
    authority = _AUTHORITY.match(url)
    if authority is None:
        return None, None
    service, region = _infer_host(_host(authority))
    if service in _OVER_WEBSOCKET and (authority["scheme"] or "").lower() in ("wss", "ws"):
        service = _OVER_WEBSOCKET[service]
    return service, region


def same_service(old: str, new: str) -> bool:
    """Whether what is signed for one URL may be signed again for another, to which a server points.

    At AWS for S3, and for the API of the same service, of the same partition; elsewhere, and for what belongs to one customer, for the
    same scheme, host and port alone.
    """
    a, b = _AUTHORITY.match(old), _AUTHORITY.match(new)
    if a is None or b is None:
        return False
    if _origin(a) == _origin(b):
        return True
    (service, old_region), (new_service, new_region) = infer(old), infer(new)
    if service is None or service != new_service or _port(a) != _port(b):
        return False
    # Another function URL, or another API, of the same service is somebody else's program.
    shared = service in S3_FAMILY or (_is_api(a) and _is_api(b))
    return shared and bool(_partitions(a, old_region) & _partitions(b, new_region))


def _port(authority: re.Match[str]) -> str:
    """Scheme and port."""
    scheme, _, rest = _origin(authority).partition("://")
    return f"{scheme}:{rest.partition(':')[2]}"


def _is_api(authority: re.Match[str]) -> bool:
    """Whether a host is one that all customers of a service share."""
    host = _without_fips(_host(authority))
    match = _API_ENDPOINT.fullmatch(host)
    return _WITHOUT_REGION.fullmatch(host) is not None or (match is not None and signing_name(match["name"]) is not None)


def _host(authority: re.Match[str]) -> str:
    """As the tables have it: in lower case, without the dot of the root."""
    return authority["host"].lower().removesuffix(".")


def _origin(authority: re.Match[str]) -> str:
    """Scheme, host and port."""
    scheme, _, rest = authority[0].lower().rpartition("://")
    scheme = scheme or "https"
    return f"{scheme}://{rest.rpartition('@')[2].removesuffix(_DEFAULT_PORTS[scheme])}"


def _partitions(authority: re.Match[str], region: str | None) -> set[str]:
    """The partitions that a host, of a region if that is known, may be of."""
    of_host = partitions_of_host(_host(authority))
    partition = partition_of(region) if region else None
    return of_host & {partition.name} if partition else of_host


def _infer_host(host: str) -> tuple[str | None, str | None]:
    return _known_host(host) if len(host) <= LONGEST_HOST else (None, None)


@lru_cache(maxsize=1024)
def _known_host(host: str) -> tuple[str | None, str | None]:
    if host in _HOSTS:
        return _HOSTS[host]
    host = _without_fips(host)
    if (bare := _WITHOUT_REGION.fullmatch(host)) and (told := _global(bare["name"], bare["part"], bare["suffix"]))[0]:
        return told
    match = _API_ENDPOINT.fullmatch(host)
    partition = _partition(match)
    if match and partition and (service := signing_name(match["name"])):
        if partition.suffix != PARTITIONS[0].suffix:
            service = _ELSEWHERE.get(match["name"], service)
        return _OF_ONE_REGION.get((service, partition.name)) or (service, match["region"])
    under_aws = _UNDER_AWS.search(host) is not None
    for shape, service, region in _ROWS:
        # To compile a pattern takes longer than all else of a command: not those that cannot match.
        end = re.split(r"[\]}*]", shape)[-1]
        if (host.endswith(end) if end else under_aws) and (found := _pattern(shape).fullmatch(host)):
            parts = found.groupdict()
            # Of a cloud, the region is what the cloud calls it.
            if "{region}" not in shape or _partition(found):
                return (None if service == "-" else service), region or parts.get("region")
    if (inside := _VPC_ENDPOINT.fullmatch(host)) and _partition(inside):
        return _PRIVATE_LINK.get(inside["name"]) or signing_name(inside["name"]), inside["region"]
    # An API of AWS whose signing name is not known here: its region is.
    return None, match["region"] if match and partition else None


def _global(name: str, part: str | None, suffix: str) -> tuple[str | None, str | None]:
    """What a host without a region is: of a service with one endpoint in the partition."""
    first, *others = partitions_under(suffix)
    partition = next((other for other in others if part == ".us-gov"), first)
    if name in _GLOBAL:
        return name, _GLOBAL_REGION.get((name, partition.name), partition.global_region)
    return _OF_EVERY_REGION.get(name), partition.global_region if name in _OF_EVERY_REGION and partition.alone else None


def _partition(match: re.Match[str] | None) -> Partition | None:
    """The partition that the region and the suffix of a host are of; None where they are not of one."""
    if match is None:
        return None
    partition = partition_of(match["region"])
    if partition is None:
        return None
    # The rules of some services give hosts under the standard suffixes in every partition.
    suffixes = partition.suffixes | {PARTITIONS[0].dual_stack_suffix, PARTITIONS[0].on_suffix}
    return partition if match.groupdict().get("suffix", partition.suffix) in suffixes else None


def _without_fips(host: str) -> str:
    """A host of AWS without the mark of FIPS in its name. `amazonaws-fips.com` is somebody else's."""
    suffix = _SUFFIX.search(host)
    return _FIPS.sub("", host[: suffix.start() + 1]) + host[suffix.start() + 1 :] if suffix else host
