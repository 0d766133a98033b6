"""Presigning on Ray Data: a callable for `Dataset.map_batches`. Needs `awsign[ray]`, here and on the workers."""

from __future__ import annotations

from .arrow import Presigning, with_urls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import pyarrow as pa


class Presign(Presigning):
    """Adds a column of URLs to batches of Arrow: `ds.map_batches(Presign("my-bucket", "us-east-1"), batch_format="pyarrow")`.

    column: the keys'. to: the URLs'. The rest is `awsign.arrow.Presigning`'s: credentials are asked for by the workers, and kept fresh.
    For actors, hand Ray the class: `ds.map_batches(Presign, fn_constructor_args=(...), batch_format="pyarrow", concurrency=8)`.
    """

    def __init__(self, bucket: str, region: str, *, column: str = "key", to: str = "url", **settings: Any) -> None:
        super().__init__(bucket, region, **settings)
        self._column = column
        self._to = to

    def __call__(self, batch: pa.Table) -> pa.Table:
        return with_urls(batch, self, self._column, self._to)
