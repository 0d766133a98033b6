"""Lists of keys as files: text with one on a line, CSV and TSV, Parquet. Each is read in blocks, and written with a column added.

A block can be pickled, as another process may presign it.
"""

from __future__ import annotations

import csv
import io
from itertools import islice
from pathlib import Path

from .failure import READ_ERROR, Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import IO, Any, Protocol

    class Format(Protocol):
        """total: what the sizes of all blocks come to, for a file. read: what the output begins with, and the blocks.

        keys: of each line, None for one that has none. number: of the line at an index. written: the block, of which these are the keys, with its URLs, None where a
        line has none. finish: makes the output of what was written.
        """

        unit: str

        def total(self, file: IO[bytes]) -> int | None: ...
        def read(self, file: IO[bytes]) -> tuple[bytes, Iterator[Block]]: ...
        def keys(self, block: Block) -> list[str | None]: ...
        def number(self, block: Block, index: int) -> int: ...
        def written(self, block: Block, keys: Sequence[str | None], urls: Sequence[str | None]) -> bytes: ...
        def finish(self, part: str, to: str) -> None: ...


_BLOCK = 1 << 20  # Bytes of text: some 30,000 keys.
_ROWS = 20_000
_BOM = "\ufeff".encode()
_LONGEST_FIELD = 1 << 30
URL = "url"


class Block:
    """payload: as the format has it. first: the number of its first line, from 1. count: of its lines. size: bytes or rows read."""

    __slots__ = ("count", "first", "payload", "size")

    def __init__(self, payload: Any, first: int, count: int, size: int) -> None:
        self.payload = payload
        self.first = first
        self.count = count
        self.size = size


def format_of(name: str, chosen: str | None, column: str | None) -> Format:
    """By what was chosen, else by the name of the file; text, where it says nothing."""
    lower = name.lower()
    kind = chosen or next((kind for kind in ("csv", "tsv", "parquet") if lower.endswith(f".{kind}")), "text")
    if kind == "text":
        if column is not None:
            raise Failure(2, "--column is for CSV and Parquet; a line of text is a key")
        return Text()
    if kind == "parquet":
        return Parquet(column or "key")
    return Csv(column or "key", "\t" if kind == "tsv" else ",")


def _size(file: IO[bytes]) -> int | None:
    if not file.seekable():
        return None
    size = file.seek(0, 2)
    file.seek(0)
    return size


class Text:
    """A key on each line, as UTF-8; its URL is written after it and a tab."""

    unit = "B"

    def total(self, file: IO[bytes]) -> int | None:
        return _size(file)

    def read(self, file: IO[bytes]) -> tuple[bytes, Iterator[Block]]:
        return b"", self._blocks(file)

    def _blocks(self, file: IO[bytes]) -> Iterator[Block]:
        first = 1
        begun: list[bytes] = []  # Of a line: in pieces, as one may be of any length.
        for data in iter(lambda: file.read(_BLOCK), b""):
            lines, newline, rest = (data if begun or first > 1 else data.removeprefix(_BOM)).rpartition(b"\n")
            if newline:
                whole = b"".join([*begun, lines])
                count = whole.count(b"\n") + 1
                yield Block(whole, first, count, len(whole) + 1)
                first, begun = first + count, []
            begun.append(rest)
        if last := b"".join(begun):
            yield Block(last, first, 1, len(last))

    def keys(self, block: Block) -> list[str | None]:
        lines = block.payload.decode("utf-8", "surrogateescape").split("\n")
        return [line.removesuffix("\r") for line in lines] if b"\r" in block.payload else lines

    def number(self, block: Block, index: int) -> int:
        return block.first + index

    def written(self, block: Block, keys: Sequence[str | None], urls: Sequence[str | None]) -> bytes:
        lines = [f"{line}\t{url or ''}\n" for line, url in zip(keys, urls, strict=True)]
        return "".join(lines).encode("utf-8", "surrogateescape")

    def finish(self, part: str, to: str) -> None:
        Path(part).replace(to)


