"""`awsign credentials`: where was looked, which source gave which access key, and for other tools, on purpose, the keys."""

from __future__ import annotations

import json
import shlex
from shutil import get_terminal_size

import click

from ..credentials import find_credentials
from .given import profile_option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..credentials.chain import Found
    from ..identity import Credentials


@click.command(
    help="Show where credentials are looked for, in which order, and which are found; never the secret, unless --format asks for it.",
    epilog='\b\nExample: eval "$(awsign credentials --format env)"',
)
@profile_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "process", "env"]),
    default="text",
    help="process and env print the secrets, for other tools.",
)
def command(profile: str | None, form: str) -> None:
    provider = find_credentials(profile)
    credentials = provider.get()
    end = credentials.expiration.isoformat() if credentials.expiration else None
    if form == "process":
        # AWS CLI user guide, "Sourcing credentials with an external process".
        document = {
            "Version": 1,
            "AccessKeyId": credentials.access_key_id,
            "SecretAccessKey": credentials.secret_access_key,
            "SessionToken": credentials.session_token,
            "Expiration": end,
        }
        click.echo(json.dumps({name: value for name, value in document.items() if value is not None}))
    elif form == "env":
        variables = {
            "AWS_ACCESS_KEY_ID": credentials.access_key_id,
            "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
            "AWS_SESSION_TOKEN": credentials.session_token,
            "AWS_CREDENTIAL_EXPIRATION": end,
        }
        for name, value in variables.items():
            click.echo(f"export {name}={shlex.quote(value)}" if value else f"unset {name}")
    else:
        _show(provider, credentials, end)


def _show(provider: Found, credentials: Credentials, end: str | None) -> None:
    asked = provider.source.asked
    width = max(len(name) for name, _, _ in asked)
    for name, outcome, said in asked:
        if outcome != "not asked":
            click.echo(f"{name:<{width}}  {credentials.access_key_id if outcome == 'found' else said}")
    if rest := [name for name, outcome, _ in asked if outcome == "not asked"]:
        text = f"not asked, since one was found: {', '.join(rest)}"
        click.echo("\n" + click.wrap_text(text, get_terminal_size().columns, subsequent_indent="  "))
    click.echo()
    click.echo(f"source      {provider.found_in}")
    click.echo(f"access key  {credentials.access_key_id}")
    click.echo(f"kind        {'temporary, with a session token' if credentials.session_token else 'long-lived'}")
    click.echo(f"expires     {end or ('not said by its source' if credentials.session_token else 'never')}")
