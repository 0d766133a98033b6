"""Timing many contenders in one run: in interleaved rounds, on one core, with the garbage collector off.

A machine's speed changes from second to second. So each round times every contender once, one after the other, and a ratio is taken
within a round; what is told is the median of the ratios, and how far apart the middle half of them is.
"""

from __future__ import annotations

import gc
import os
import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

_ROUNDS = 15
_SHORTEST = 0.01  # Seconds that one contender runs in a round, at least.


class Contender(NamedTuple):
    """per: how many operations one call is of. fault: what is wrong with its results, None where they are right."""

    name: str
    act: Callable[[], object]
    per: int = 1
    fault: str | None = None


class Result(NamedTuple):
    """microseconds: of one operation, the median. ratio: how many times awsign's that is. spread: of the ratio's middle half."""

    name: str
    microseconds: float
    ratio: float
    spread: tuple[float, float]
    fault: str | None


class Table(NamedTuple):
    """unit: of the results' microseconds, where they are something else."""

    title: str
    results: list[Result]
    unit: str = "us"


def pin() -> None:
    """This process on one core, the last: the first has the machine's own work."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def race(title: str, contenders: list[Contender], rounds: int = _ROUNDS) -> Table:
    """Time contenders; the first is awsign, by which the others are measured."""
    counts = [_calibrated(contender.act) for contender in contenders]
    spent: list[list[float]] = [[] for _ in contenders]
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            for contender, count, times in zip(contenders, counts, spent, strict=True):
                act = contender.act
                start = time.perf_counter()
                for _ in range(count):
                    act()
                times.append((time.perf_counter() - start) / count / contender.per)
    finally:
        gc.enable()
    results = []
    for contender, times in zip(contenders, spent, strict=True):
        ratios = [theirs / ours for theirs, ours in zip(times, spent[0], strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        results.append(Result(contender.name, statistics.median(times) * 1e6, middle, (low, high), contender.fault))
    table = Table(title, results)
    show(table)
    return table


def _calibrated(act: Callable[[], object]) -> int:
    """How many calls take long enough to be timed."""
    act()
    count = 1
    while True:
        start = time.perf_counter()
        for _ in range(count):
            act()
        if time.perf_counter() - start > _SHORTEST:
            return count
        count *= 2


def show(table: Table) -> None:
    print(f"\n{table.title}", flush=True)
    for result in table.results:
        low, high = result.spread
        wrong = f"   wrong: {result.fault}" if result.fault else ""
        print(
            f"  {result.name:38} {result.microseconds:11.2f} {table.unit} {result.ratio:8.2f} x  ({low:.2f} to {high:.2f}){wrong}",
            flush=True,
        )
