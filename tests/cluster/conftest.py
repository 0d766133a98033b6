from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

import awsign

from .workers import AT, BUCKET, CREDENTIALS, MANY, REGION, key_of, sum_of


def _sum_of_range(start: int) -> tuple[int, int]:
    presigner = awsign.S3Presigner(CREDENTIALS, REGION, BUCKET, at=AT)
    return sum_of(presigner.urls(map(key_of, range(start, start + 500_000))))


@pytest.fixture(scope="session")
def right_sum() -> tuple[int, int]:
    """Of the ten million URLs as plain processes make them."""
    total = mixed = 0
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        for part, other in pool.map(_sum_of_range, range(0, MANY, 500_000)):
            total, mixed = total + part, mixed ^ other
    return total, mixed
