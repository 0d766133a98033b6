"""Bodies: hashing what is sent, and signing it in chunks, beside the hash alone."""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Iterator

import awsign
from awsign.payload import hash_body

from .presigning import PLAIN, REGION
from .rounds import Contender, Table, race

_MIB = 1 << 20


def hashing(size: int, title: str) -> Iterator[Table]:
    data = bytes(range(256)) * (size // 256)
    with tempfile.TemporaryFile() as file:
        file.write(data)

        def by_hashlib() -> str:
            file.seek(0)
            return hashlib.file_digest(file, "sha256").hexdigest()

        def by_awsign() -> str:
            file.seek(0)
            return hash_body(file)[0]

        assert by_awsign() == by_hashlib()
        rounds = 15 if size < 100 * _MIB else 5
        yield race(
            f"Hashing a file of {title}", [Contender("awsign", by_awsign), Contender("hashlib.file_digest", by_hashlib)], rounds
        )
    if size < 100 * _MIB:
        yield race(
            f"Hashing {title} in memory",
            [Contender("awsign", lambda: hash_body(data)), Contender("hashlib.sha256", lambda: hashlib.sha256(data).hexdigest())],
        )


def chunks() -> Iterator[Table]:
    data = bytes(range(256)) * (32 * _MIB // 256)
    signer = awsign.SigV4(awsign.Credentials(PLAIN.access_key, PLAIN.secret), "s3", REGION)

    def signed() -> int:
        request = awsign.Request("PUT", "https://my-bucket.s3.us-east-1.amazonaws.com/key", body=io.BytesIO(data))
        return sum(map(len, signer.sign(request, payload=awsign.Chunked(len(data), chunk_size=65536)).body))

    def hashed() -> str:
        file, digest = io.BytesIO(data), hashlib.sha256()
        while block := file.read(65536):
            digest.update(block)
        return digest.hexdigest()

    yield race(
        "Signing 32 MiB in chunks of 64 KiB",
        [Contender("awsign Chunked", signed), Contender("SHA-256 alone, as many bytes", hashed)],
        9,
    )


def tables() -> Iterator[Table]:
    yield from hashing(_MIB, "1 MiB")
    yield from hashing(1024 * _MIB, "1 GiB")
    yield from chunks()
