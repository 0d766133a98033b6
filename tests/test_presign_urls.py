"""S3Presigner's URLs: one derivation, whatever the key, the query, the headers, the bucket and the endpoint are."""

from __future__ import annotations

import copy
import datetime
import itertools
import pickle
import random
import threading
import time
import urllib.request
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

import awsign
from benchmarks.judging import fault_of_url

from .conftest import KEY, SECRET, TOKEN
from .on_the_wire.judge import Keys
from .test_real_servers import HOSTILE_KEYS

UTC = datetime.UTC
AT = datetime.datetime(2026, 1, 15, 12, 34, 56, tzinfo=UTC)
CREDENTIALS = awsign.Credentials(KEY, SECRET)
TEMPORARY = awsign.Credentials("ASIAEXAMPLE", SECRET, TOKEN + "x" * 700)
CHARACTERS = "abzAZ09-_.~/ +%=&?#:@!$'()*,;[]{}<>\"\\^`|\t\n\x7f\xa0éÅß写😀"


def single(settings: dict, key: str, query: object = (), headers: object = ()) -> str:
    """The same URL by SigV4.presign, of a URL that is put together here."""
    bucket, endpoint = settings["bucket"], settings.get("endpoint")
    if endpoint:
        scheme, _, host = endpoint.partition("://")
        in_path = settings.get("path_style") or "localhost" in host or host[0].isdigit() or "/" in host
        base = f"{endpoint}/{bucket}" if in_path else f"{scheme}://{bucket}.{host}"
    elif settings.get("path_style") or "." in bucket:
        base = f"https://s3.{settings['region']}.amazonaws.com/{bucket}"
    else:
        base = f"https://{bucket}.s3.{settings['region']}.amazonaws.com"
    url = f"{base}/{quote(key, safe='/~')}"
    if pairs := list(query.items() if hasattr(query, "items") else query):
        url += "?" + "&".join(f"{quote(name, safe='~')}={quote(str(value), safe='~')}" for name, value in pairs)
    signer = awsign.SigV4(settings["credentials"], "s3", settings["region"])
    request = awsign.Request(settings.get("method", "GET"), url, headers)
    return signer.presign(request, expires=settings.get("expires", 3600), at=AT).url


def presigner(settings: dict) -> awsign.S3Presigner:
    return awsign.S3Presigner(**settings, at=AT)


def random_settings(draw: random.Random) -> dict:
    settings = {
        "credentials": draw.choice([CREDENTIALS, TEMPORARY]),
        "region": draw.choice(["us-east-1", "eu-central-1", "ap-southeast-2"]),
        "bucket": draw.choice(["my-bucket", "other.bucket.org", "b" * 63]),
        "method": draw.choice(["GET", "PUT", "HEAD", "DELETE"]),
        "expires": draw.choice([1, 900, 604800]),
        "path_style": draw.random() < 0.3,
    }
    if draw.random() < 0.4:
        settings["endpoint"] = draw.choice(
            ["http://127.0.0.1:9000", "https://minio.example.com", "http://localhost:8080", "https://host.example/base=path/to"]
        )
        settings["path_style"] = settings["path_style"] or settings["bucket"] == "other.bucket.org"
    return settings


def random_key(draw: random.Random) -> str:
    while True:
        key = "".join(draw.choices(CHARACTERS, k=draw.randint(1, 24)))
        if ".." not in key:
            return key


QUERIES = [
    {}, {}, {}, {"versionId": "3/L4kqtJlcpXroDTDmJ+rmSpXd"}, {"response-content-type": "image/png", "response-content-disposition": 'a; b="é"'},
    {"partNumber": 7, "uploadId": "VXBsb2Fk IElE"}, [("A", "1"), ("z", "2"), ("z", "1")], {"X-Amz-Foo": "1"}, {"acl": ""},
]  # fmt: skip
HEADERS = [(), (), (), {"Content-Type": "image/png"}, [("x-amz-acl", "private"), ("Content-MD5", "1B2M2Y8AsgTpgAmY7PhCfg==")]]


