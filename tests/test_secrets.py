"""Secrets appear nowhere but where the user asked for them: all output, logs at debug level, reprs and tracebacks are searched."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import traceback
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

import awsign
import awsign.credentials
from awsign.redact import masked, masked_value

from . import servers
from .conftest import KEY, SECRET, TOKEN
from .raw_server import raw_server
from .servers import AWSIGN

AT = datetime(2026, 1, 15, 12, tzinfo=UTC)
TEMPORARY = awsign.Credentials(KEY, SECRET, TOKEN)
REQUEST = awsign.Request("GET", "https://example.com/k")


def test_reprs() -> None:
    signer = awsign.SigV4(TEMPORARY, "s3", "us-east-1")
    signed, link = signer.sign(REQUEST, at=AT), signer.presign(REQUEST, at=AT)
    query = awsign.SigV2(TEMPORARY).sign(REQUEST, at=AT)
    verifier = awsign.Verifier(lambda key: TEMPORARY, now=AT)
    claim = verifier.claim(awsign.Request.received("GET", "/k", signed.headers))
    verified = claim.verify(TEMPORARY)
    things = [
        TEMPORARY,
        signer,
        signed,
        signed.derivation,
        link,
        query,
        verifier,
        claim,
        verified,
        verified.body,
        awsign.S3SigV2(TEMPORARY),
        awsign.SigV2(TEMPORARY),
        awsign.credentials.Environment({"AWS_SECRET_ACCESS_KEY": SECRET}),
        signer.__dict__,
    ]
    for thing in things:
        text = f"{thing!r} {thing if not isinstance(thing, awsign.Presigned) else ''}"
        assert SECRET not in text
        assert TOKEN not in text
        assert link.derivation.signature not in repr(thing)


def test_tracebacks(monkeypatch) -> None:
    """Of everything that is refused, with the chain of causes and the exception's own arguments."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET + "\udce9")
    signed = awsign.SigV4(TEMPORARY, "s3", "us-east-1").sign(REQUEST, at=AT)
    attempts = [
        lambda: awsign.Credentials(KEY, SECRET + "\n"),
        lambda: awsign.Credentials(KEY, SECRET, TOKEN + " x"),
        lambda: awsign.Credentials(KEY, SECRET + "\udce9"),
        lambda: awsign.credentials.Environment().load(),
        lambda: awsign.SigV4(awsign.Credentials(KEY, SECRET, TOKEN, AT), "s3", "us-east-1").sign(REQUEST),
        lambda: awsign.Verifier(lambda key: TEMPORARY, now=AT).verify(awsign.Request.received("PUT", "/k", signed.headers)),
        lambda: awsign.Verifier(lambda key: SECRET + "\n", now=AT).verify(awsign.Request.received("GET", "/k", signed.headers)),
        lambda: awsign.Verifier(lambda key: awsign.Credentials(KEY, SECRET, TOKEN + "x"), now=AT).verify(
            awsign.Request.received("GET", "/k", signed.headers)
        ),
        lambda: awsign.SigV4(SECRET, "s3"),
        lambda: awsign.SigV4({"secret": SECRET}, "s3"),
    ]
    for attempt in attempts:
        with pytest.raises((awsign.AwsignError, TypeError)) as caught:
            attempt()
        text = "".join(traceback.format_exception(caught.value)) + repr(caught.value.args)
        assert SECRET not in text
        assert TOKEN not in text


def test_logs_at_debug_level(caplog, serve) -> None:
    with caplog.at_level(logging.DEBUG):
        provider = awsign.credentials.Refreshing(awsign.credentials.InstanceMetadata(serve, environ={}))
        credentials = provider.get()
        awsign.SigV4(provider, "s3", "us-east-1").sign(REQUEST)
    assert credentials.access_key_id in caplog.text
    assert credentials.secret_access_key not in caplog.text
    assert credentials.session_token not in caplog.text


