"""What a process takes over a bare interpreter: to import and sign once, in time and memory; and the commands."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from .presigning import PLAIN
from .rounds import Result, Table, show

_URL = "https://my-bucket.s3.us-east-1.amazonaws.com/key"
_SIGN = {
    "awsign": f"""
from awsign import SigV4, Request, Credentials
SigV4(Credentials({PLAIN.access_key!r}, {PLAIN.secret!r}), "s3", "us-east-1").sign(Request("GET", {_URL!r}))""",
    "botocore.auth": f"""
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
S3SigV4Auth(Credentials({PLAIN.access_key!r}, {PLAIN.secret!r}), "s3", "us-east-1").add_auth(AWSRequest("GET", {_URL!r}))""",
    "boto3, a presigned URL": f"""
import boto3
client = boto3.client("s3", region_name="us-east-1", aws_access_key_id={PLAIN.access_key!r}, aws_secret_access_key={PLAIN.secret!r})
client.generate_presigned_url("get_object", {{"Bucket": "my-bucket", "Key": "key"}})""",
    "requests-aws4auth": f"""
import requests
from requests_aws4auth import AWS4Auth
AWS4Auth({PLAIN.access_key!r}, {PLAIN.secret!r}, "us-east-1", "s3")(requests.Request("GET", {_URL!r}).prepare())""",
    "asigv4": f"""
import asigv4
asigv4.sign_request(method="GET", path="/key", headers={{"host": "x"}}, access_key_id={PLAIN.access_key!r}, secret_key={PLAIN.secret!r})""",
    "awscrt (C)": f"""
from awscrt.auth import *
from awscrt.http import HttpHeaders, HttpRequest
provider = AwsCredentialsProvider.new_static({PLAIN.access_key!r}, {PLAIN.secret!r})
config = AwsSigningConfig(algorithm=AwsSigningAlgorithm.V4, signature_type=AwsSignatureType.HTTP_REQUEST_HEADERS,
    credentials_provider=provider, region="us-east-1", service="s3")
aws_sign_request(HttpRequest("GET", "/key", HttpHeaders([("host", "x")])), config).result()""",
    "minio": f"""
from minio import Minio
Minio("s3.us-east-1.amazonaws.com", access_key={PLAIN.access_key!r}, secret_key={PLAIN.secret!r}, region="us-east-1").presigned_get_object("my-bucket", "key")""",
}
# Not getrusage, which tells of a child what its parent had.
_MEMORY = "\nprint([line for line in open('/proc/self/status') if line.startswith('VmHWM')][0])"
_ROUNDS = 11


def _milliseconds(arguments: list[str], environment: dict[str, str]) -> float:
    start = time.perf_counter()
    subprocess.run(arguments, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return (time.perf_counter() - start) * 1e3


def _least(commands: dict[str, list[str]], environment: dict[str, str]) -> dict[str, float]:
    """Of each the least of several rounds: what a process takes has no upper bound, on a machine with others."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(_ROUNDS):
        for name, arguments in commands.items():
            times[name].append(_milliseconds(arguments, environment))
    return {name: min(taken) for name, taken in times.items()}


def _table(title: str, values: dict[str, float]) -> Table:
    own = next(iter(values.values()))
    table = Table(
        title, [Result(name, value * 1000, value / own, (value / own, value / own), None) for name, value in values.items()]
    )
    show(table)
    return table


def _memory(code: str) -> float:
    done = subprocess.run([sys.executable, "-c", code + _MEMORY], capture_output=True, text=True, check=True)
    return int(done.stdout.split()[-2]) / 1024


class _Quiet(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        pass


def _commands() -> Iterator[Table]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url, beside = f"http://127.0.0.1:{server.server_port}/bucket/key", Path(sys.executable).parent
    environment = os.environ | {
        "AWS_ACCESS_KEY_ID": PLAIN.access_key, "AWS_SECRET_ACCESS_KEY": PLAIN.secret, "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true", "BOTO_DISABLE_CRT": "true",
    }  # fmt: skip
    commands = {
        "awsign curl": [str(Path(sys.prefix) / "command" / "bin" / "awsign"), "curl", "--service", "s3", url],
        "awscurl": [str(beside / "awscurl"), "--service", "s3", "--region", "us-east-1", url],
        "aws s3api (awscli)": [
            str(beside / "aws"), "s3api", "get-object", "--endpoint-url", url.removesuffix("/bucket/key"), "--bucket", "bucket",
            "--key", "key", os.devnull,
        ],
    }  # fmt: skip
    if curl := shutil.which("curl"):
        commands["curl --aws-sigv4 (C)"] = [
            curl,
            "--user",
            f"{PLAIN.access_key}:{PLAIN.secret}",
            "--aws-sigv4",
            "aws:amz:us-east-1:s3",
            url,
        ]
    yield _table("One signed request by a command, all of its process", _least(commands, environment))
    server.shutdown()


def tables() -> Iterator[Table]:
    interpreter = [sys.executable, "-c"]
    times = _least(
        {"bare": [*interpreter, "pass"], **{name: [*interpreter, code] for name, code in _SIGN.items()}}, dict(os.environ)
    )
    bare = times.pop("bare")
    yield _table(
        f"Importing and signing once, over a bare interpreter of {bare:.0f} ms", {name: t - bare for name, t in times.items()}
    )
    if Path("/proc/self/status").exists():
        memory = _memory("pass")
        used = {name: _memory(code) - memory for name, code in _SIGN.items()}
        own = next(iter(used.values()))
        rows = [Result(name, mib, mib / own, (mib / own, mib / own), None) for name, mib in used.items()]
        table = Table(f"Memory of importing and signing once, over a bare interpreter of {memory:.1f} MiB", rows, "MiB")
        show(table)
        yield table
    yield from _commands()
