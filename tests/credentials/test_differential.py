"""Generated environments and files, each given to botocore and to awsign: the same access key from the same kind of source.

Where the two differ on purpose is the table DIFFERENCES.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import awsign
from awsign.credentials import NotHere, find_credentials

from .. import servers
from ..conftest import KEY
from .cases import Maker

CASES = int(os.environ.get("CASES", "500"))
# botocore's names of its sources -> awsign's.
SOURCES = {
    "env": "environment",
    "assume-role": "assume-role",
    "assume-role-with-web-identity": "web-identity",
    "sso": "sso",
    "shared-credentials-file": "shared-credentials-file",
    "login": "login",
    "custom-process": "process",
    "config-file": "config-file",
    "container-role": "container",
    "iam-role": "instance-metadata",
}


def ours(case: dict) -> dict:
    try:
        provider = find_credentials(case["profile"], case["environ"])
        found = provider.get()
    except NotHere as error:
        return {"outcome": "none", "said": str(error)}
    except awsign.AwsignError as error:
        return {"outcome": "failed", "said": str(error)}
    return {"outcome": "found", "source": provider.found_in, "key": found.access_key_id, "token": bool(found.session_token)}


def botocore(cases: list[dict], home: Path) -> list[dict]:
    environ = {"HOME": str(home), "PATH": os.environ["PATH"]}
    lines = "".join(json.dumps({"environ": environ | case["environ"], "profile": case["profile"]}) + "\n" for case in cases)
    worker = [sys.executable, str(Path(__file__).parent / "botocore_worker.py")]
    done = subprocess.run(worker, input=lines, env=environ, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(told) == len(cases)
    return told


def difference(case: dict, awsign_: dict, botocore_: dict) -> str | None:
    """Why the two differ on purpose; None where they should not."""
    for why, applies in DIFFERENCES.items():
        if applies(case, awsign_, botocore_):
            return why
    return None


DIFFERENCES = {
    "a byte order mark is passed over, which botocore takes for a line without a section": lambda case, ours, theirs: (
        "bom" in case["tags"] and ours["outcome"] != theirs["outcome"]
    ),
    "a metadata endpoint that is no URL is an error where it is asked, and not for what is found before it": lambda case, ours, theirs: (
        theirs.get("error") == "InvalidIMDSEndpointError"
    ),
    "the environment's keys are taken without a look into the files, where no profile is named": lambda case, ours, theirs: (
        theirs.get("error") == "ConfigParseError" and ours.get("source") == "environment" and "AWS_PROFILE" not in case["environ"]
    ),
    "a session of IAM Identity Center that does not exist is an error where it is asked, and not for what is found before it": lambda case, ours, theirs: (
        "sso_session" in theirs.get("said", "") and ours.get("source") in ("assume-role", "web-identity")
    ),
}


@pytest.fixture(scope="module")
def compared(tmp_path_factory) -> list[tuple[dict, dict, dict]]:
    home = tmp_path_factory.mktemp("home")
    for directory in ("sso", "login"):
        (home / ".aws" / directory / "cache").mkdir(parents=True)
    with servers.awsign_serve("--quiet", "--key", f"AKIDENVIRONMENT:{SECRET}") as url:
        cases = [Maker(seed, home, url).make() for seed in range(CASES)]
        theirs = botocore(cases, home)
        return [
            (case, ours({**case, "environ": {"HOME": str(home), "PATH": os.environ["PATH"]} | case["environ"]}), told)
            for case, told in zip(cases, theirs, strict=True)
        ]


SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


def test_the_same_from_the_same(compared) -> None:
    wrong = []
    for case, mine, theirs in compared:
        expected = dict(theirs, source=SOURCES.get(theirs.get("source", ""), theirs.get("source")))
        same = all(mine.get(name) == expected.get(name) for name in ("outcome", "source", "key", "token"))
        if not same and difference(case, mine, expected) is None:
            wrong.append((case, mine, expected))
    for case, mine, theirs in wrong[:12]:
        print(
            "\n--",
            mine,
            "\n  ",
            theirs,
            "\n  ",
            case["profile"],
            {k: v for k, v in case["environ"].items() if "ENDPOINT_URL" not in k},
        )
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            path = Path(case["environ"][name])
            print("   ", name, path.read_text() if path.exists() else "no such file")
    assert not wrong, len(wrong)


def test_no_error_holds_a_secret(compared) -> None:
    secrets = (SECRET, "profiletoken", "environmenttoken", "processtoken", "logintoken", "awsign-access-token", "PRIVATE KEY")
    said = [mine["said"] for _, mine, _ in compared if "said" in mine]
    assert len(said) > 50
    assert not [each for each in said if any(secret in each for secret in secrets)]


def test_every_source_and_outcome_was_there(compared) -> None:
    assert {theirs.get("source") for _, _, theirs in compared} >= SOURCES.keys()
    assert {theirs["outcome"] for _, _, theirs in compared} == {"found", "none", "failed"}


@pytest.mark.parametrize("server", ["moto", "ministack", "serve"])
def test_real_endpoints_answer_both(server, request, tmp_path) -> None:
    """The metadata service, a container's, AssumeRole and AssumeRoleWithWebIdentity, asked by botocore and by awsign."""
    found = request.getfixturevalue(server)
    url, key, secret = found if isinstance(found, tuple) else (found, KEY, "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    role = f"arn:aws:iam::{'000000000000' if server == 'ministack' else '123456789012'}:role/tested"
    claims = base64.urlsafe_b64encode(json.dumps({"iss": "https://accounts.google.com", "sub": "me"}).encode()).decode()
    (tmp_path / "token").write_text(f"e30.{claims}.c2ln")
    (tmp_path / "config").write_text(
        f"[profile base]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n"
        f"[profile role]\nrole_arn = {role}\nsource_profile = base\nrole_session_name = session\n"
        f"[profile web]\nrole_arn = {role}\nweb_identity_token_file = {tmp_path / 'token'}\nrole_session_name = session\n"
    )
    common = {
        "HOME": str(tmp_path), "AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_ENDPOINT_URL": url, "AWS_DEFAULT_REGION": "us-east-1",
    }  # fmt: skip
    off = {"AWS_EC2_METADATA_DISABLED": "true"}
    cases = [
        {"environ": common | off, "profile": "role"},
        {"environ": common | off, "profile": "web"},
        {"environ": common | {"AWS_EC2_METADATA_SERVICE_ENDPOINT": url}, "profile": None},
    ]
    if server != "moto":  # It plays no containers.
        full = f"{url}/v2/credentials/awsign"
        cases.append({"environ": common | off | {"AWS_CONTAINER_CREDENTIALS_FULL_URI": full}, "profile": None})
    expected = ["assume-role", "web-identity", "instance-metadata", "container"]
    for case, theirs, source in zip(cases, botocore(cases, tmp_path), expected, strict=False):
        mine = ours(case)
        assert (theirs["outcome"], SOURCES.get(theirs.get("source"))) == ("found", source), theirs
        assert (mine["outcome"], mine.get("source"), mine["token"]) == ("found", source, theirs["token"]), mine
        if server == "serve":
            assert mine["key"] == theirs["key"]
