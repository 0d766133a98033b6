"""One shape sent by one client, and the verdict."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import NamedTuple

import awsign

from .judge import Keys, Wrong, body_of, judge, query_of
from .listener import Arrival, Listener
from .senders import Case, NotApplicable, Sender
from .shapes import ANYWHERE, Shape

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
PLAIN = Keys("AKIDEXAMPLE", SECRET)
WITH_TOKEN = Keys("ASIAEXAMPLE", SECRET, "FwoGZXIvYXdzEXAMPLE//TOKEN+==")


class Verdict(NamedTuple):
    """word: verified, refused (before anything was sent, or before the rest was), changed (it verifies, but is not what was asked
    for), wrong (it does not verify), leaked (something secret went elsewhere), failed (anything else), n/a.
    """

    word: str
    why: str = ""


def attempt(sender: Sender, shape: Shape, service: str, listener: Listener, other: Listener) -> Verdict:
    shape = copy.deepcopy(shape)
    keys = WITH_TOKEN if shape.token else PLAIN
    answers = [
        answer and (answer[0], [(name, _written(value, other)) for name, value in answer[1]], answer[2]) for answer in shape.answers
    ]
    listener.expect(answers)
    other.expect()
    case = Case(shape, listener.url, keys, service, listener.context)
    error: Exception | None = None
    try:
        sender(case)
    except NotApplicable as why:
        return Verdict("n/a", str(why))
    except Exception as raised:
        error = raised
    finally:
        case.close()
    return _verdict(shape, service, keys, [*listener.arrivals], [*other.arrivals], error)


def _written(value: str, other: Listener) -> str:
    if value.startswith("AHEAD "):
        return format_datetime(datetime.now(UTC) + timedelta(seconds=int(value.split()[1])), usegmt=True)
    return value.replace("http://OTHER", other.url)


def _verdict(
    shape: Shape, service: str, keys: Keys, here: list[Arrival], elsewhere: list[Arrival], error: Exception | None
) -> Verdict:
    for arrival in elsewhere:
        names = {name.decode("latin-1").lower() for name, _ in arrival.headers}
        if found := {name for name in names if name == "authorization" or name.startswith("x-amz-")}:
            return Verdict("leaked", ", ".join(sorted(found)))
    wanted = [what for what in shape.arrivals if what != "elsewhere"]
    for number, (arrival, what) in enumerate(zip(here, wanted, strict=False)):
        if what == "stale":
            continue
        region = "us-east-1"
        clock = shape.clock if "stale" in wanted[:number] else timedelta(0)
        try:
            judge(arrival, keys, service, region, clock=clock)
        except Wrong as why:
            return Verdict("wrong", str(why))
        if number == 0 and (why := _changed(shape, service, arrival)):
            return Verdict("changed", why)
        if number > 0 and what == "signed" and shape.category in ("again",) and (why := _changed(shape, service, arrival)):
            return Verdict("changed", why)
    if error is not None:
        why = f"{type(error).__name__}: {error}"
        refused = not here or _from_awsign(error)
        return Verdict("refused" if refused else "failed", why[:300])
    if len(here) != len(wanted) or len(elsewhere) != len(shape.arrivals) - len(wanted):
        return Verdict("wrong", f"{len(here)} requests arrived and {len(elsewhere)} elsewhere, not {shape.arrivals}")
    return Verdict("verified")


def _from_awsign(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, awsign.AwsignError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _changed(shape: Shape, service: str, arrival: Arrival) -> str:
    """What the application would get of a request that is not what was asked for."""
    path, _, query = arrival.target.partition(b"?")
    if _meant(path, service) != _meant_bytes(shape.path_bytes, service):
        return f"the path is {path[:60]!r}"
    if sorted(query_of(query)) != shape.pairs:
        return f"the query is {query[:60]!r}"
    for name, value in shape.headers.items():
        if name.lower().startswith("x-amz-meta-") and arrival.all(name.lower()) != [
            value if isinstance(value, bytes) else value.encode()
        ]:
            return f"{name} is {arrival.all(name.lower())}"
    return "" if _same_body(shape, arrival) else f"the body is {body_of(arrival)[:40]!r} of {len(arrival.body)}"


def _meant(path: bytes, service: str) -> bytes:
    from urllib.parse import unquote_to_bytes

    return _meant_bytes(unquote_to_bytes(path), service)


def _meant_bytes(path: bytes, service: str) -> bytes:
    """The resource: S3's keys are exact, other paths are what is left without dot and empty segments."""
    if service == "s3":
        return path
    kept: list[bytes] = []
    for piece in path.split(b"/"):
        if piece == b"..":
            kept[-1:] = []
        elif piece not in (b"", b"."):
            kept.append(piece)
    return b"/".join(kept)


def _same_body(shape: Shape, arrival: Arrival) -> bool:
    kind, content = shape.body
    body = body_of(arrival)
    if arrival.method == b"GET" and shape.method != "GET":
        return body == b""
    if kind == "form":
        return dict(query_of(body)) == {name.encode(): value.encode() for name, value in content.items()}
    if kind == "json":
        return bool(json.loads(body) == content)
    if kind == "multipart":
        return all(data in body for _, data in content.values())
    if kind == "file":
        data, offset = content
        return bool(body == data[offset:])
    if kind in ("generator", "sized", "async", "sized async"):
        return body == b"".join(content)
    return body == {"none": lambda: b"", "str": lambda: content.encode()}.get(kind, lambda: content)()


__all__ = ["ANYWHERE", "Verdict", "attempt"]
