"""What a host tells: held against the endpoints and signing names of every service that botocore knows."""

from __future__ import annotations

import itertools
import re
from urllib.parse import urlsplit

import botocore.session
import pytest
from botocore.endpoint_provider import EndpointProvider
from botocore.exceptions import EndpointProviderError
from hypothesis import given
from hypothesis import strategies as st

from awsign import InvalidRequest
from awsign.endpoints import infer, same_service
from awsign.partitions import PARTITIONS, partition_of
from awsign.s3_urls import bucket_of, bucket_url, s3_host_in, s3_url, service_url

# Services whose rules cannot be asked without more than a region; their hosts are among those below.
NEED_MORE = {"acm", "cloudfront-keyvaluestore", "neptune-graph"}


def endpoints_of_rulesets() -> dict[str, set[tuple[str, str]]]:
    """Every host that botocore's rules give, of every service in every region of every partition: what signs for it there."""
    session = botocore.session.Session()
    loader = session.get_component("data_loader")
    partitions = loader.load_data("partitions")
    regions = [region for partition in partitions["partitions"] for region in partition["regions"]]
    hosts: dict[str, set[tuple[str, str]]] = {}
    for name in session.get_available_services():
        rules = EndpointProvider(loader.load_service_model(name, "endpoint-rule-set-1"), partitions)
        takes = rules.ruleset.parameters
        metadata = session.get_service_model(name).metadata
        for region, kind in itertools.product(regions, ({}, {"UseFIPS": True}, {"UseDualStack": True})):
            if not kind.keys() <= takes.keys():
                continue
            try:
                endpoint = rules.resolve_endpoint(**({"Region": region} if "Region" in takes else {}), **kind)
            except EndpointProviderError:
                assert name in NEED_MORE or kind, (name, region)
                continue
            scheme = (endpoint.properties.get("authSchemes") or [{}])[0]
            signing_name = scheme.get("signingName") or metadata.get("signingName", metadata["endpointPrefix"])
            host = urlsplit(endpoint.url).hostname
            assert host is not None
            hosts.setdefault(host, set()).add((signing_name, scheme.get("signingRegion") or region))
    return hosts


def test_every_endpoint_of_botocore() -> None:
    hosts = endpoints_of_rulesets()
    several = {host for host, signed in hosts.items() if len({region for _, region in signed}) > 1}
    assert len(hosts) > 60_000
    assert 0 < len(several) < 100
    wrong = []
    for host, signed in hosts.items():
        names, regions = {name for name, _ in signed}, {region for _, region in signed}
        told = infer(f"https://{host}/")
        if told[0] not in names or told[1] != (None if host in several else min(regions)):
            wrong.append((host, signed, told))
    assert not wrong


def test_the_partitions_of_botocore() -> None:
    loaded = botocore.session.Session().get_component("data_loader").load_data("partitions")["partitions"]
    assert {each["id"] for each in loaded} == {partition.name for partition in PARTITIONS}
    for each in loaded:
        ours = next(partition for partition in PARTITIONS if partition.name == each["id"])
        outputs = each["outputs"]
        assert (ours.suffix, ours.dual_stack_suffix, ours.global_region) == (
            outputs["dnsSuffix"],
            outputs["dualStackDnsSuffix"],
            outputs["implicitGlobalRegion"],
        )
        assert ours.alone == (len(each["regions"]) == 1)
        for region in each["regions"]:
            assert partition_of(region) is ours


