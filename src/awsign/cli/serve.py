"""`awsign serve`: a local server that verifies whatever arrives."""

from __future__ import annotations

import logging
import ssl
from pathlib import Path

import click

from ..errors import MissingExtra
from ..verify import Verifier
from .given import key_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..identity import Credentials


@click.command(
    help="Run a server on 127.0.0.1 that verifies whatever arrives and answers in the shape of the service: with what it verified, "
    "or with AWS's error, the canonical request and string to sign that it derived and what the signer did wrong. It plays the services that credentials come from too: instance and container metadata, STS, IAM Identity Center, sign-in.",
    epilog="\b\nExample: awsign serve --port 9000 --key AKIDEXAMPLE:secret",
)
@click.option("--port", type=click.IntRange(0, 65535), default=9000, help="The port; 0 takes a free one [9000].")
@click.option("--key", "keys", multiple=True, metavar="ID:SECRET[:TOKEN]", help="An access key that it knows; may be given often.")
@click.option("--forward", metavar="URL", help="Pass what is verified on to this server, and its answer back.")
@click.option("--tls-cert", metavar="FILE", help="Serve https with this certificate, in PEM.")
@click.option("--tls-key", metavar="FILE", help="The certificate's private key, where it is not in the same file.")
@click.option("--role", default="awsign-role", metavar="NAME", help="The role of its instance metadata service [awsign-role].")
@click.option(
    "--role-seconds",
    type=click.IntRange(1),
    default=3600,
    metavar="SECONDS",
    help="How long credentials that it hands out last [3600].",
)
@click.option("--container-token", metavar="TEXT", help="The authorization token that its endpoint for containers asks for [none].")
@click.option("--quiet", is_flag=True, help="Do not log requests.")
def command(
    port: int, keys: tuple[str, ...], forward: str | None, tls_cert: str | None, tls_key: str | None, role: str, role_seconds: int,
    container_token: str | None, quiet: bool,
) -> None:  # fmt: skip
    if tls_key and not tls_cert:
        raise click.UsageError("--tls-key needs --tls-cert, whose key it is")
    for file in filter(None, (tls_cert, tls_key)):
        if not Path(file).is_file():
            raise click.UsageError(f"there is no file {file!r} to read a certificate or its key from")
    try:
        from ..server.app import VerifyingApp
        from ..server.explained import Explainer
        from ..server.issued import Issued
        from ..server.played import Played
        from ..server.run import serve

        if forward:
            from ..server.forward import Forwarder
    except ImportError:
        raise MissingExtra("awsign serve needs its own extra; pip install 'awsign[cli,server]'") from None
    known = dict(key_of(text) for text in keys)
    issued = Issued()

    def secret_for(access_key_id: str) -> Credentials | None:
        return known.get(access_key_id) or issued.get(access_key_id)

    verifier = Verifier(secret_for)
    played = Played(issued, role, role_seconds, container_token)
    app = VerifyingApp(verifier, played, Forwarder(forward) if forward else None, issued, Explainer(secret_for))
    logging.basicConfig(format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("awsign.server").setLevel(logging.WARNING if quiet else logging.INFO)

    def ready(chosen: int) -> None:
        url = f"{'https' if tls_cert else 'http'}://127.0.0.1:{chosen}"
        click.echo(url)
        names = ", ".join(known) or "none but the role's"
        click.echo(f"verifying; keys: {names}; role {role} at AWS_EC2_METADATA_SERVICE_ENDPOINT={url}", err=True)

    try:
        serve(app, port, ready, tls_cert, tls_key)
    except ssl.SSLError as error:
        fix = "" if tls_key else "; if the key is in another file, pass --tls-key"
        raise click.ClickException(
            f"{tls_cert!r} is not a certificate with its key, in PEM ({error.reason or error}){fix}"
        ) from None
    except OSError as error:
        raise click.ClickException(f"cannot listen on 127.0.0.1:{port}: {error.strerror}") from None
