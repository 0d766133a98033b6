"""`awsign verify`: whether a request is signed right; the exit code says."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import partial

import click

from ..errors import SignatureError
from ..explainer.material import read
from ..redact import masked
from ..verify import Verifier
from .failure import Failure
from .given import credentials_of, file_beside, key_of, method_option, profile_option, set_method, text_of, time_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

REFUSED = 1


@click.command(
    help="Verify a request as a server would: exit 0 if it is signed right, 1 if it is not, with the reason.\n\n"
    "REQUEST is a file (- is standard input) or the thing itself, in any form that `awsign explain` takes: a raw HTTP request, a curl command "
    "line, a URL, ...",
    epilog="\b\nExample: awsign verify --key AKIDEXAMPLE:secret request.txt",
)
@click.argument("request", metavar="REQUEST|-")
@click.option("--at", type=time_of, metavar="TIME", help="The server's clock [now].")
@click.option(
    "--key", "keys", multiple=True, metavar="ID:SECRET[:TOKEN]", help="An access key to verify with [the credentials found here]."
)
@profile_option
@click.option("--service", "services", multiple=True, metavar="NAME", help="A service that is taken [any].")
@click.option("--region", "regions", multiple=True, metavar="NAME", help="A region that is taken [any].")
@click.option("--host", "hosts", multiple=True, metavar="NAME", help="A host that is taken [any].")
@click.option(
    "--max-skew",
    type=click.FloatRange(0, 31_536_000),
    default=900,
    metavar="SECONDS",
    help="What a signer's clock may be off [900].",
)
@method_option
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="What to print [text].")
def command(
    request: str, at: datetime | None, keys: tuple[str, ...], profile: str | None, services: tuple[str, ...], regions: tuple[str, ...],
    hosts: tuple[str, ...], max_skew: float, method: str | None, form: str,
) -> None:  # fmt: skip
    material = read(text_of(request), read_file=partial(file_beside, request))
    set_method(material, method)
    known = dict(key_of(text) for text in keys)
    if not known:
        found = credentials_of(profile, needed=True)
        assert found is not None
        known[found.access_key_id] = found
    verifier = Verifier(
        known.get,
        now=at,
        max_skew=timedelta(seconds=max_skew),
        services=services or None,
        regions=regions or None,
        hosts=hosts or None,
    )
    told: dict[str, Any]
    try:
        verified = verifier.verify(material.request)
        if material.request.body is None:
            raise Failure(REFUSED, f"its head is signed right, but its body cannot be verified: {'; '.join(material.notes)}")
        told = {
            "verified": True, "access_key_id": verified.access_key_id, "scheme": verified.scheme, "scope": verified.scope,
            "signed_headers": list(verified.signed_headers or ()), "signed_at": _iso(verified.signed_at), "expires_at": _iso(verified.expires_at),
        }  # fmt: skip
    except SignatureError as error:
        message = masked(str(error))
        told = {"verified": False, "kind": error.kind, "code": error.code, "status": error.status, "message": message}
        if form != "json":
            hint = "; awsign explain says why" if error.kind in ("signature-mismatch", "payload-hash-mismatch") else ""
            raise Failure(REFUSED, f"not verified: {error.code}, {error.kind}: {message}{hint}") from None
    if form == "json":
        click.echo(json.dumps(told, indent=2))
        if not told["verified"]:
            raise Failure(REFUSED, "", silent=True)
        return
    click.echo(f"verified: {told['access_key_id']} by {told['scheme']}{' ' + told['scope'] if told['scope'] else ''}")


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
