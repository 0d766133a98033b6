"""Random requests signed by botocore, by awscrt and by awsign must come out alike.

A peer is asked about the URL as awsign sends it. Where a peer is known to differ, it is not asked: the functions before the tests say
where, why and from which source.
"""

from __future__ import annotations

import datetime
import re
from urllib.parse import parse_qs, parse_qsl, quote, urlsplit

import awscrt.auth
import awscrt.http
import pytest
from botocore.auth import HmacV1Auth, HmacV1QueryAuth, S3SigV4Auth, S3SigV4QueryAuth, SigV2Auth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from hypothesis import assume, example, given
from hypothesis import strategies as st

import awsign

from .conftest import KEY, SECRET, TOKEN

UTC = datetime.UTC
AT = datetime.datetime(2026, 1, 15, 12, 34, 56, tzinfo=UTC)
STAMP = "20260115T123456Z"
HOST = "example.us-east-1.amazonaws.com"

path_text = st.text(st.sampled_from(list("abzAZ09-_.~!$&'()*,;=:@/ +%\"<>\\^`{|}[]é🎉\u00a0")), max_size=24).map(
    lambda text: re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", text)
)
paths = path_text.map(lambda text: "/" + text)
names = st.text(st.sampled_from(list("abAB01-_.~ +é/:@!*'()[]{}")), min_size=1, max_size=6)
values = st.one_of(st.none(), st.text(st.sampled_from(list("abAB01-_.~ +é/:@!*'()[]{}=?")), max_size=8))
queries = st.lists(st.tuples(names, values), max_size=4)
header_names = st.sampled_from(["X-Amz-Meta-A", "x-amz-meta-b", "Content-Type", "X-Custom", "Range", "User-Agent", "X-Amz-Target"])
header_values = st.text(st.sampled_from(list("abAB01-_;=,/\"' ")), min_size=1, max_size=12).map(str.strip).filter(bool)
headers = st.dictionaries(header_names, header_values, max_size=4)
bodies = st.binary(max_size=64)
tokens = st.sampled_from([None, TOKEN])
methods = st.sampled_from(["GET", "PUT", "POST", "DELETE", "HEAD", "PATCH"])


def url_of(path: str, query: list[tuple[str, str | None]]) -> str:
    pairs = [quote(name, safe="") if value is None else f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query]
    return f"https://{HOST}{path}" + (f"?{'&'.join(pairs)}" if pairs else "")


@pytest.fixture(autouse=True)
def _fixed_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "botocore.auth.get_current_datetime", lambda remove_tzinfo=True: AT.replace(tzinfo=None) if remove_tzinfo else AT
    )


def by_botocore(auth: type, request: awsign.Request, token: str | None, *arguments: object, **options: object) -> AWSRequest:
    theirs = AWSRequest(request.method, request.url, headers=dict(request.headers), data=request.body or b"")
    auth(BotoCredentials(KEY, SECRET, token), *arguments, **options).add_auth(theirs)
    return theirs


def by_awscrt(
    request: awsign.Request, token: str | None, service: str, *, query: bool = False, s3: bool = False
) -> awscrt.http.HttpRequest:
    import io

    fields = awscrt.http.HttpHeaders([("Host", request.host), *request.headers])
    theirs = awscrt.http.HttpRequest(request.method, request.target, fields, io.BytesIO(request.body or b""))
    kind = awscrt.auth.AwsSignatureType
    config = awscrt.auth.AwsSigningConfig(
        algorithm=awscrt.auth.AwsSigningAlgorithm.V4,
        signature_type=kind.HTTP_REQUEST_QUERY_PARAMS if query else kind.HTTP_REQUEST_HEADERS,
        credentials_provider=awscrt.auth.AwsCredentialsProvider.new_static(KEY, SECRET, token),
        region="us-east-1",
        service=service,
        date=AT,
        use_double_uri_encode=not s3,
        should_normalize_uri_path=not s3,
        signed_body_value="UNSIGNED-PAYLOAD" if query and s3 else None,
        signed_body_header_type=awscrt.auth.AwsSignedBodyHeaderType.X_AMZ_CONTENT_SHA_256 if s3 and not query else awscrt.auth.AwsSignedBodyHeaderType.NONE,
        expiration_in_seconds=600 if query else None,
    )  # fmt: skip
    return awscrt.auth.aws_sign_request(theirs, config).result(10)


def awscrt_cannot_parse(request: awsign.Request) -> bool:
    # aws-c-common's URI parser takes a `:` in the path for the end of a scheme (uri.c).
    return ":" in request.path or "@" in request.path


def signature_in(text: str) -> str:
    return re.search(r"Signature=([0-9a-f]{64})", text)[1]


@given(methods, paths, queries, headers, bodies, tokens)
@example("GET", "/a/../b//c/.", [], {}, b"", None)
@example("GET", "/", [("a", None), ("a-b", "1"), ("a", "2")], {}, b"", TOKEN)
def test_header_signatures_of_any_service(method, path, query, headers, body, token) -> None:
    signer = awsign.SigV4(awsign.Credentials(KEY, SECRET, token), "service", "us-east-1", sign_headers=awsign.ALL_HEADERS)
    signed = signer.sign(awsign.Request(method, url_of(path, query), headers, body), at=AT)
    request = awsign.Request(method, signed.url, headers, body)
    ours = dict(signed.headers)["Authorization"]
    if not awscrt_cannot_parse(request):
        assert signature_in(ours) == signature_in(dict(by_awscrt(request, token, "service").headers)["Authorization"])
    theirs = by_botocore(SigV4Auth, request, token, "service", "us-east-1").headers["Authorization"]
    assert signature_in(ours) == signature_in(theirs)


