"""`awsign presign --from`: lists in each format, interrupted, in several processes, with bad lines."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from benchmarks.judging import fault_of_url

from .conftest import KEY, SECRET
from .on_the_wire.judge import Keys

KEYS = Keys(KEY, SECRET)


def awsign(*arguments: str, given: bytes = b"", check: int | None = 0) -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run(command(*arguments), input=given, capture_output=True, env=environment(), check=False)
    assert check is None or done.returncode == check, done.stderr.decode()
    assert SECRET.encode() not in done.stderr
    return done


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "awsign.cli.main", *arguments]


def environment() -> dict[str, str]:
    return os.environ | {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "us-east-1"}


def right(url: str, key: str, bucket: str = "my-bucket") -> bool:
    return fault_of_url(url, key, KEYS, bucket) is None


def names(count: int) -> list[str]:
    return [f"photos/{n:06}.jpg" if n % 5 else f"é {n} (final)+.pdf" for n in range(count)]


def test_text(tmp_path: Path) -> None:
    keys = ["a b", "é/写真.jpg", "100%", "x?y#z", " leading", "tab\tin it", "last without a line break"]
    given = "\n".join(keys).encode()
    piped = awsign("presign", "--from", "-", "s3://my-bucket", given=given).stdout.decode()
    rows = [line.rpartition("\t") for line in piped.splitlines()]
    assert [key for key, _, _ in rows] == keys
    assert all(right(url, key) for key, _, url in rows)
    (tmp_path / "keys.txt").write_bytes(given.replace(b"\n", b"\r\n"))
    awsign("presign", "--from", str(tmp_path / "keys.txt"), "--to", str(tmp_path / "urls.txt"), "s3://my-bucket/in/")
    rows = [line.rpartition("\t") for line in (tmp_path / "urls.txt").read_text().splitlines()]
    assert [key for key, _, _ in rows] == keys
    assert all(right(url, f"in/{key}") for key, _, url in rows)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["keys.txt", "urls.txt"]


def test_an_empty_list(tmp_path: Path) -> None:
    assert awsign("presign", "--from", "-", "s3://my-bucket").stdout == b""
    (tmp_path / "keys.txt").touch()
    awsign("presign", "--from", str(tmp_path / "keys.txt"), "--to", str(tmp_path / "urls.txt"), "s3://my-bucket")
    assert (tmp_path / "urls.txt").read_bytes() == b""


def test_csv() -> None:
    given = 'id,key,note\r\n1,a b,"x, ""y"""\r\n2,"two\r\nlines",\r\n\r\n3,é,z\r\n'
    out = awsign("presign", "--from", "-", "--list-format", "csv", "s3://my-bucket", given=b"\xef\xbb\xbf" + given.encode()).stdout
    header, *rows = csv.reader(io.StringIO(out.decode(), newline=""))
    assert header == ["id", "key", "note", "url"]
    assert [row[:3] for row in rows] == [["1", "a b", 'x, "y"'], ["2", "two\r\nlines", ""], ["3", "é", "z"]]
    assert all(right(row[3], row[1]) for row in rows)
    out = awsign(
        "presign", "--from", "-", "--list-format", "tsv", "--column", "Name", "s3://my-bucket", given=b"Name\tsize\nx,y\t1\n"
    ).stdout
    name, size, url = out.decode().splitlines()[1].split("\t")
    assert (name, size) == ("x,y", "1")
    assert right(url, "x,y")


def test_parquet(tmp_path: Path) -> None:
    source, to = tmp_path / "keys.parquet", tmp_path / "urls.parquet"
    keys = [*names(45_000), None, "last"]
    table = pa.table({"n": list(range(len(keys))), "name": pa.array(keys).dictionary_encode(), "more": [[1, 2]] * len(keys)})
    parquet.write_table(table, source, row_group_size=7000)
    done = awsign(
        "presign", "--from", str(source), "--to", str(to), "--column", "name", "--jobs", "2", "s3://my-bucket", check=1
    )  # fmt: skip
    assert b"line 45001:" in done.stderr
    written = parquet.read_table(to)
    assert written.select(["n", "name", "more"]).to_pydict() == table.to_pydict()
    urls = written.column("url").to_pylist()
    assert urls[45_000] is None
    assert all(right(urls[n], keys[n]) for n in [0, 1, 19_999, 20_000, 44_999, 45_001])
    assert len(set(urls)) == len(keys)


def test_options_of_all_urls() -> None:
    out = awsign(
        "presign", "--from", "-", "-X", "PUT", "--expires", "15m", "-H", "Content-Type: image/png", "-d", "versionId=a/b", "s3://my-bucket",
        given=b"key\n",
    ).stdout.decode()  # fmt: skip
    for part in ("X-Amz-Expires=900&", "versionId=a%2Fb&", "X-Amz-SignedHeaders=content-type%3Bhost&"):
        assert part in out
    out = awsign("presign", "--from", "-", "--endpoint-url", "http://127.0.0.1:9000", given=b"s3://one/a b\ns3://two/c\n").stdout
    urls = [line.rpartition("\t")[2] for line in out.decode().splitlines()]
    assert right(urls[0], "a b", "one")
    assert right(urls[1], "c", "two")


