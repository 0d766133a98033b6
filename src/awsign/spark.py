"""Presigning on Spark: a function for `DataFrame.mapInArrow`, and a column expression. Needs `awsign[spark]`, here and on the workers.

Credentials are asked for by the workers (see `awsign.arrow.Presigning`): they are in no plan and no log, and stay fresh however
long the job takes.
"""

from __future__ import annotations

from .arrow import Presigning, with_urls
from .arrow import presign as presign_array
from .errors import MissingExtra

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    import pyarrow as pa


def presign_batches(
    bucket: str, region: str, *, column: str = "key", to: str = "url", **settings: Any
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """A function for `mapInArrow` that adds a column of URLs: `df.mapInArrow(presign_batches("my-bucket", "us-east-1"), "key string, url string")`.

    column: the keys'. to: the URLs'. settings: of `awsign.arrow.Presigning` (credentials, endpoint, method, expires, ...).
    """
    presigning = Presigning(bucket, region, **settings)

    def presign_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield with_urls(batch, presigning, column, to)

    return presign_batches


def presign(column: Any, bucket: str, region: str, **settings: Any) -> Any:
    """A column expression: the URLs of a column of keys, `df.withColumn("url", presign("key", "my-bucket", "us-east-1"))`.

    column: a name or a Column. settings: as for `presign_batches`.
    """
    try:
        from pyspark.sql import functions
    except ImportError:
        raise MissingExtra("awsign.spark.presign needs pyspark; pip install 'awsign[spark]'") from None
    presigning = Presigning(bucket, region, **settings)
    if not hasattr(functions, "arrow_udf"):  # Before Spark 4.1.
        return _by_pandas(presigning)(column)

    def presign(keys: Any) -> Any:
        return presign_array(keys, presigning)

    _annotate(presign)
    return functions.arrow_udf(presign, "string")(column)


def _annotate(function: Any) -> None:
    """The hints by which Spark tells what kind of function it is: one array to one array. It wants the classes, not their names."""
    import pyarrow as pa

    function.__annotations__ = {"keys": pa.Array, "return": pa.Array}


def _by_pandas(presigning: Presigning) -> Any:
    import pandas as pd
    import pyarrow as pa
    from pyspark.sql.functions import pandas_udf  # type: ignore[attr-defined]

    def presign(keys: pd.Series) -> pd.Series:
        return presign_array(pa.array(keys, pa.string(), from_pandas=True), presigning).to_pandas()

    presign.__annotations__ = {"keys": pd.Series, "return": pd.Series}
    return pandas_udf(presign, "string")
