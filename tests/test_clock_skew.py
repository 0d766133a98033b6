"""The clock of an endpoint, learnt from its refusals: OpenStack Swift's, MiniStack's and our own; and what is not believed."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

import awsign
from awsign import ClockSkew, Response

from .conftest import KEY, SECRET
from .wire import send_whole

CREDENTIALS = awsign.Credentials(KEY, SECRET)
URL = "https://dynamodb.us-east-1.amazonaws.com/"
NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)


def refused(code: str, ahead: timedelta | None, status: int = 400, shape: str = "json") -> Response:
    headers = {} if ahead is None else {"Date": format_datetime(NOW + ahead, usegmt=True)}
    bodies = {
        "json": f'{{"__type": "com.amazon.coral.service#{code}"}}',
        "xml": f"<Error><Code>{code}</Code></Error>",
        "header": "",
    }
    return Response(status, headers | ({"X-Amzn-ErrorType": f"{code}:http://x"} if shape == "header" else {}), bodies[shape])


@pytest.mark.parametrize("wrong", [timedelta(hours=-3), timedelta(hours=3), timedelta(days=400), timedelta(minutes=-20)])
@pytest.mark.parametrize("server", ["serve", "swift", "ministack"])
def test_a_clock_that_is_wrong_is_corrected(server, wrong, request) -> None:
    """Signed by it, refused; signed again by the server's, accepted; and so is the next one at once."""
    found = request.getfixturevalue(server)
    url, key, secret = found if isinstance(found, tuple) else (found, KEY, SECRET)
    signer = awsign.SigV4(awsign.Credentials(key, secret), "s3", "us-east-1")
    skew = ClockSkew(clock=lambda: datetime.now(UTC) + wrong)
    get = awsign.Request("GET", f"{url}/")
    first = send_whole(signer.sign(get, at=skew.now(url)))
    assert first.status == 403
    assert skew.learn(url, first)
    assert abs(skew.offset(url) + wrong) < timedelta(seconds=5)
    for _ in range(2):
        assert send_whole(signer.sign(get, at=skew.now(url))).status == 200


@pytest.mark.parametrize("shape", ["json", "xml", "header"])
@pytest.mark.parametrize(
    ("code", "ahead", "status", "learnt"),
    [
        ("RequestTimeTooSkewed", timedelta(hours=1), 403, True),
        ("RequestExpired", timedelta(hours=1), 400, True),
        ("RequestInTheFuture", timedelta(minutes=-1), 500, True),
        ("RequestTimeTooSkewed", timedelta(0), 403, False),
        ("RequestTimeTooSkewed", None, 403, False),
        ("RequestTimeTooSkewed", timedelta(hours=1), 200, False),
        ("InvalidSignatureException", timedelta(minutes=5), 400, True),
        ("SignatureDoesNotMatch", timedelta(minutes=-5), 403, True),
        ("AuthFailure", timedelta(minutes=5), 401, True),
        ("SignatureDoesNotMatch", timedelta(minutes=3), 403, False),
        ("AccessDenied", timedelta(hours=1), 403, False),
        ("ThrottlingException", timedelta(hours=1), 400, False),
    ],
)
def test_what_is_believed(shape, code, ahead, status, learnt) -> None:
    skew = ClockSkew(clock=lambda: NOW)
    assert skew.learn(URL, refused(code, ahead, status, shape)) is learnt
    assert skew.offset(URL) == (ahead if learnt else timedelta(0))
    assert skew.now("https://another.example/") == NOW


def test_it_is_held_against_the_time_of_the_signature() -> None:
    """Another thread may have learnt in between: then the next signature is right already, and this one is still worth a second."""
    skew = ClockSkew(clock=lambda: NOW)
    answer = refused("RequestTimeTooSkewed", timedelta(hours=1))
    assert skew.learn(URL, answer, signed_at=NOW)
    assert skew.learn(URL, answer, signed_at=NOW)
    assert not skew.learn(URL, answer, signed_at=NOW + timedelta(hours=1))
    assert skew.now(URL) == NOW + timedelta(hours=1)


def test_s3_tells_its_time_in_the_body() -> None:
    body = "<Error><Code>RequestTimeTooSkewed</Code><ServerTime>2026-01-15T14:00:00Z</ServerTime></Error>"
    skew = ClockSkew(clock=lambda: NOW)
    assert skew.learn(URL, Response(403, {"Date": "nonsense"}, body))
    assert skew.offset(URL) == timedelta(hours=2)


@pytest.mark.parametrize("date", ["nonsense", "", "Thu, 01 Jan 1970 00:00:00", "9999-99-99"])
def test_dates_that_are_none(date) -> None:
    skew = ClockSkew(clock=lambda: NOW)
    skew.learn(URL, Response(403, {"Date": date}, "<Code>RequestTimeTooSkewed</Code>"))
    assert skew.now(URL).tzinfo is not None


def test_endpoints_are_told_apart_by_scheme_host_and_port() -> None:
    skew = ClockSkew(clock=lambda: NOW)
    skew.learn("https://Host.example:9000/a?b=c@d", refused("RequestTimeTooSkewed", timedelta(hours=1)))
    for url, offset in (("https://host.example:9000/x", 1), ("http://host.example:9000/", 0), ("https://host.example/", 0)):
        assert skew.offset(url) == timedelta(hours=offset)


def test_many_endpoints_and_threads() -> None:
    skew = ClockSkew(clock=lambda: NOW)
    answer = refused("RequestTimeTooSkewed", timedelta(hours=1))

    def learn(first: int) -> None:
        for number in range(first, first + 500):
            skew.learn(f"https://{number}.example/", answer, signed_at=NOW)

    threads = [threading.Thread(target=learn, args=(first * 400,)) for first in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(skew._offsets) == 1024