def test_what_operations_put_before_their_host() -> None:
    """`data-servicediscovery.us-east-1...`: hosts of single operations, which botocore's models give."""
    session = botocore.session.Session()
    seen = 0
    for name in session.get_available_services():
        model = session.get_service_model(name)
        for operation in model.operation_names:
            prefix = (model.operation_model(operation).endpoint or {}).get("hostPrefix", "")
            if not prefix:
                continue
            client = session.create_client(name, region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
            host = re.sub(r"\{\w+\}", "123456789012", prefix) + urlsplit(client.meta.endpoint_url).hostname
            service, region = infer(f"https://{host}/")
            # Maps, places and routes have a newer service each at the host of Location's operations.
            assert (service, region) == (model.signing_name, "eu-west-1") or (model.signing_name, service[:4]) == ("geo", "geo-"), (
                host
            )
            seen += 1
    assert seen > 50


@given(
    st.sampled_from([
        "s3.amazonaws.com", "b.s3.eu-west-1.amazonaws.com", "sts.us-east-1.amazonaws.com", "iam.amazonaws.com", "abc.execute-api.us-east-1.amazonaws.com",
        "x.lambda-url.us-east-1.on.aws", "dynamodb.us-east-1.api.aws", "a.r2.cloudflarestorage.com", "storage.googleapis.com", "play.min.io",
        "s3.us-west-004.backblazeb2.com", "nyc3.digitaloceanspaces.com", "sts.cn-north-1.amazonaws.com.cn", "kms.us-iso-east-1.c2s.ic.gov",
    ]),
    st.sampled_from([
        "{host}.evil.example", "{host}-evil.example", "{host}.com", "evil{host}", "{swapped}", "{host}.{host}.evil", "{first}-evil.{rest}x",
        "{dashed}", "{fips}", "evil.example#{host}", "evil.example?{host}", "evil.example\\@{host}:x.evil.example", "xn--{host}.org", "{host}。evil", "[{host}]",
    ]),
)  # fmt: skip
def test_hosts_that_only_look_like_it(host, form) -> None:
    first, _, rest = host.partition(".")
    labels = host.split(".")
    changed = form.format(
        host=host,
        first=first,
        rest=rest,
        dashed=host.replace(".", "-"),
        fips=f"{'.'.join(labels[:-1])}-fips.{labels[-1]}",
        swapped=".".join([*labels[:-2], labels[-1], labels[-2]]),
    )
    if changed.startswith("evil") and changed == f"evil{host}":
        # `evils3.amazonaws.com` is AWS's own to give: its service is not known, or is one of a customer's name before it.
        assert infer(f"https://{changed}/")[1] in (None, infer(f"https://{host}/")[1])
        return
    assert infer(f"https://{changed}/") == (None, None)


@given(
    st.from_regex(r"[a-z0-9.-]{1,40}", fullmatch=True),
    st.sampled_from(["us-east-1", "cn-north-1", "us-gov-west-1", "eusc-de-east-1", "us-iso-east-1"]),
)
def test_a_region_is_told_under_its_own_suffix_alone(name, region) -> None:
    partition = partition_of(region)
    for other in PARTITIONS:
        _, told = infer(f"https://{name}.{region}.{other.suffix}/")
        if other.suffix != partition.suffix:
            assert told != region


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
        ("b.s3.us-gov-west-1.amazonaws.com", ("s3", "us-gov-west-1")),
        ("b.s3.eusc-de-east-1.amazonaws.eu", ("s3", "eusc-de-east-1")),
        ("b.s3-fips.dualstack.us-west-2.amazonaws.com", ("s3", "us-west-2")),
        ("123456789012.s3-control.dualstack.us-west-2.amazonaws.com", ("s3", "us-west-2")),
        ("bucket.vpce-1a2b3c4d-5e6f.s3.us-east-1.vpce.amazonaws.com", ("s3", "us-east-1")),
        ("ap-123.op-01ac5d28a6a232904.s3-outposts.eu-west-1.amazonaws.com", ("s3-outposts", "eu-west-1")),
        ("ap-123.s3-object-lambda-fips.us-east-1.amazonaws.com", ("s3-object-lambda", "us-east-1")),
        ("b--usw2-az1--x-s3.s3express-fips-usw2-az1.dualstack.us-west-2.amazonaws.com", ("s3express", "us-west-2")),
        ("s3express-control.us-west-2.amazonaws.com", ("s3express", "us-west-2")),
        ("bucket.s3-website.eu-central-1.amazonaws.com", (None, "eu-central-1")),
        ("bucket.s3-website-us-east-1.amazonaws.com", (None, None)),
        ("y4w0yvw0rg-vpce-02d0f1c8911ee44c1.execute-api.us-east-1.amazonaws.com", ("execute-api", "us-east-1")),
        ("eamwa5m3i8.execute-api.cn-north-1.amazonaws.com.cn", ("execute-api", "cn-north-1")),
        ("abc.execute-api-fips.us-gov-west-1.amazonaws.com", ("execute-api", "us-gov-west-1")),
        ("wtjknhf6szh3pnnxxcijbsofk4.appsync-api.eu-west-1.amazonaws.com", ("appsync", "eu-west-1")),
        ("abc123defghijk-ats.iot.us-west-2.amazonaws.com", ("iotdata", "us-west-2")),
        ("abc123.ats.iot.cn-north-1.amazonaws.com.cn", ("iotdata", "cn-north-1")),
        ("abc123.credentials.iot.us-west-2.amazonaws.com", (None, "us-west-2")),
        ("1234567890abcd.jobs.iot.us-west-2.amazonaws.com", ("iot-jobs-data", "us-west-2")),
        ("search-x-abc.aos.us-east-1.on.aws", ("es", "us-east-1")),
        ("search-x-abc.cn-northwest-1.es.amazonaws.com.cn", ("es", "cn-northwest-1")),
        ("1tg2xudton46knx2a95g.aoss.us-east-1.on.aws", ("aoss", "us-east-1")),
        ("abc.us-east-1.aoss-fips.amazonaws.com", ("aoss", "us-east-1")),
        ("doc-my-domain.us-west-1.cloudsearch.amazonaws.com", ("cloudsearch", "us-west-1")),
        ("c.cluster-abc.us-east-1.neptune.amazonaws.com", ("neptune-db", "us-east-1")),
        ("c.cluster-abc.neptune.cn-north-1.amazonaws.com.cn", ("neptune-db", "cn-north-1")),
        ("g-abc.us-east-1.neptune-graph.amazonaws.com", ("neptune-graph", "us-east-1")),
        ("db.abc.us-east-1.rds.amazonaws.com", ("rds-db", "us-east-1")),
        ("db.abc.rds.cn-north-1.amazonaws.com.cn", ("rds-db", "cn-north-1")),
        ("weaxxx.dsql.us-east-1.on.aws", ("dsql", "us-east-1")),
        ("clustercfg.c.abc.memorydb.us-east-1.amazonaws.com", ("memorydb", "us-east-1")),
        ("c.abc.ng.0001.usw2.cache.amazonaws.com", ("elasticache", None)),
        ("b-1.us-west-1-qa.abcdef.c2.kafka.cn-north-1.amazonaws.com.cn", ("kafka-cluster", "cn-north-1")),
        ("boot-abc.c1.kafka-serverless.us-east-1.amazonaws.com", ("kafka-cluster", "us-east-1")),
        ("111122223333.ddb.us-east-1.amazonaws.com", ("dynamodb", "us-east-1")),
        ("ingest-cell2.timestream.us-east-1.amazonaws.com", ("timestream", "us-east-1")),
        ("aaabbbcccdddee.data.mediastore.us-west-2.amazonaws.com", ("mediastore", "us-west-2")),
        ("m-a1b2c3d4.kinesisvideo.us-west-2.amazonaws.com", ("kinesisvideo", "us-west-2")),
        ("abc.livy.emr-serverless-services.us-west-2.amazonaws.com", ("emr-serverless", "us-west-2")),
        ("user-02222f67d3a427111.1234abc.vpc-lattice-svcs.us-west-2.on.aws", ("vpc-lattice-svcs", "us-west-2")),
        ("prod.veo.endpoint.events.amazonaws.com", ("events", "*")),
        ("123456789012.cloudfront-kvs.global.api.aws", ("cloudfront-keyvaluestore", "*")),
        ("git-codecommit-fips.us-west-2.amazonaws.com", ("codecommit", "us-west-2")),
        ("bedrock-mantle.us-east-1.api.aws", ("bedrock-mantle", "us-east-1")),
        ("vpce-0f89a33420c1931d7-bluzidnv-us-east-1a.elasticloadbalancing.us-east-1.vpce.amazonaws.com", ("elasticloadbalancing", "us-east-1")),
        ("vpce-0c20d267bb10f74e6-zlv5xrlp.redshift-data.cn-northwest-1.vpce.amazonaws.com.cn", ("redshift-data", "cn-northwest-1")),
        ("vpce-0c20d267bb10f74e6-zlv5xrlp.email-smtp.us-east-1.vpce.amazonaws.com", (None, "us-east-1")),
        ("vpce-svc-0123456789abcdef0.us-east-1.vpce.amazonaws.com", (None, None)),
        ("a-service-of-next-year.us-east-1.amazonaws.com", (None, "us-east-1")),
        ("my-load-balancer-1234.us-east-1.elb.amazonaws.com", (None, None)),
        ("ec2-203-0-113-25.compute-1.amazonaws.com", (None, None)),
        ("0123456789ABCDEF0123456789ABCDEF.gr7.us-east-1.eks.amazonaws.com", (None, None)),
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com", (None, "us-east-1")),
        ("account.r2.cloudflarestorage.com", ("s3", "auto")),
        ("bucket.account.eu.r2.cloudflarestorage.com", ("s3", "auto")),
        ("bucket.storage.googleapis.com", ("s3", "auto")),
        ("bucket.s3.us-west-004.backblazeb2.com", ("s3", "us-west-004")),
        ("s3.wasabisys.com", ("s3", "us-east-1")),
        ("s3.eu-central-1.wasabisys.com", ("s3", "eu-central-1")),
        ("bucket.nyc3.digitaloceanspaces.com", ("s3", "nyc3")),
        ("bucket.nyc3.cdn.digitaloceanspaces.com", (None, None)),
        ("play.min.io", ("s3", "us-east-1")),
        ("s3.oss-cn-hangzhou-internal.aliyuncs.com", ("s3", "cn-hangzhou")),
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
    ("url", "expected"),
    [
        ("https://sts.us-east-1.amazonaws-fips.com/", (None, None)),
        ("https://sts.cn-north-1.amazonaws.com-fips.cn/", (None, None)),
        ("https://x.lambda-url.us-east-1.on-fips.aws/", (None, None)),
        ("https://us-east-1.signin.aws.amazon-fips.com/", (None, None)),
        ("https://sts.us-fips-east-1.amazonaws.com/", (None, None)),
        ("https.evil.com://sts.us-east-1.amazonaws.com/", (None, None)),
        ("ftp://sts.us-east-1.amazonaws.com/", (None, None)),
        ("https://sts.us-east-1.amazonaws.com:\u0664\u0664\u0663/", (None, None)),
        ("https://sts.us-east-1.amazonaws.com\n", (None, None)),
        ("//sts.us-east-1.amazonaws.com/", (None, None)),
        ("sts.us-east-1.amazonaws.com/x", ("sts", "us-east-1")),
        ("HTTPS://STS.US-EAST-1.AMAZONAWS.COM.", ("sts", "us-east-1")),
        ("https://zz-foo-99.signin.aws.amazon.com/", (None, None)),
        ("https://us-gov-west-1.signin.amazonaws.cn/", (None, None)),
    ],
)
def test_whose_host_it_is(url, expected) -> None:
    assert infer(url) == expected


