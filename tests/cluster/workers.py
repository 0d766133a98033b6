"""What the jobs' workers import: sources of credentials, and the keys that all jobs are of."""

from __future__ import annotations

import datetime
import itertools
import zlib

import awsign

BUCKET, REGION = "my-bucket", "us-east-1"
AT = datetime.datetime(2026, 1, 15, 12, 34, 56, tzinfo=datetime.UTC)
CREDENTIALS = awsign.Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
MANY = 10_000_000


def key_of(number: int) -> str:
    """Of ten keys one needs quoting. Spark makes the same ones by an expression."""
    return f"photos/{number}.jpg" if number % 10 else f"año {number}/a+b.jpg"


def on_the_worker() -> awsign.Credentials:
    """Called where the URLs are made."""
    return CREDENTIALS


class ShortLived:
    """A provider whose credentials are others every few times that it is asked, as those of a job that outlives its first ones."""

    def __init__(self) -> None:
        self._asked = itertools.count()

    def get(self) -> awsign.Credentials:
        return awsign.Credentials(f"ASIAEXAMPLE{next(self._asked) // 2}", CREDENTIALS.secret_access_key, "token")


def sum_of(urls: list[str]) -> tuple[int, int]:
    """What is the same for the same URLs in any order: the sum and the exclusive or of their CRC-32."""
    total = mixed = 0
    for url in urls:
        value = zlib.crc32(url.encode())
        total += value
        mixed ^= value
    return total, mixed