def test_bad_lines_do_not_lose_the_others(tmp_path: Path) -> None:
    lines = [b"good", b"", b"../up", b"x" * 1025, b"\xff\xfe", "also é good".encode(), b"end"]
    done = awsign("presign", "--from", "-", "s3://my-bucket", given=b"\n".join(lines), check=1)
    out = [line.rpartition(b"\t") for line in done.stdout.split(b"\n")[:-1]]
    assert [key for key, _, _ in out] == lines
    assert [bool(url) for _, _, url in out] == [True, False, False, False, False, True, True]
    told = done.stderr.decode()
    for number, why in ((2, "empty"), (3, "goes up"), (4, "1025 bytes"), (5, "surrogate")):
        assert f"line {number}: " in told
        assert why in told
    assert "4 of 7 lines" in told
    done = awsign(
        "presign", "--from", "-", "--list-format", "csv", "s3://my-bucket", given=b'key,n\n"a\nb",1\nshort\nc,2\n', check=1
    )
    assert b"line 4: " in done.stderr
    assert [row[-1] != "" for row in csv.reader(io.StringIO(done.stdout.decode(), newline=""))] == [True, True, False, True]


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_stopped_and_started_again_it_goes_on(tmp_path: Path, jobs: str) -> None:
    source, to, part = tmp_path / "keys.txt", tmp_path / "urls.txt", tmp_path / "urls.txt.part.json"
    keys = names(1_200_000)
    keys[3] = "../up"
    source.write_text("".join(f"{key}\n" for key in keys))
    arguments = ("presign", "--from", str(source), "--to", str(to), "--jobs", jobs, "s3://my-bucket")
    for ending in (signal.SIGKILL, signal.SIGINT):
        known = part.read_text() if part.exists() else ""
        with subprocess.Popen(command(*arguments), env=environment(), stderr=subprocess.PIPE) as process:
            wait_for(lambda known=known: part.exists() and part.read_text() != known)
            process.send_signal(ending)
            told = process.communicate()[1].decode()
        assert not to.exists()
        assert process.returncode == (-ending if ending == signal.SIGKILL else 130)
    assert "the same command goes on from there" in told
    lines = json.loads(part.read_text())["lines"]
    assert 0 < lines < len(keys)
    changed = awsign(*arguments[:-1], "s3://other-bucket", check=2)
    assert b"of another list, or with other options" in changed.stderr
    done = awsign(*arguments, check=1)
    assert f"going on after line {lines:,}" in done.stderr.decode()
    assert "1 of 1,200,000 lines" in done.stderr.decode()
    out = [line.rpartition("\t") for line in to.read_text().splitlines()]
    assert [key for key, _, _ in out] == keys
    assert [n for n, (_, _, url) in enumerate(out) if not url] == [3]
    assert all(right(out[n][2], keys[n]) for n in range(0, len(keys), 997))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["keys.txt", "urls.txt"]


def wait_for(condition: object) -> None:
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.005)


def test_parquet_goes_on_too(tmp_path: Path) -> None:
    source, to, part = tmp_path / "keys.parquet", tmp_path / "urls.parquet", tmp_path / "urls.parquet.part.json"
    keys = names(300_000)
    parquet.write_table(pa.table({"key": keys}), source)
    arguments = ("presign", "--from", str(source), "--to", str(to), "s3://my-bucket")
    with subprocess.Popen(command(*arguments), env=environment(), stderr=subprocess.DEVNULL) as process:
        wait_for(part.exists)
        process.kill()
    assert b"going on after line" in awsign(*arguments).stderr
    written = parquet.read_table(to)
    assert written.column("key").to_pylist() == keys
    assert all(right(written.column("url")[n].as_py(), keys[n]) for n in range(0, len(keys), 997))


@pytest.mark.parametrize(
    ("arguments", "given", "code", "why"),
    [
        (("--from", "/nowhere", "s3://my-bucket"), b"", 26, "No such file"),
        (("--from", "-", "https://host/"), b"", 3, "s3://bucket"),
        (("--from", "-", "s3://"), b"", 3, "names no bucket"),
        (("--from", "-", "--list-format", "parquet", "s3://my-bucket"), b"", 2, "--from FILE --to FILE"),
        (("--from", "-", "--list-format", "csv", "s3://my-bucket"), b"a,b\n1,2\n", 26, "no column 'key'"),
        (("--from", "-", "--list-format", "csv", "s3://my-bucket"), b"key,url\n1,2\n", 26, "'url' already"),
        (("--from", "-", "--list-format", "csv", "s3://my-bucket"), b'key\n"open', 26, "line 2"),
        (("--from", "-", "--column", "x", "s3://my-bucket"), b"", 2, "--column"),
        (("--from", "-", "--post", "s3://my-bucket"), b"", 2, "--post"),
        (("--from", "-", "--jobs", "-1", "s3://my-bucket"), b"", 2, "--jobs"),
        (("--to", "x", "s3://my-bucket/key"), b"", 2, "belong to --from"),
        ((), b"", 2, "URL"),
    ],
)
def test_what_cannot_be_done_is_said(arguments: tuple[str, ...], given: bytes, code: int, why: str) -> None:
    done = awsign("presign", *arguments, given=given, check=code)
    assert why in done.stderr.decode()
    assert done.stderr.count(b"\n") <= 2