@pytest.mark.parametrize(
    ("host", "service"),
    [
        ("s3express-logs.s3.us-east-1.amazonaws.com", "s3"),
        ("my.s3express-logs.s3-fips.us-east-1.amazonaws.com", "s3"),
        ("s3express-x-123456789012.s3-accesspoint.us-east-1.amazonaws.com", "s3"),
        ("dynamodb.us-east-1.s3.us-east-1.amazonaws.com", "s3"),
        ("s3express-t-1a2b3c4d5e6f7a8b.elb.us-east-1.amazonaws.com", None),
        ("s3express-foo.s3-website.us-east-1.amazonaws.com", None),
        ("a.data-kinesis-logs.s3-website.us-east-1.amazonaws.com", None),
        ("clustercfg.s3express-x.abc.memorydb.us-east-1.amazonaws.com", "memorydb"),
        ("clustercfg.data-kinesis-x.abc.memorydb.us-east-1.amazonaws.com", "memorydb"),
        ("greengrass.iot.us-east-1.amazonaws.com", None),
        ("stun.kinesisvideo.us-east-1.amazonaws.com", None),
        ("x.osm.us-east-1.on.aws", "osm"),
        ("bucket.s3-accelerate.dualstack.us-east-1.amazonaws.com", "s3"),
    ],
)
def test_names_that_customers_choose(host, service) -> None:
    assert infer(f"https://{host}/") == (service, "us-east-1")