def test_a_hundred_thousand_are_those_of_sigv4() -> None:
    draw = random.Random(20261122)
    for _ in range(500):
        settings = random_settings(draw)
        made, query, headers = presigner(settings), draw.choice(QUERIES), draw.choice(HEADERS)
        keys = [random_key(draw) for _ in range(200)]
        expected = [single(settings, key, query, headers) for key in keys]
        assert made.urls(keys, query, headers) == expected
        assert list(made.iter_urls(iter(keys[:9]), query, headers)) == expected[:9]
        assert [made.url(key, query, headers) for key in keys[:9]] == expected[:9]
        pairs = [(key, query) for key in keys[:9]]
        assert made.urls(pairs, headers=headers) == list(made.iter_urls(pairs, headers=headers)) == expected[:9]


@given(st.text(min_size=1, max_size=40), st.lists(st.tuples(st.text(min_size=1, max_size=8), st.text(max_size=8)), max_size=3))
def test_any_text(key: str, query: list[tuple[str, str]]) -> None:
    settings = {"credentials": CREDENTIALS, "region": "us-east-1", "bucket": "my-bucket"}
    try:
        expected = single(settings, key, query)
    except (awsign.InvalidRequest, UnicodeEncodeError):
        with pytest.raises((awsign.InvalidRequest, UnicodeEncodeError)):
            presigner(settings).url(key, query)
        return
    if ".." in key.split("/"):
        return
    assert presigner(settings).url(key, query) == expected


@pytest.mark.parametrize("credentials", [CREDENTIALS, TEMPORARY])
@pytest.mark.parametrize("key", [*filter(lambda key: key != "..", HOSTILE_KEYS), "a" * 1024, "é" * 512])
def test_what_shares_no_code_with_it_agrees(key: str, credentials: awsign.Credentials) -> None:
    url = awsign.S3Presigner(credentials, "us-east-1", "my-bucket").url(key)
    keys = Keys(credentials.access_key_id, credentials.secret_access_key, credentials.session_token)
    assert fault_of_url(url, key, keys, "my-bucket") is None
    assert fault_of_url(url.replace("X-Amz-Expires=3600", "X-Amz-Expires=3601"), key, keys, "my-bucket")


def test_a_real_server_takes_them(swift: str) -> None:
    options = {"endpoint": swift, "path_style": True}
    put = awsign.S3Presigner(CREDENTIALS, "us-east-1", "presigned-lists", method="PUT", **options)
    get = awsign.S3Presigner(CREDENTIALS, "us-east-1", "presigned-lists", **options)
    signed = awsign.SigV4(CREDENTIALS, "s3", "us-east-1").sign(awsign.Request("PUT", f"{swift}/presigned-lists"))
    urllib.request.urlopen(urllib.request.Request(signed.url, method="PUT", headers=dict(signed.headers)))
    keys = [key for key in HOSTILE_KEYS if key not in ("..", ".")]
    for number, (up, down) in enumerate(zip(put.urls(keys), get.urls(keys), strict=True)):
        body = str(number).encode()
        urllib.request.urlopen(urllib.request.Request(up, body, method="PUT", headers={"Content-Type": "text/plain"}))
        assert urllib.request.urlopen(down).read() == body
    ranged = get.url(keys[0], {"response-content-type": "image/png"})
    assert urllib.request.urlopen(ranged).headers["Content-Type"] == "image/png"
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(ranged.replace("image%2Fpng", "image%2Fgif"))


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("", "empty"), ("a" * 1025, "1025 bytes"), ("é" * 513, "1026 bytes"), ("\ud800", "surrogate"), ("..", "goes up"),
        ("../a", "goes up"), ("a/../../b", "goes up"),
    ],
)  # fmt: skip
def test_keys_that_s3_does_not_allow(key: str, why: str) -> None:
    made = presigner({"credentials": CREDENTIALS, "region": "us-east-1", "bucket": "my-bucket"})
    for call in (made.url, lambda key: made.urls(["a", key]), lambda key: list(made.iter_urls([key]))):
        with pytest.raises(awsign.InvalidRequest, match=why):
            call(key)


