"""`make bench`: awsign beside its peers, all in one run, so that the machine is the same for all.

Each row is the least time of several rounds, in microseconds for one operation, and how many times awsign's it is. A peer that is
not installed is left out, and said so.
"""

from __future__ import annotations

import datetime
import subprocess
import sys
import time
from collections.abc import Callable

import awsign

from . import clients, streams

KEY, SECRET, TOKEN = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "FwoGZXIvYXdzEXAMPLE//TOKEN+=="
HEADERS = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "DynamoDB_20120810.ListTables"}
BODY = b'{"Limit": 10}'
URL = "https://dynamodb.us-east-1.amazonaws.com/"
S3_URL = "https://bucket.s3.us-east-1.amazonaws.com/holiday/2026/photo-0001.jpg"

Row = tuple[str, Callable[[], object]]


def microseconds(act: Callable[[], object], rounds: int = 7) -> float:
    act()
    count = 1
    while True:
        start = time.perf_counter()
        for _ in range(count):
            act()
        if (spent := time.perf_counter() - start) > 0.02:
            break
        count *= 2
    least = spent / count
    for _ in range(rounds - 1):
        start = time.perf_counter()
        for _ in range(count):
            act()
        least = min(least, (time.perf_counter() - start) / count)
    return least * 1e6


def table(title: str, rows: list[Row]) -> None:
    print(f"\n{title}")
    own = None
    for name, act in rows:
        spent = microseconds(act)
        own = own or spent
        print(f"  {name:44} {spent:9.1f} us   {spent / own:6.1f} x")


def peer(make: Callable[[], Row]) -> list[Row]:
    try:
        return [make()]
    except ImportError as error:
        print(f"(left out: {error.name} is not installed)", file=sys.stderr)
        return []


def header_signing() -> list[Row]:
    credentials = awsign.Credentials(KEY, SECRET)
    signer = awsign.SigV4(credentials, "dynamodb", "us-east-1")
    request = awsign.Request("POST", URL, HEADERS, BODY)

    def botocore() -> Row:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials

        auth = SigV4Auth(Credentials(KEY, SECRET), "dynamodb", "us-east-1")
        return "botocore SigV4Auth", lambda: auth.add_auth(AWSRequest("POST", URL, headers=dict(HEADERS), data=BODY))

    def crt() -> Row:
        import io

        import awscrt.auth
        import awscrt.http

        config = awscrt.auth.AwsSigningConfig(
            algorithm=awscrt.auth.AwsSigningAlgorithm.V4,
            signature_type=awscrt.auth.AwsSignatureType.HTTP_REQUEST_HEADERS,
            credentials_provider=awscrt.auth.AwsCredentialsProvider.new_static(KEY, SECRET),
            region="us-east-1",
            service="dynamodb",
        )

        def sign() -> object:
            fields = awscrt.http.HttpHeaders([("Host", "dynamodb.us-east-1.amazonaws.com"), *HEADERS.items()])
            return awscrt.auth.aws_sign_request(awscrt.http.HttpRequest("POST", "/", fields, io.BytesIO(BODY)), config).result()

        return "awscrt (C)", sign

    def aws4auth() -> Row:
        import requests
        from requests_aws4auth import AWS4Auth

        auth = AWS4Auth(KEY, SECRET, "us-east-1", "dynamodb")
        prepared = requests.Request("POST", URL, headers=HEADERS, data=BODY).prepare()
        return "requests-aws4auth", lambda: auth(prepared.copy())

    return [
        ("awsign", lambda: signer.sign(request)),
        ("awsign, request made anew", lambda: signer.sign(awsign.Request("POST", URL, HEADERS, BODY))),
        ("awsign, new credentials each time", lambda: signer.sign(request, credentials=awsign.Credentials(KEY, SECRET))),
        *peer(botocore), *peer(crt), *peer(aws4auth),
    ]  # fmt: skip


