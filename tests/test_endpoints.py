"""What a host tells: held against the endpoints and signing names of every service that botocore knows."""

from __future__ import annotations

import botocore.session
import pytest

from awsign import InvalidRequest
from awsign.endpoints import bucket_of, infer, s3_url

# Their hosts do not tell the region that botocore signs for.
UNTOLD = {"codecatalyst"}


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1"])
def test_every_service_of_botocore(region) -> None:
    session = botocore.session.get_session()
    wrong = []
    for name in session.get_available_services():
        if name in UNTOLD or (
            region != "us-east-1" and region not in session.get_available_regions(name, session.get_partition_for_region(region))
        ):
            continue
        client = session.create_client(name, region_name=region, aws_access_key_id="a", aws_secret_access_key="b")
        url = client.meta.endpoint_url
        service, told = infer(url)
        if service != client.meta.service_model.signing_name or (region in url and told != region):
            wrong.append((name, url, client.meta.service_model.signing_name, service, told))
    assert not wrong


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("bucket.s3.eu-west-1.amazonaws.com", ("s3", "eu-west-1")),
        ("my.dotted.bucket.s3.dualstack.eu-west-1.amazonaws.com", ("s3", "eu-west-1")),
        ("s3.amazonaws.com", ("s3", "us-east-1")),
        ("bucket.s3-us-west-2.amazonaws.com", ("s3", "us-west-2")),
        ("bucket.s3-accelerate.amazonaws.com", ("s3", None)),
        ("ap-123.s3-accesspoint.eu-west-1.amazonaws.com", ("s3", "eu-west-1")),
        ("mfzwi23gnjvgw.mrap.accesspoint.s3-global.amazonaws.com", ("s3", "*")),
        ("b--use1-az4--x-s3.s3express-use1-az4.us-east-1.amazonaws.com", ("s3express", "us-east-1")),
        ("abc123.execute-api.us-east-1.amazonaws.com", ("execute-api", "us-east-1")),
        ("abc123.lambda-url.us-east-1.on.aws", ("lambda", "us-east-1")),
        ("search-x-abc.eu-west-1.es.amazonaws.com", ("es", "eu-west-1")),
        ("abc.us-east-1.aoss.amazonaws.com", ("aoss", "us-east-1")),
        ("dynamodb.us-east-1.api.aws", ("dynamodb", "us-east-1")),
        ("sts-fips.us-east-1.amazonaws.com", ("sts", "us-east-1")),
        ("us-west-2.queue.amazonaws.com", ("sqs", "us-west-2")),
        ("sts.amazonaws.com.cn", (None, None)),
        ("api.example.com", (None, None)),
        ("localhost", (None, None)),
        ("127.0.0.1", (None, None)),
        ("amazonaws.com.evil.example", (None, None)),
    ],
)  # fmt: skip
def test_hosts(host, expected) -> None:
    assert infer(f"https://{host}/x") == expected
    assert infer(f"https://{host.upper()}:443/x?y=https://s3.amazonaws.com/") == expected


@pytest.mark.parametrize(
    ("host", "bucket"),
    [
        ("victim.S3.amazonaws.com", "victim"),
        ("victim.s3.amazonaws.com.", "victim"),
        ("a.b.s3.us-east-1.amazonaws.com:443", "a.b"),
        ("victim.s3-fips.us-east-1.amazonaws.com", "victim"),
        ("victim.s3-accelerate.amazonaws.com", "victim"),
        ("victim.s3.dualstack.us-east-1.amazonaws.com", "victim"),
        ("victim.s3.us-east-1.api.aws", "victim"),
        ("victim.s3.localhost:9000", "victim"),
        ("s3.amazonaws.com", None),
        ("s3.us-east-1.amazonaws.com", None),
        ("example.com", None),
    ],
)
def test_the_bucket_of_a_virtual_host(host, bucket) -> None:
    assert bucket_of(host) == bucket


def test_s3_urls_take_keys_literally() -> None:
    assert (
        s3_url("bucket", "a b/100%?#.txt", region="eu-west-1") == "https://bucket.s3.eu-west-1.amazonaws.com/a%20b/100%25%3F%23.txt"
    )
    assert s3_url("dotted.bucket", "k") == "https://s3.us-east-1.amazonaws.com/dotted.bucket/k"
    assert s3_url("bucket", "/k", endpoint="http://127.0.0.1:9000/") == "http://127.0.0.1:9000/bucket//k"
    assert s3_url("bucket", "k", region="cn-north-1").endswith(".s3.cn-north-1.amazonaws.com.cn/k")
    with pytest.raises(InvalidRequest):
        s3_url("", "key")
