"""Bodies: hashed without being lost, in constant memory, or refused with the choices there are."""

from __future__ import annotations

import asyncio
import io
import os
import tempfile
from hashlib import sha256

import pytest

import awsign
from awsign.payload import hash_body, spool_async

URL = "https://bucket.s3.us-east-1.amazonaws.com/k"
CREDENTIALS = awsign.Credentials("AKID", "secret")


def sign(body: object, **options: object) -> awsign.Signed:
    return awsign.SigV4(CREDENTIALS, **options).sign(awsign.Request("PUT", URL, body=body))


def hash_of(signed: awsign.Signed) -> str:
    return signed.derivation.canonical_request.rpartition("\n")[2]


def test_a_file_is_hashed_from_where_it_stands_and_stands_there_again(tmp_path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"head" + b"x" * 3_000_000)
    with path.open("rb") as file:
        file.seek(4)
        signed = sign(file)
        assert signed.body is file
        assert file.tell() == 4
        assert hash_of(signed) == sha256(b"x" * 3_000_000).hexdigest()


def test_an_iterable_is_spooled_and_can_be_sent() -> None:
    for blocks in ([], [b"a", b"", b"b"], [b"x" * 700_000] * 3):
        signed = sign(iter(blocks))
        data = b"".join(blocks)
        assert hash_of(signed) == sha256(data).hexdigest()
        with signed.body:
            assert signed.body.read() == data


def test_past_a_mebibyte_it_is_a_temporary_file() -> None:
    for size, rolled in ((1 << 20, False), ((1 << 20) + 1, True)):
        with sign(iter([b"x" * size])).body as body:
            assert isinstance(body, io.BytesIO) is not rolled


def test_a_file_that_cannot_seek_is_spooled() -> None:
    read, write = os.pipe()
    with os.fdopen(write, "wb") as out:
        out.write(b"piped")
    with os.fdopen(read, "rb") as pipe:
        signed = sign(pipe)
    with signed.body as body:
        assert (hash_of(signed), body.read()) == (sha256(b"piped").hexdigest(), b"piped")


def test_where_the_caller_forbids_it_the_error_names_the_choices() -> None:
    with pytest.raises(awsign.InvalidRequest, match=r"UNSIGNED_PAYLOAD.*SHA-256.*seekable"):
        sign(iter([b"a"]), iterables="refuse")
    with pytest.raises(awsign.InvalidRequest, match="'spool' or 'refuse'"):
        sign(b"", iterables="maybe")


def test_unsigned_bodies_are_not_touched() -> None:
    def never() -> object:
        raise AssertionError("read")
        yield b""

    body = never()
    signed = awsign.SigV4(CREDENTIALS).sign(awsign.Request("PUT", URL, body=body), payload=awsign.UNSIGNED_PAYLOAD)
    assert signed.body is body
    assert awsign.SigV4(CREDENTIALS).sign(awsign.Request("PUT", URL, body=body), payload=sha256(b"").hexdigest()).body is body


def test_async_iterables() -> None:
    async def blocks() -> object:
        for _ in range(3):
            yield b"x" * 500_000

    with pytest.raises(awsign.InvalidRequest, match="spool_async"):
        sign(blocks())
    with asyncio.run(spool_async(blocks())) as file:
        assert hash_of(sign(file)) == sha256(b"x" * 1_500_000).hexdigest()


@pytest.mark.parametrize("body", [io.StringIO("text"), iter(["text"]), iter([5])])
def test_what_gives_no_bytes(body) -> None:
    with pytest.raises(TypeError):
        sign(body)


def test_a_text_file_is_told_to_be_opened_in_binary(tmp_path) -> None:
    path = tmp_path / "text"
    path.write_text("text")
    with path.open() as file, pytest.raises(TypeError, match="binary mode"):
        sign(file)


def test_a_file_that_fails_is_put_back() -> None:
    class Broken(io.BytesIO):
        def read(self, size: int = -1) -> bytes:
            if self.tell() > 1 << 20:
                raise OSError("disk on fire")
            return super().read(size)

    broken = Broken(b"x" * (3 << 20))
    with pytest.raises(OSError, match="disk on fire"):
        sign(broken)
    assert broken.tell() == 0


def test_a_file_that_has_nothing_yet() -> None:
    class Late(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def read(self, size: int = -1) -> None:
            return None

    with pytest.raises(awsign.InvalidRequest, match="blocking"):
        sign(Late())


def test_hashing_a_large_file_takes_constant_memory() -> None:
    import tracemalloc

    with tempfile.TemporaryFile() as file:
        file.truncate(64 << 20)
        tracemalloc.start()
        hash_body(file)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert most < 4 << 20
