"""The table of what services do differently, held against botocore's models, rulesets and signers."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import botocore.session
import pytest
from botocore.awsrequest import AWSRequest
from botocore.config import Config

import awsign
from awsign.services import S3_FAMILY, SIGV2_ONLY, TAKES_UNSIGNED_PAYLOAD

from .conftest import KEY, SECRET, TOKEN

# Services that take a header, or a payload, which no model of botocore tells of; the table has the sources.
BEYOND_BOTOCORE = {"glacier", "aoss", "vpc-lattice-svcs", "iotdevicegateway"}
DATA = Path(botocore.__file__).parent / "data"


@pytest.fixture(scope="module")
def models() -> dict[str, object]:
    session = botocore.session.Session()
    return {name: session.get_service_model(name) for name in session.get_available_services()}


def test_every_service_is_signed_as_botocore_signs_it(models) -> None:
    """The same Authorization, of a path that tells once from twice encoded, with a token and a body."""
    session = botocore.session.Session()
    # The control plane of Outposts is signed as others are; its objects, by the same name, as S3's (the rulesets say so).
    apart = BEYOND_BOTOCORE | {"s3-outposts"}
    wrong, signed_as = [], set()
    for name, model in models.items():
        client = session.create_client(
            name, region_name="us-east-1", aws_access_key_id=KEY, aws_secret_access_key=SECRET, aws_session_token=TOKEN,
            config=Config(s3={"payload_signing_enabled": True}),
        )  # fmt: skip
        if client.meta.config.signature_version not in ("v4", "s3v4", "s3"):
            continue
        # As the ruleset names them, where it does.
        request = AWSRequest("POST", f"https://{name}.example/a%20b/c?d=e%2Ff", {"Content-Type": "text/plain"}, b"body")
        request.context.update(client_config=client.meta.config, payload_signing_enabled=True)
        client._request_signer.sign("AnOperation", request, signing_name=model.signing_name)
        theirs = dict(request.headers.items())
        again = awsign.Request("POST", request.url, {"Content-Type": "text/plain", "X-Amz-Date": theirs["X-Amz-Date"]}, b"body")
        mine = dict(
            awsign.SigV4(awsign.Credentials(KEY, SECRET, TOKEN), model.signing_name, client._request_signer.region_name)
            .sign(again)
            .headers
        )
        signed_as.add(model.signing_name)
        if mine["Authorization"] != theirs["Authorization"] and model.signing_name not in apart:
            wrong.append((name, mine["Authorization"], theirs["Authorization"]))
    assert not wrong
    assert len(signed_as) > 350


def test_whose_paths_are_encoded_once() -> None:
    """`disableDoubleEncoding` of the rulesets."""
    once = set()

    def look(value: object) -> None:
        if isinstance(value, dict):
            for scheme in value.get("authSchemes", ()):
                if scheme.get("disableDoubleEncoding"):
                    once.add(scheme["signingName"])
            value = list(value.values())
        if isinstance(value, list):
            for each in value:
                look(each)

    for path in DATA.glob("*/*/endpoint-rule-set-1.json*"):
        look(json.loads(gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()))
    assert once == S3_FAMILY - {"s3-express"}  # An older name of it.
    assert all(awsign.rules_for(name).encode == "once" and awsign.rules_for(name).path == "as-is" for name in once)


def test_who_takes_an_unsigned_payload(models) -> None:
    """`unsignedPayload` of the operations."""
    unsigned = {
        model.signing_name
        for model in models.values()
        for operation in model.operation_names
        if model.operation_model(operation).auth_type == "v4-unsigned-body"
    }
    assert unsigned - {"s3"} == TAKES_UNSIGNED_PAYLOAD - S3_FAMILY - BEYOND_BOTOCORE


def test_who_is_signed_by_version_2_alone(models) -> None:
    assert {model.signing_name for model in models.values() if model.signature_version == "v2"} == SIGV2_ONLY


def test_whose_rules_are_those_of_everybody(models) -> None:
    for model in models.values():
        if model.signing_name not in S3_FAMILY | BEYOND_BOTOCORE:
            assert awsign.rules_for(model.signing_name) == awsign.Rules(), model.signing_name


def test_rules_can_be_copied_and_pickled() -> None:
    import copy
    import pickle

    rules = awsign.rules_for("s3express").replace(payload="unsigned", token="after")
    assert copy.deepcopy(rules) == pickle.loads(pickle.dumps(rules)) == rules
