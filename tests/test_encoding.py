"""The byte rules, as properties."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from awsign import Rules
from awsign.canonical import canonical_path
from awsign.encoding import decode, encode, encode_path, fold, readable, remove_dot_segments, unfold, utf8

wire = st.text(st.characters(max_codepoint=255))


@given(wire)
def test_encoding_is_undone_by_decoding(text) -> None:
    assert decode(encode(text)) == text
    assert decode(encode_path(text)) == text
    assert re.fullmatch(r"(?:[A-Za-z0-9\-._~]|%[0-9A-F]{2})*", encode(text))


@given(st.binary())
def test_bytes_survive(data) -> None:
    assert utf8(readable(data.decode("latin-1"))).encode("latin-1") == data


@given(wire.map(lambda text: "/" + text))
def test_normalized_paths_have_no_dots_left(path) -> None:
    result = remove_dot_segments(path)
    assert result.startswith("/")
    assert not {"", ".", ".."} & set(result.split("/")[1:-1])
    assert remove_dot_segments(result) == result


@given(wire.map(lambda text: "/" + text))
def test_the_path_of_an_s3_key_is_a_fixed_point(path) -> None:
    rules = Rules(path="as-is", encode="once")
    once = canonical_path(path, rules)
    # A `%25` of a first encoding stays one: what was sent is read once.
    assert decode(once) == decode(path)
    assert canonical_path(once, rules) == once


def test_an_escaped_slash() -> None:
    assert canonical_path("/a%2Fb", Rules(path="as-is", encode="once")) == "/a/b"
    assert canonical_path("/a%2F.%2Fb", Rules(path="normalize", encode="once")) == "/a%2F.%2Fb"
    assert canonical_path("/a%2fb", Rules()) == "/a%252fb"


@given(wire)
def test_folding(value) -> None:
    folded = fold(value)
    assert fold(folded) == folded
    assert folded == re.sub("[ \t\n\r]+", " ", value).strip(" ")  # RFC 9110, section 5.6.3, and a line's fold
    assert unfold("a  b\r\n  c ") == "a  b c"


def test_only_ascii_white_space_is_folded() -> None:
    assert fold("\u00a0a\u00a0\u00a0b\u0085") == "\u00a0a\u00a0\u00a0b\u0085"