def test_all_output_of_the_command(tmp_path) -> None:
    config = tmp_path / "credentials"
    config.write_text(
        f"[default]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\naws_session_token = {TOKEN}\n[broken]\n{SECRET}\n"
    )
    environ = os.environ | {
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_SESSION_TOKEN": TOKEN,
        "PYTHONWARNINGS": "default",
    }
    broken = {name: value for name, value in environ.items() if name not in ("AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN")} | {
        "AWS_SHARED_CREDENTIALS_FILE": str(config)
    }
    service = ["--service", "execute-api", "--region", "us-east-1"]
    with raw_server() as server, servers.awsign_serve("--key", f"{KEY}:{SECRET}:{TOKEN}") as url:
        for arguments, used in (
            (["curl", "-v", "-i", *service, server.url], environ),
            (["curl", "-v", "--scheme", "sigv2", f"{server.url}/?Action=A"], environ),
            (["curl", "-v", "--scheme", "s3v2", "--endpoint-url", server.url, "s3://b/k"], environ),
            (["curl", "-v", *service, url], environ),
            (["curl", "-v", *service, url], environ | {"AWS_SECRET_ACCESS_KEY": SECRET[:-2]}),
            (["curl", "-v", *service, url], environ | {"AWS_SESSION_TOKEN": TOKEN + "x"}),
            (["curl", "-v", *service, "http://127.0.0.1:9/"], environ),
            (["curl", *service, server.url], broken),
            (["curl", *service, server.url], environ | {"AWS_SECRET_ACCESS_KEY": SECRET + " "}),
            (["credentials"], environ),
            (["serve", "--port", "0", "--key", SECRET], environ),
            (["serve", "--port", "99999", "--key", f"{KEY}:{SECRET}"], environ),
        ):
            done = subprocess.run([AWSIGN, *arguments], env=used, capture_output=True, text=True, timeout=30, check=False)
            for secret in (SECRET[:-2], TOKEN):
                assert secret not in done.stdout + done.stderr, arguments


def test_what_serve_logs(tmp_path) -> None:
    from websockets.exceptions import InvalidStatus
    from websockets.sync.client import connect

    from .wire import one_byte_changed, send

    log = tmp_path / "log"
    port = servers.free_port()
    with log.open("wb") as out:
        process = subprocess.Popen(
            [AWSIGN, "serve", "--port", str(port), "--key", f"{KEY}:{SECRET}:{TOKEN}"], stdout=out, stderr=out
        )
        try:
            url = f"http://127.0.0.1:{port}"
            while not servers.answers(url):
                pass
            signer = awsign.SigV4(TEMPORARY, "s3", "us-east-1")
            link = signer.presign(awsign.Request("GET", f"{url}/b/k"))
            assert send(link)[0] == 200
            query = awsign.SigV2(TEMPORARY).sign(awsign.Request("GET", f"{url}/?Action=A"))
            assert send(query)[0] == 200
            answers = [send(one_byte_changed(signer.sign(awsign.Request("GET", f"{url}/b/k"))))[1]]
            answers.append(send(awsign.Presigned("GET", link.url + "&x=y", (), None, link.derivation))[1])
            with pytest.raises(InvalidStatus), connect(f"{link.url}&x=y".replace("http", "ws", 1), proxy=None):
                pass
        finally:
            process.terminate()
            process.wait()
    text = log.read_text() + b"".join(answers).decode()
    assert "X-Amz-Signature=***" in text
    assert "handshake" not in text  # uvicorn's word, of each that was refused.
    for secret in (SECRET, TOKEN, link.derivation.signature, query.derivation.signature, "FwoGZXIvYXdzEXAMPLE"):
        assert secret not in text


@given(
    st.sampled_from(["X-Amz-Security-Token", "x-amz-s3session-token", "SecurityToken", "X-Amz-Signature", "Signature"]),
    st.text(st.sampled_from("abcXYZ019+/=%-_."), min_size=6, max_size=40),
)
def test_masking(name, secret) -> None:
    for text in (f"https://h/?a=b&{name}={secret}&c=d", f"GET /?{name}={secret} HTTP/1.1", f"{name}={secret}"):
        assert secret not in masked(text)
        assert name in masked(text)
    if "token" in name.lower() and "-" in name:
        assert secret not in masked(f"GET\n/\n\nhost:h\n{name.lower()}:{secret}\nx-z:1")
        assert secret not in masked(f"> {name}: {secret}")
        assert secret not in masked_value(name, secret)


def test_masking_leaves_the_rest() -> None:
    kept = "AWS4-HMAC-SHA256 Credential=A/20260115/r/s/aws4_request, SignedHeaders=host, Signature=0123abcd"
    assert masked(kept) == kept
    assert masked("?SignatureVersion=2&SignatureMethod=HmacSHA256") == "?SignatureVersion=2&SignatureMethod=HmacSHA256"
    assert json.loads(json.dumps(masked("a\nb"))) == "a\nb"
