"""The tables as a page of the documentation, with the machine and the date, and a plot of them."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import re
from pathlib import Path

from .rounds import Table

_DOCS = Path(__file__).parent.parent / "docs"
_PLOTTED = (
    "Presigning a list of 10,000 mixed keys, each URL",
    "Presigning one URL",
    "Signing a POST to DynamoDB",
    "Signing a GET of S3 with six headers",
    "Verifying a PUT to S3 of 1 KiB with metadata and a version",
    "Verifying a presigned GET of S3",
)
_MARKS = "<!-- tables: made by `make bench` -->", "<!-- end of the tables -->"


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor()
    name = re.search(r"model name\s*: (.*)", text)
    sha = ", with SHA instructions" if " sha_ni" in text else ""
    return f"{name[1] if name else platform.processor()}{sha}"


def _versions() -> str:
    pinned = (Path(__file__).parent / "peers.txt").read_text().splitlines()
    names = [line.partition("==")[0] for line in pinned if "==" in line and not line.startswith("matplotlib")]
    return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)


def _value(microseconds: float, unit: str) -> str:
    if unit != "us":
        return f"{microseconds:.1f} {unit}"
    if microseconds >= 1e5:
        return f"{microseconds / 1e3:,.0f} ms"
    return f"{microseconds:,.0f} µs" if microseconds >= 1000 else f"{microseconds:.2f} µs"


def _markdown(table: Table) -> str:
    lines = [
        f"### {table.title}\n",
        f"| | {'time' if table.unit == 'us' else table.unit} | times awsign's | middle half | |",
        "| --- | ---: | ---: | ---: | --- |",
    ]
    for row in table.results:
        low, high = row.spread
        wrong = f"wrong: {row.fault}".replace("|", "\\|") if row.fault else ""
        spread = f"{low:.2f} to {high:.2f}" if low != high else ""
        lines.append(f"| {row.name} | {_value(row.microseconds, table.unit)} | {row.ratio:.2f} | {spread} | {wrong} |")
    return "\n".join(lines)


def write(tables: list[Table]) -> None:
    """Put the tables between the marks of docs/benchmarks.md, and the plot beside it."""
    page = _DOCS / "benchmarks.md"
    before, _, rest = page.read_text().partition(_MARKS[0])
    after = rest.partition(_MARKS[1])[2]
    machine = (
        f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}, CPython {platform.python_version()}, {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} cores of {_processor()}; one core but where it says otherwise.\n\nBeside {_versions()}."
    )
    body = "\n\n".join(map(_markdown, tables))
    page.write_text(f"{before}{_MARKS[0]}\n\n{machine}\n\n{body}\n\n{_MARKS[1]}{after}")
    plot(tables, _DOCS / "benchmarks.svg")


def plot(tables: list[Table], path: Path) -> None:
    """How many times awsign's time each peer takes, for the tables that stand for the rest; a logarithmic scale."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "awsign"
    from matplotlib import pyplot

    chosen = [table for table in tables if table.title in _PLOTTED]
    figure, axes = pyplot.subplots(len(chosen), 1, figsize=(9, 3.1 * len(chosen)), squeeze=False)
    for axis, table in zip(axes[:, 0], chosen, strict=True):
        rows = sorted(table.results, key=lambda row: row.ratio, reverse=True)
        colours = ["#b0b7c3" if row.fault else "#4c78a8" for row in rows]
        colours = ["#e4572e" if row.name.startswith("awsign") else colour for row, colour in zip(rows, colours, strict=True)]
        bars = axis.barh([row.name for row in rows], [row.microseconds for row in rows], color=colours)
        axis.bar_label(bars, [f" {row.microseconds:,.1f} µs{'  (wrong)' if row.fault else ''}" for row in rows], fontsize=8)
        axis.set_xscale("log")
        axis.set_title(table.title, fontsize=10, loc="left")
        axis.tick_params(labelsize=8)
        axis.set_xlim(1, max(row.microseconds for row in rows) * 3)
        axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
