"""What an adversary tried: dead keys, deadlocks, tokens to strangers, endless answers, secrets in errors, raw exceptions."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import pickle
import socket
import threading
import time
import traceback
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import awsign
from awsign.credentials import AssumeRole, Container, InstanceMetadata, Process, Refreshing, Sso, Sts, WebIdentity, find_credentials
from awsign.credentials.http import NoAnswer, without
from awsign.credentials.http import ask as ask_over_http
from awsign.settings import Settings
from awsign.shared_files import SharedFiles

from ..conftest import KEY, SECRET
from ..raw_server import raw_server
from .test_logins import Home
from .test_refreshing import Scripted, Slow
from .test_sources import DOCUMENT, answer, drip

NOWHERE = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
ROLE = "arn:aws:iam::123456789012:role/r"


class TestDeadKeys:
    def test_the_pause_after_a_failure_ends_where_the_mandatory_window_begins(self) -> None:
        now = [datetime.now(UTC)]
        provider = Refreshing(
            Scripted(60, awsign.CredentialsError("down")),
            advisory=timedelta(minutes=1),
            mandatory=timedelta(seconds=15),
            clock=lambda: now[0],
        )
        end = provider.get().expiration
        now[0] = end - timedelta(seconds=20)
        assert provider.get().expiration == end  # Tolerated.
        for ahead in (10, 0, -30):
            now[0] = end - timedelta(seconds=ahead)
            with pytest.raises(awsign.CredentialsError, match="down"):
                provider.get()

    def test_a_failure_is_judged_by_when_it_came(self) -> None:
        """Asked in the advisory window, failed after the end."""
        now = [datetime.now(UTC)]

        class Late(Scripted):
            def load(self) -> awsign.Credentials:
                if self.loads:
                    now[0] += timedelta(minutes=20)
                return super().load()

        provider = Refreshing(Late(60, awsign.CredentialsError("down")), clock=lambda: now[0])
        provider.get()
        now[0] += timedelta(minutes=48)
        with pytest.raises(awsign.CredentialsError, match="down"):
            provider.get()

    def test_the_same_again_in_the_advisory_window_leaves_it_what_it_is(self) -> None:
        now = [datetime.now(UTC)]
        end = now[0] + timedelta(minutes=14)

        class Same(Scripted):
            def load(self) -> awsign.Credentials:
                self.loads += 1
                if self.loads > 2:
                    raise awsign.CredentialsError("down")
                return awsign.Credentials(KEY, SECRET, "token", end)

        provider = Refreshing(Same(), clock=lambda: now[0])
        for ahead in (14, 13.9, 13, 11):
            now[0] = end - timedelta(minutes=ahead)
            assert provider.get().expiration == end
        now[0] = end - timedelta(minutes=9.9)
        with pytest.raises(awsign.CredentialsError, match="down"):
            provider.get()

    @pytest.mark.parametrize("error", [OSError("disk"), ZeroDivisionError(), awsign.InvalidRequest("the region is none")])
    def test_any_failure_is_tolerated_in_the_advisory_window(self, error, caplog) -> None:
        provider = Refreshing(Scripted(12, error))
        assert [provider.get().access_key_id for _ in range(3)] == ["AKID1"] * 3
        assert "the old ones still serve" in caplog.text


class TestDeadlocks:
    def test_no_thread_can_be_started(self, monkeypatch) -> None:
        provider = Refreshing(Scripted(60))

        def refused(self) -> None:
            raise RuntimeError("can't start new thread")

        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", refused)
            with pytest.raises(awsign.CredentialsError, match="no thread can be started"):
                asyncio.run(provider.get_async())
        assert provider.get().access_key_id == "AKID1"

    def test_a_handler_of_the_log_that_signs(self) -> None:
        """Shipping the line asks the same provider."""
        provider = Refreshing(Scripted(60))
        got = []

        class Shipper(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                got.append(provider.get().access_key_id)

        log = logging.getLogger("awsign.credentials")
        handler, level = Shipper(), log.level
        log.addHandler(handler)
        log.setLevel(logging.DEBUG)
        try:
            provider.get()
        finally:
            log.removeHandler(handler)
            log.setLevel(level)
        assert got == ["AKID1"]

    def test_a_source_that_asks_its_own_provider(self) -> None:
        class Circular:
            name = "circular"

            def load(self) -> awsign.Credentials:
                return provider.get()

        class CircularTask(Circular):
            def load(self) -> awsign.Credentials:
                return asyncio.run(in_a_task.get_async())

        in_a_task = Refreshing(CircularTask())
        with pytest.raises(awsign.CredentialsError, match="the provider that asks it"):
            asyncio.run(in_a_task.get_async())
        provider = Refreshing(Circular())
        for ask in (provider.get, lambda: asyncio.run(provider.get_async())):
            with pytest.raises(awsign.CredentialsError, match="the provider that asks it"):
                ask()

    def test_an_error_that_no_future_carries(self) -> None:
        provider = Refreshing(Scripted(StopIteration()))
        with pytest.raises(awsign.CredentialsError, match="ended by StopIteration"):
            asyncio.run(provider.get_async())

    def test_threads_and_tasks_under_failures(self) -> None:
        """No dead keys, no hang, one at a time, whatever the source does."""
        begun = time.monotonic()

        def clock() -> datetime:
            """Four hours in four seconds."""
            return datetime.now(UTC) + timedelta(hours=time.monotonic() - begun)

        class Unsteady(Slow):
            seconds = 0.005

            def load(self) -> awsign.Credentials:
                found = super().load()
                if self.loads % 3 == 2:
                    raise OSError("disk")
                return awsign.Credentials(
                    found.access_key_id, SECRET, "token", clock() + timedelta(minutes=[20, 60][self.loads % 2])
                )

        source = Unsteady(60)
        provider = Refreshing(source, clock=clock)
        ends = begun + 4
        dead = []

        def ask() -> None:
            while time.monotonic() < ends:
                at = provider._clock()
                try:
                    found = provider.get()
                except (awsign.CredentialsError, OSError):
                    continue
                if found.expiration <= at:
                    dead.append(found)
                time.sleep(0.001)

        async def task() -> None:
            while time.monotonic() < ends:
                at = provider._clock()
                try:
                    found = await provider.get_async()
                except (awsign.CredentialsError, OSError):
                    continue
                if found.expiration <= at:
                    dead.append(found)
                await asyncio.sleep(0.001)

        async def tasks() -> None:
            await asyncio.gather(*(task() for _ in range(50)))

        threads = [threading.Thread(target=ask) for _ in range(20)]
        for thread in threads:
            thread.start()
        asyncio.run(asyncio.wait_for(tasks(), 30))
        for thread in threads:
            thread.join(30)
            assert not thread.is_alive()
        assert not dead
        assert source.at_once == 1
        assert source.loads > 5


def test_what_a_service_says_is_masked_before_it_is_cut() -> None:
    assert without("a" * 50 + "secret" * 20, "secret" * 20, most=60) == "a" * 50 + "***"
    assert without("x\x1b[31my\r\nz\ud800") == "x [31my  z"


class TestStrangers:
    @pytest.mark.parametrize(
        "region", ["evil.example/", "evil.example?", "evil.example#", "a@evil.example", "x.evil", "", "eu west", "é", "a:80"]
    )
    def test_no_token_goes_where_a_region_points(self, region, tmp_path, monkeypatch) -> None:
        def connected(*arguments):
            raise AssertionError(arguments)

        monkeypatch.setattr("socket.create_connection", connected)
        monkeypatch.setattr("socket.getaddrinfo", connected)
        home = Home(tmp_path, "")
        home.environ = {"HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"}
        home.sso("https://start.example/")
        home.sso()
        (tmp_path / "token").write_text("a.web.token")
        given = {"start_url": "https://start.example/", "account_id": "1", "role_name": "r", "environ": home.environ}
        home.login("2020-01-01T00:00:00Z", signInRegion=region or "e/")
        asked = (
            lambda: Sso(region=region, **given).load(),
            lambda: WebIdentity(str(tmp_path / "token"), ROLE, region=region or "x/", environ=NOWHERE).load(),
            lambda: Sts(region or "/", Settings(environ=NOWHERE)).caller_identity(awsign.Credentials(KEY, SECRET)),
            lambda: home.ours("of-login"),
        )
        for ask in asked:
            with pytest.raises((awsign.InvalidRequest, awsign.CredentialsError)) as caught:
                ask()
            assert "AssertionError" not in str(caught.value)


class TestBounds:
    @pytest.mark.parametrize("size", [b"-1", b"-5", b"zz", b"ffffffffffffffff"])
    def test_a_chunk_without_an_end(self, size) -> None:
        def flood(connection) -> None:
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + size + b"\r\n")
            for _ in range(200):
                connection.sendall(b"x" * (1 << 16))

        with raw_server(flood) as server:
            begun = time.monotonic()
            with pytest.raises(awsign.CredentialsError, match=r"no answer|longer than"):
                Container({"AWS_CONTAINER_CREDENTIALS_FULL_URI": server.url}, pause=0, timeout=1).load()
            assert time.monotonic() - begun < 8

    def test_a_proxy_that_drips(self) -> None:
        with raw_server(lambda connection: drip(connection, b"HTTP/1.1 200 OK\r\nX: ")) as server:
            settings = Settings(environ=NOWHERE | {"https_proxy": server.url})
            begun = time.monotonic()
            with pytest.raises(NoAnswer, match="took too long"):
                ask_over_http("GET", "https://sts.example/", timeout=0.5, settings=settings)
            assert time.monotonic() - begun < 3

    def test_nothing_is_sent_once_the_time_is_over(self, monkeypatch) -> None:
        """The first address of a host does not answer, the second does, too late: a refresh token would be spent for nothing."""
        connect = socket.create_connection

        def late(*arguments, **options):
            time.sleep(0.5)
            return connect(*arguments, **options)

        monkeypatch.setattr("socket.create_connection", late)
        with raw_server() as server:
            with pytest.raises(NoAnswer, match="took too long"):
                ask_over_http("POST", server.url, body=b"token", timeout=0.2)
            assert not server.requests

    def test_a_process_that_prints_without_an_end(self) -> None:
        with pytest.raises(awsign.CredentialsError, match=r"printed more than|exit code"):
            Process("cat /dev/zero", environ=os.environ, timeout=20).load()

    def test_a_process_that_leaves_a_child_with_its_output(self) -> None:
        """No thread and no file is left behind, and nobody waits for it."""
        document = json.dumps({"Version": 1, "AccessKeyId": KEY, "SecretAccessKey": SECRET})
        command = "sh -c 'sleep 20 & echo \"$DOCUMENT\"'"
        before, files = threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))
        begun = time.monotonic()
        for _ in range(5):
            assert Process(command, environ=os.environ | {"DOCUMENT": document}).load().access_key_id == KEY
        assert time.monotonic() - begun < 5
        # Those of other tests' servers may end meanwhile.
        assert threading.active_count() <= before
        assert len(list(Path("/proc/self/fd").iterdir())) <= files

    @pytest.mark.parametrize(
        ("command", "said"),
        [
            ("sh -c 'exec >&- 2>&-; sleep 20'", "did not end in 0.3 seconds"),
            ("sh -c 'trap : TERM; sleep 20'", "did not end in 0.3 seconds"),
            ("sh -c 'while :; do echo x >&2; done'", r"did not end in 0.3 seconds|printed more than"),
            ("sh -c 'exec >&- 2>&-; exit 3'", "exit code 3$"),
        ],
    )
    def test_processes_that_do_not_end(self, command, said) -> None:
        with pytest.raises(awsign.CredentialsError, match=said):
            Process(command, environ=os.environ, timeout=0.3 if "exit 3" not in command else 10).load()

    def test_a_chain_of_very_many_roles(self, tmp_path) -> None:
        (tmp_path / "config").write_text(
            "".join(f"[profile p{number}]\nrole_arn = r\nsource_profile = p{number + 1}\n" for number in range(400))
            + "[profile p400]\nregion = x\n"
        )
        with pytest.raises(awsign.CredentialsError, match="assumes more than 100 roles"):
            find_credentials("p0", {"AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_SHARED_CREDENTIALS_FILE": os.devnull}).get()


class TestSecretsInErrors:
    def whole(self, error: BaseException) -> str:
        """The error, what it came from, and how it is printed."""
        told = []
        each: BaseException | None = error
        while each is not None:
            told += [str(each), repr(each), repr(each.args), repr(vars(each))]
            each = each.__cause__ or each.__context__
        return "\n".join([*told, "".join(traceback.format_exception(error))])

    def test_what_a_service_says_of_what_it_was_sent(self, tmp_path) -> None:
        token = "the-very-token-that-was-sent" * 4
        body = json.dumps({"message": f"unknown: {token}", "code": token, "error": token})
        xml = f"<Code>{token}</Code><Message>no {token} \ud800</Message>".encode("utf-8", "surrogatepass")
        (tmp_path / "token").write_text(token)
        with raw_server(answer(body, "400 No")) as server:
            home = Home(tmp_path, server.url)
            home.sso(accessToken=token)
            with pytest.raises(awsign.CredentialsError) as caught:
                home.ours("of-session")
            assert token not in self.whole(caught.value)
            environ = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": server.url, "AWS_CONTAINER_AUTHORIZATION_TOKEN": token}
            with pytest.raises(awsign.CredentialsError) as caught:
                Container(environ, pause=0).load()
            assert token not in self.whole(caught.value)
        with raw_server(b"HTTP/1.1 403 No\r\nContent-Length: %d\r\n\r\n%s" % (len(xml), xml)) as server:
            settings = Settings(environ=NOWHERE | {"AWS_ENDPOINT_URL": server.url})
            asks = (
                WebIdentity(str(tmp_path / "token"), ROLE, environ=dict(settings.environ)),
                AssumeRole(ROLE, awsign.Credentials(KEY, SECRET), mfa_serial="m", prompt=lambda question: token, settings=settings),
            )
            for source in asks:
                with pytest.raises(awsign.CredentialsError) as caught:
                    source.load()
                assert token not in self.whole(caught.value)
                assert str(caught.value).encode()

    def test_files_and_values_that_cannot_be_read(self, tmp_path) -> None:
        secret = "a-secret-that-stands-there"
        path = tmp_path / "file"
        not_utf8 = secret.encode() + b"\xff"

        def files(text: bytes) -> None:
            path.write_bytes(text)
            SharedFiles({"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": str(path)})

        def token(text: bytes, source: str) -> None:
            path.write_bytes(text)
            if source == "web":
                WebIdentity(str(path), ROLE, environ=NOWHERE).load()
            Container(
                {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(path)}
            ).load()

        asks = [
            lambda: files(f"[default]\n{secret}\n".encode()),
            lambda: files(f"[default]\ns3 =\n  {secret}\n".encode()),
            lambda: files(b"[default]\nx = " + not_utf8),
            lambda: token(not_utf8, "web"),
            lambda: token(not_utf8, "container"),
            lambda: token(f"{secret}\n".encode(), "container"),
            lambda: awsign.Credentials(KEY, f"{secret}\ud800"),
            lambda: Process(f"{secret}=x no-such-program", environ={}).load(),
            lambda: Process(f"'{secret}", environ={}).load(),
            lambda: Process(f"sleep 5 {secret}", timeout=0.1, environ=os.environ).load(),
            lambda: Process(f"no-such-program {secret}", environ={}).load(),
            lambda: Container({"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://user:{secret}@127.0.0.1/"}).load(),
            lambda: InstanceMetadata(f"http://user:{secret}@127.0.0.1/", environ={}).load(),
        ]
        for ask in asks:
            with pytest.raises(awsign.CredentialsError) as caught:
                ask()
            assert secret not in self.whole(caught.value), self.whole(caught.value)

    def test_more_of_what_is_sent(self, tmp_path) -> None:
        secret = "a-secret-that-was-sent"
        body = f"<Code>AccessDenied</Code><Message>bad {secret}</Message>".encode()
        with raw_server(b"HTTP/1.1 403 No\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)) as server:
            settings = Settings(environ=NOWHERE | {"AWS_ENDPOINT_URL": server.url})
            with pytest.raises(awsign.CredentialsError) as caught:
                Sts("us-east-1", settings).caller_identity(awsign.Credentials(KEY, SECRET, secret))
            assert secret not in self.whole(caught.value)
        with raw_server(f"HTTP/1.1 407 Basic {secret}\r\nContent-Length: 0\r\n\r\n".encode()) as server:
            settings = Settings(environ=NOWHERE | {"https_proxy": server.url})
            with pytest.raises(awsign.CredentialsError, match="the proxy answered 407") as caught:
                Sts("us-east-1", settings).caller_identity(awsign.Credentials(KEY, SECRET))
            assert secret not in str(caught.value)
        home = Home(tmp_path, "http://127.0.0.1:9")
        home.sso().write_text(f'{{"accessToken": "{secret}"')
        home.login("2020-01-01T00:00:00Z", dpopKey=f"{secret}\udc80")
        for profile in ("of-session", "of-login"):
            with pytest.raises(awsign.CredentialsError) as caught:
                home.ours(profile)
            assert secret not in self.whole(caught.value)
        with pytest.raises(awsign.InvalidRequest) as caught:
            Settings(environ=NOWHERE | {"AWS_ENDPOINT_URL": f"HTTPS://user:{secret}@host"}).endpoint_url("s3")
        assert secret not in self.whole(caught.value)

    def test_a_token_that_no_header_can_carry(self, tmp_path) -> None:
        home = Home(tmp_path, "http://127.0.0.1:9")
        with raw_server() as server:
            home.environ |= {"AWS_ENDPOINT_URL_SSO": server.url}
            home.sso(accessToken="a-token\r\nwith-a-line")
            with pytest.raises(awsign.CredentialsError, match="no header can carry") as caught:
                home.ours("of-session")
            assert "a-token" not in self.whole(caught.value)
            assert not server.requests


class TestRawExceptions:
    @pytest.mark.parametrize(
        "environ",
        [
            {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://[foo"},
            {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://a..b/"},
            {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"https://{'a' * 70}.example/"},
            {"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://[foo"},
            {"AWS_WEB_IDENTITY_TOKEN_FILE": __file__, "AWS_ROLE_ARN": ROLE, "https_proxy": "http://proxy.corp "},
            {"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:9", "AWS_METADATA_SERVICE_NUM_ATTEMPTS": "0.5"},
            {"AWS_CONFIG_FILE": "~nosuchuser/x", "AWS_EC2_METADATA_DISABLED": "true"},
            {"AWS_CONFIG_FILE": "", "AWS_SHARED_CREDENTIALS_FILE": "", "AWS_EC2_METADATA_DISABLED": "true"},
            {"AWS_CONFIG_FILE": "a\0b", "AWS_EC2_METADATA_DISABLED": "true"},
            {"AWS_WEB_IDENTITY_TOKEN_FILE": "a\0b", "AWS_ROLE_ARN": ROLE},
            {"AWS_WEB_IDENTITY_TOKEN_FILE": "~nosuchuser/x", "AWS_ROLE_ARN": ROLE},
            {"AWS_WEB_IDENTITY_TOKEN_FILE": __file__, "AWS_ROLE_ARN": ROLE + "\udcff", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"},
            {"AWS_WEB_IDENTITY_TOKEN_FILE": __file__, "AWS_ROLE_ARN": ROLE, "AWS_ENDPOINT_URL": "nonsense"},
            {"AWS_WEB_IDENTITY_TOKEN_FILE": __file__, "AWS_ROLE_ARN": ROLE, "AWS_REGION": "us east"},
            {
                "AWS_WEB_IDENTITY_TOKEN_FILE": __file__,
                "AWS_ROLE_ARN": ROLE,
                "AWS_CA_BUNDLE": "a\0b",
                "AWS_ENDPOINT_URL": "https://127.0.0.1:9",
            },
        ],
    )
    def test_the_environment(self, environ) -> None:
        with pytest.raises(awsign.CredentialsError):
            find_credentials(environ=NOWHERE | environ).get()

    def test_nobody_has_a_home(self, monkeypatch) -> None:
        monkeypatch.delenv("HOME")
        monkeypatch.setattr("os.path.expanduser", lambda path: path)
        with raw_server(answer(DOCUMENT)) as server:
            assert find_credentials(environ={"AWS_CONTAINER_CREDENTIALS_FULL_URI": server.url}).get().access_key_id == "ASIA"

    @pytest.mark.parametrize("code", [None, "", "  ", 123456])
    def test_a_code_that_is_none(self, code) -> None:
        role = AssumeRole(
            ROLE, awsign.Credentials(KEY, SECRET), mfa_serial="m", prompt=lambda question: code, settings=Settings(environ=NOWHERE)
        )
        with pytest.raises(awsign.CredentialsError, match="no code of m was given"):
            role.load()

    def test_a_code_that_was_mistyped_is_asked_for_again(self, serve) -> None:
        codes = iter(["1", "2"])
        refused = b"<Code>AccessDenied</Code><Message>invalid MFA one time pass code</Message>"
        with raw_server(b"HTTP/1.1 403 No\r\nContent-Length: %d\r\n\r\n%s" % (len(refused), refused)) as server:
            settings = Settings(environ=NOWHERE | {"AWS_ENDPOINT_URL": server.url})
            role = AssumeRole(
                ROLE, awsign.Credentials(KEY, SECRET), mfa_serial="m", prompt=lambda question: next(codes), settings=settings
            )
            for _ in range(2):
                with pytest.raises(awsign.CredentialsError, match="invalid MFA"):
                    role.load()
            assert len(server.requests) == 2

    @pytest.mark.parametrize("seconds", [10**12, -(10**11), 0])
    def test_a_login_of_odd_length(self, seconds, tmp_path) -> None:
        given = {"accessKeyId": "ASIANEW", "secretAccessKey": "s", "sessionToken": "t"}
        body = json.dumps({"accessToken": given, "expiresIn": seconds, "refreshToken": "next"})
        with raw_server(answer(body)) as server:
            home = Home(tmp_path, server.url)
            path = home.login("2020-01-01T00:00:00Z")
            if seconds > 0:
                assert home.ours("of-login") == "ASIANEW"
            else:
                with pytest.raises(awsign.CredentialsError, match="have ended already"):
                    home.ours("of-login")
            assert json.loads(path.read_text())["refreshToken"] == "next"  # The old one is void.

    def test_a_path_object_is_a_path(self, tmp_path, serve) -> None:
        (tmp_path / "token").write_text("a.web.token")
        source = WebIdentity(tmp_path / "token", ROLE, environ=NOWHERE | {"AWS_ENDPOINT_URL": serve})
        assert source.load().session_token

    def test_an_expiration_as_http_writes_it(self) -> None:
        document = json.dumps(
            {"Version": 1, "AccessKeyId": KEY, "SecretAccessKey": SECRET, "Expiration": "Thu, 01 Jan 2099 00:00:00 GMT"}
        )
        assert Process(f"echo '{document}'", environ=os.environ).load().expiration == datetime(2099, 1, 1, tzinfo=UTC)

    def test_an_entity_of_very_many_digits(self) -> None:
        response = awsign.Response(403, {}, "<Code>&#" + "1" * 5000 + ";</Code>")
        assert awsign.ClockSkew().learn("https://x/", response) is False

    def test_a_profile_that_is_empty(self) -> None:
        with pytest.raises(awsign.InvalidRequest, match="profile is empty"):
            find_credentials("", {"AWS_PROFILE": "dev"})


def test_files_are_read_by_many_threads(tmp_path) -> None:
    paths = [tmp_path / str(number) for number in range(40)]
    for path in paths:
        path.write_text(f"[default]\nregion = {path.name}\n")
    failed = []

    def read() -> None:
        for _ in range(30):
            for path in paths:
                try:
                    assert (
                        Settings(environ={"AWS_CONFIG_FILE": str(path), "AWS_SHARED_CREDENTIALS_FILE": os.devnull}).region
                        == path.name
                    )
                except Exception as error:
                    failed.append(error)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (
            "/",
            b"Action=AssumeRoleWithWebIdentity&WebIdentityToken=abcd&RoleSessionName=ab&RoleArn="
            + ROLE.encode()
            + b"&DurationSeconds="
            + b"9" * 5000,
        ),
        ("/token", b'{"grantType": "refresh_token", "clientId": "c", "clientSecret": "s", "refreshToken": []}'),
        ("/token", b'{"grantType": "refresh_token", "clientId": "c", "clientSecret": "s", "refreshToken": {}}'),
        ("/token", b"[" * 5000),
    ],
)
def test_what_the_played_services_take(serve, path, body) -> None:
    kind = "application/x-www-form-urlencoded" if path == "/" else "application/json"
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(urllib.request.Request(serve + path, body, {"Content-Type": kind}))
    assert caught.value.code == 400
    caught.value.close()


def test_a_forked_child_with_many_threads() -> None:
    provider = Refreshing(Slow(60))
    under_way = threading.Thread(target=provider.get)
    under_way.start()
    time.sleep(Slow.seconds / 3)
    moved = pickle.loads(pickle.dumps(find_credentials(environ=NOWHERE)))
    assert moved.found_in is None
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        child = os.fork()
    if child == 0:
        try:
            threads, failed = [], []

            def ask() -> None:
                try:
                    provider.get()
                except BaseException as error:
                    failed.append(error)

            for _ in range(20):
                threads.append(threading.Thread(target=ask))
                threads[-1].start()
            for thread in threads:
                thread.join(10)
            os._exit(1 if failed or any(thread.is_alive() for thread in threads) else 0)
        finally:
            os._exit(2)
    under_way.join()
    assert os.waitpid(child, 0)[1] == 0
