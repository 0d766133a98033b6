"""The partitions of AWS: their regions, and the ends of their hosts.

Source: botocore's partitions.json (`regionRegex`, `dnsSuffix`, `dualStackDnsSuffix`, `implicitGlobalRegion`), which
tests/test_endpoints.py holds this against; `on` suffixes: the Public Suffix List's section of Amazon.
"""

from __future__ import annotations

import re

from .errors import InvalidRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


_LABEL = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


class Partition:
    """regions: what the names of its regions match. suffix: of its hosts; dual_stack_suffix: of those that speak IPv6 too;
    on_suffix: of what customers run on it (function URLs, clusters), None where no source says; sign_in_suffix: of its sign-in service.

    global_region: the one that services with one endpoint sign for. alone: whether that is its only region.
    """

    __slots__ = ("name", "regions", "suffix", "dual_stack_suffix", "on_suffix", "sign_in_suffix", "global_region", "alone")

    def __init__(
        self,
        name: str,
        regions: str,
        suffix: str,
        dual_stack_suffix: str,
        on_suffix: str | None,
        sign_in_suffix: str,
        global_region: str,
        *,
        alone: bool = False,
    ) -> None:
        self.name = name
        self.regions = re.compile(rf"{regions}-[1-9]\d?|{name}-global")
        self.suffix = suffix
        self.dual_stack_suffix = dual_stack_suffix
        self.on_suffix = on_suffix
        self.sign_in_suffix = sign_in_suffix
        self.global_region = global_region
        self.alone = alone

    @property
    def suffixes(self) -> set[str]:
        """All that its hosts end in."""
        return {suffix for suffix in (self.suffix, self.dual_stack_suffix, self.on_suffix, self.sign_in_suffix) if suffix}


LONGEST_HOST = 253  # RFC 1035, section 2.3.4. What arrives may be longer, and patterns would take their time with it.

# The first of those that share a suffix is the one whose global endpoints have no other label.
PARTITIONS = (
    Partition("aws", "(?:us|eu|ap|sa|ca|me|af|il|mx)-[a-z]+", "amazonaws.com", "api.aws", "on.aws", "signin.aws.amazon.com", "us-east-1"),
    Partition("aws-us-gov", "us-gov-[a-z]+", "amazonaws.com", "api.aws", "on.aws", "signin.amazonaws-us-gov.com", "us-gov-west-1"),
    Partition("aws-cn", "cn-[a-z]+", "amazonaws.com.cn", "api.amazonwebservices.com.cn", "on.amazonwebservices.com.cn", "signin.amazonaws.cn", "cn-northwest-1"),
    Partition("aws-eusc", "eusc-de-[a-z]+", "amazonaws.eu", "api.amazonwebservices.eu", "on.amazonwebservices.eu", "signin.amazonaws-eusc.eu", "eusc-de-east-1", alone=True),
    Partition("aws-iso", "us-iso-[a-z]+", "c2s.ic.gov", "api.aws.ic.gov", None, "signin.c2shome.ic.gov", "us-iso-east-1"),
    Partition("aws-iso-b", "us-isob-[a-z]+", "sc2s.sgov.gov", "api.aws.scloud", None, "signin.sc2shome.sgov.gov", "us-isob-east-1"),
    Partition("aws-iso-e", "eu-isoe-[a-z]+", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk", None, "signin.csphome.adc-e.uk", "eu-isoe-west-1"),
    Partition("aws-iso-f", "us-isof-[a-z]+", "csp.hci.ic.gov", "api.aws.hci.ic.gov", None, "signin.csphome.hci.ic.gov", "us-isof-south-1"),
)  # fmt: skip

# A pattern of what the hosts of services and buckets end in.
HOST_SUFFIX = "|".join(
    re.escape(suffix)
    for suffix in sorted({each for partition in PARTITIONS for each in (partition.suffix, partition.dual_stack_suffix)})
)


def partition_of(region: str) -> Partition | None:
    """The partition that a region is in, None for a name that is no region of AWS."""
    return next((partition for partition in PARTITIONS if partition.regions.fullmatch(region)), None)


def suffix_for(region: str) -> str:
    """The end of the hosts of a region; of a region that is none of AWS, that of the standard partition."""
    return (partition_of(region) or PARTITIONS[0]).suffix


def host_in(region: str, name: str) -> str:
    """`NAME.region.suffix`, the host of a service in a region; InvalidRequest for a region that would be more than one label."""
    return f"{name}.{require_region(region)}.{suffix_for(region)}"


def require_region(region: str) -> str:
    """A region as it may stand in a host, whether AWS has it or not. What it comes from may be a file, or a server's answer."""
    if not _LABEL.fullmatch(region):
        raise InvalidRequest(f"the region {region[:60]!r} is not the name of one, as eu-west-1")
    return region


def partition_named(name: str) -> Partition | None:
    """The partition of an ARN: `aws`, `aws-cn`, ..."""
    return next((partition for partition in PARTITIONS if partition.name == name), None)


def partitions_of_host(host: str) -> set[str]:
    """The names of the partitions that a host may be of; none for a host that is not AWS's."""
    return {partition.name for partition in PARTITIONS if any(host.endswith(f".{suffix}") for suffix in partition.suffixes)}


def partitions_under(suffix: str) -> Iterator[Partition]:
    """The partitions whose hosts end so."""
    return (partition for partition in PARTITIONS if suffix in (partition.suffix, partition.dual_stack_suffix, partition.on_suffix))