class Csv:
    """A table with names in its first line."""

    unit = "B"

    def __init__(self, column: str, delimiter: str) -> None:
        self._column = column
        self._delimiter = delimiter
        self._index: int | None = None
        self._width = 0

    def total(self, file: IO[bytes]) -> int | None:
        return _size(file)

    def read(self, file: IO[bytes]) -> tuple[bytes, Iterator[Block]]:
        csv.field_size_limit(_LONGEST_FIELD)
        counted = _Counted(file)
        rows = self._rows(counted)
        header = next(rows, (1, []))[1]
        if self._column not in header:
            raise Failure(
                READ_ERROR, f"there is no column {self._column!r} among {', '.join(map(repr, header))}; --column names it"
            )
        if URL in header:
            raise Failure(READ_ERROR, f"there is a column {URL!r} already; rename it")
        self._index, self._width = header.index(self._column), len(header)
        return self._text([[*header, URL]]), self._blocks(rows, counted)

    def _rows(self, counted: _Counted) -> Iterator[tuple[int, list[str]]]:
        """Each row and the number of the line that it begins on."""
        reader = csv.reader(counted, delimiter=self._delimiter, strict=True)
        while True:
            number = reader.line_num + 1
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise Failure(READ_ERROR, f"line {number}: {error}") from None
            if row:  # csv has a blank line as an empty row; it is no row of the table.
                yield number, row

    def _blocks(self, rows: Iterator[tuple[int, list[str]]], counted: _Counted) -> Iterator[Block]:
        first, before = 1, 0
        while kept := list(islice(rows, _ROWS)):
            yield Block(kept, first, len(kept), counted.size - before)
            first, before = first + len(kept), counted.size

    def keys(self, block: Block) -> list[str | None]:
        assert self._index is not None
        return [row[self._index] if len(row) == self._width else None for _, row in block.payload]

    def number(self, block: Block, index: int) -> int:
        number: int = block.payload[index][0]
        return number

    def written(self, block: Block, keys: Sequence[str | None], urls: Sequence[str | None]) -> bytes:
        return self._text([*row, url or ""] for (_, row), url in zip(block.payload, urls, strict=True))

    def _text(self, rows: Iterable[list[str]]) -> bytes:
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=self._delimiter, lineterminator="\n").writerows(rows)
        return text.getvalue().encode("utf-8", "surrogateescape")

    def finish(self, part: str, to: str) -> None:
        Path(part).replace(to)


class _Counted:
    """The lines of a file as text; size: the bytes of those that were read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.size = 0

    def __iter__(self) -> Iterator[str]:
        for line in self._file:
            text = line.decode("utf-8", "surrogateescape")
            yield text if self.size else text.removeprefix("\ufeff")
            self.size += len(line)


class Parquet:
    """A table of Parquet; what is done of it is kept as Arrow streams, to which more can be added after an interruption."""

    unit = "rows"

    def __init__(self, column: str) -> None:
        self._column = column

    def total(self, file: IO[bytes]) -> int | None:
        rows: int = self._open(file).metadata.num_rows
        return rows

    def _open(self, file: IO[bytes]) -> Any:
        try:
            import pyarrow as pa
            from pyarrow import parquet
        except ImportError:
            raise Failure(2, "Parquet needs pyarrow; pip install 'awsign[cli,arrow]'") from None
        try:
            return parquet.ParquetFile(file)
        except (pa.ArrowException, OSError) as error:
            raise Failure(READ_ERROR, f"the list is not Parquet: {str(error)[:120]}") from None

    def read(self, file: IO[bytes]) -> tuple[bytes, Iterator[Block]]:
        import pyarrow as pa

        opened = self._open(file)
        schema = opened.schema_arrow
        if self._column not in schema.names:
            raise Failure(
                READ_ERROR, f"there is no column {self._column!r} among {', '.join(map(repr, schema.names))}; --column names it"
            )
        if schema.names.count(self._column) > 1:
            raise Failure(READ_ERROR, f"there are two columns {self._column!r}; rename one")
        kind = schema.field(self._column).type
        if not (
            pa.types.is_string(kind)
            or pa.types.is_large_string(kind)
            or pa.types.is_string_view(kind)
            or pa.types.is_dictionary(kind)
        ):
            raise Failure(READ_ERROR, f"the column {self._column!r} is {kind}, not text")
        if URL in schema.names:
            raise Failure(READ_ERROR, f"there is a column {URL!r} already; rename it")
        return _stream(schema.append(pa.field(URL, pa.string())), None), self._blocks(opened)

    def _blocks(self, opened: Any) -> Iterator[Block]:
        first = 1
        for batch in opened.iter_batches(_ROWS):
            if batch.num_rows:
                yield Block(batch, first, batch.num_rows, batch.num_rows)
                first += batch.num_rows

    def keys(self, block: Block) -> list[str | None]:
        keys: list[str | None] = block.payload.column(self._column).to_pylist()
        return keys

    def number(self, block: Block, index: int) -> int:
        return block.first + index

    def written(self, block: Block, keys: Sequence[str | None], urls: Sequence[str | None]) -> bytes:
        import pyarrow as pa

        batch = block.payload.append_column(URL, pa.array(urls, pa.string()))
        return _stream(batch.schema, batch)

    def finish(self, part: str, to: str) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        with pa.OSFile(part) as done, parquet.ParquetWriter(f"{part}.parquet", pa.ipc.open_stream(done).schema) as writer:
            done.seek(0)
            while done.tell() < done.size():
                for batch in pa.ipc.open_stream(done):
                    writer.write_batch(batch)
        Path(f"{part}.parquet").replace(to)
        Path(part).unlink()


def _stream(schema: Any, batch: Any) -> bytes:
    """A stream of Arrow by itself, of one batch or none: a batch may have dictionaries, which come before it."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as stream:
        if batch is not None:
            stream.write_batch(batch)
    written: bytes = sink.getvalue().to_pybytes()
    return written
