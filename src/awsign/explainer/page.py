"""The report as one page of HTML that needs nothing else: the four tasks as a picture, the difference marked where it happens."""

from __future__ import annotations

import re
from html import escape

from .plain import evidence, how_sure, verdict, where
from .report import TASKS
from .visible import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .report import Cause, Report

_STYLE = """
:root { color-scheme: light dark; --paper: #fbfaf7; --ink: #1d2433; --faint: #667085; --line: #d9d6cd; --card: #ffffff;
  --bad: #b42318; --bad-back: #fde3df; --good: #067647; --good-back: #d5f5e3; --mark: #ffe08a; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171d; --ink: #e6e4de; --faint: #98a0ae; --line: #333a46; --card: #1c2129;
  --bad: #ff8a7a; --bad-back: #45211d; --good: #6fdc9f; --good-back: #15382a; --mark: #6b5312; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 2.5rem 1.25rem 4rem; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
h1 { font-size: 1.55rem; line-height: 1.3; margin: 0 0 .4rem; } h2 { font-size: 1.1rem; margin: 2.2rem 0 .7rem; }
.faint { color: var(--faint); } code, pre { font: .86rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.outcome { border-left: .35rem solid; padding: .2rem 0 .2rem 1rem; } .outcome.bad { border-color: var(--bad); }
.outcome.good { border-color: var(--good); }
ol.tasks { display: flex; flex-wrap: wrap; gap: .6rem 1.6rem; list-style: none; padding: 0; margin: 1.6rem 0; }
ol.tasks li { position: relative; flex: 1 1 11rem; border: 1px solid var(--line); border-radius: .6rem; padding: .7rem .9rem;
  background: var(--card); }
ol.tasks li:not(:last-child)::after { content: "→"; position: absolute; right: -1.3rem; top: 50%; transform: translateY(-50%);
  color: var(--faint); }
ol.tasks b { display: block; } ol.tasks .sign { float: right; font-weight: 700; }
ol.tasks li.bad { border: 2px solid var(--bad); background: var(--bad-back); } ol.tasks li.bad .sign { color: var(--bad); }
ol.tasks li.good .sign { color: var(--good); } ol.tasks li.after { opacity: .6; }
article { border: 1px solid var(--line); border-radius: .6rem; background: var(--card); padding: 1rem 1.2rem; margin: 0 0 1rem; }
article h3 { margin: 0; font-size: 1.02rem; } .tag { font-size: .78rem; border: 1px solid var(--line); border-radius: 1rem; padding: .05rem .6rem;
  margin-left: .5rem; font-weight: 400; white-space: nowrap; } .tag.proved { border-color: var(--bad); color: var(--bad); }
article p { margin: .5rem 0; } .fix { border-top: 1px solid var(--line); padding-top: .6rem; margin-bottom: 0; }
.sides { display: grid; grid-template-columns: max-content 1fr; gap: .35rem .9rem; margin: .8rem 0; align-items: baseline; }
.sides span { color: var(--faint); font-size: .85rem; } mark { background: var(--mark); color: inherit; border-radius: .15rem; padding: 0 .05rem; }
details { border: 1px solid var(--line); border-radius: .6rem; background: var(--card); padding: .6rem 1rem; margin: .6rem 0; }
summary { cursor: pointer; } details pre { margin-top: .6rem; } pre .bad { background: var(--bad-back); box-shadow: inset .25rem 0 var(--bad); display: block; margin: 0 -.6rem; padding: 0 .6rem; }
@media (max-width: 40rem) { ol.tasks { flex-direction: column; } ol.tasks li { flex-basis: auto; }
  ol.tasks li:not(:last-child)::after { content: "↓"; right: 50%; top: auto; bottom: -1.25rem; transform: none; } ol.tasks { gap: 1.2rem; } }
"""
_TOLD = ("what is signed", "its time, scope and hash", "from the secret", "what is sent")