def test_dots_that_s3_allows() -> None:
    made = presigner({"credentials": CREDENTIALS, "region": "us-east-1", "bucket": "my-bucket"})
    for key in ("a/../b", "a/b/../../c", ".", "a..b", "...", "a/..b/c"):
        assert urlsplit(made.url(key)).path == f"/{key}"


def test_wrong_types() -> None:
    made = presigner({"credentials": CREDENTIALS, "region": "us-east-1", "bucket": "my-bucket"})
    for call in (
        lambda: made.url(b"key"), lambda: made.url(None), lambda: made.urls("key"), lambda: made.urls([1]), lambda: made.iter_urls("key"),
        lambda: made.url("key", "versionId=1"), lambda: made.url("key", {"a": None}), lambda: made.url("key", {1: "a"}),
        lambda: made.urls([("key", "a=b")]), lambda: made.url("key", {"a": True}),
    ):  # fmt: skip
        with pytest.raises(TypeError):
            call()
    with pytest.raises(awsign.InvalidRequest, match="x-amz-signature"):
        made.url("key", {"X-Amz-Signature": "0"})
    with pytest.raises(awsign.InvalidRequest, match="must expire"):
        awsign.S3Presigner(CREDENTIALS, "us-east-1", "my-bucket", expires=None)
    with pytest.raises(awsign.InvalidRequest, match="604800"):
        awsign.S3Presigner(CREDENTIALS, "us-east-1", "my-bucket", expires=604801)
    with pytest.raises(awsign.InvalidRequest, match="SigV4A"):
        awsign.S3Presigner(CREDENTIALS, "us-east-1", "arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap").url("key")


def test_a_str_of_another_class() -> None:
    class Name(str):
        __slots__ = ()

        def __str__(self) -> str:
            return "<redacted>"

    made = presigner({"credentials": CREDENTIALS, "region": "us-east-1", "bucket": "my-bucket"})
    assert made.url(Name("key é")) == made.urls([Name("key é")])[0] == made.url("key é")


@pytest.mark.parametrize(
    ("bucket", "service"),
    [
        ("data--usw2-az1--x-s3", "s3express"), ("arn:aws:s3:us-west-2:123456789012:accesspoint/mine", "s3"),
        ("arn:aws:s3-object-lambda:us-west-2:123456789012:accesspoint/mine", "s3-object-lambda"),
        ("arn:aws:s3-outposts:us-west-2:123456789012:outpost/op-01ac5d28a6a232904/accesspoint/mine", "s3-outposts"),
    ],
)  # fmt: skip
def test_other_kinds_of_buckets(bucket: str, service: str) -> None:
    url = awsign.S3Presigner(TEMPORARY, "us-west-2", bucket, at=AT).url("key é")
    base = urlsplit(url)
    expected = awsign.SigV4(TEMPORARY, service, "us-west-2").presign(
        awsign.Request("GET", f"https://{base.netloc}/key%20%C3%A9"), at=AT
    )
    assert url == expected.url


def test_the_time_is_that_of_each_call() -> None:
    made = awsign.S3Presigner(CREDENTIALS, "us-east-1", "my-bucket")

    def stamp(url: str) -> datetime.datetime:
        text = url.partition("X-Amz-Date=")[2][:16]
        return datetime.datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)

    keys = itertools.repeat("key")
    lazily = made.iter_urls(keys)
    before = datetime.datetime.now(UTC).replace(microsecond=0)
    first = [made.url("key"), made.urls(["key"])[0], next(lazily)]
    time.sleep(1.1)
    later = [made.url("key"), made.urls(["key"])[0], next(lazily)]
    after = datetime.datetime.now(UTC)
    assert all(before <= stamp(url) <= after for url in first + later)
    assert max(map(stamp, first)) < min(map(stamp, later))


