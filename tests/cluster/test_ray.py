"""A local Ray, with ten million keys."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

import awsign
from awsign.ray import Presign

from .workers import AT, BUCKET, CREDENTIALS, MANY, REGION, key_of, on_the_worker, sum_of

pytestmark = pytest.mark.filterwarnings("ignore")  # Its own, and those of what it runs.
SETTINGS = {"credentials": on_the_worker, "at": AT}


@pytest.fixture(scope="module")
def ray() -> Iterator[object]:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # It sends nothing to anybody.
    import ray

    ray.init(
        num_cpus=2, include_dashboard=False, logging_level=logging.ERROR, object_store_memory=2 << 30, log_to_driver=False,
        runtime_env={"env_vars": {"PYTHONPATH": str(Path.cwd())}},
    )  # fmt: skip
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    yield ray
    ray.shutdown()


def with_keys(batch: pa.Table) -> pa.Table:
    return pa.table({"key": [key_of(number) for number in batch.column("id").to_pylist()]})


def summed(batch: pa.Table) -> pa.Table:
    total, mixed = sum_of(batch.column("url").to_pylist())
    return pa.table({"count": [len(batch)], "total": [total], "mixed": [mixed]})


def test_ten_million_are_those_of_a_single_process(ray, right_sum: tuple[int, int]) -> None:
    made = ray.data.range(MANY, override_num_blocks=40).map_batches(with_keys, batch_format="pyarrow")
    urls = made.map_batches(Presign(BUCKET, REGION, **SETTINGS), batch_format="pyarrow", batch_size=None)
    count = total = mixed = 0
    for row in urls.map_batches(summed, batch_format="pyarrow", batch_size=None).iter_rows():
        count, total, mixed = count + row["count"], total + row["total"], mixed ^ row["mixed"]
    assert (count, total, mixed) == (MANY, *right_sum)


def test_by_actors(ray) -> None:
    data = ray.data.from_items([{"key": key_of(n), "n": n} for n in range(1000)])
    made = data.map_batches(
        Presign, fn_constructor_args=(BUCKET, REGION), fn_constructor_kwargs=SETTINGS | {"to": "link"}, batch_format="pyarrow", concurrency=1
    )  # fmt: skip
    presigner = awsign.S3Presigner(CREDENTIALS, REGION, BUCKET, at=AT)
    assert {row["n"]: row["link"] for row in made.take_all()} == {n: presigner.url(key_of(n)) for n in range(1000)}


def test_no_plan_shows_a_secret(ray) -> None:
    data = ray.data.from_items([{"key": "a"}]).map_batches(Presign(BUCKET, REGION, credentials=CREDENTIALS), batch_format="pyarrow")
    assert CREDENTIALS.secret_access_key not in f"{data!r} {data} {data.stats()}"