def test_what_it_writes_is_not_what_it_reads(tmp_path: Path) -> None:
    for name in ("urls", "urls.part", "urls.part.json", "urls.part.json.new"):
        (tmp_path / name).write_text("a\n")
        done = awsign("presign", "--from", str(tmp_path / name), "--to", str(tmp_path / "urls"), "s3://my-bucket", check=2)
        assert b"written to make --to" in done.stderr
        assert (tmp_path / name).read_text() == "a\n"
        (tmp_path / name).unlink()


def test_two_runs_do_not_write_one_file(tmp_path: Path) -> None:
    source, to = tmp_path / "keys.txt", tmp_path / "urls.txt"
    source.write_text("".join(f"{key}\n" for key in names(600_000)))
    arguments = ("presign", "--from", str(source), "--to", str(to), "s3://my-bucket")
    with subprocess.Popen(command(*arguments), env=environment()) as process:
        wait_for((tmp_path / "urls.txt.part.json").exists)
        process.send_signal(signal.SIGSTOP)
        assert b"another run" in awsign(*arguments, check=2).stderr
        process.send_signal(signal.SIGCONT)
        assert process.wait() == 0
    assert len(to.read_text().splitlines()) == 600_000


def test_what_an_older_run_left_is_not_taken_for_this_ones(tmp_path: Path) -> None:
    source, to = tmp_path / "keys.txt", tmp_path / "urls.txt"
    source.write_text("a\nb\nc\n")
    arguments = ("presign", "--from", str(source), "--to", str(to), "s3://my-bucket")
    (tmp_path / "urls.txt.part.json").write_text(json.dumps({"of": "x", "lines": 2, "bad": 0, "read": 4, "bytes": 10**6}))
    awsign(*arguments)
    assert len(to.read_text().splitlines()) == 3
    assert not (tmp_path / "urls.txt.part.json").exists()


def test_pipes_links_and_folders(tmp_path: Path) -> None:
    (tmp_path / "keys.txt").write_bytes(b"\xef\xbb\xbfkey\n")
    arguments = ("presign", "--from", str(tmp_path / "keys.txt"), "--to")
    os.mkfifo(tmp_path / "pipe")
    with subprocess.Popen(["cat", str(tmp_path / "pipe")], stdout=subprocess.PIPE) as cat:
        awsign(*arguments, str(tmp_path / "pipe"), "s3://my-bucket")
        key, _, url = cat.communicate()[0].decode().rstrip("\n").rpartition("\t")
    assert key == "key"  # The mark that some editors write before it is none of its letters.
    assert right(url, "key")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    awsign(*arguments, str(tmp_path / "link"), "s3://my-bucket")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text().startswith("key\t")
    assert b"folder" in awsign(*arguments, str(tmp_path), "s3://my-bucket", check=2).stderr
    done = awsign("presign", "--from", "-", given=b"s3://only-a-bucket\nkey\n", check=1)
    assert b"'s3://only-a-bucket' is not s3://bucket/key" in done.stderr
    assert b"'key' is not s3://bucket/key" in done.stderr
    done = awsign("presign", "--from", "-", given=b"s3://b--use1-az4--x-s3/k\n", check=1)
    assert b"directory bucket" in done.stderr


def test_a_line_of_any_length() -> None:
    start = time.monotonic()
    done = awsign("presign", "--from", "-", "s3://my-bucket", given=b"x" * (64 << 20) + b"\nkey\n", check=1)
    assert done.stdout.count(b"\n") == 2
    assert time.monotonic() - start < 60  # A second; it was minutes when each block was searched from the line's beginning.
    awsign("presign", "--from", "-", "--list-format", "csv", "s3://my-bucket", given=b"key,note\nk," + b"x" * 200_000 + b"\n")


def test_a_closed_pipe_ends_it_quietly(tmp_path: Path) -> None:
    source = tmp_path / "keys.txt"
    source.write_text("".join(f"{key}\n" for key in names(200_000)))
    with subprocess.Popen(
        command("presign", "--from", str(source), "s3://my-bucket"),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() != 0


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        given = "".join(f"{key}\n" for key in names(100_000)).encode()
        done = subprocess.run(
            command("presign", "--from", "-", "s3://my-bucket"), input=given, env=environment(), stdout=full, stderr=subprocess.PIPE, check=False
        )  # fmt: skip
    assert done.returncode == 23
    assert b"No space left" in done.stderr
