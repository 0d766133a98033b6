"""Settings beside credentials: held against botocore where botocore reads them."""

from __future__ import annotations

import itertools
import os

import botocore.session
import pytest

import awsign
from awsign.service_ids import service_ids
from awsign.settings import Settings, proxy_for

CONFIG = """[default]
region = of-default
[profile p]
region = of-p
ca_bundle = ~/bundle.pem
sigv4a_signing_region_set = us-east-1,eu-*
endpoint_url = http://profile.example/
services = mine
[services mine]
s3 =
  endpoint_url = http://s3.profile.example
elastic_beanstalk =
  endpoint_url = http://eb.profile.example
[profile ignoring]
ignore_configured_endpoint_urls = true
endpoint_url = http://profile.example
[profile lost]
services = none
"""


@pytest.fixture
def environ(tmp_path) -> dict[str, str]:
    (tmp_path / "config").write_text(CONFIG)
    return {"AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "HOME": "/home/me"}


def test_endpoints_as_botocore_finds_them(environ, monkeypatch) -> None:
    variables = {
        "AWS_ENDPOINT_URL": "http://all.example",
        "AWS_ENDPOINT_URL_S3": "http://s3.example",
        "AWS_ENDPOINT_URL_DYNAMODB": "http://dynamodb.example",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    }
    seen = set()
    for count in range(len(variables) + 1):
        for chosen in itertools.combinations(variables.items(), count):
            for profile, service in itertools.product((None, "p", "ignoring"), ("s3", "dynamodb", "elasticbeanstalk", "sts")):
                given = environ | dict(chosen)
                with monkeypatch.context() as patch:
                    for name in variables:
                        patch.delenv(name, raising=False)
                    for name, value in given.items():
                        patch.setenv(name, value)
                    client = botocore.session.Session(profile=profile).create_client(
                        service, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
                    )
                theirs = None if "amazonaws.com" in client.meta.endpoint_url else client.meta.endpoint_url.rstrip("/")
                assert Settings(profile, given).endpoint_url(service) == theirs, (chosen, profile, service)
                seen.add(theirs)
    assert len(seen) == 7


def test_the_ids_of_services_are_botocores() -> None:
    session = botocore.session.Session()
    for name in session.get_available_services():
        model = session.get_service_model(name)
        expected = str(model.service_id).lower().replace(" ", "_").replace("-", "_")
        assert expected in service_ids(model.signing_name), name
        assert service_ids(expected)[0] == expected or expected in service_ids(model.signing_name)


def test_endpoints_that_are_none(environ) -> None:
    with pytest.raises(awsign.InvalidRequest, match="not the URL of a server"):
        Settings(None, environ | {"AWS_ENDPOINT_URL": "127.0.0.1:9000"}).endpoint_url("s3")
    with pytest.raises(awsign.CredentialsError, match=r"there is no \[services none\]"):
        Settings("lost", environ).endpoint_url("s3")


def test_the_environment_counts_before_the_profile(environ) -> None:
    assert Settings(None, environ).region == "of-default"
    settings = Settings("p", environ)
    assert (settings.region, settings.ca_bundle, settings.sigv4a_signing_region_set) == (
        "of-p",
        "/home/me/bundle.pem",
        "us-east-1,eu-*",
    )
    more = {"AWS_DEFAULT_REGION": "d", "AWS_REGION": "", "AWS_CA_BUNDLE": "/x", "AWS_SIGV4A_SIGNING_REGION_SET": "*"}
    settings = Settings("p", environ | more)
    assert (settings.region, settings.ca_bundle, settings.sigv4a_signing_region_set) == ("d", "/x", "*")
    assert Settings("p", environ | more | {"AWS_REGION": "r"}).region == "r"
    with pytest.raises(awsign.CredentialsError, match="no profile 'q'"):
        Settings("q", environ).region  # noqa: B018


@pytest.mark.parametrize(
    ("scheme", "host", "environ", "proxy"),
    [
        ("https", "sts.amazonaws.com", {"HTTPS_PROXY": "http://p:1"}, "http://p:1"),
        ("https", "sts.amazonaws.com", {"https_proxy": "http://q:1", "HTTPS_PROXY": "http://p:1"}, "http://q:1"),
        ("http", "127.0.0.1", {"HTTP_PROXY": "http://p:1"}, None),
        ("http", "127.0.0.1", {"http_proxy": "http://p:1"}, "http://p:1"),
        ("http", "127.0.0.1:80", {"http_proxy": "http://p:1", "no_proxy": "localhost,127.0.0.1"}, None),
        ("https", "sts.amazonaws.com", {"ALL_PROXY": "http://p:1", "NO_PROXY": ".amazonaws.com"}, None),
        ("https", "sts.amazonaws.com.evil.example", {"ALL_PROXY": "http://p:1", "NO_PROXY": ".amazonaws.com"}, "http://p:1"),
        ("https", "sts.amazonaws.com", {"ALL_PROXY": "http://p:1", "NO_PROXY": "*"}, None),
    ],
)
def test_proxies(scheme, host, environ, proxy) -> None:
    assert proxy_for(scheme, host, environ) == proxy