def page(report: Report) -> str:
    """The page."""
    title = (
        "Why the signature does not match"
        if report.causes
        else "The signature matches"
        if report.checked
        else "Nothing wrong to be seen"
    )
    facts = [report.scheme, report.access_key_id, report.scope]
    parts = [
        "<!doctype html>", '<html lang="en">', "<head>", '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        # Nothing is loaded and nothing runs, whatever stands in the request.
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<title>{title}</title>", f"<style>{_STYLE}</style>", "</head>", "<body>",
        f'<header class="outcome {"good" if report.matches else "bad"}">', f"<h1>{escape(title)}</h1>",
        f"<div>{escape(visible(verdict(report)))}</div>",
        f'<div class="faint"><code>{escape(visible(" · ".join(filter(None, facts))))}</code></div>', "</header>",
        _tasks(report),
    ]  # fmt: skip
    if report.causes:
        parts.append(f"<h2>{'The cause' if len(report.causes) == 1 else 'The causes, most likely first'}</h2>")
        parts += [_article(cause) for cause in report.causes]
    for note in report.notes:
        parts.append(f'<p class="faint">{escape(visible(note))}.</p>')
    parts.append("<h2>What should have been signed</h2>")
    for name, text in report.texts:
        parts.append(f"<details open><summary>{name}</summary><pre>{_marked(text, name, report)}</pre></details>")
    parts.append(
        f"<details><summary>The request, as it was read ({escape(report.form)})</summary><pre>{escape(_visible_lines(report.request))}</pre></details>"
    )
    return "\n".join([*parts, "</body>", "</html>", ""])


def _tasks(report: Report) -> str:
    """The four tasks in a row, the first difference marked."""
    bad = report.first_task
    items = []
    for n, (task, told) in enumerate(zip(TASKS, _TOLD, strict=True)):
        if bad is None:
            state, sign = ("good", "✓") if report.matches and report.checked else ("", "")
        else:
            state, sign = ("good", "✓") if n < bad else ("bad", "✗") if n == bad else ("after", "")
        part = report.causes[0].part if n == bad else None
        detail = escape(part) if part else told
        items.append(
            f'<li class="{state}"><span class="sign">{sign}</span><b>{n + 1}. {task.capitalize()}</b><span class="faint">{detail}</span></li>'
        )
    return f'<ol class="tasks">{"".join(items)}</ol>'


def _article(cause: Cause) -> str:
    sure = how_sure(cause)
    rows = ""
    if cause.ours is not None or cause.theirs is not None:
        ours, theirs = evidence(cause)
        rows = f'<div class="sides"><span>ours</span><pre>{_runs(ours, cause.ours)}</pre><span>theirs</span><pre>{_runs(theirs, cause.theirs)}</pre></div>'
    group = ""
    if cause.group and cause.alternatives:
        others = ", ".join(cause.alternatives[:12])
        group = f'<p class="faint">This evidence does not tell it apart from: {escape(others)}{", ..." if len(cause.alternatives) > 12 else ""}.</p>'
    return (
        f'<article><h3><code>{cause.kind}</code><span class="tag {sure}">{sure}</span><span class="tag">{escape(where(cause))}</span></h3>'
        f'<p>{_prose(cause.message)}</p>{rows}{group}<p class="fix"><b>Fix.</b> {_prose(cause.fix)}</p></article>'
    )


def _prose(text: str) -> str:
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(visible(text)))


def _runs(runs: list[tuple[str, bool]], text: str | None) -> str:
    if text is None:
        return '<span class="faint">(nothing)</span>'
    return (
        "".join([f"<mark>{escape(piece)}</mark>" if differs else escape(piece) for piece, differs in runs])
        or '<span class="faint">(empty)</span>'
    )


def _marked(text: str, name: str, report: Report) -> str:
    """A text, with the line marked in which the first cause of that text found its difference."""
    differing = report.differing_line(name)
    lines = []
    for line in text.split("\n"):
        shown = escape(visible(line))
        lines.append(f'<span class="bad">{shown}</span>' if line == differing else f"{shown}\n")
    return "".join(lines)


def _visible_lines(text: str) -> str:
    return "\n".join(visible(line) for line in text.split("\n"))
