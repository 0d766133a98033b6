"""Signing and verifying 2 GiB as aws-chunked, beside the hashes that it takes: throughput and memory, each in a process of its own.

`python -m benchmarks.streams` prints all; with a job and a trailer ("" for none) it prints that one as JSON. Blocks arrive as a
socket gives them, 64 KiB at odd places; making them is not timed. The hashes are timed in slices between those of the stream, so
that the machine is the same for both.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import awsign
from awsign.checksum import Checksum

KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
SIZE = 2 << 30
BLOCK = 1 << 16
TRAILERS = (None, "CRC32", "CRC32C", "CRC64NVME", "SHA256")


def blocks() -> Iterator[bytes]:
    """2 GiB out of 8 MiB that do not fit into the caches of a core."""
    made = [random.Random(n).randbytes(BLOCK) for n in range(128)]
    for n in range(SIZE // BLOCK):
        yield made[n % 128]


class Clock:
    """Times what it is told to, and the hashes of the same bytes beside it."""

    def __init__(self, trailer: str | None) -> None:
        self.spent = self.hashing = 0.0
        self._sha256 = sha256()
        self._checksum = Checksum(trailer) if trailer else None

    def hash(self, block: bytes) -> None:
        start = time.perf_counter()
        self._sha256.update(block)
        if self._checksum is not None:
            self._checksum.update(block)
        self.hashing += time.perf_counter() - start


def sign(trailer: str | None) -> Clock:
    clock = Clock(trailer)

    def source() -> Iterator[bytes]:
        for block in blocks():
            start = time.perf_counter()
            clock.hash(block)
            clock.spent -= time.perf_counter() - start  # Not the stream's.
            yield block

    request = awsign.Request("PUT", "https://bucket.s3.us-east-1.amazonaws.com/key", body=source())
    body = signer().sign(request, payload=awsign.Chunked(SIZE, trailer=trailer)).body
    start = time.perf_counter()
    sent = sum(map(len, body))
    clock.spent += time.perf_counter() - start
    assert sent == body.content_length
    return clock


def verify(trailer: str | None) -> Clock:
    clock = Clock(trailer)
    request = awsign.Request("PUT", "https://bucket.s3.us-east-1.amazonaws.com/key", body=blocks())
    signed = signer().sign(request, payload=awsign.Chunked(SIZE, trailer=trailer))
    received = awsign.Request.received("PUT", "/key", signed.headers)
    body = awsign.Verifier({KEY: SECRET}.get).verify(received).body
    given = 0
    for block in recut(signed.body):
        clock.hash(block)
        start = time.perf_counter()
        given += len(body.feed(block))
        clock.spent += time.perf_counter() - start
    given += len(body.close())
    assert given == SIZE
    return clock


def recut(pieces: Iterator[bytes]) -> Iterator[bytes]:
    buffer = bytearray()
    for piece in pieces:
        buffer += piece
        while len(buffer) >= BLOCK:
            yield bytes(buffer[:BLOCK])
            del buffer[:BLOCK]
    yield bytes(buffer)


def signer() -> awsign.SigV4:
    return awsign.SigV4(awsign.Credentials(KEY, SECRET), "s3", "us-east-1")


JOBS: dict[str, Callable[[str | None], Clock]] = {"sign": sign, "verify": verify}


def table() -> None:
    print("\nStreams of 2 GiB, beside SHA-256 (and the trailer's checksum) of the same bytes")
    for job in JOBS:
        for trailer in TRAILERS:
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.streams", job, trailer or ""], check=True, capture_output=True, text=True
            )
            told = json.loads(done.stdout)
            name = f"{job}{', trailer ' + trailer if trailer else ''}"
            print(f"  {name:32} {told['rate']:6.2f} GiB/s   {told['share']:5.0%} of the hashes   {told['memory']:4.0f} MiB at most")


def case(job: str, trailer: str) -> None:
    clock = JOBS[job](trailer or None)
    memory = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
    print(json.dumps({"rate": SIZE / clock.spent / 2**30, "share": clock.hashing / clock.spent, "memory": memory}))


if __name__ == "__main__":
    case(*sys.argv[1:]) if sys.argv[1:] else table()
