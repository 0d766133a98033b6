"""Real servers for tests and for `make demo-real`, each started on a free port of 127.0.0.1 and ended with its block.

`make servers` installs them in .servers.
"""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

AWSIGN = str(Path(sys.executable).parent / "awsign")  # The command of this environment.
HERE = Path(__file__).parent
INSTALLED = HERE.parent.parent / ".servers"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def installed(path: str) -> str:
    found = INSTALLED / path
    if not found.exists():
        raise RuntimeError(f"{found} is not installed; run `make servers`")
    return str(found)


@contextmanager
def running(
    command: list[str], url: str, environ: dict[str, str] | None = None, cwd: str | None = None, *, kill: bool = False
) -> Iterator[str]:
    """A server process; gives its URL once it answers HTTP at all. kill: it has nothing to end in order, and takes its time."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_") and "proxy" not in name.lower()}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, env=clean | (environ or {}), stdout=log, stderr=log, cwd=cwd)
        try:
            deadline = time.monotonic() + 60
            while not answers(url):
                if process.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    raise RuntimeError(f"{command[0]} did not start: {log.read().decode(errors='replace')[-2000:]}")
                time.sleep(0.05)
            yield url
        finally:
            process.kill() if kill else process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def answers(url: str) -> bool:
    try:
        any_certificate = ssl.create_default_context()
        any_certificate.check_hostname = False
        any_certificate.verify_mode = ssl.CERT_NONE
        handlers = urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=any_certificate)
        urllib.request.build_opener(*handlers).open(url, timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


@contextmanager
def swift(key: str, secret: str) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as directory:
        port = free_port()
        command = [installed("swift/bin/python"), str(HERE / "swift_s3.py"), str(port), directory, key, secret]
        with running(command, f"http://127.0.0.1:{port}") as url:
            yield url


@contextmanager
def ministack(*, auth: bool = True) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as directory:
        port = free_port()
        environ = {
            "AUTH": str(auth).lower(), "BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "TMPDIR": directory, "HOME": directory,
            "S3_DATA_DIR": f"{directory}/s3", "STATE_DIR": f"{directory}/state", "DOCKER_HOST": "unix:///nonexistent",
            "LOG_LEVEL": "WARNING", "IOT_MTLS_ENABLED": "0", "SFTP_ENABLED": "0",
        }  # fmt: skip
        with running([installed("ministack/bin/ministack")], f"http://127.0.0.1:{port}", environ, cwd=directory) as url:
            yield url


@contextmanager
def juicefs(key: str, secret: str) -> Iterator[str]:
    """MinIO's front end."""
    with tempfile.TemporaryDirectory() as directory:
        port, meta = free_port(), f"sqlite3://{directory}/meta.db"
        environ = {"HOME": directory, "MINIO_ROOT_USER": key, "MINIO_ROOT_PASSWORD": secret}
        program = installed("juicefs/bin/juicefs")
        made = [program, "format", "--storage", "file", "--bucket", f"{directory}/data/", "--trash-days", "0", meta, "volume"]
        subprocess.run(made, env=os.environ | environ, check=True, capture_output=True)
        command = [
            program, "gateway", "--no-usage-report", "--no-banner", "--multi-buckets", "--keep-etag", "--no-bgjob", "--backup-meta", "0",
            "--domain", "s3.localhost", "--object-meta", "--object-tag", "--cache-dir", f"{directory}/cache", "--cache-size", "64",
            "--metrics", "127.0.0.1:0", meta, f"127.0.0.1:{port}",
        ]  # fmt: skip
        with running(command, f"http://127.0.0.1:{port}", environ) as url:
            yield url


@contextmanager
def moto() -> Iterator[str]:
    port = free_port()
    with running([installed("moto/bin/moto_server"), "-H", "127.0.0.1", "-p", str(port)], f"http://127.0.0.1:{port}") as url:
        yield url


@contextmanager
def moto_proxy() -> Iterator[str]:
    """moto as an HTTP proxy, which tells the service of a request by its host."""
    port = free_port()
    with running([installed("moto/bin/moto_proxy"), "-H", "127.0.0.1", "-p", str(port)], f"http://127.0.0.1:{port}") as url:
        yield url


@contextmanager
def proxy(*options: str) -> Iterator[str]:
    """A forward proxy, which makes tunnels too; with --cert-file it is spoken to by TLS."""
    port = free_port()
    command = [sys.executable, "-m", "proxy", "--hostname", "127.0.0.1", "--port", str(port), "--num-workers", "1", *options]
    with running(command, f"{'https' if '--cert-file' in options else 'http'}://127.0.0.1:{port}") as url:
        yield url


@contextmanager
def awsign_serve(*options: str) -> Iterator[str]:
    """`awsign serve`, as a person starts it."""
    port = free_port()
    command = [AWSIGN, "serve", "--port", str(port), *options]
    scheme = "https" if "--tls-cert" in options else "http"
    with running(command, f"{scheme}://127.0.0.1:{port}") as url:
        yield url


def ministack_user(url: str) -> tuple[str, str]:
    """An IAM user of MiniStack with all permissions: its root keys `test`/`test` are never verified. Gives key and secret."""
    import json

    import boto3

    iam = boto3.client("iam", endpoint_url=url, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
    everything = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
    anyone = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"},
                {"Effect": "Allow", "Principal": {"Federated": "accounts.google.com"}, "Action": "sts:AssumeRoleWithWebIdentity"},
            ],
        }
    )
    iam.create_user(UserName="tester")
    iam.put_user_policy(UserName="tester", PolicyName="all", PolicyDocument=everything)
    iam.create_role(RoleName="tested", AssumeRolePolicyDocument=anyone)
    iam.put_role_policy(RoleName="tested", PolicyName="all", PolicyDocument=everything)
    key = iam.create_access_key(UserName="tester")["AccessKey"]
    return key["AccessKeyId"], key["SecretAccessKey"]
