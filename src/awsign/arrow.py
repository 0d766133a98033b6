"""Presigning columns of keys: what Spark, Ray, Dask and plain Arrow batches do alike. Needs `awsign[arrow]`."""

from __future__ import annotations

from .errors import InvalidRequest, MissingExtra
from .presign import S3Presigner

try:
    import pyarrow as pa
except ImportError:
    raise MissingExtra("awsign.arrow needs pyarrow; pip install 'awsign[arrow]'") from None

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta
    from typing import Any, Literal, TypeAlias

    from .identity import Credentials, Provider

    # None: those that are found where the URLs are made. A function is called there, and gives credentials or a provider.
    Source: TypeAlias = Credentials | Provider | Callable[[], Credentials | Provider] | None


class Presigning:
    """What a worker has to know to presign: it can be pickled, and asks for credentials only where the URLs are made.

    bucket, region, endpoint, path_style, method, expires, at: as S3Presigner has them. credentials: None for those that the worker
    finds (environment, profile, container, instance, ...), kept fresh; a function that is called on the worker and gives
    credentials or a provider; or a provider that can be pickled. Credentials by themselves travel with the job, in it, and are
    not refreshed.
    """

    def __init__(
        self,
        bucket: str,
        region: str,
        *,
        credentials: Source = None,
        endpoint: str | None = None,
        path_style: bool = False,
        method: str = "GET",
        expires: int | timedelta = 3600,
        at: datetime | None = None,
    ) -> None:
        self._credentials = credentials
        self._settings: dict[str, Any] = {
            "endpoint": endpoint, "path_style": path_style, "method": method, "expires": expires, "at": at,
        }  # fmt: skip
        self._bucket = bucket
        self._region = region
        self._presigner: S3Presigner | None = None
        # What is wrong with these is said here, not by a worker an hour later.
        S3Presigner(_Nobody(), region, bucket, **self._settings)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._bucket!r} in {self._region!r}>"

    def __getstate__(self) -> dict[str, object]:
        return self.__dict__ | {"_presigner": None}

    @property
    def presigner(self) -> S3Presigner:
        """The presigner of this process, made when it is first asked for."""
        if self._presigner is None:
            self._presigner = S3Presigner(self._provider(), self._region, self._bucket, **self._settings)
        return self._presigner

    def _provider(self) -> Any:
        source: Any = self._credentials
        if source is None:
            from .credentials import find_credentials

            return find_credentials()
        is_provider = not isinstance(source, type) and (hasattr(source, "get") or hasattr(source, "get_frozen_credentials"))
        return source if is_provider else source()


class _Nobody:
    def get(self) -> Credentials:
        raise AssertionError("nobody presigns")


def presign(
    keys: pa.Array | pa.ChunkedArray, presigner: S3Presigner | Presigning, *, errors: Literal["raise", "null"] = "raise"
) -> pa.Array | pa.ChunkedArray:
    """A column of keys -> the column of their URLs, in the same chunks; null where the key is null.

    keys: an array or a chunked array of text (string, large_string, string_view, or a dictionary of one). errors: what becomes of
    a key that S3 does not allow: "raise" is an InvalidRequest that says where it stands, "null" a null. The URLs are string where
    they fit (2 GiB an array), else large_string.
    """
    if errors not in ("raise", "null"):
        raise InvalidRequest(f"errors={errors!r}: it is 'raise' or 'null'")
    maker = presigner.presigner if isinstance(presigner, Presigning) else presigner
    if isinstance(keys, pa.ChunkedArray):
        chunks = [presign(chunk, maker, errors=errors) for chunk in keys.chunks]
        kind = pa.large_string() if any(chunk.type == pa.large_string() for chunk in chunks) else pa.string()
        return pa.chunked_array([chunk.cast(kind) for chunk in chunks], kind)
    if not isinstance(keys, pa.Array):
        raise TypeError(f"keys must be a pyarrow Array or ChunkedArray, not {type(keys).__name__}; pa.array(list) makes one")
    if isinstance(keys, pa.DictionaryArray):
        keys = keys.dictionary_decode()
    if not (pa.types.is_string(keys.type) or pa.types.is_large_string(keys.type) or pa.types.is_string_view(keys.type)):
        if not pa.types.is_null(keys.type):
            raise InvalidRequest(f"a column of keys is text, not {keys.type}; cast it first")
        return pa.nulls(len(keys), pa.string())
    return _as_column(_urls(keys.to_pylist(), maker, errors))


def with_urls(table: pa.Table, presigner: S3Presigner | Presigning, column: str = "key", to: str = "url") -> pa.Table:
    """A table or a record batch with a column of URLs added. column: the keys'. to: the URLs'; one of that name must not be there yet."""
    if column not in table.schema.names:
        raise InvalidRequest(f"there is no column {column!r} among {', '.join(map(repr, table.schema.names))}; pass column=...")
    if to in table.schema.names:
        raise InvalidRequest(f"there is a column {to!r} already; pass to=... for another name")
    return table.append_column(to, presign(table.column(column), presigner))


def _urls(keys: list[str | None], presigner: S3Presigner, errors: str) -> list[str | None]:
    if None not in keys:
        try:
            return presigner.urls(keys)  # type: ignore[arg-type,return-value]
        except InvalidRequest:  # One by one, to find which it was; or what the others are.
            pass
    urls: list[str | None] = []
    for n, key in enumerate(keys):
        try:
            urls.append(None if key is None else presigner.url(key))
        except InvalidRequest as error:
            if errors == "raise":
                raise InvalidRequest(f"row {n}: {error}") from None
            urls.append(None)
    return urls


def _as_column(urls: list[str | None]) -> pa.Array:
    column = pa.array(urls, pa.string())
    return column if isinstance(column, pa.Array) else pa.array(urls, pa.large_string())  # More than 2 GiB comes in chunks.