def test_locations_own_operations_where_the_newer_services_are_not() -> None:
    assert infer("https://maps.geo.cn-north-1.amazonaws.com.cn/") == ("geo", "cn-north-1")
    assert infer("https://maps.geo.us-gov-west-1.amazonaws.com/") == ("geo-maps", "us-gov-west-1")


def test_what_is_no_url() -> None:
    for value in (None, 5, b"https://s3.amazonaws.com/"):
        with pytest.raises(TypeError, match="url must be a str"):
            infer(value)


def test_the_same_host_over_a_websocket() -> None:
    assert infer("wss://abc-ats.iot.eu-west-1.amazonaws.com/mqtt") == ("iotdevicegateway", "eu-west-1")
    assert infer("wss://abc.execute-api.eu-west-1.amazonaws.com/prod") == ("execute-api", "eu-west-1")


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("https://b.s3.us-east-1.amazonaws.com/k", "https://b.s3.eu-west-1.amazonaws.com/k", True),
        ("https://b.s3.amazonaws.com/k", "https://b.s3.dualstack.eu-west-1.amazonaws.com/k", True),
        ("https://sqs.us-east-1.amazonaws.com/", "https://sqs.us-east-1.api.aws/", True),
        ("https://b.s3.us-east-1.amazonaws.com/k", "https://sqs.us-east-1.amazonaws.com/", False),
        ("https://b.s3.us-east-1.amazonaws.com/k", "https://b.s3.cn-north-1.amazonaws.com.cn/k", False),
        ("https://b.s3.us-east-1.amazonaws.com/k", "https://b.s3.us-gov-west-1.amazonaws.com/k", False),
        ("https://b.s3.us-iso-east-1.c2s.ic.gov/k", "https://b.s3.us-isob-east-1.sc2s.sgov.gov/k", False),
        ("https://b.s3.us-east-1.amazonaws.com/k", "https://account.r2.cloudflarestorage.com/b/k", False),
        ("https://account.r2.cloudflarestorage.com/b/k", "https://evil.nyc3.digitaloceanspaces.com/k", False),
        ("https://account.r2.cloudflarestorage.com/b/k", "https://other.r2.cloudflarestorage.com/b/k", False),
        ("https://account.r2.cloudflarestorage.com/b/k", "https://account.r2.cloudflarestorage.com/other", True),
        ("https://abc.lambda-url.us-east-1.on.aws/", "https://evil.lambda-url.us-east-1.on.aws/", False),
        ("https://abc.lambda-url.us-east-1.on.aws/", "https://abc.lambda-url.us-east-1.on.aws/x", True),
        ("https://abc.execute-api.us-east-1.amazonaws.com/", "https://evil.execute-api.us-east-1.amazonaws.com/", False),
        ("https://abc.appsync-api.us-east-1.amazonaws.com/", "https://evil.appsync-api.us-east-1.amazonaws.com/", False),
        ("https://sts.us-east-1.amazonaws.com/", "https://sts-fips.us-east-2.amazonaws.com/", True),
        ("https://iam.amazonaws.com/", "https://iam.global.api.aws/", True),
        ("https://sts.us-east-1.amazonaws.com/", "http://sts.us-east-1.amazonaws.com/", False),
        ("https://b.s3.us-east-1.amazonaws.com/", "https://b.s3.us-west-2.amazonaws.com:8080/", False),
        ("http://127.0.0.1:9000/a", "http://127.0.0.1:9000/b", True),
        ("http://127.0.0.1:9000/a", "http://127.0.0.1:9001/a", False),
        ("http://127.0.0.1/a", "https://127.0.0.1/a", False),
        ("http://[::1]:9000/a", "http://[::1]:9000/b", True),
        ("http://[::1]:9000/a", "http://[::1]:9001/a", False),
        ("https://[::1]/a", "https://[2001:db8::1]/a", False),
        ("https://[evil]/a", "https://[other]/a", False),
        ("https://a$b/", "https://c$d/", False),
        ("https://s3.example.com/a", "https://s3.example.com:443/b", True),
        ("http://s3.example.com:80/a", "http://s3.example.com/b", True),
        ("https://s3.example.com/a", "https://s3.example.com:80/b", False),
        ("https://api.example.com/a", "https://API.example.com/b?c", True),
        ("https://api.example.com/a", "https://evil.example/https://api.example.com/a", False),
        ("https://b.s3.us-east-1.amazonaws.com/k", "https://b.s3.us-east-1.amazonaws.com.evil.example/k", False),
    ],
)
def test_whether_a_redirect_stays_at_the_service(old, new, same) -> None:
    assert same_service(old, new) is same


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
        ("victim.s3.cn-north-1.amazonaws.com.cn", "victim"),
        ("victim--usw2-az1--x-s3.s3express-usw2-az1.us-west-2.amazonaws.com", "victim--usw2-az1--x-s3"),
        ("victim.s3.dualstack.cn-north-1.api.amazonwebservices.com.cn", "victim"),
        ("victim.s3-1.amazonaws.com", "victim"),
        ("vpce-1a2b-5e6f.s3.us-east-1.vpce.amazonaws.com", None),
        ("123456789012.s3-control.us-east-1.amazonaws.com", None),
        ("x.mrap.accesspoint.s3-global.amazonaws.com", None),
        ("ap-123456789012.s3-accesspoint.us-east-1.amazonaws.com", None),
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
    assert s3_url("dotted.bucket", "k", region="us-east-1") == "https://s3.us-east-1.amazonaws.com/dotted.bucket/k"
    assert s3_url("bucket", "/k", endpoint="http://127.0.0.1:9000/") == "http://127.0.0.1:9000/bucket//k"
    assert s3_url("bucket", "k", region="cn-north-1").endswith(".s3.cn-north-1.amazonaws.com.cn/k")
    with pytest.raises(InvalidRequest):
        s3_url("", "key")


