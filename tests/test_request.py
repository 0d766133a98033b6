"""What a Request takes, encodes and refuses: all before anything is sent."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

import awsign

H = "https://example.com"


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        (H, H + "/"),
        (H + "?a=b", H + "/?a=b"),
        (H + "/a b", H + "/a%20b"),
        (H + "/é", H + "/%C3%A9"),
        (H + "/a%2fb", H + "/a%2Fb"),
        (H + "/%AA", H + "/%AA"),
        (H + "/a+b?c+d=e%2Bf", H + "/a+b?c%20d=e%2Bf"),
        (H + "/?a={\"b\"}|<>\\^`[]", H + "/?a=%7B%22b%22%7D%7C%3C%3E%5C%5E%60%5B%5D"),
        (H + "/?a=é b", H + "/?a=%C3%A9%20b"),
        (H + "//a//../b/./", H + "//a//../b/./"),
        ("HTTPS://EXAMPLE.com:443/", H + "/"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x"),
        (H + "/?", H + "/"),
        (H + "/?a&b=&=c&&a", H + "/?a&b=&=c&&a"),
    ],
)  # fmt: skip
def test_a_url_is_encoded_where_it_has_to_be(url, sent) -> None:
    request = awsign.Request("GET", url)
    assert request.url == sent
    assert awsign.Request("GET", request.url).url == sent


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("/path", "not absolute"),
        ("example.com/x", "not absolute"),
        ("", "not absolute"),
        ("https:///x", "no host"),
        ("ftp://example.com/", "scheme"),
        ("file:///etc/passwd", "scheme"),
        (H + "/x#y", "fragment"),
        ("https://user:topsecret@example.com/", "user name or password"),
        ("https://exa mple.com/", "host"),
        ("https://bücher.example/", "xn--"),
        ("https://[1.2]/", "is it spelt right?"),
        (H + ":99999/", "port"),
        (H + ":" + "9" * 5000 + "/", "port"),
        (H + ":x/", "port"),
        (H + "/a\nb", "control character"),
        (H + "/a\x7fb", "control character"),
        (H + "/?a=\r\nX: y", "control character"),
        (H + "/100%", "%25"),
        (H + "/?a=%zz", "%25"),
        (H + "/\ud800", "surrogate"),
    ],
)
def test_a_url_that_cannot_be_sent_is_refused(url, why) -> None:
    with pytest.raises(awsign.InvalidRequest, match=re.escape(why)) as caught:
        awsign.Request("GET", url)
    assert "topsecret" not in str(caught.value)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("url", ["AKIA:topsecret@host/", "https://AKIA:topse/cret@host/"])
def test_no_part_of_a_password_is_repeated(url) -> None:
    with pytest.raises(awsign.InvalidRequest) as caught:
        awsign.Request("GET", url)
    assert "topse" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("x-a", "a\r\nb", "control character"),
        ("x-a", "a\0b", "control character"),
        ("x-a", b"a\nb", "control character"),
        ("x-a", " a", "white space"),
        ("x-a", "a\t", "white space"),
        ("x-a", "é", "not ASCII"),
        ("x-a", "\u00a0a", "not ASCII"),
        ("", "a", "not the name"),
        ("x a", "a", "not the name"),
        ("x:", "a", "not the name"),
        ("é", "a", "not the name"),
        ("Host", "", "Host"),
        ("Host", b"h\xe9", "Host"),
    ],
)
def test_a_header_that_cannot_be_sent_unchanged_is_refused(name, value, why) -> None:
    with pytest.raises(awsign.InvalidRequest, match=why):
        awsign.Request("GET", H, [(name, value)])


@pytest.mark.parametrize("name", ["Host", "Content-Type", "Date", "Content-MD5", "X-Amz-Date", "X-Amz-Target", "Authorization"])
def test_a_header_of_one_meaning_is_not_sent_twice(name) -> None:
    with pytest.raises(awsign.InvalidRequest, match="twice"):
        awsign.Request("GET", H, [(name, "a"), (name.upper(), "b")])
    awsign.Request("GET", H, [("x-amz-meta-a", "a"), ("X-Amz-Meta-A", "b"), ("Cookie", "a"), ("cookie", "b")])


@pytest.mark.parametrize("value", [None, 5, ["a"]])
def test_header_values_of_another_type(value) -> None:
    with pytest.raises(TypeError):
        awsign.Request("GET", H, {"a": value})


@pytest.mark.parametrize("headers", ["abc", [("a", "b", "c")], [5], 5])
def test_headers_that_are_no_pairs(headers) -> None:
    with pytest.raises(TypeError):
        awsign.Request("GET", H, headers)


@pytest.mark.parametrize("method", ["", "GE T", "é", None, "GET\r\n"])
def test_what_is_no_method(method) -> None:
    with pytest.raises(awsign.InvalidRequest):
        awsign.Request(method, H)


@pytest.mark.parametrize("body", [{"a": "b"}, 5, 1.5, object()])
def test_what_is_no_body(body) -> None:
    with pytest.raises(TypeError):
        awsign.Request("POST", H, body=body)


def test_what_bodies_become() -> None:
    assert awsign.Request("POST", H, body="é").body == "é".encode()
    assert awsign.Request("POST", H, body=bytearray(b"a")).body == b"a"
    assert awsign.Request("POST", H, body=memoryview(b"a")).body == b"a"
    with pytest.raises(awsign.InvalidRequest, match="surrogate"):
        awsign.Request("POST", H, body="\ud800")


def test_repr_tells_no_more_than_where_to() -> None:
    request = awsign.Request("GET", H + "/path?token=topsecret", {"x-secret": "topsecret"}, "topsecret")
    assert repr(request) == "<Request GET https://example.com/path>"


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_is_encoded_to_a_fixed_point_or_refused(path, query) -> None:
    try:
        request = awsign.Request("GET", f"{H}/{path}?{query}")
    except awsign.InvalidRequest:
        return
    assert request.url.isascii()
    assert not re.search(r"[\s\"<>\\^`{|}]", request.url)
    assert awsign.Request("GET", request.url).url == request.url


class TestReceived:
    def test_it_keeps_what_came(self) -> None:
        request = awsign.Request.received("GET", b"/a b\xff?c=\xe9", [("Host", "h"), (b"X-A", b" \xff ")], b"x", "http")
        assert (request.path, request.query, request.host) == ("/a b\xff", "c=\xe9", "h")
        assert ("X-A", " \xff ") in request.headers

    @pytest.mark.parametrize("target", ["/x", b"/x", "http://h/x", "HTTPS://h/x"])
    def test_forms_of_the_target(self, target) -> None:
        request = awsign.Request.received("GET", target, [("Host", "h")])
        assert (request.path, request.authority, request.host) == ("/x", "h", "h")

    def test_http_2(self) -> None:
        request = awsign.Request.received("GET", "/x", [(":method", "GET"), (":authority", "h:1"), ("a", "b")])
        assert request.host == "h:1"

    @given(
        st.text(),
        st.one_of(st.text(), st.binary()),
        st.lists(st.tuples(st.text(), st.one_of(st.text(), st.binary()))),
        st.one_of(st.none(), st.binary(), st.text()),
    )
    def test_nothing_is_refused(self, method, target, headers, body) -> None:
        awsign.Request.received(method, target, headers, body)


def test_what_the_caller_changes_later_is_not_sent() -> None:
    pair = ["X-Amz-Foo", "1"]
    request = awsign.Request("GET", "https://host.example/", [pair])
    pair[1] = "2\r\nEvil: 1"
    assert request.headers == (("X-Amz-Foo", "1"),)
    given = [("X-Amz-Foo", "2")]
    request.headers = given
    given.append(("X-Amz-Bar", "3"))
    assert request.headers == (("X-Amz-Foo", "2"),)
    assert request.fields == {"x-amz-foo": "2"}
    request.headers = (pair for pair in given)
    signed = awsign.SigV4(awsign.Credentials("AKIDEXAMPLE", "secret-secret"), "s3", "us-east-1").sign(request)
    assert {"x-amz-foo", "x-amz-bar"} <= set(signed.derivation.signed_headers)
    assert dict(signed.headers)["X-Amz-Bar"] == "3"


def test_a_head_of_one_name_is_read_in_linear_time() -> None:
    import time

    def spent(count: int) -> float:
        start = time.perf_counter()
        awsign.Request.received("GET", "/", [("a", "1")] * count)
        return time.perf_counter() - start

    spent(1000)
    assert spent(400_000) < 60 * spent(20_000)


def test_strangers_fill_no_memory() -> None:
    import tracemalloc

    tracemalloc.start()
    for n in range(600):
        awsign.Request("GET", f"https://host.example/{n}{'x' * 100_000}", {f"x-{n}{'y' * 20_000}": "1"})
        awsign.Request("GET", f"https://h{n}{'o' * 20_000}.example/?X-Amz-Signature={n}")
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 4 << 20
