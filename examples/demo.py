"""`make demo`: the five programs, signed, sent, verified and answered on this machine; then one byte changed.

A local `awsign serve` stands for AWS. Each step is shown twice: with the awsign command, then with the Python program of this
folder. `make demo-real` has the programs talk to MiniStack and moto instead.
"""

from __future__ import annotations

import os
import re
import secrets
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

HERE = Path(__file__).parent
BIN = Path(sys.executable).parent

REGION = "us-east-1"


def heading(text: str) -> None:
    click.echo()
    click.secho(f"── {text} ".ljust(100, "─"), fg="magenta", bold=True)


def run(arguments: list[str], environ: dict[str, str], *, expect: int = 0) -> None:
    """Run a command of the demo, shown as a person would type it. Its failure ends the demo."""
    shown = [
        Path(word).name if word.startswith(str(BIN)) else os.path.relpath(word) if word.startswith(str(HERE)) else word
        for word in arguments
    ]
    click.secho(f"$ {shlex.join(shown)}", bold=True)
    sys.stdout.flush()
    code = subprocess.run(arguments, env=environ, check=False).returncode
    click.echo()
    if code != expect:
        raise SystemExit(f"demo: the command above ended with {code}, not {expect}")


@contextmanager
def server(key: str, secret: str) -> Iterator[str]:
    """`awsign serve` on a free port; ended with the block."""
    process = subprocess.Popen(
        [BIN / "awsign", "serve", "--port", "0", "--quiet", "--key", f"{key}:{secret}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        if not url:
            raise SystemExit("demo: awsign serve did not start")
        yield url
    finally:
        process.terminate()
        process.wait(timeout=10)


def environment(url: str, key: str, secret: str) -> dict[str, str]:
    """The environment of the programs: nothing of the user's own AWS settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_") and "proxy" not in name.lower()}
    return kept | {
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": url,
        "AWS_ENDPOINT_URL_EC2": url,
        "AWS_ENDPOINT_URL_DYNAMODB": url,
        "AWS_ENDPOINT_URL_S3": url,
        "API_URL": f"{url}/orders?status=open",
        "BOTO_DISABLE_CRT": "true",
    }


def without_keys(environ: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name not in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}


def tampered(url: str, environ: dict[str, str]) -> None:
    """A signed request with one byte of its body changed on the way; the server says what does not match."""
    import urllib.error
    import urllib.request

    import awsign

    credentials = awsign.Credentials(environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"])
    request = awsign.Request(
        "POST",
        f"{url}/",
        {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "DynamoDB_20120810.DeleteTable"},
        '{"TableName":"Music"}',
    )
    signed = awsign.SigV4(credentials, "dynamodb", REGION).sign(request)
    assert isinstance(signed.body, bytes)
    sent = signed.body.replace(b"Music", b"Musik")
    click.echo(f"signed  {signed.body.decode()}\nsent    {sent.decode()}\n")
    try:
        urllib.request.urlopen(urllib.request.Request(signed.url, sent, dict(signed.headers)))
    except urllib.error.HTTPError as error:
        answer = error.read().decode()
        click.secho(f"{error.code} {error.headers['x-amzn-errortype']}", fg="red")
        click.echo(re.sub(r"\\n", "\n", answer))
    else:
        raise SystemExit("demo: a changed request was accepted")


def main() -> None:
    awsign = str(BIN / "awsign")
    key, secret = "AKIADEMO" + secrets.token_hex(6).upper(), secrets.token_urlsafe(30)
    with server(key, secret) as url:
        environ = environment(url, key, secret)
        click.echo(f"awsign serve verifies at {url}; it knows the access key {key} and plays the instance metadata service")

        heading("1. EC2 Query API, Signature Version 2")
        run([awsign, "curl", "-v", "-S", f"{url}/?Action=DescribeInstances&Version=2016-11-15&SignatureVersion=2"], environ)
        run([sys.executable, str(HERE / "ec2_describe_instances.py")], environ)

        heading("2. An API with a domain of its own, with the temporary credentials of an instance's role")
        run([awsign, "credentials"], without_keys(environ))
        run([awsign, "curl", "-v", "-S", "--service", "execute-api", f"{url}/orders?status=open"], without_keys(environ))
        run([sys.executable, str(HERE / "api_gateway_with_role.py")], without_keys(environ))

        heading("3. DynamoDB CreateTable, keys from the environment")
        run(
            [
                awsign, "curl", "-v", "-S", "--service", "dynamodb", "-H", "X-Amz-Target: DynamoDB_20120810.CreateTable",
                "-H", "Content-Type: application/x-amz-json-1.0", "-d", '{"TableName":"Music"}', f"{url}/",
            ],
            environ,
        )  # fmt: skip
        run([sys.executable, str(HERE / "dynamodb_create_table.py")], environ)

        heading("4. S3, through boto3 and by hand")
        run(
            [
                awsign,
                "curl",
                "-v",
                "-S",
                "--endpoint-url",
                url,
                "s3://holiday",
                "-G",
                "-d",
                "list-type=2",
                "--data-urlencode",
                "prefix=a+b c/",
            ],
            environ,
        )
        run([sys.executable, str(HERE / "s3_by_boto3_and_by_hand.py")], environ)

        heading("5. S3: a stream of signed chunks, and a form for a browser")
        run([awsign, "curl", "-v", "-S", "-T", str(HERE / "demo.py"), "--endpoint-url", url, "s3://holiday/demo.py"], environ)
        run([sys.executable, str(HERE / "s3_stream_and_form.py"), str(HERE / "demo.py")], environ)

        heading("One byte changed on the way")
        tampered(url, environ)
    click.secho("Five programs signed, sent, verified and answered; the changed request was refused.", fg="green", bold=True)


if __name__ == "__main__":
    main()