def presigning() -> list[Row]:
    credentials = awsign.Credentials(KEY, SECRET)
    signer = awsign.SigV4(credentials, "s3", "us-east-1")

    def boto3() -> Row:
        import boto3

        client = boto3.client("s3", region_name="us-east-1", aws_access_key_id=KEY, aws_secret_access_key=SECRET)
        arguments = {"Bucket": "bucket", "Key": "holiday/2026/photo-0001.jpg"}
        return "boto3 generate_presigned_url", lambda: client.generate_presigned_url("get_object", arguments)

    def botocore() -> Row:
        from botocore.auth import S3SigV4QueryAuth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials

        auth = S3SigV4QueryAuth(Credentials(KEY, SECRET), "s3", "us-east-1", expires=3600)
        return "botocore S3SigV4QueryAuth", lambda: auth.add_auth(AWSRequest("GET", S3_URL))

    def minio() -> Row:
        from minio import Minio

        client = Minio("s3.us-east-1.amazonaws.com", access_key=KEY, secret_key=SECRET, region="us-east-1")
        return "minio", lambda: client.presigned_get_object("bucket", "holiday/2026/photo-0001.jpg")

    return [
        ("awsign", lambda: signer.presign(awsign.Request("GET", S3_URL))),
        *peer(boto3), *peer(botocore), *peer(minio),
    ]  # fmt: skip


def verifying() -> list[Row]:
    signed = awsign.SigV4(awsign.Credentials(KEY, SECRET), "dynamodb", "us-east-1").sign(awsign.Request("POST", URL, HEADERS, BODY))
    verifier = awsign.Verifier({KEY: SECRET}.get)
    pairs = [(name, value) for name, value in signed.headers]

    def botocore() -> Row:
        import hmac

        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials

        auth = SigV4Auth(Credentials(KEY, SECRET), "dynamodb", "us-east-1")
        kept = {name: value for name, value in pairs if name != "Authorization"}
        claimed = dict(pairs)["Authorization"].rpartition("=")[2]

        def verify() -> bool:
            request = AWSRequest("POST", URL, headers=dict(kept), data=BODY)
            request.context["timestamp"] = kept["X-Amz-Date"]
            canonical = auth.canonical_request(request)
            return hmac.compare_digest(auth.signature(auth.string_to_sign(request, canonical), request), claimed)

        return "botocore by hand, the signature alone", verify

    return [("awsign", lambda: verifier.verify(awsign.Request.received("POST", "/", pairs, BODY))), *peer(botocore)]


def starting() -> None:
    """What a process takes over a bare interpreter: the least of several."""

    def milliseconds(arguments: list[str]) -> float:
        least = float("inf")
        for _ in range(9):
            start = time.perf_counter()
            subprocess.run(arguments, check=True, capture_output=True)
            least = min(least, time.perf_counter() - start)
        return least * 1e3

    bare = milliseconds([sys.executable, "-c", "pass"])
    sign = (
        "from awsign import SigV4, Request, Credentials\n"
        f"SigV4(Credentials({KEY!r}, {SECRET!r}), 's3', 'us-east-1').sign(Request('GET', {S3_URL!r}))"
    )
    print(f"\nStarting, over a bare interpreter of {bare:.1f} ms")
    for name, code in (
        ("import awsign, sign once", sign),
        ("import botocore.auth", "import botocore.auth"),
        ("import boto3", "import boto3"),
        ("awsign --help", "from awsign.cli.main import run; run(['--help'])"),
        ("awsign presign", f"import os; os.environ |= dict(AWS_ACCESS_KEY_ID='a', AWS_SECRET_ACCESS_KEY='b')\nfrom awsign.cli.main import run; run(['presign', {S3_URL!r}])"),
    ):  # fmt: skip
        print(f"  {name:44} {milliseconds([sys.executable, '-c', code]) - bare:9.1f} ms")


def main() -> None:
    print(f"CPython {sys.version.split()[0]}, {datetime.datetime.now(datetime.UTC).date()}")
    table("Signing in a header", header_signing())
    table("Presigning one S3 URL", presigning())
    table("Verifying a header signature", verifying())
    streams.table()
    clients.table()
    starting()


if __name__ == "__main__":
    main()
