"""The package as it is installed: alone, in an empty environment, and light."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

SIGN_AND_VERIFY = """
import sys
import awsign
credentials = awsign.Credentials("AKIDEXAMPLE", "secret")
signed = awsign.SigV4(credentials, "s3", "us-east-1").sign(awsign.Request("PUT", "https://bucket.s3.amazonaws.com/k", body=b"data"))
arrived = awsign.Request.received("PUT", "/k", signed.headers, signed.body)
assert awsign.Verifier({"AKIDEXAMPLE": "secret"}.get).verify(arrived).access_key_id == "AKIDEXAMPLE"
assert awsign.SigV4(credentials, "s3", "us-east-1").presign(awsign.Request("GET", "https://bucket.s3.amazonaws.com/k"))
assert awsign.SigV2(credentials).sign(awsign.Request("GET", "https://ec2.amazonaws.com/?Action=A"))
assert awsign.S3SigV2(credentials).sign(awsign.Request("GET", "https://bucket.s3.amazonaws.com/k"))
for name in awsign.__all__:
    getattr(awsign, name)
foreign = {name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names) - {"awsign", "__main__"}
print(sorted(name for name in foreign if not name.startswith(("_", "sitecustomize", "usercustomize"))))
"""


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with awsign and no other package."""
    folder = tmp_path_factory.mktemp("alone")
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", str(ROOT)], check=True, cwd=folder, capture_output=True)
    return python


def test_it_signs_and_verifies_with_the_standard_library_alone(alone) -> None:
    done = subprocess.run([alone, "-c", SIGN_AND_VERIFY], capture_output=True, text=True, check=False, cwd=alone.parent)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[]\n"


def test_the_command_says_which_extra_is_missing(alone) -> None:
    done = subprocess.run([alone.parent / "awsign", "curl", "https://example.com/"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "awsign: the command needs its extra packages; pip install 'awsign[cli]'\n"


def test_serve_says_which_extra_is_missing(alone, tmp_path) -> None:
    folder = tmp_path / "with-cli"
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", f"{ROOT}[cli]"], check=True, capture_output=True)
    done = subprocess.run([python.parent / "awsign", "serve", "--port", "0"], capture_output=True, text=True, check=False)
    assert (done.returncode, "awsign[cli,server]" in done.stderr) == (2, True)


def test_types_and_licences_are_shipped(alone) -> None:
    where = subprocess.run(
        [alone, "-c", "import awsign; print(awsign.__path__[0])"], capture_output=True, text=True, check=True, cwd=alone.parent
    )
    package = Path(where.stdout.strip())
    assert (package / "py.typed").exists()
    [metadata] = package.parent.glob("awsign-*.dist-info")
    assert {file.name for file in (metadata / "licenses").iterdir()} == {"LICENSE", "NOTICE"}


def seconds(code: str) -> float:
    """The least time of several runs of a process: what the code takes, the machine's other work left out."""
    least = float("inf")
    for _ in range(9):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, env=os.environ)
        least = min(least, time.perf_counter() - start)
    return least


def test_importing_and_signing_once_takes_under_a_third_of_importing_botocore_s_signer() -> None:
    """A ratio of two measurements of one run (the issue's own bound), not a time."""
    bare = seconds("pass")
    ours = seconds(
        "from awsign import SigV4, Request, Credentials\n"
        "SigV4(Credentials('AKID', 'secret'), 's3', 'us-east-1').sign(Request('GET', 'https://b.s3.amazonaws.com/k'))"
    )
    theirs = seconds("import botocore.auth")
    assert (ours - bare) <= 0.3 * (theirs - bare)


def test_a_signature_loads_little() -> None:
    code = (
        "import sys; from awsign import SigV4, Request, Credentials\n"
        "SigV4(Credentials('AKID', 'secret'), 's3', 'us-east-1').sign(Request('GET', 'https://b.s3.amazonaws.com/k'))\n"
        "print(*sys.modules)"
    )
    loaded = set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())
    assert not loaded & {
        "typing",
        "dataclasses",
        "logging",
        "http.client",
        "email",
        "urllib.parse",
        "awsign.verify",
        "awsign.credentials",
        "awsign.sigv2",
    }


def test_the_contract_of_names() -> None:
    """The names that scripts outside this repository call: see ../shared/contract.py where there is one."""
    contract = ROOT.parent / "shared" / "contract.py"
    if not contract.exists():
        pytest.skip("shared/ is not beside this checkout")
    done = subprocess.run([sys.executable, str(contract), "1"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def _runs(example: str, cwd: Path, *parts: str) -> None:
    done = subprocess.run([sys.executable, str(ROOT / "examples" / example)], capture_output=True, text=True, check=False, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr
    for part in parts:
        assert part in done.stdout + done.stderr


def test_the_demo(tmp_path) -> None:
    _runs(
        "demo.py",
        tmp_path,
        "DescribeInstancesResponse",
        '"Scheme": "sigv4"',
        "ListBucketResult",
        "InvalidSignatureException",
        "* canonical request:",
        "X-Amz-Content-Sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "of signed chunks",
        'enctype="multipart/form-data"',
    )
    left = subprocess.run(
        ["pgrep", "-f", "awsign serve --port 0 --quiet --key AKIADEMO"], capture_output=True, text=True, check=False
    )
    assert left.stdout == ""


def test_the_demo_against_real_services(tmp_path) -> None:
    _runs(
        "demo_real.py",
        tmp_path,
        "<reservationSet",
        '"orders": [{"id": 1',
        '"TableName": "Music"',
        "objects: ['2026/a b+c.py']",
        "of signed chunks",
        "(22) the server answered 403",
    )
