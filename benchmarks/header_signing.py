"""Signing in the Authorization header: each time from what a caller has (method, URL, headers, body) to a signed request."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import urlsplit

import awsign
from tests.on_the_wire.judge import Keys

from .judging import fault_of_request
from .presigning import PLAIN, REGION, WITH_TOKEN
from .rounds import Contender, Table, race

Headers = list[tuple[str, str]]


class Task(NamedTuple):
    """What is to be signed."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes
    service: str


DYNAMODB = Task(
    "POST",
    "https://dynamodb.us-east-1.amazonaws.com/",
    {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "DynamoDB_20120810.GetItem"},
    b'{"TableName": "orders", "Key": {"id": {"S": "0001"}}}',
    "dynamodb",
)
S3_GET = Task(
    "GET",
    "https://my-bucket.s3.us-east-1.amazonaws.com/holiday/2026/photo-0001.jpg",
    {
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        "User-Agent": "bench/1.0",
        "Range": "bytes=0-1023",
        "x-amz-checksum-mode": "ENABLED",
        "x-amz-expected-bucket-owner": "123456789012",
    },
    b"",
    "s3",
)

# A signer of one task: given credentials anew or kept, what it gives is turned into headers only where it is judged.
Signer = Callable[[], object]
Made = tuple[Signer, Callable[[object], Headers]]


def _awsign(task: Task, keys: Keys, cold: bool) -> Made:
    signer = awsign.SigV4(awsign.Credentials(*keys), task.service, REGION)
    method, url, headers, body = task.method, task.url, task.headers, task.body or None
    if cold:
        return (
            lambda: signer.sign(awsign.Request(method, url, headers, body), credentials=awsign.Credentials(*keys)),
            lambda signed: list(signed.headers),
        )
    return lambda: signer.sign(awsign.Request(method, url, headers, body)), lambda signed: list(signed.headers)


def _botocore(task: Task, keys: Keys, cold: bool) -> Made:
    from botocore.auth import S3SigV4Auth, SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    kind = S3SigV4Auth if task.service == "s3" else SigV4Auth
    kept = kind(Credentials(*keys), task.service, REGION)

    def sign() -> AWSRequest:
        request = AWSRequest(task.method, task.url, headers=task.headers, data=task.body)
        (kind(Credentials(*keys), task.service, REGION) if cold else kept).add_auth(request)
        return request

    return sign, lambda request: list(request.headers.items())


def _awscrt(task: Task, keys: Keys, cold: bool) -> Made:
    from awscrt.auth import (
        AwsCredentialsProvider,
        AwsSignatureType,
        AwsSignedBodyHeaderType,
        AwsSigningAlgorithm,
        AwsSigningConfig,
        aws_sign_request,
    )
    from awscrt.http import HttpHeaders, HttpRequest

    parts = urlsplit(task.url)
    kept = AwsCredentialsProvider.new_static(*keys)
    is_s3 = task.service == "s3"
    kind = AwsSignedBodyHeaderType.X_AMZ_CONTENT_SHA_256 if is_s3 else AwsSignedBodyHeaderType.NONE

    def sign() -> HttpRequest:
        headers = HttpHeaders([("Host", parts.netloc), *task.headers.items()])
        request = HttpRequest(task.method, parts.path, headers, io.BytesIO(task.body) if task.body else None)
        config = AwsSigningConfig(
            algorithm=AwsSigningAlgorithm.V4,
            signature_type=AwsSignatureType.HTTP_REQUEST_HEADERS,
            credentials_provider=AwsCredentialsProvider.new_static(*keys) if cold else kept,
            region=REGION,
            service=task.service,
            use_double_uri_encode=not is_s3,
            should_normalize_uri_path=not is_s3,
            signed_body_header_type=kind,
        )
        return aws_sign_request(request, config).result()

    return sign, lambda request: list(request.headers)


def _aws4auth(task: Task, keys: Keys, cold: bool) -> Made:
    import requests
    from requests_aws4auth import AWS4Auth

    def made() -> AWS4Auth:
        return AWS4Auth(keys.access_key, keys.secret, REGION, task.service, session_token=keys.token)

    kept = made()

    def sign() -> requests.PreparedRequest:
        request = requests.Request(task.method, task.url, task.headers, data=task.body).prepare()
        return (made() if cold else kept)(request)

    return sign, lambda request: list(request.headers.items())


def _aws_requests_auth(task: Task, keys: Keys, cold: bool) -> Made:
    import requests
    from aws_requests_auth.aws_auth import AWSRequestsAuth

    def made() -> AWSRequestsAuth:
        return AWSRequestsAuth(keys.access_key, keys.secret, urlsplit(task.url).netloc, REGION, task.service, keys.token)

    kept = made()

    def sign() -> requests.PreparedRequest:
        request = requests.Request(task.method, task.url, task.headers, data=task.body).prepare()
        return (made() if cold else kept)(request)

    return sign, lambda request: list(request.headers.items())


