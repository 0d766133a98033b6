"""Presigned URLs of S3: one at a time, in lists, of mixed keys, with a session token."""

from __future__ import annotations

import asyncio
import datetime
import os
from collections.abc import Callable, Iterator
from urllib.parse import quote

import awsign
from tests.on_the_wire.judge import Keys

from .judging import fault_of_url
from .rounds import Contender, Table, race

BUCKET, REGION = "my-bucket", "us-east-1"
_HOST = f"{BUCKET}.s3.{REGION}.amazonaws.com"
PLAIN = Keys("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
WITH_TOKEN = Keys("ASIAEXAMPLE", PLAIN.secret, "FwoGZXIvYXdzE" + "Xa9/Q+" * 131 + "=")  # 800 characters, as those of STS are
KEY = "holiday/2026/photo-0001.jpg"
# Of ten keys two need quoting: a partition as Hive writes it, and a name that a person gave.
_SHAPES = (
    "photos/2026/11/{}.jpg", "logs/app-7/{}.json.gz", "data/dt=2026-11-22/part-{}.snappy.parquet", "a/b/c/d/{}", "backup_{}.tar",
    "{}.html", "media/video.{}.mp4", "reports/Summary {} (final).pdf", "assets/{}/index.js", "users/{}/avatar-256.png",
)  # fmt: skip
# What a signer must get right before it is timed.
_HOSTILE = (
    "a b", "a+b", "a%20b", "a%2Fb", "a//b", "/a", "a/", "a?b=c", "a#b", "a&b=c", "a'b", "a(b)*!", "a~b", "a:b@c", 'a"b', "a\\b", "a|b^c`d",
    "a{b}[c]<d>", "país", "写真/2026.jpg", "😀", "a;b,c$d", "é",
)  # fmt: skip

Single = Callable[[str], str]
Many = Callable[[list[str]], list[str]]


def mixed_keys(count: int) -> list[str]:
    return [_SHAPES[n % len(_SHAPES)].format(f"{n:06}") for n in range(count)]


def _boto3(keys: Keys) -> Single:
    os.environ["BOTO_DISABLE_CRT"] = "true"  # With awscrt installed, boto3 would sign by it.
    import boto3
    from botocore.config import Config

    client = boto3.client(
        "s3", region_name=REGION, aws_access_key_id=keys.access_key, aws_secret_access_key=keys.secret,
        aws_session_token=keys.token, config=Config(signature_version="s3v4", s3={"addressing_style": "virtual"}),
    )  # fmt: skip
    return lambda key: client.generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": key})


def _botocore(keys: Keys) -> Single:
    from botocore.auth import S3SigV4QueryAuth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    auth = S3SigV4QueryAuth(Credentials(*keys), "s3", REGION, expires=3600)

    def sign(key: str) -> str:
        request = AWSRequest("GET", f"https://{_HOST}/{quote(key, safe='/~')}")
        auth.add_auth(request)
        return request.url

    return sign


def _minio(keys: Keys) -> Single:
    from minio import Minio

    client = Minio(
        f"s3.{REGION}.amazonaws.com", access_key=keys.access_key, secret_key=keys.secret, session_token=keys.token, region=REGION
    )
    hour = datetime.timedelta(hours=1)
    return lambda key: client.presigned_get_object(BUCKET, key, hour)


def _signurlarity(keys: Keys) -> Single:
    if keys.token:
        raise NotImplementedError
    from signurlarity import Client

    client = Client(
        endpoint_url=f"https://s3.{REGION}.amazonaws.com", aws_access_key_id=keys.access_key, aws_secret_access_key=keys.secret
    )
    return lambda key: client.generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": key}, 3600)


def _awscrt(keys: Keys) -> Single:
    from awscrt.auth import (
        AwsCredentialsProvider,
        AwsSignatureType,
        AwsSignedBodyValue,
        AwsSigningAlgorithm,
        AwsSigningConfig,
        aws_sign_request,
    )
    from awscrt.http import HttpHeaders, HttpRequest

    provider = AwsCredentialsProvider.new_static(*keys)

    def sign(key: str) -> str:
        request = HttpRequest("GET", f"/{quote(key, safe='/~')}", HttpHeaders([("host", _HOST)]))
        config = AwsSigningConfig(
            algorithm=AwsSigningAlgorithm.V4,
            signature_type=AwsSignatureType.HTTP_REQUEST_QUERY_PARAMS,
            credentials_provider=provider,
            region=REGION,
            service="s3",
            use_double_uri_encode=False,
            should_normalize_uri_path=False,
            signed_body_value=AwsSignedBodyValue.UNSIGNED_PAYLOAD,
            expiration_in_seconds=3600,
        )
        aws_sign_request(request, config).result()
        return f"https://{_HOST}{request.path}"

    return sign


def _libpresign(keys: Keys) -> Single:
    if keys.token:
        raise NotImplementedError
    import libpresign

    return lambda key: libpresign.get(keys.access_key, keys.secret, REGION, BUCKET, key, 3600)


def _s3pe(keys: Keys) -> Single:
    import s3pe

    client = s3pe.Client(
        endpoint=f"https://s3.{REGION}.amazonaws.com", region=REGION, access_key=keys.access_key, secret_key=keys.secret,
        session_token=keys.token, bucket=BUCKET,
    )  # fmt: skip
    return client.presign


def _obstore_list(keys: Keys) -> Many:
    import obstore
    from obstore.store import S3Store

    token = {"session_token": keys.token} if keys.token else {}
    store = S3Store(
        BUCKET,
        region=REGION,
        access_key_id=keys.access_key,
        secret_access_key=keys.secret,
        virtual_hosted_style_request=True,
        **token,
    )
    hour = datetime.timedelta(hours=1)
    return lambda many: obstore.sign(store, "GET", many, hour)


def _obstore(keys: Keys) -> Single:
    sign = _obstore_list(keys)
    return lambda key: sign([key])[0]


def _opendal(keys: Keys) -> Single:
    import opendal

    operator = opendal.AsyncOperator(
        "s3", bucket=BUCKET, region=REGION, access_key_id=keys.access_key, secret_access_key=keys.secret,
        session_token=keys.token or "", enable_virtual_host_style="true", endpoint=f"https://s3.{REGION}.amazonaws.com",
        disable_config_load="true", disable_ec2_metadata="true",
    )  # fmt: skip
    loop = asyncio.new_event_loop()

    async def sign(key: str) -> str:
        return (await operator.presign_read(key, 3600)).url

    return lambda key: loop.run_until_complete(sign(key))


def _asigv4(keys: Keys) -> Single:
    if keys.token:
        raise NotImplementedError
    import asigv4

    return lambda key: asigv4.presign_url(
        method="GET", host=_HOST, path=f"/{key}", access_key_id=keys.access_key, secret_key=keys.secret, region=REGION
    )


def _aws_request_signer(keys: Keys) -> Single:
    from aws_request_signer import AwsRequestSigner

    signer = AwsRequestSigner(REGION, keys.access_key, keys.secret, "s3", keys.token)
    return lambda key: signer.presign_url("GET", f"https://{_HOST}/{quote(key, safe='/~')}", content_hash="UNSIGNED-PAYLOAD")


PEERS = {
    "boto3": _boto3, "botocore S3SigV4QueryAuth": _botocore, "minio": _minio, "signurlarity": _signurlarity, "awscrt (C)": _awscrt,
    "opendal (Rust)": _opendal, "obstore (Rust)": _obstore, "libpresign (C++)": _libpresign, "s3pe (Rust)": _s3pe,
    "asigv4": _asigv4, "aws-request-signer": _aws_request_signer,
}  # fmt: skip


def _made(keys: Keys) -> Iterator[tuple[str, Single]]:
    for name, make in PEERS.items():
        try:
            yield name, make(keys)
        except NotImplementedError:  # It takes no session token.
            continue


def _in_list(sign: Single) -> Many:
    return lambda many: [sign(key) for key in many]


def _fault(sign: Single, keys: Keys) -> str | None:
    """What is wrong with a signer's URLs of plain and of hostile keys."""
    wrong = {}
    for key in (KEY, *_HOSTILE):
        try:
            wrong[key] = fault_of_url(sign(key), key, keys, BUCKET)
        except Exception as error:
            wrong[key] = f"{type(error).__name__}: {str(error)[:60]}"
    faults = {key: why for key, why in wrong.items() if why}
    if KEY in faults:
        return f"all ({faults[KEY]})"
    return f"{len(faults)} of {len(wrong)} keys, as {', '.join(map(repr, list(faults)[:3]))}" if faults else None


def _presigner(keys: Keys) -> awsign.S3Presigner:
    return awsign.S3Presigner(awsign.Credentials(*keys), REGION, BUCKET)


def single(title: str, keys: Keys) -> Table:
    url = _presigner(keys).url
    signer = awsign.SigV4(awsign.Credentials(*keys), "s3", REGION)
    contenders = [Contender("awsign S3Presigner.url", lambda: url(KEY), 1, _fault(url, keys))]
    contenders.append(
        Contender("awsign SigV4.presign, of a new Request", lambda: signer.presign(awsign.Request("GET", f"https://{_HOST}/{KEY}")))
    )
    contenders += [Contender(name, lambda one=one: one(KEY), 1, _fault(one, keys)) for name, one in _made(keys)]
    return race(title, contenders)


def many(title: str, count: int, keys: Keys) -> Table:
    objects = mixed_keys(count)
    callers: dict[str, Many] = {"awsign S3Presigner.urls": _presigner(keys).urls}
    callers |= {name: _in_list(one) for name, one in _made(keys)}
    callers["obstore (Rust)"] = _obstore_list(keys)
    contenders = []
    for name, caller in callers.items():
        fault = _fault(lambda key, caller=caller: caller([key])[0], keys)
        contenders.append(Contender(name, lambda caller=caller: caller(objects), count, fault))
    return race(title, contenders, rounds=7 if count > 1000 else 15)


def tables() -> Iterator[Table]:
    yield single("Presigning one URL", PLAIN)
    yield single("Presigning one URL, with a session token of 800 characters", WITH_TOKEN)
    for count in (1, 10, 100, 10_000):
        yield many(f"Presigning a list of {count:,} mixed key{'s' * (count > 1)}, each URL", count, PLAIN)
    yield many("Presigning a list of 10,000 mixed keys, with a session token of 800 characters, each URL", 10_000, WITH_TOKEN)
