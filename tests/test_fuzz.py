"""Whatever arrives at a parser: refused in its own words, or read; nothing else. `make fuzz` runs each for longer."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

import awsign
from awsign.event_stream import Decoder, MessageError
from awsign.explainer.answer import Answer, as_response
from awsign.explainer.material import read

from . import tamper
from .explain.by_hand import HAND
from .test_event_stream import some_frames

VALID = list(tamper.valid().values())
HEADED = [message for message in VALID if any(name == b"Authorization" for name, _ in message.headers)]
QUERIED = [message for message in VALID if b"Signature=" in message.target]
STREAMED = tamper.valid()["sigv4 chunks"]
FRAMES = some_frames(2)[1]
FORM = tamper.valid()["form"]
TEXTS = [case.request if isinstance(case.request, bytes) else case.request.encode() for case in HAND]
ANSWERS = [case.response for case in HAND if isinstance(case.response, bytes)]

# What grammars are made of, so that a change means something.
_PIECES = st.one_of(
    st.binary(max_size=12),
    st.sampled_from([b"\r\n", b"\n", b"=", b"&", b";", b",", b"%", b"%2F", b"%00", b"+", b" ", b"\t", b"\0", b"\xff", b"0", b"ffffffff", b"'", b'"', b"{", b"}", b"--", b"\\"]),
    st.sampled_from([b"Credential=", b"SignedHeaders=", b"Signature=", b"X-Amz-", b"aws4_request", b";chunk-signature=", b"x-amz-trailer-signature:", b"Content-Disposition: form-data; name="]),
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn, corpus: list[bytes]) -> bytes:
    """One of a corpus with some of its pieces replaced, taken out, repeated or added."""
    text = draw(st.sampled_from(corpus))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 30)))
        piece = draw(st.one_of(_PIECES, st.just(text[start:end] * 2)))
        text = text[:start] + piece + text[end:]
    return text


def verify(message: tamper.Message) -> None:
    with contextlib.suppress(awsign.SignatureError):
        message.verify()


@given(st.sampled_from(HEADED), st.data())
def test_authorization(message, data) -> None:
    value = data.draw(mutated([value for name, value in message.headers if name == b"Authorization"]))
    verify(message.with_headers([(n, value if n == b"Authorization" else v) for n, v in message.headers]))


@given(st.sampled_from(QUERIED), st.data())
def test_query(message, data) -> None:
    verify(message.with_target(data.draw(mutated([message.target]))))


@given(mutated([STREAMED.body[:200] + STREAMED.body[-400:], STREAMED.body[-300:], b"0;chunk-signature=\r\n\r\n"]))
def test_chunks(body) -> None:
    verify(tamper.Message(STREAMED.method, STREAMED.target, STREAMED.headers, body))


@given(mutated([FORM.body]))
def test_multipart(body) -> None:
    verify(tamper.Message(FORM.method, FORM.target, FORM.headers, body))


@given(mutated([b"".join(FRAMES), FRAMES[0]]))
def test_frames(frames) -> None:
    with contextlib.suppress(MessageError):
        Decoder().feed(frames)


@given(mutated([text for text in TEXTS if text.startswith(b"curl")]))
def test_curl_lines(line) -> None:
    with contextlib.suppress(awsign.InvalidRequest):
        read(line)


@given(mutated(TEXTS))
def test_what_is_pasted(text) -> None:
    with contextlib.suppress(awsign.InvalidRequest):
        report = awsign.explain(text, tamper.PLAIN, None, tamper.AT, effort="quick")
        assert tamper.SECRET not in str(report)


@given(mutated(ANSWERS))
def test_answers(answer) -> None:
    Answer(as_response(answer))


@given(
    st.lists(st.tuples(st.text(max_size=20), st.text(max_size=40)), max_size=8),
    st.text(max_size=60),
    st.binary(max_size=60),
    st.text(max_size=8),
)
def test_a_request_of_anything(headers, target, body, method) -> None:
    request = awsign.Request.received(method, target, headers, body)
    with contextlib.suppress(awsign.SignatureError):
        tamper.VERIFIER.verify(request)
    assert awsign.explain(request, tamper.PLAIN, None, tamper.AT, effort="quick").causes


@pytest.mark.parametrize(
    "deep", [b'{"log":' * 20_000, b"[" * 100_000, b"<a>" * 50_000, b"--bb\r\n" * 20_000, b"a=b&" * 50_000, b"%2F../" * 20_000]
)
def test_what_is_deep_or_long(deep) -> None:
    for message in (
        b"GET /?" + deep + b" HTTP/1.1\r\nHost: h\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % len(deep) + deep,
    ):
        with contextlib.suppress(awsign.InvalidRequest):
            awsign.explain(message, tamper.PLAIN, deep, tamper.AT, effort="quick")
