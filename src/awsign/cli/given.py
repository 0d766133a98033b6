"""What `explain` and `verify` are given: a request in a file, on standard input or as it is; a time; whose credentials."""

from __future__ import annotations

import os
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from ..credentials import find_credentials
from ..errors import CredentialsError
from ..identity import Credentials
from ..scope import parse_http_date, parse_timestamp, plausible
from .failure import READ_ERROR, Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..explainer.material import Material

profile_option = click.option("--profile", metavar="NAME", help="The profile of the shared files [AWS_PROFILE].")
method_option = click.option("-X", "--request", "method", metavar="METHOD", help="The method, where REQUEST is a URL [GET].")
_ITSELF = re.compile(r"(?i)(?:https?|wss?)://|(?:\$ *)?curl\s")


def text_of(argument: str) -> bytes:
    """A file's content, that of standard input for `-`, or the argument itself where it is a URL or a curl command line."""
    if argument != "-" and _ITSELF.match(argument):
        return os.fsencode(argument)
    if not argument:
        raise click.UsageError("the name of the file is empty; - is standard input")
    try:
        return sys.stdin.buffer.read() if argument == "-" else Path(argument).read_bytes()
    except OSError as error:
        raise Failure(READ_ERROR, f"cannot read {argument[:100]!r}: {error.strerror}") from None


def file_beside(argument: str, name: str) -> bytes:
    """A file that a command line names: from where the command line was found, or from here."""
    beside = Path(argument).parent / name
    return (beside if argument != "-" and not _ITSELF.match(argument) and beside.is_file() else Path(name)).read_bytes()


def time_of(text: str) -> datetime:
    """A time: ISO 8601 (UTC where it says no zone), X-Amz-Date's form, or an HTTP date."""
    try:
        at = plausible(datetime.fromisoformat(text))
    except ValueError:
        at = None
    at = at or parse_timestamp(text) or parse_http_date(text)
    if at is None:
        raise click.BadParameter(f"{text!r} is not a time such as 2026-01-15T12:00:00Z or 20260115T120000Z")
    return at.astimezone(UTC)


def credentials_of(profile: str | None, *, needed: bool) -> Credentials | None:
    """Those that are found as everywhere. needed: whether it is an error that there are none; else it is said."""
    try:
        return find_credentials(profile).get()
    except CredentialsError as error:
        if needed or profile is not None:
            raise
        click.echo(f"awsign: explaining without the secret: {error}", err=True)
        return None


def set_method(material: Material, method: str | None) -> None:
    """The method that -X names, for a text that names none."""
    if method is not None:
        if material.method_known:
            raise click.UsageError("REQUEST says its method already; -X is for a URL")
        material.request.method = method.upper()


def key_of(text: str) -> tuple[str, Credentials]:
    """`ID:SECRET[:TOKEN]` -> the access key and its credentials."""
    access_key_id, colon, rest = text.partition(":")
    secret, _, token = rest.partition(":")
    if not (colon and access_key_id and secret):
        # The text may hold a secret: it is not repeated.
        raise click.UsageError("--key takes ID:SECRET or ID:SECRET:TOKEN, each part not empty")
    return access_key_id, Credentials(access_key_id, secret, token or None)
