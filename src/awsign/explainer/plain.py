"""The report as plain text: for a file, a log, a test's failure, a terminal without colours."""

from __future__ import annotations

import textwrap

from .visible import sides, visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .report import Cause, Report

_WIDTH = 100


def plain(report: Report) -> str:
    """All of it: the causes with their evidence, then the texts that should have been signed."""
    lines = [verdict(report), ""]
    for n, cause in enumerate(report.causes, 1):
        lines += _cause(n, cause)
    for note in report.notes:
        lines.append(f"Note: {note}.")
    if report.notes:
        lines.append("")
    for title, text in report.texts:
        lines += [f"{title}, as the rules have it:", *(f"  {visible(line)}" for line in text.split("\n")), ""]
    return "\n".join(lines)


def verdict(report: Report) -> str:
    """The outcome, in a line."""
    if report.matches:
        return report.summary
    kinds = ", ".join(cause.kind for cause in report.causes[:3])
    return f"The request does not match: {kinds}{', ...' if len(report.causes) > 3 else ''}."


def how_sure(cause: Cause) -> str:
    """Whether a cause was proved, in a word or two."""
    return "proved" if cause.proved else "possible" if cause.group in ("unseen", "signer", "on-the-way") else "found"


def evidence(cause: Cause) -> tuple[list[tuple[str, bool]], list[tuple[str, bool]]]:
    """The two sides of a cause as runs, what differs marked; of a signature's form, which is told in words, nothing is."""
    if cause.place == "signature":
        return [(visible(cause.ours or ""), False)], [(visible(cause.theirs or ""), False)]
    return sides(cause.ours or "", cause.theirs or "")


def where(cause: Cause) -> str:
    """The place of a difference, in words."""
    return f"{cause.place}, {cause.part}" if cause.part else cause.place


def _cause(n: int, cause: Cause) -> list[str]:
    lines = [f"{n}. {cause.kind} ({how_sure(cause)}; {where(cause)})"]
    lines += textwrap.wrap(visible(cause.message), _WIDTH, initial_indent="   ", subsequent_indent="   ")
    if cause.ours is not None or cause.theirs is not None:
        ours, theirs = evidence(cause)
        lines += ["", *_side("ours  ", ours, cause.ours), *_side("theirs", theirs, cause.theirs), ""]
    lines += textwrap.wrap(f"Fix: {visible(cause.fix)}", _WIDTH, initial_indent="   ", subsequent_indent="   ")
    if cause.group and cause.alternatives:
        text = f"This evidence does not tell it apart from others of the group {cause.group!r} (awsign explain kinds)."
        lines += textwrap.wrap(text, _WIDTH, initial_indent="   ", subsequent_indent="   ")
    return [*lines, ""]


def _side(name: str, runs: list[tuple[str, bool]], text: str | None) -> list[str]:
    """A line of evidence, and under it a mark for each character that differs."""
    if text is None:
        return [f"     {name}  (nothing)"]
    shown = "".join(piece for piece, _ in runs) or "(empty)"
    marks = "".join(("^" if differs else " ") * len(piece) for piece, differs in runs)
    lines = []
    for at in range(0, max(len(shown), 1), _WIDTH):
        lines.append(f"     {name if at == 0 else ' ' * len(name)}  {shown[at : at + _WIDTH]}")
        if marks[at : at + _WIDTH].strip():
            lines.append(f"     {' ' * len(name)}  {marks[at : at + _WIDTH].rstrip()}")
    return lines
