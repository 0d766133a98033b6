"""Time, region, service and what the scope ends with: in the string to sign, in the key, or in both."""

from __future__ import annotations

from datetime import timedelta

from ...endpoints import infer
from ...scope import TERMINATOR
from .case import Variant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .case import Case

REGIONS = (
    "us-east-1", "us-east-2", "us-west-1", "us-west-2", "eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1", "eu-central-2",
    "eu-north-1", "eu-south-1", "eu-south-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-southeast-1", "ap-southeast-2",
    "ap-southeast-3", "ap-southeast-4", "ap-south-1", "ap-south-2", "ap-east-1", "sa-east-1", "ca-central-1", "ca-west-1", "me-south-1",
    "me-central-1", "af-south-1", "il-central-1", "mx-central-1", "us-gov-west-1", "us-gov-east-1", "cn-north-1", "cn-northwest-1",
    "auto", "default", "garage", "us", "eu", "local", "",
)  # fmt: skip
SERVICES = (
    "s3", "execute-api", "es", "aoss", "lambda", "dynamodb", "sts", "sqs", "sns", "iam", "ec2", "kinesis", "firehose", "logs", "monitoring",
    "apigateway", "appsync", "bedrock", "bedrock-runtime", "ses", "email", "secretsmanager", "ssm", "kms", "s3express", "s3-outposts",
    "s3-object-lambda", "iotdata", "iotdevicegateway", "iot", "opensearch", "events", "states", "sagemaker", "rds-db", "elasticache",
    "neptune-db", "aps", "vpc-lattice-svcs", "transcribe", "polly", "translate", "glacier", "route53", "cloudfront", "elasticmapreduce",
    "",
)  # fmt: skip


_MISSPELT = (
    "aws4-request", "aws4_Request", "AWS4_REQUEST", "AWS4_request", "aws_request", "aws4_requests", "aws_4_request", "aws4a_request", "",
    *(TERMINATOR[:n] + TERMINATOR[n + 1 :] for n in range(12)), *(TERMINATOR[:n] + TERMINATOR[n + 1] + TERMINATOR[n] + TERMINATOR[n + 2 :] for n in range(11)),
)  # fmt: skip


def other_place(case: Case) -> Iterator[Variant]:
    """A key, or a whole scope, of another region or service than the request names."""
    service, region = infer(f"https://{case.request.host}/")
    for kind, part, named, candidates in (
        ("wrong-region", "region", case.claim.region, [region, *REGIONS]),
        ("wrong-service", "service", case.claim.service, [service, case.claim.service.lower(), *SERVICES]),
    ):
        if part == "region" and case.claim.scheme == "sigv4a":
            continue
        for other in dict.fromkeys(candidates):
            if other is None or other == named:
                continue
            rare = other not in (candidates[0], "us-east-1", "s3")
            yield Variant(kind, {f"key.{part}": other}, f"with the key of the {part} {other!r}", rare=rare)
            yield Variant(kind, {f"scope.{part}": other}, f"with the {part} {other!r} in the string to sign alone", rare=rare)
            changes = {f"key.{part}": other, f"scope.{part}": other}
            yield Variant(kind, changes, f"for the {part} {other!r}, where the credential names {named!r}", rare=rare)


def other_day(case: Case) -> Iterator[Variant]:
    at = case.claim.signed_at
    days = [case.claim.stamp[:8]]
    if at is not None:
        days += [f"{at + timedelta(days=offset):%Y%m%d}" for offset in (-1, 1)] + [f"{at:%Y-%m-%d}", f"{at:%Y%d%m}"]
    for day in dict.fromkeys(days):
        if day and day != case.claim.date:
            yield Variant("scope-date", {"key.date": day}, f"with the key of the day {day}")
            yield Variant("scope-date", {"scope.date": day}, f"with the day {day} in the string to sign alone")
            yield Variant("scope-date", {"key.date": day, "scope.date": day}, f"for the day {day}")


def other_time(case: Case) -> Iterator[Variant]:
    """The clock read twice, a few seconds apart; or local time in one place and UTC in the other."""
    at = case.claim.signed_at
    if at is None:
        return
    for seconds in (-1, 1, -2, 2, -3, 3, -4, 4, -5, 5):
        stamp = f"{at + timedelta(seconds=seconds):%Y%m%dT%H%M%SZ}"
        yield Variant("time-of-signing-differs", {"stamp": stamp}, f"for {stamp}, which is {abs(seconds)} s from the X-Amz-Date")
    for quarters in range(-12 * 4, 14 * 4 + 1):
        if quarters:
            local = at + timedelta(minutes=15 * quarters)
            yield Variant(
                "local-time-for-utc", {"stamp": f"{local:%Y%m%dT%H%M%SZ}"}, f"for the local time {local:%Y%m%dT%H%M%SZ}", rare=True
            )
    given = case.headers.get("date")
    for text in (given, f"{at:%a, %d %b %Y %H:%M:%S GMT}", f"{at:%Y-%m-%dT%H:%M:%SZ}", f"{at:%Y%m%d}"):
        if text:
            yield Variant("time-of-signing-differs", {"stamp": text}, f"with the time as {text}")


def terminator(case: Case) -> Iterator[Variant]:
    if case.claim.terminator != TERMINATOR:
        yield Variant("terminator-misspelt", {"key.end": case.claim.terminator}, f"with {case.claim.terminator!r} in the key too")
        yield Variant("terminator-misspelt", {"scope.end": TERMINATOR}, "with aws4_request in the string to sign")
    for other in _MISSPELT:
        yield Variant("terminator-misspelt", {"key.end": other}, f"with {other!r} in the key", rare=True)
        yield Variant("terminator-misspelt", {"scope.end": other}, f"with {other!r} in the string to sign", rare=True)
        yield Variant("terminator-misspelt", {"key.end": other, "scope.end": other}, f"with {other!r} in both", rare=True)
