"""A query: its parameters, and how it is signed, as properties."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from awsign.encoding import encode
from awsign.query import Query, canonical_query, query_pairs

wire = st.text(st.characters(max_codepoint=255))
# What a query may be on its way: plain parameters, escapes of all kinds, and what no client writes.
piece = st.sampled_from(
    ["a", "B", "b", "X-Amz-Date", "x-amz-date", "%41", "%2F", "%2f", "%zz", "%", "+", " ", "/", "~", "=", "&", "\x00", "\xe9"]
)
query = st.lists(piece, max_size=12).map("".join) | wire


@given(query)
def test_a_canonical_query_is_a_fixed_point(text) -> None:
    once = canonical_query(text)
    assert canonical_query(once) == once


@given(st.lists(st.tuples(wire, wire)), st.randoms())
def test_a_canonical_query_does_not_depend_on_order(pairs, random) -> None:
    joined = [f"{encode(name)}={encode(value)}" for name, value in pairs]
    shuffled = joined[:]
    random.shuffle(shuffled)
    assert canonical_query("&".join(joined)) == canonical_query("&".join(shuffled))
    kept = [pair for pair in pairs if pair[0].lower() != "x-amz-signature"]
    assert sorted(query_pairs(canonical_query("&".join(joined)))) == sorted(kept)


def test_pairs_are_sorted_as_pairs() -> None:
    assert canonical_query("a=2&a-b=1&a=1&A=0&%61%2F=x") == "A=0&a=1&a=2&a%2F=x&a-b=1"
    assert canonical_query("a-b=1&a=2") == "a=2&a-b=1"
    assert canonical_query("x=%AA&y=a+b&z=%2B&w") == "w=&x=%AA&y=a%20b&z=%2B"
    assert (
        canonical_query("X-Amz-Signatures=1&X-Amz-Signature=2&x-amz-SIGNATURE=3&y=x-amz-signature")
        == "X-Amz-Signatures=1&y=x-amz-signature"
    )


@given(query)
def test_a_query_read_once_is_what_its_pairs_are(text) -> None:
    read, pairs = Query(text), query_pairs(text)
    assume("x-amz-signature" not in read.names)  # Which one leaves out, and the other is told to.
    assert read.canonical() == canonical_query(text)
    assert read.names == {encode(name).lower() for name, _ in pairs}
    assert read.encoded.keys() == {encode(name) for name, _ in pairs}
    for name, _ in pairs:
        assert read.get(encode(name)) in [value for other, value in pairs if other == name]
    lower = [encode(name).lower() for name, _ in pairs]
    assert sorted(name.lower() for name in read.repeated()) == sorted(
        name for n, name in enumerate(sorted(lower)) if name in sorted(lower)[:n]
    )
    if read.is_canonical:  # Then nothing in it is odd: a server cannot cut it, or drop a part of it.
        assert text.isprintable()
        assert "#" not in text
        assert sorted(text.split("&")) == sorted(read.canonical().split("&"))


@given(query)
def test_what_is_left_out_is_left_out(text) -> None:
    assume("x-amz-signature" not in Query(text).names)
    once = {name for name, _ in query_pairs(text) if [other for other, _ in query_pairs(text)].count(name) == 1}
    for name in once:
        rest = "&".join([f"{encode(n)}={encode(value)}" for n, value in query_pairs(text) if n != name])
        assert Query(text).canonical(encode(name)) == canonical_query(rest)
    assert Query(text).canonical("no-such-name") == canonical_query(text)