@given(methods, paths, queries, headers, bodies, tokens)
def test_header_signatures_of_s3(method, path, query, headers, body, token) -> None:
    assume("//" not in path[:2])
    signer = awsign.SigV4(awsign.Credentials(KEY, SECRET, token), "s3", "us-east-1", sign_headers=awsign.ALL_HEADERS)
    signed = signer.sign(awsign.Request(method, url_of(path, query), headers, body), at=AT)
    # The peers are asked about the path that awsign settled on, since they sign whatever they are given.
    request = awsign.Request(method, signed.url, headers, body)
    ours = dict(signed.headers)["Authorization"]
    if not awscrt_cannot_parse(request):
        assert signature_in(ours) == signature_in(dict(by_awscrt(request, token, "s3", s3=True).headers)["Authorization"])
    theirs = by_botocore(S3SigV4Auth, request, token, "s3", "us-east-1").headers["Authorization"]
    assert signature_in(ours) == signature_in(theirs)


def botocore_drops_duplicates(query: list[tuple[str, str | None]]) -> bool:
    # SigV4QueryAuth._modify_request_before_signing: "we know we won't have repeated keys". RULES: all are kept and signed.
    return len({name for name, _ in query}) < len(query)


@given(methods, paths, queries, tokens, st.booleans())
def test_presigned_urls(method, path, query, token, s3) -> None:
    service = "s3" if s3 else "service"
    link = awsign.SigV4(awsign.Credentials(KEY, SECRET, token), service, "us-east-1").presign(
        awsign.Request(method, url_of(path, query)), expires=600, at=AT
    )
    request = awsign.Request(method, re.sub(r"[?&]X-Amz-Algorithm=.*", "", link.url))
    if not awscrt_cannot_parse(request):
        assert signature_in(link.url) == signature_in(by_awscrt(request, token, service, query=True, s3=s3).path)
    if not botocore_drops_duplicates(query):
        auth = S3SigV4QueryAuth if s3 else SigV4QueryAuth
        assert signature_in(link.url) == signature_in(by_botocore(auth, request, token, service, "us-east-1", expires=600).url)


@given(st.sampled_from(["GET", "POST"]), st.dictionaries(names, values.map(lambda value: value or ""), max_size=4), tokens)
def test_signature_version_2(method, params, token) -> None:
    params = params | {"Timestamp": "2026-01-15T12:34:56Z"}
    url = url_of("/", list(params.items()))
    if method == "POST":
        request = awsign.Request(
            "POST", f"https://{HOST}/", {"Content-Type": "application/x-www-form-urlencoded"}, urlsplit(url).query
        )
    else:
        request = awsign.Request("GET", url)
    signed = awsign.SigV2(awsign.Credentials(KEY, SECRET, token)).sign(request)
    sent = dict(parse_qsl(signed.body.decode() if method == "POST" else urlsplit(signed.url).query, keep_blank_values=True))
    _, expected = SigV2Auth(BotoCredentials(KEY, SECRET, token)).calc_signature(AWSRequest(method, f"https://{HOST}/"), sent)
    assert sent["Signature"] == expected
    assert sent.items() >= params.items()


SUB_RESOURCES = st.lists(
    st.tuples(
        st.sampled_from(["acl", "uploads", "versionId", "response-content-type", "prefix", "partNumber"]),
        st.sampled_from([None, "1", "a b"]),
    ),
    max_size=3,
    unique_by=lambda pair: pair[0],
)


@given(methods, st.text(st.sampled_from(list("abAZ09-_.~/ +é")), max_size=16), SUB_RESOURCES, tokens)
def test_s3_hmac_sha1(method, key, query, token) -> None:
    headers = {"Date": "Thu, 15 Jan 2026 12:34:56 GMT", "X-Amz-Meta-A": "b   c", "Content-Type": "text/plain"}
    signed = awsign.S3SigV2(awsign.Credentials(KEY, SECRET, token)).sign(
        awsign.Request(method, url_of(f"/bucket/{key}", query), headers)
    )
    theirs = AWSRequest(method, signed.url, headers=dict(headers))
    auth = HmacV1Auth(BotoCredentials(KEY, SECRET, token))
    auth._get_date = lambda: headers["Date"]  # It writes one of its own.
    auth.add_auth(theirs)
    assert dict(signed.headers)["Authorization"] == theirs.headers["Authorization"]


@given(st.text(st.sampled_from(list("abAZ09-_.~/ +é")), max_size=16), tokens)
def test_s3_hmac_sha1_presigned(key, token) -> None:
    link = awsign.S3SigV2(awsign.Credentials(KEY, SECRET, token)).presign(
        awsign.Request("GET", url_of(f"/bucket/{key}", [])), expires=600
    )
    ours = parse_qs(urlsplit(link.url).query)
    theirs = AWSRequest("GET", link.url.partition("?")[0])
    theirs.auth_path = urlsplit(link.url).path
    auth = HmacV1QueryAuth(BotoCredentials(KEY, SECRET, token), expires=600)
    auth._get_date = lambda: ours["Expires"][0]
    auth.add_auth(theirs)
    assert ours["Signature"] == parse_qs(urlsplit(theirs.url).query)["Signature"]
