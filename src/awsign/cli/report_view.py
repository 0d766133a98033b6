"""The explainer's report on a terminal, in colours, by rich."""

from __future__ import annotations

from rich.console import Console, Group
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ..explainer.plain import evidence, how_sure, verdict, where
from ..explainer.report import TASKS
from ..explainer.visible import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rich.console import RenderableType

    from ..explainer import Cause, Report


_MARKED = "bold reverse"  # To be seen without colours too.


def show(report: Report) -> None:
    """Print it."""
    console = Console(highlight=False)
    console.print(Text(visible(verdict(report)), style="bold green" if report.matches else "bold red"))
    facts = " · ".join(filter(None, (report.scheme, report.access_key_id, report.scope)))
    if facts:
        console.print(Text(visible(facts), style="dim"))
    console.print(_tasks(report))
    for n, cause in enumerate(report.causes, 1):
        console.print(_cause(n, cause))
    for note in report.notes:
        console.print(Text(f"Note: {visible(note)}.", style="dim"))
    for title, text in report.texts:
        console.print(Text(f"\n{title}, as the rules have it", style="bold"))
        console.print(Padding(_lines(text, report.differing_line(title)), (0, 0, 0, 2)))


def _tasks(report: Report) -> Text:
    """The four tasks in a line, the first difference marked."""
    bad = report.first_task
    line = Text()
    for n, task in enumerate(TASKS):
        style = (
            "green" if (report.matches and report.checked) or (bad is not None and n < bad) else "bold red" if n == bad else "dim"
        )
        mark = "✗ " if n == bad else "✓ " if style == "green" else ""
        line.append(f"{mark}{task}", style)
        line.append(" → " if n < len(TASKS) - 1 else "\n", "dim")
    return line


def _cause(n: int, cause: Cause) -> RenderableType:
    rows: list[RenderableType] = [Text(visible(cause.message))]
    if cause.ours is not None or cause.theirs is not None:
        table = Table.grid(padding=(0, 2))
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        ours, theirs = evidence(cause)
        for name, runs, text in (("ours", ours, cause.ours), ("theirs", theirs, cause.theirs)):
            line = Text("(nothing)", style="dim") if text is None else Text()
            for piece, differs in runs if text is not None else ():
                line.append(piece, _MARKED if differs else "")
            table.add_row(Text(name, style="dim"), line if line.plain else Text("(empty)", style="dim"))
        rows += [Text(), table]
    rows += [Text(), Text.assemble(("Fix  ", "bold"), visible(cause.fix))]
    if cause.group and cause.alternatives:
        rows.append(
            Text(f"Not told apart by this evidence from others of the group {cause.group!r}: awsign explain kinds", style="dim")
        )
    rows.insert(0, Text(f"{how_sure(cause)} · {where(cause)}", style="dim"))
    return Panel(
        Group(*rows),
        title=Text(f"{n}. {cause.kind}", style="bold"),
        title_align="left",
        border_style="red" if cause.proved else "yellow",
    )


def _lines(text: str, differing: str | None) -> Text:
    shown = Text()
    for line in text.split("\n"):
        shown.append(f"{visible(line)}\n", "red" if line == differing else "")
    return shown
