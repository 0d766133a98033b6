"""`awsign whoami`: whose credentials they are, by STS."""

from __future__ import annotations

import json

import click

from ..credentials import Sts, find_credentials
from ..settings import Settings
from .given import profile_option


@click.command(
    help="Say whose credentials are found: account, ARN and user ID, by GetCallerIdentity of STS, which everyone may call.",
    epilog="\b\nExample: awsign whoami --profile production",
)
@profile_option
@click.option(
    "--region", metavar="NAME", help="The region whose STS is asked [AWS_REGION, the profile's, else the global endpoint]."
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print it [text].")
def command(profile: str | None, region: str | None, form: str) -> None:
    provider = find_credentials(profile)
    credentials = provider.get()
    identity = Sts(region, Settings(profile)).caller_identity(credentials)
    if form == "json":
        told = {**identity, "AccessKeyId": credentials.access_key_id, "Source": provider.found_in}
        click.echo(json.dumps(told, indent=2))
        return
    click.echo(f"account     {identity['Account']}")
    click.echo(f"arn         {identity['Arn']}")
    click.echo(f"user id     {identity['UserId']}")
    click.echo(f"access key  {credentials.access_key_id}")
    click.echo(f"source      {provider.found_in}")
