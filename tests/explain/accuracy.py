"""`make explain-accuracy`: how often the right kind is first, by kind."""

from __future__ import annotations

import sys
import time
from collections import Counter

import awsign

from .cases import GENERATORS, Case, Draw, matching

EACH = 50


def verdict(case: Case) -> tuple[str, awsign.Report]:
    """ "first", "group" (the evidence does not separate it, and the report says so), "later", or "missed"."""
    report = awsign.explain(case.request, case.credentials, case.response, case.at)
    kinds = [cause.kind for cause in report.causes]
    if case.kind is None:
        return ("first" if report.matches else "missed"), report
    if kinds[:1] == [case.kind]:
        return "first", report
    if kinds and case.kind in report.causes[0].alternatives:
        return "group", report
    return ("later" if case.kind in kinds else "missed"), report


def measure(each: int = EACH, only: str | None = None) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for n, (kind, generator) in enumerate([*GENERATORS.items(), ("(matching)", matching)]):
        if only and kind != only:
            continue
        found[kind] = Counter()
        for seed in range(each if kind != "(matching)" else each * 6):
            case = generator(Draw(1000 * n + seed))
            outcome, report = verdict(case)
            found[kind][outcome] += 1
            if only and outcome not in ("first", "group"):
                print(seed, outcome, report.causes, case.request[:1500])
    return found


def main() -> int:
    only = sys.argv[1] if len(sys.argv) > 1 else None
    start = time.perf_counter()
    found = measure(only=only)
    print(f"{'kind':32} {'first':>6} {'group':>6} {'later':>6} {'missed':>6}   right")
    total: Counter[str] = Counter()
    for kind, counts in found.items():
        total += counts
        right = (counts["first"] + counts["group"]) / counts.total()
        print(f"{kind:32} {counts['first']:6} {counts['group']:6} {counts['later']:6} {counts['missed']:6}   {right:6.1%}")
    right = (total["first"] + total["group"]) / total.total()
    print(
        f"{total.total()} cases of {len(found)} kinds in {time.perf_counter() - start:.0f} s: {right:.1%} right, {total['first'] / total.total():.1%} by the kind itself"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
