"""`awsign explain`: why a signature does not match."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from functools import partial
from pathlib import Path

import click

from ..errors import MissingExtra
from ..explainer import GROUPS, KINDS
from ..explainer import explain as explain_request
from ..explainer.material import read
from .given import credentials_of, file_beside, key_of, method_option, profile_option, set_method, text_of, time_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime


@click.command(
    help="Say why a signature does not match: what should have been signed, what was, and what to do.\n\n"
    "REQUEST is a file (- is standard input) or the thing itself: a raw HTTP request, a curl command line, the output of curl -v, a presigned "
    "URL, a HAR, botocore's debug log, http.client's, printed headers. `awsign explain kinds` lists the causes that it knows.",
    epilog="\b\nExample: awsign explain request.txt --response answer.xml",
)
@click.argument("request", metavar="REQUEST|-")
@click.option("--response", metavar="FILE", help="What the server answered: its body, or the whole answer.")
@click.option("--at", type=time_of, metavar="TIME", help="The time to judge by [the answer's, else now].")
@click.option("--format", "form", type=click.Choice(["text", "json", "html"]), default="text", help="What to print [text].")
@click.option("--key", metavar="ID:SECRET[:TOKEN]", help="The credentials that should have signed [those found here].")
@method_option
@profile_option
@click.option("--no-credentials", is_flag=True, help="Leave the credentials out that are found here.")
def command(
    request: str,
    response: str | None,
    at: datetime | None,
    form: str,
    key: str | None,
    method: str | None,
    profile: str | None,
    no_credentials: bool,
) -> None:
    if request == "kinds" and not Path(request).exists():
        _print_kinds(form)
        return
    text = text_of(request)
    answer = None if response is None else text_of(response)
    if key is not None and (no_credentials or profile is not None):
        raise click.UsageError("--key, --profile and --no-credentials say three things; give one of them")
    credentials = key_of(key)[1] if key else None if no_credentials else credentials_of(profile, needed=False)
    material = read(text, read_file=partial(file_beside, request))
    set_method(material, method)
    report = explain_request(material, credentials, answer, at)
    if form == "json":
        click.echo(json.dumps(report.as_json(), indent=2))
    elif form == "html":
        sys.stdout.buffer.write(report.html().encode("utf-8", "replace"))
        sys.stdout.flush()
    elif sys.stdout.isatty():
        try:
            from .report_view import show
        except ImportError:
            raise MissingExtra("the report on a terminal needs rich; pip install 'awsign[cli]'") from None
        show(report)
    else:
        sys.stdout.buffer.write(f"{report}\n".encode("utf-8", "replace"))
        sys.stdout.flush()


def _print_kinds(form: str) -> None:
    """Every kind of cause with its meaning, and the groups."""
    if form == "json":
        told = {
            "kinds": {name: {"meaning": kind.meaning, "fix": kind.fix} for name, kind in KINDS.items()},
            "groups": {name: {"evidence": group.evidence, "kinds": list(group.kinds)} for name, group in GROUPS.items()},
        }
        click.echo(json.dumps(told, indent=2))
        return
    if form == "html":
        raise click.UsageError("the kinds are printed as text or json")
    width = min(100, shutil.get_terminal_size((100, 24)).columns)
    for name, kind in KINDS.items():
        click.echo(f"{name}\n{textwrap.fill(kind.meaning, width, initial_indent='    ', subsequent_indent='    ')}")
    click.echo("\nGroups: kinds that some evidence does not tell apart")
    for name, group in GROUPS.items():
        click.echo(f"\n{textwrap.fill(f'{name}: {group.evidence}', width)}")
        click.echo(
            textwrap.fill(", ".join(group.kinds), width, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)
        )