def test_credentials_that_change_and_end() -> None:
    class Provider:
        now = CREDENTIALS

        def get(self) -> awsign.Credentials:
            return self.now

    provider = Provider()
    made = awsign.S3Presigner(provider, "us-east-1", "my-bucket", at=AT)
    assert KEY in made.url("key")
    urls = made.iter_urls(itertools.repeat("key"))
    assert KEY in next(urls)
    provider.now = TEMPORARY
    for url in (made.url("key"), made.urls(["key"])[0], next(urls)):
        assert "ASIAEXAMPLE" in url
        assert "X-Amz-Security-Token=" in url
    provider.now = awsign.Credentials(KEY, SECRET, None, AT)
    for call in (lambda: made.url("key"), lambda: made.urls(["key"]), lambda: next(urls)):
        with pytest.raises(awsign.CredentialsError, match="expired"):
            call()
    provider.now = None
    with pytest.raises(TypeError):
        made.url("key")


def test_copies_and_threads() -> None:
    settings = {"credentials": TEMPORARY, "region": "us-east-1", "bucket": "my-bucket"}
    made = presigner(settings)
    expected = made.urls([f"key {n}" for n in range(500)])
    assert SECRET not in repr(made)
    for other in (copy.copy(made), pickle.loads(pickle.dumps(made))):
        assert other.url("key 7") == expected[7]
    shared = awsign.S3Presigner(**settings)
    keys = Keys(TEMPORARY.access_key_id, SECRET, TEMPORARY.session_token)
    faults: list[str] = []

    def work(name: int) -> None:
        for n in range(300):
            key = f"{name}/{n} é"
            url = shared.url(key, {"versionId": str(n % 70)} if n % 3 else ())
            if fault := fault_of_url(url, key, keys, "my-bucket"):
                faults.append(fault)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


def test_input_without_an_end_takes_no_memory() -> None:
    import tracemalloc

    made = awsign.S3Presigner(CREDENTIALS, "us-east-1", "my-bucket")
    urls = made.iter_urls((f"key-{n}", {"versionId": str(n)}) for n in itertools.count())
    for _ in range(2000):
        next(urls)
    tracemalloc.start()
    for _ in range(20_000):
        next(urls)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 << 20


def test_what_is_given_as_an_iterator_is_of_all() -> None:
    made = presigner({"credentials": CREDENTIALS, "region": "us-east-1", "bucket": "my-bucket"})

    def version():
        return iter([("versionId", "1")])

    expected = made.url("k", {"versionId": "1", "a": "b"})
    assert made.urls([("k", {"a": "b"})], version()) == [expected]
    assert made.urls([("k", {"a": "b"})], {"versionId": "1"}) == [expected]
    given = {"versionId": "2"}
    made.url("z", given)
    given["versionId"] = "other"
    assert "versionId=2&" in made.urls([("k", {"a": "b"})], {"versionId": "2"})[0]
    headers = [["x-amz-acl", "private"]]
    lazily = list(made.iter_urls(["k", "k"], version(), (pair for pair in headers)))
    assert lazily == [made.url("k", {"versionId": "1"}, headers)] * 2


def test_keys_of_an_enum() -> None:
    import enum

    class Key(str, enum.Enum):  # noqa: UP042 - a StrEnum would have no str() of its own.
        A = "real/key"

    made = presigner({"credentials": CREDENTIALS, "region": "us-east-1", "bucket": "my-bucket"})
    assert made.url(Key.A) == made.url("real/key")
    assert made.url(Key.A, {"X-Amz-Foo": "1"}) == made.url("real/key", {"X-Amz-Foo": "1"})


def test_a_query_that_is_no_text_has_a_clear_error() -> None:
    made = presigner({"credentials": CREDENTIALS, "region": "us-east-1", "bucket": "my-bucket"})
    with pytest.raises(awsign.InvalidRequest, match="surrogate"):
        made.url("k", {"a": "\ud800"})


def test_credentials_that_end_within_the_second() -> None:
    while (start := time.time()) % 1 > 0.3:
        time.sleep(0.05)
    ends = datetime.datetime.fromtimestamp(start + 0.4, UTC)
    made = awsign.S3Presigner(awsign.Credentials(KEY, SECRET, None, ends), "us-east-1", "my-bucket")
    made.url("key")
    time.sleep(0.45)
    with pytest.raises(awsign.CredentialsError, match="expired"):
        made.url("key")
