"""More processes, and threads where an interpreter has no lock: URLs a second, by how many of them make URLs."""

from __future__ import annotations

import multiprocessing
import os
import sys
import sysconfig
import threading
import time
from collections.abc import Iterator
from typing import Any

import awsign

from .presigning import BUCKET, PLAIN, REGION, mixed_keys
from .rounds import Result, Table, show

_SECONDS = 3.0
_ROUNDS = 5


def _work(begin: Any, made: Any, index: int) -> None:
    presigner = awsign.S3Presigner(awsign.Credentials(PLAIN.access_key, PLAIN.secret), REGION, BUCKET)
    keys = mixed_keys(1000)
    presigner.urls(keys)
    begin.wait()
    end, count = time.perf_counter() + _SECONDS, 0
    while time.perf_counter() < end:
        presigner.urls(keys)
        count += len(keys)
    made[index] = count


def _rate(workers: int, threads: bool) -> float:
    """URLs a second of so many workers."""
    if threads:
        begin: Any = threading.Barrier(workers)
        made: Any = [0] * workers
        running: list[Any] = [threading.Thread(target=_work, args=(begin, made, n)) for n in range(workers)]
    else:
        context = multiprocessing.get_context("spawn")
        begin, made = context.Barrier(workers), context.Array("q", workers)
        running = [context.Process(target=_work, args=(begin, made, n)) for n in range(workers)]
    for worker in running:
        worker.start()
    for worker in running:
        worker.join()
    return sum(made) / _SECONDS


def tables() -> Iterator[Table]:
    free = bool(sysconfig.get_config_var("Py_GIL_DISABLED")) and not getattr(sys, "_is_gil_enabled", lambda: True)()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
    for threads in (False, True) if free else (False,):
        what = "thread" if threads else "process"
        counts = sorted({1, 2, os.cpu_count() or 1})
        rates: dict[int, list[float]] = {count: [] for count in counts}
        for _ in range(_ROUNDS):
            for count in counts:
                rates[count].append(_rate(count, threads))
        best = {count: max(each) for count, each in rates.items()}
        rows = [
            Result(
                f"{count} {what}{'es' if count > 1 and not threads else 's' * (count > 1)}",
                1e6 / rate,
                best[1] and rate / best[1],
                (rate / best[1],) * 2,
                None,
            )
            for count, rate in best.items()
        ]
        table = Table(
            f"Presigning by {what}es at once, each URL; the factor is of the rate"
            if not threads
            else "Presigning by threads without a lock",
            rows,
        )
        show(table)
        yield table
