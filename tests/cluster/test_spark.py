"""A local Spark, with ten million keys."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import awsign
from awsign.spark import presign, presign_batches

from .workers import AT, BUCKET, CREDENTIALS, MANY, REGION, ShortLived, key_of, on_the_worker

pytestmark = pytest.mark.filterwarnings("ignore")  # Its own, and those of what it runs.
SETTINGS = {"credentials": on_the_worker, "at": AT}
SCHEMA = "key string, url string"


@pytest.fixture(scope="module")
def spark() -> Iterator[object]:
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(Path.cwd()), os.environ.get("PYTHONPATH")]))
    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").config("spark.driver.memory", "3g")
    builder = builder.config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
    session = builder.config("spark.sql.execution.arrow.maxRecordsPerBatch", "50000").getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()


def keys(spark, count: int, partitions: int = 8):
    from pyspark.sql import functions as f

    number = f.col("id").cast("string")
    plain, hostile = f.concat(f.lit("photos/"), number, f.lit(".jpg")), f.concat(f.lit("año "), number, f.lit("/a+b.jpg"))
    return spark.range(count, numPartitions=partitions).select(f.when(f.col("id") % 10 != 0, plain).otherwise(hostile).alias("key"))


def test_ten_million_are_those_of_a_single_process(spark, right_sum: tuple[int, int]) -> None:
    from pyspark.sql import functions as f

    urls = keys(spark, MANY).mapInArrow(presign_batches(BUCKET, REGION, **SETTINGS), SCHEMA)
    crc = f.crc32("url")
    [row] = urls.agg(f.count("url").alias("count"), f.sum(crc).alias("total"), f.bit_xor(crc).alias("mixed")).collect()
    assert (row["count"], row["total"], row["mixed"]) == (MANY, *right_sum)


def test_a_column_expression(spark) -> None:
    presigner = awsign.S3Presigner(CREDENTIALS, REGION, BUCKET, at=AT)
    rows = keys(spark, 1000).withColumn("url", presign("key", BUCKET, REGION, **SETTINGS)).collect()
    assert {row["key"]: row["url"] for row in rows} == {key_of(n): presigner.url(key_of(n)) for n in range(1000)}
    frame = spark.createDataFrame([("a",), (None,)], "key string").withColumn("url", presign("key", BUCKET, REGION, **SETTINGS))
    assert [row["url"] for row in frame.collect()] == [presigner.url("a"), None]


def test_no_plan_shows_a_secret(spark) -> None:
    frame = keys(spark, 10).mapInArrow(presign_batches(BUCKET, REGION, credentials=CREDENTIALS), SCHEMA)
    column = keys(spark, 10).withColumn("url", presign("key", BUCKET, REGION, credentials=CREDENTIALS))
    for made in (frame, column):
        with contextlib.redirect_stdout(io.StringIO()) as plan:
            made.explain("extended")
        assert "presign" in plan.getvalue()
        assert CREDENTIALS.secret_access_key not in plan.getvalue() + repr(made)


def test_a_job_that_outlives_its_credentials(spark) -> None:
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "10")
    try:
        rows = keys(spark, 200, 1).mapInArrow(presign_batches(BUCKET, REGION, credentials=ShortLived), SCHEMA).collect()
    finally:
        spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "50000")
    assert len({row["url"].partition("Credential=")[2].partition("%2F")[0] for row in rows}) > 3


def test_a_key_that_s3_does_not_allow_ends_the_job_and_is_named(spark) -> None:
    frame = spark.createDataFrame([("a",), ("../b",)], "key string").coalesce(1)
    with pytest.raises(Exception, match="goes up") as failed:
        frame.mapInArrow(presign_batches(BUCKET, REGION, **SETTINGS), SCHEMA).collect()
    assert CREDENTIALS.secret_access_key not in str(failed.value)
