"""Sources of credentials: the environment, the shared files, the instance metadata service (moto's, MiniStack's and our own)."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

import awsign
from awsign.credentials import Chain, Environment, InstanceMetadata, NotHere, Profile, Refreshing, find_credentials
from awsign.credentials.profile import settings

from . import servers
from .conftest import KEY, SECRET, TOKEN
from .raw_server import raw_server


class TestEnvironment:
    def test_all_of_it(self) -> None:
        environ = {
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_SESSION_TOKEN": TOKEN,
            "AWS_CREDENTIAL_EXPIRATION": "2026-01-15T12:00:00Z",
        }
        assert Environment(environ).load() == awsign.Credentials(KEY, SECRET, TOKEN, datetime(2026, 1, 15, 12, tzinfo=UTC))
        assert (
            Environment({"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": ""}).load().session_token
            is None
        )

    def test_none_of_it(self) -> None:
        with pytest.raises(NotHere):
            Environment({}).load()
        with pytest.raises(NotHere):
            Environment({"AWS_ACCESS_KEY_ID": ""}).load()

    @pytest.mark.parametrize(
        "environ",
        [
            {"AWS_ACCESS_KEY_ID": KEY},
            {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET + "\n"},
            {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_CREDENTIAL_EXPIRATION": "soon"},
        ],
    )
    def test_half_of_it(self, environ) -> None:
        with pytest.raises(awsign.CredentialsError) as caught:
            Environment(environ).load()
        assert not isinstance(caught.value, NotHere)
        assert SECRET not in str(caught.value)


@pytest.fixture
def files(tmp_path) -> dict[str, str]:
    credentials, config = tmp_path / "credentials", tmp_path / "config"
    credentials.write_text(
        f"[default]\naws_access_key_id = AKIDDEFAULT\naws_secret_access_key = {SECRET}\n\n[temporary]\naws_access_key_id=AKIDTEMP\naws_secret_access_key={SECRET}\naws_session_token={TOKEN}\n[half]\naws_access_key_id = AKIDHALF\n"
    )
    config.write_text(
        f"[default]\nregion = eu-west-1\n[profile temporary]\nregion = eu-north-1\n[profile in-config]\naws_access_key_id = AKIDCONFIG\naws_secret_access_key = {SECRET}\nregion = us-west-1\ns3 =\n  max_concurrent_requests = 5\n[profile empty]\nregion = ap-south-1\n"
    )
    return {"AWS_SHARED_CREDENTIALS_FILE": str(credentials), "AWS_CONFIG_FILE": str(config)}


class TestProfile:
    @pytest.mark.parametrize(
        ("profile", "more", "key", "region"),
        [
            (None, {}, "AKIDDEFAULT", "eu-west-1"),
            ("default", {"AWS_PROFILE": "temporary"}, "AKIDDEFAULT", "eu-west-1"),
            (None, {"AWS_PROFILE": "temporary"}, "AKIDTEMP", "eu-north-1"),
            (None, {"AWS_DEFAULT_PROFILE": "temporary"}, "AKIDTEMP", "eu-north-1"),
            ("in-config", {}, "AKIDCONFIG", "us-west-1"),
        ],
    )
    def test_found(self, files, profile, more, key, region) -> None:
        environ = files | more
        assert Profile(profile, environ).load().access_key_id == key
        assert settings(profile, environ)["region"] == region

    def test_the_token(self, files) -> None:
        assert Profile("temporary", files).load() == awsign.Credentials("AKIDTEMP", SECRET, TOKEN)

    def test_missing(self, files, tmp_path) -> None:
        with pytest.raises(NotHere):
            Profile("empty", files).load()
        with pytest.raises(awsign.CredentialsError, match="is it spelt right"):
            Profile("no-such", files).load()
        with pytest.raises(awsign.CredentialsError, match="aws_secret_access_key is missing"):
            Profile("half", files).load()
        with pytest.raises(NotHere):
            Profile(None, {"AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "no"), "AWS_CONFIG_FILE": str(tmp_path / "none")}).load()

    def test_a_broken_file_is_named_and_not_quoted(self, tmp_path) -> None:
        broken = tmp_path / "credentials"
        broken.write_text(f"[default]\naws_access_key_id = A\n{SECRET}\n")
        with pytest.raises(awsign.CredentialsError, match="line 3") as caught:
            Profile(None, {"AWS_SHARED_CREDENTIALS_FILE": str(broken), "AWS_CONFIG_FILE": "/dev/null"}).load()
        assert SECRET not in str(caught.value)
        assert caught.value.__cause__ is None
        broken.write_bytes(b"\xff\xfe")
        with pytest.raises(awsign.CredentialsError, match="cannot be read"):
            Profile(None, {"AWS_SHARED_CREDENTIALS_FILE": str(broken), "AWS_CONFIG_FILE": "/dev/null"}).load()


@pytest.mark.parametrize(
    "setting", ["role_arn = arn", "sso_session = s", "credential_process = x", "web_identity_token_file = f", "login_session = l"]
)
def test_a_profile_of_a_kind_that_is_not_read_yet_is_an_error(tmp_path, setting) -> None:
    config = tmp_path / "config"
    config.write_text(f"[profile p]\n{setting}\naws_access_key_id = AKID\naws_secret_access_key = {SECRET}\n")
    environ = {
        "AWS_CONFIG_FILE": str(config),
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:9",
    }
    with pytest.raises(awsign.CredentialsError, match=setting.split()[0]):
        find_credentials("p", environ).get()


class TestInstanceMetadata:
    def test_of_moto(self, moto) -> None:
        credentials = InstanceMetadata(moto, environ={}).load()
        assert credentials.session_token
        assert credentials.expiration > datetime.now(UTC)

    def test_of_ministack(self, ministack) -> None:
        credentials = InstanceMetadata(environ={"AWS_EC2_METADATA_SERVICE_ENDPOINT": ministack[0] + "/"}).load()
        assert credentials.access_key_id.startswith("ASIA")

    def test_of_awsign_serve_end_to_end(self, serve) -> None:
        from .wire import send

        signer = awsign.SigV4(Refreshing(InstanceMetadata(serve, environ={})), "execute-api", "us-east-1")
        status, answer = send(signer.sign(awsign.Request("GET", f"{serve}/orders")))
        assert status == 200, answer
        assert json.loads(answer)["Verified"]["AccessKeyId"].startswith("ASIA")

    def test_credentials_that_ended_are_refused_and_refreshed(self) -> None:
        """A role whose credentials last a second: a long-lived signer goes on, the old ones are refused."""
        from .wire import send

        with servers.awsign_serve("--role-seconds", "1") as url:
            source = InstanceMetadata(url, environ={})
            old = source.load()
            signer = awsign.SigV4(Refreshing(source), "execute-api", "us-east-1")
            assert send(signer.sign(awsign.Request("GET", f"{url}/")))[0] == 200
            time.sleep(1.2)
            assert send(signer.sign(awsign.Request("GET", f"{url}/")))[0] == 200
            stale = awsign.SigV4(
                awsign.Credentials(old.access_key_id, old.secret_access_key, old.session_token), "execute-api", "us-east-1"
            )
            status, answer = send(stale.sign(awsign.Request("GET", f"{url}/")))
            assert (status, b"expired" in answer) == (403, True)

    def test_version_2_is_spoken_and_its_token_kept(self) -> None:
        document = json.dumps(
            {"Code": "Success", "AccessKeyId": "ASIA", "SecretAccessKey": "s", "Token": "t", "Expiration": "2030-01-01T00:00:00Z"}
        )
        with raw_server(answer("TOKEN"), answer("role"), answer(document), answer("role"), answer(document)) as server:
            source = InstanceMetadata(server.url, environ={})
            assert source.load().access_key_id == "ASIA"
            source.load()
            assert [server.line(i).split()[0] for i in range(5)] == ["PUT", "GET", "GET", "GET", "GET"]
            assert server.header("X-aws-ec2-metadata-token", 4) == "TOKEN"

    def test_version_1_where_there_is_no_other(self) -> None:
        document = json.dumps({"AccessKeyId": "ASIA", "SecretAccessKey": "s", "Token": "t", "Expiration": "2030-01-01T00:00:00Z"})
        with raw_server(answer("", "404 Not Found"), answer("role"), answer("", "405 No"), answer(document)) as server:
            assert InstanceMetadata(server.url, environ={}).load().access_key_id == "ASIA"
            assert server.header("X-aws-ec2-metadata-token") is None
        with raw_server(answer("", "404 Not Found")) as server, pytest.raises(NotHere, match="version 1"):
            InstanceMetadata(server.url, environ={"AWS_EC2_METADATA_V1_DISABLED": "true"}).load()

    def test_an_answer_to_put_that_is_lost(self) -> None:
        """In a container beyond the hop limit, version 2 does not answer; version 1 does."""
        document = json.dumps({"AccessKeyId": "ASIA", "SecretAccessKey": "s", "Token": "t", "Expiration": "2030-01-01T00:00:00Z"})
        lost = lambda connection: time.sleep(1)  # noqa: E731
        with raw_server(lost, answer("role"), lost, answer(document)) as server:
            assert InstanceMetadata(server.url, timeout=0.2, environ={}).load().access_key_id == "ASIA"

    def test_a_token_that_is_refused_is_fetched_anew(self) -> None:
        with servers.awsign_serve() as url:
            source = InstanceMetadata(url, environ={})
            source.load()
            source._token = "stale"
            assert source.load()

    def test_what_is_none(self) -> None:
        for made, why in (
            (InstanceMetadata("http://127.0.0.1:9", environ={}), "no answer"),
            (InstanceMetadata(environ={"AWS_EC2_METADATA_DISABLED": "TRUE"}), "AWS_EC2_METADATA_DISABLED"),
        ):
            with pytest.raises(NotHere, match=why):
                made.load()
        with raw_server(answer("TOKEN"), answer("", "404 Not Found")) as server, pytest.raises(NotHere, match="no role"):
            InstanceMetadata(server.url, environ={}).load()

    @pytest.mark.parametrize(
        "document",
        [
            "",
            "<html>",
            "[]",
            "{}",
            '{"Code": "Failed"}',
            '{"AccessKeyId": 5, "SecretAccessKey": "topsecret", "Token": "t", "Expiration": "soon"}',
        ],
    )
    def test_what_is_nonsense(self, document) -> None:
        with raw_server(answer("TOKEN"), answer("role"), answer(document)) as server:
            with pytest.raises(awsign.CredentialsError) as caught:
                InstanceMetadata(server.url, environ={}).load()
            assert "topsecret" not in str(caught.value)
            assert caught.value.__cause__ is None

    def test_a_server_that_fails(self) -> None:
        with raw_server(answer("", "500 No"), answer("TOKEN"), answer("role"), answer("", "503 No")) as server:
            with pytest.raises(awsign.CredentialsError):
                InstanceMetadata(server.url, environ={}, attempts=2).load()
            assert len(server.requests) == 5


def answer(body: str, status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


class Scripted:
    """A source that gives what it is told to: credentials that end after so many minutes, or an error."""

    name = "scripted"

    def __init__(self, *given: object) -> None:
        self.given = list(given)
        self.loads = 0

    def load(self) -> awsign.Credentials:
        self.loads += 1
        minutes = self.given.pop(0) if len(self.given) > 1 else self.given[0]
        if isinstance(minutes, Exception):
            raise minutes
        return awsign.Credentials(
            f"AKID{self.loads}", SECRET, TOKEN, None if minutes is None else datetime.now(UTC) + timedelta(minutes=minutes)
        )


class TestRefreshing:
    def test_kept_while_they_are_good(self) -> None:
        source = Scripted(60)
        provider = Refreshing(source)
        assert [provider.get().access_key_id for _ in range(3)] == ["AKID1"] * 3
        assert Refreshing(Scripted(None)).get().expiration is None

    def test_refreshed_before_they_end(self) -> None:
        provider = Refreshing(Scripted(14, 60))
        assert [provider.get().access_key_id, provider.get().access_key_id, provider.get().access_key_id] == [
            "AKID1",
            "AKID2",
            "AKID2",
        ]

    def test_a_failure_in_the_advisory_window_is_tolerated(self, caplog) -> None:
        source = Scripted(12, awsign.CredentialsError("unreachable"))
        provider = Refreshing(source)
        with caplog.at_level(logging.WARNING):
            assert [provider.get().access_key_id for _ in range(3)] == ["AKID1"] * 3
        assert "unreachable" in caplog.text
        assert source.loads == 2  # Not asked again at once.

    @pytest.mark.parametrize("minutes", [3, 13])
    def test_a_failure_in_the_mandatory_one_is_not(self, minutes) -> None:
        now = [datetime.now(UTC)]
        provider = Refreshing(Scripted(12, awsign.CredentialsError("unreachable")), clock=lambda: now[0])
        provider.get()
        now[0] += timedelta(minutes=minutes)
        with pytest.raises(awsign.CredentialsError, match="unreachable"):
            provider.get()

    def test_a_source_of_dead_keys(self) -> None:
        with pytest.raises(awsign.CredentialsError, match="ended already"):
            Refreshing(Scripted(-1)).get()

    def test_threads_share_one_refresh(self) -> None:
        class Slow(Scripted):
            def load(self) -> awsign.Credentials:
                time.sleep(0.05)
                return super().load()

        source = Slow(60)
        provider = Refreshing(source)
        got: list[str] = []
        threads = [threading.Thread(target=lambda: got.append(provider.get().access_key_id)) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (got, source.loads) == (["AKID1"] * 20, 1)

    def test_async(self) -> None:
        provider = Refreshing(Scripted(60))
        assert asyncio.run(provider.get_async()) == provider.get()
        assert asyncio.run(awsign.Credentials(KEY, SECRET).get_async()).access_key_id == KEY

    def test_repr_and_logs_have_no_secret(self, caplog) -> None:
        with caplog.at_level(logging.DEBUG):
            provider = Refreshing(Scripted(60))
            provider.get()
        assert SECRET not in repr(provider) + caplog.text
        assert TOKEN not in repr(provider) + caplog.text


class TestChain:
    def test_the_order(self, files) -> None:
        environ = files | {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_EC2_METADATA_DISABLED": "true"}
        provider = find_credentials(environ=environ)
        assert (provider.get().access_key_id, provider.found_in) == (KEY, "environment")
        assert find_credentials(environ=environ | {"AWS_PROFILE": "temporary"}).get().access_key_id == KEY
        explicit = find_credentials("temporary", environ)
        assert (explicit.get().access_key_id, explicit.found_in) == ("AKIDTEMP", "shared-credentials-file")

    def test_the_whole_failure_is_a_checklist(self) -> None:
        environ = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}
        with pytest.raises(awsign.CredentialsError) as caught:
            find_credentials(environ=environ).get()
        lines = str(caught.value).splitlines()
        assert [line.split(":")[0] for line in lines if line.startswith("  - ")] == [
            "  - environment",
            "  - shared-credentials-file",
            "  - instance-metadata",
        ]
        assert lines[-1].startswith("set AWS_ACCESS_KEY_ID")

    def test_a_source_with_broken_credentials_ends_it(self) -> None:
        broken = Scripted(awsign.CredentialsError("half a key"))
        after = Scripted(60)
        with pytest.raises(awsign.CredentialsError, match="scripted: half a key"):
            Chain([Environment({}), broken, after]).load()
        assert after.loads == 0

    def test_a_refresh_asks_the_same_source(self) -> None:
        environ: dict[str, str] = {}
        second = Scripted(60)
        chain = Chain([Environment(environ), second])
        assert chain.load().access_key_id == "AKID1"
        environ.update(AWS_ACCESS_KEY_ID=KEY, AWS_SECRET_ACCESS_KEY=SECRET)
        assert chain.load().access_key_id == "AKID2"