@pytest.mark.parametrize(
    "bucket", ["", "a#b", "a?b", "a b", "a\\b", "mybucket\n", ".", "..", "a/b", "a:b", "a@b", "é", "a%2Fb", "x" * 256]
)
def test_what_is_no_bucket(bucket) -> None:
    for endpoint in (None, "http://127.0.0.1:9000"):
        with pytest.raises(InvalidRequest, match="not the name of a bucket"):
            bucket_url(bucket, region="us-east-1", endpoint=endpoint)


def test_regions_of_buckets() -> None:
    for region in ("x@evil.com/", "", "eu west", "EU-WEST-1", "a.b"):
        with pytest.raises(InvalidRequest, match="is not the name of one"):
            bucket_url("mybucket", region=region)
        assert s3_host_in("b.s3.us-east-1.amazonaws.com", region) is None
    assert s3_host_in("B.S3.us-east-1.amazonaws.com.:443", "eu-west-1") == "b.s3.eu-west-1.amazonaws.com:443"
    assert bucket_url("mybucket", region="aws-global") == "https://mybucket.s3.amazonaws.com"
    assert (
        bucket_url("ap--use1-az4--xa-s3", region="us-east-1")
        == "https://ap--use1-az4--xa-s3.s3express-use1-az4.us-east-1.amazonaws.com"
    )
    assert bucket_url("arn:aws-cn:s3::123456789012:accesspoint:ab.mrap") == "https://ab.mrap.accesspoint.s3-global.amazonaws.com.cn"
    with pytest.raises(InvalidRequest, match="pass region="):
        bucket_url("mybucket")
    assert service_url("aws-global") == "https://s3.amazonaws.com"
    assert service_url("cn-north-1") == "https://s3.cn-north-1.amazonaws.com.cn"
    with pytest.raises(InvalidRequest, match="partition"):
        bucket_url("arn:aws-cn:s3:us-east-1:123456789012:accesspoint/p")


def test_buckets_as_botocore_has_them() -> None:
    """Every region of every partition."""
    session = botocore.session.Session()
    loader = session.get_component("data_loader")
    partitions = loader.load_data("partitions")
    rules = EndpointProvider(loader.load_service_model("s3", "endpoint-rule-set-1"), partitions)
    for partition in partitions["partitions"]:
        for region in partition["regions"]:
            if region.endswith("-global"):
                continue
            for bucket in ("mybucket", "data--use1-az4--x-s3"):
                if bucket != "mybucket" and partition["id"] != "aws":
                    continue
                endpoint = rules.resolve_endpoint(Region=region, Bucket=bucket, UseFIPS=False, UseDualStack=False)
                assert bucket_url(bucket, region=region) == endpoint.url.rstrip("/")