def _httpx_aws_auth(task: Task, keys: Keys, cold: bool) -> Made:
    import httpx
    from httpx_aws_auth import AwsCredentials, AwsSigV4Auth

    def made() -> AwsSigV4Auth:
        return AwsSigV4Auth(AwsCredentials(keys.access_key, keys.secret, keys.token), REGION, task.service)

    kept = made()

    def sign() -> httpx.Request:
        request = httpx.Request(task.method, task.url, headers=task.headers, content=task.body)
        return next((made() if cold else kept).auth_flow(request))

    return sign, lambda request: list(request.headers.items())


def _asigv4(task: Task, keys: Keys, cold: bool) -> Made:
    import asigv4

    if keys.token:
        raise NotImplementedError
    parts = urlsplit(task.url)

    def sign() -> dict[str, str]:
        headers = {**task.headers, "host": parts.netloc}
        headers["Authorization"] = asigv4.sign_request(
            method=task.method, path=parts.path, headers=headers, body=task.body, access_key_id=keys.access_key,
            secret_key=keys.secret, region=REGION, service=task.service,
        )  # fmt: skip
        return headers

    return sign, lambda headers: list(headers.items())


def _aws_request_signer(task: Task, keys: Keys, cold: bool) -> Made:
    import hashlib

    from aws_request_signer import AwsRequestSigner

    def made() -> AwsRequestSigner:
        return AwsRequestSigner(REGION, keys.access_key, keys.secret, task.service, keys.token)

    kept = made()

    def sign() -> dict[str, str]:
        digest = hashlib.sha256(task.body).hexdigest()
        return task.headers | (made() if cold else kept).sign_with_headers(task.method, task.url, task.headers, digest)

    return sign, lambda headers: list(headers.items())


def _aws_sdk_signers(task: Task, keys: Keys, cold: bool) -> Made:
    from aws_sdk_signers import URI, AWSCredentialIdentity, AWSRequest, Field, Fields, SigV4Signer, SigV4SigningProperties

    parts = urlsplit(task.url)
    kept = AWSCredentialIdentity(access_key_id=keys.access_key, secret_access_key=keys.secret, session_token=keys.token)
    signer = SigV4Signer()

    def sign() -> AWSRequest:
        fields = Fields([Field(name=name, values=[value]) for name, value in task.headers.items()])
        request = AWSRequest(
            destination=URI(scheme="https", host=parts.netloc, path=parts.path), method=task.method,
            body=io.BytesIO(task.body), fields=fields,
        )  # fmt: skip
        identity = kept
        if cold:
            identity = AWSCredentialIdentity(access_key_id=keys.access_key, secret_access_key=keys.secret, session_token=keys.token)
        properties = SigV4SigningProperties(
            region=REGION, service=task.service, payload_signing_enabled=True, content_checksum_enabled=task.service == "s3",
            uri_encode_path=task.service != "s3",
        )  # fmt: skip
        return signer.sign(request=request, identity=identity, properties=properties)

    return sign, lambda request: [(field.name, field.as_string()) for field in request.fields]


def _minio(task: Task, keys: Keys, cold: bool) -> Made:
    if task.service != "s3":
        raise NotImplementedError
    import hashlib

    from minio.credentials import Credentials
    from minio.signer import sign_v4_s3
    from minio.time import utcnow

    parts, kept = urlsplit(task.url), Credentials(*keys)

    def sign() -> dict[str, str]:
        headers = {**task.headers, "Host": parts.netloc, "x-amz-date": datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")}
        digest = hashlib.sha256(task.body).hexdigest()
        headers["x-amz-content-sha256"] = digest
        if keys.token:
            headers["X-Amz-Security-Token"] = keys.token
        return sign_v4_s3(
            method=task.method, url=parts, region=REGION, headers=headers, credentials=Credentials(*keys) if cold else kept,
            content_sha256=digest, date=utcnow(),
        )  # fmt: skip

    return sign, lambda headers: list(headers.items())


PEERS = {
    "awsign SigV4.sign": _awsign, "botocore": _botocore, "awscrt (C)": _awscrt, "requests-aws4auth": _aws4auth,
    "aws-requests-auth": _aws_requests_auth, "httpx-aws-auth": _httpx_aws_auth, "asigv4": _asigv4,
    "aws-request-signer": _aws_request_signer, "aws-sdk-signers": _aws_sdk_signers, "minio": _minio,
}  # fmt: skip


def _contenders(task: Task, keys: Keys, cold: bool) -> Iterator[Contender]:
    for name, make in PEERS.items():
        try:
            sign, headers_of = make(task, keys, cold)
        except NotImplementedError:
            continue
        try:
            fault = fault_of_request(task.method, task.url, headers_of(sign()), task.body, keys, task.service)
        except Exception as error:
            fault = f"{type(error).__name__}: {error}"
        yield Contender(name, sign, 1, fault and fault[:90])


def tables() -> Iterator[Table]:
    for what, task in (("a POST to DynamoDB", DYNAMODB), ("a GET of S3 with six headers", S3_GET)):
        for with_token, keys in (("", PLAIN), (", with a session token of 800 characters", WITH_TOKEN)):
            yield race(f"Signing {what}{with_token}", list(_contenders(task, keys, cold=False)))
    yield race("Signing a POST to DynamoDB, with new credentials each time", list(_contenders(DYNAMODB, PLAIN, cold=True)))
