"""Verifying what arrived: the whole call, as a server makes it."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator
from urllib.parse import parse_qsl, urlsplit

import awsign

from .header_signing import DYNAMODB, S3_GET, Task
from .presigning import PLAIN, REGION
from .rounds import Contender, Table, race

_PUT = Task(
    "PUT",
    "https://my-bucket.s3.us-east-1.amazonaws.com/holiday/2026/photo-0001.jpg?versionId=3%2FL4kqtJlcpXroDTDmJ",
    {"Content-Type": "image/jpeg", "x-amz-meta-camera": "X100", "x-amz-storage-class": "STANDARD_IA", "User-Agent": "bench/1.0"},
    bytes(1024),
    "s3",
)
_CREDENTIALS = awsign.Credentials(PLAIN.access_key, PLAIN.secret)
_SECRETS = {PLAIN.access_key: PLAIN.secret}


class Arrived:
    """A signed request as a server's framework hands it on."""

    def __init__(self, task: Task, presigned: bool = False) -> None:
        signer = awsign.SigV4(_CREDENTIALS, task.service, REGION)
        request = awsign.Request(task.method, task.url, {} if presigned else task.headers, task.body or None)
        signed = signer.presign(request) if presigned else signer.sign(request)
        parts = urlsplit(signed.url)
        self.task, self.path, self.query = task, parts.path, parts.query
        self.target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        self.headers = dict(signed.headers) | {"Host": parts.netloc}
        self.method, self.body = task.method, task.body


def _awsign(arrived: Arrived) -> tuple[Callable[[], object], Callable[[], object]]:
    verifier = awsign.Verifier(_SECRETS.get)
    request = awsign.Request.received(arrived.method, arrived.target, arrived.headers, arrived.body)

    def whole() -> object:
        return verifier.verify(awsign.Request.received(arrived.method, arrived.target, arrived.headers, arrived.body))

    return lambda: verifier.verify(request), whole


def _asigv4(arrived: Arrived) -> Callable[[], object]:
    import asigv4

    verifier = asigv4.SigV4Verifier(_SECRETS.get)
    parameters = dict(parse_qsl(arrived.query, keep_blank_values=True))

    def verify() -> object:
        call = verifier.verify(
            method=arrived.method, path=arrived.path, headers=arrived.headers, query_params=parameters, body=arrived.body
        )
        try:
            call.send(None)
        except StopIteration as done:
            return done.value
        raise AssertionError("it waited")

    return verify


def _moto(arrived: Arrived) -> Callable[[], object]:
    from botocore.awsrequest import HeadersDict
    from moto.core import DEFAULT_ACCOUNT_ID
    from moto.iam.access_control import IAMRequest, S3IAMRequest
    from moto.iam.models import iam_backends

    if "X-Amz-Signature" in arrived.query:
        raise NotImplementedError  # It reads the Authorization header alone.
    backend = iam_backends[DEFAULT_ACCOUNT_ID]["aws"]
    if "bench" not in {user.name for user in backend.users.values()}:
        backend.create_user(REGION, "bench")
        key = backend.create_access_key("bench")
        key.access_key_id, key.secret_access_key = PLAIN.access_key, PLAIN.secret
        backend.access_keys[PLAIN.access_key] = key
    kind = S3IAMRequest if arrived.task.service == "s3" else IAMRequest
    url = f"https://{arrived.headers['Host']}{arrived.target}"
    headers = HeadersDict(arrived.headers)

    def verify() -> object:
        # Its path is the URL: botocore's signer takes that apart.
        request = kind(DEFAULT_ACCOUNT_ID, arrived.method, url, {}, arrived.body, headers, "Get")
        request.check_signature()
        return request

    return verify


def _botocore(arrived: Arrived) -> Callable[[], object]:
    from botocore.auth import S3SigV4Auth, SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    if "X-Amz-Signature" in arrived.query:
        raise NotImplementedError
    kind = S3SigV4Auth if arrived.task.service == "s3" else SigV4Auth
    auth = kind(Credentials(PLAIN.access_key, PLAIN.secret), arrived.task.service, REGION)
    url = f"https://{arrived.headers['Host']}{arrived.target}"
    claimed = arrived.headers["Authorization"]
    signed = claimed.partition("SignedHeaders=")[2].partition(",")[0].split(";")

    def verify() -> object:
        covered = {name: value for name, value in arrived.headers.items() if name.lower() in signed}
        request = AWSRequest(arrived.method, url, headers=covered, data=arrived.body)
        request.context["timestamp"] = arrived.headers["X-Amz-Date"]
        signature = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
        if not hmac.compare_digest(signature, claimed.rpartition("=")[2]):
            raise ValueError("the signature does not match")
        return signature

    return verify


def _contenders(arrived: Arrived) -> Iterator[Contender]:
    verify, whole = _awsign(arrived)
    yield Contender("awsign Verifier.verify", verify)
    yield Contender("awsign, Request.received made anew", whole)
    for name, make in (("asigv4", _asigv4), ("moto", _moto), ("botocore by hand, the signature alone", _botocore)):
        try:
            act = make(arrived)
        except NotImplementedError:
            continue
        try:
            act()
            fault = None
        except Exception as error:
            fault = f"refuses what is right: {type(error).__name__}"
        if fault:  # What raises takes another way: its time says nothing.
            print(f"  ({name} {fault})")
            continue
        yield Contender(name, act)


def tables() -> Iterator[Table]:
    for what, arrived in (
        ("a GET of S3 with six headers", Arrived(S3_GET)),
        ("a PUT to S3 of 1 KiB with metadata and a version", Arrived(_PUT)),
        ("a presigned GET of S3", Arrived(S3_GET, presigned=True)),
        ("a POST to DynamoDB", Arrived(DYNAMODB)),
    ):
        yield race(f"Verifying {what}", list(_contenders(arrived)))
