"""Every test vector, each its own test; what does not apply is in vectors/exceptions.toml or of a kind yet to be built."""

from __future__ import annotations

from typing import Any

import pytest

from .vectors import harness

ALL = [case for _, listed in harness.cases(harness.HERE) for case in listed]


@pytest.mark.parametrize("case", [case for case in ALL if case["kind"] in harness.CHECKS], ids=lambda case: case["id"])
def test_vector(case: dict[str, Any]) -> None:
    try:
        harness.check(case)
    except harness.NotApplicable as reason:
        pytest.skip(str(reason))


def test_every_kind_is_built() -> None:
    assert {case["kind"] for case in ALL} <= set(harness.CHECKS)


def test_every_exception_is_still_needed() -> None:
    for exception in harness.exceptions():
        matching = [case for case in ALL if case["id"] == exception["id"]]
        assert matching, exception
        for case in matching:
            with pytest.raises((harness.Failed, AssertionError)):
                harness.CHECKS[case["kind"]](case)


@pytest.mark.parametrize(
    "kind",
    [
        "sigv4-header", "presign", "sigv2-query", "s3-v2-header", "unit-canonical-query", "verify-accept", "sigv4a-header",
        "sigv4a-query", "s3-chunked", "s3-chunked-trailer", "event-stream", "post-policy",
    ],
)  # fmt: skip
def test_the_harness_fails_a_case_whose_expectation_is_wrong(kind: str) -> None:
    """A harness that cannot fail shows nothing: spoil one expected value of each kind."""
    case = next(case for case in ALL if case["kind"] == kind and (kind == "post-policy" or "fields" not in case.get("request", {})))
    wrong = {"accept": False, "reason": "x"} if kind == "verify-accept" else dict.fromkeys(case["expected"], "wrong")
    with pytest.raises(harness.Failed):
        harness.check({**case, "expected": wrong})
