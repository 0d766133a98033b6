"""Columns of keys: Arrow's arrays, and what can be pickled for workers."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pyarrow as pa
import pytest

import awsign
from awsign.arrow import Presigning, presign, with_urls

from .workers import AT, BUCKET, CREDENTIALS, REGION, ShortLived, key_of, on_the_worker

PRESIGNER = awsign.S3Presigner(CREDENTIALS, REGION, BUCKET, at=AT)
KEYS = [key_of(number) for number in range(50)]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())])
def test_arrays_of_text(kind: pa.DataType) -> None:
    column = pa.array([*KEYS, None], pa.string()).cast(kind)
    urls = presign(column, PRESIGNER)
    assert urls.type == pa.string()
    assert urls.to_pylist() == [*PRESIGNER.urls(KEYS), None]
    chunked = presign(pa.chunked_array([column, column[:3]]), PRESIGNER)
    assert chunked.num_chunks == 2
    assert chunked.to_pylist() == [*PRESIGNER.urls(KEYS), None, *PRESIGNER.urls(KEYS[:3])]
    assert presign(column[10:13], PRESIGNER).to_pylist() == PRESIGNER.urls(KEYS[10:13])


def test_empty_and_null_columns() -> None:
    assert presign(pa.array([], pa.string()), PRESIGNER).to_pylist() == []
    assert presign(pa.chunked_array([], pa.string()), PRESIGNER).to_pylist() == []
    assert presign(pa.nulls(3), PRESIGNER).to_pylist() == [None] * 3


def test_keys_that_s3_does_not_allow() -> None:
    column = pa.array(["a", None, "", "../b", "c"])
    with pytest.raises(awsign.InvalidRequest, match="row 2: the key is empty"):
        presign(column, PRESIGNER)
    assert [url is None for url in presign(column, PRESIGNER, errors="null").to_pylist()] == [False, True, True, True, False]
    with pytest.raises(awsign.InvalidRequest, match="text, not int64"):
        presign(pa.array([1]), PRESIGNER)
    with pytest.raises(awsign.InvalidRequest, match="'raise' or 'null'"):
        presign(column, PRESIGNER, errors="ignore")
    with pytest.raises(TypeError, match="pyarrow"):
        presign(["a"], PRESIGNER)


def test_tables_and_batches() -> None:
    table = pa.table({"n": [1, 2], "name": ["a b", "c"]})
    for given in (table, table.to_batches()[0]):
        out = with_urls(given, PRESIGNER, "name", "link")
        assert type(out) is type(given)
        assert out.to_pydict() == {"n": [1, 2], "name": ["a b", "c"], "link": PRESIGNER.urls(["a b", "c"])}
    with pytest.raises(awsign.InvalidRequest, match="no column 'key' among 'n', 'name'"):
        with_urls(table, PRESIGNER)
    with pytest.raises(awsign.InvalidRequest, match="'n' already"):
        with_urls(table, PRESIGNER, "name", "n")


def test_what_is_handed_to_workers_holds_no_secret() -> None:
    made = Presigning(BUCKET, REGION, credentials=on_the_worker, at=AT)
    assert presign(pa.array(KEYS), made).to_pylist() == PRESIGNER.urls(KEYS)  # It has credentials now, here.
    packed = pickle.dumps(made)
    assert CREDENTIALS.secret_access_key.encode() not in packed
    assert CREDENTIALS.secret_access_key not in repr(made)
    assert presign(pa.array(KEYS), pickle.loads(packed)).to_pylist() == PRESIGNER.urls(KEYS)


def test_credentials_that_are_found_where_they_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    made = pickle.loads(pickle.dumps(Presigning(BUCKET, REGION, at=AT)))
    with pytest.raises(awsign.CredentialsError):
        presign(pa.array(KEYS), made)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", CREDENTIALS.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", CREDENTIALS.secret_access_key)
    assert presign(pa.array(KEYS), Presigning(BUCKET, REGION, at=AT)).to_pylist() == PRESIGNER.urls(KEYS)


def test_a_job_that_outlives_its_credentials() -> None:
    made = Presigning(BUCKET, REGION, credentials=ShortLived)
    urls = [presign(pa.array(["key"]), made)[0].as_py() for _ in range(8)]
    assert len({url.partition("Credential=")[2].partition("%2F")[0] for url in urls}) > 3


def test_wrong_settings_are_said_at_once() -> None:
    for arguments, options in ((("us-east-1", BUCKET), {}), ((BUCKET, REGION), {"expires": 0}), (("no/bucket", REGION), {})):
        with pytest.raises(awsign.InvalidRequest):
            Presigning(*arguments, credentials=on_the_worker, **options)


def test_dask() -> None:
    import dask.dataframe
    import pandas as pd

    made = Presigning(BUCKET, REGION, credentials=on_the_worker, at=AT)

    def add(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(url=presign(pa.array(frame["key"], pa.string()), made).to_pandas().to_numpy())

    frame = dask.dataframe.from_pandas(pd.DataFrame({"key": KEYS}), npartitions=3)
    done = frame.map_partitions(add).compute(scheduler="threads")
    assert list(done["url"]) == PRESIGNER.urls(KEYS)


def test_a_missing_package_is_named() -> None:
    program = "import sys; sys.modules['pyarrow'] = None\ntry:\n import awsign.arrow\nexcept ImportError as error: print(error)"
    assert "awsign[arrow]" in subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
