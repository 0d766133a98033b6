"""Sources used by themselves: the environment, the shared files, the instance metadata service (moto's, MiniStack's and our own)."""

from __future__ import annotations

import json
import os
import shlex
import sys
import time
from datetime import UTC, datetime

import pytest

import awsign
from awsign.credentials import (
    ConfigFile,
    Container,
    Environment,
    InstanceMetadata,
    NotHere,
    Process,
    Refreshing,
    SharedCredentialsFile,
    find_credentials,
    find_region,
)
from awsign.settings import Settings

from .. import servers
from ..conftest import KEY, SECRET, TOKEN
from ..raw_server import raw_server


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
        assert find_credentials(profile, environ).get().access_key_id == key
        assert Settings(profile, environ).region == region

    def test_each_file_by_itself(self, files) -> None:
        assert SharedCredentialsFile("temporary", files).load() == awsign.Credentials("AKIDTEMP", SECRET, TOKEN)
        assert ConfigFile("in-config", files).load() == awsign.Credentials("AKIDCONFIG", SECRET)
        for source, profile in ((SharedCredentialsFile, "in-config"), (ConfigFile, "temporary"), (ConfigFile, "empty")):
            with pytest.raises(NotHere, match=profile):
                source(profile, files).load()

    def test_missing(self, files, tmp_path) -> None:
        for environ in (
            {"AWS_PROFILE": "no-such"},
            {"AWS_PROFILE": "no-such", "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET},
        ):
            with pytest.raises(
                awsign.CredentialsError, match=r"is it spelt right\? There are: default, empty, half, in-config, temporary$"
            ) as caught:
                find_credentials(environ=files | environ).get()
            assert not isinstance(caught.value, NotHere)
        with pytest.raises(awsign.CredentialsError, match="aws_secret_access_key is missing"):
            SharedCredentialsFile("half", files).load()
        with pytest.raises(NotHere, match=r"there is no .*/no"):
            SharedCredentialsFile(None, {"AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "no")}).load()

    def test_what_was_meant(self, files, tmp_path) -> None:
        with pytest.raises(awsign.CredentialsError, match=r"is 'temporary' meant\?"):
            find_credentials("temporray", files).get()
        with (tmp_path / "config").open("a") as config:
            config.write("[bare]\nregion = x\n")
        with pytest.raises(awsign.CredentialsError, match=r"has \[bare\], which has to be \[profile bare\]"):
            find_credentials("bare", files).get()

    def test_a_broken_file_is_no_sources_fault(self, files, tmp_path) -> None:
        (tmp_path / "config").write_text("[default\nregion = x\n")
        with pytest.raises(
            awsign.CredentialsError, match=r"^/.*config, line 1: there is no \[section\] before it, or the \] of one"
        ):
            find_credentials(environ=files).get()

    def test_a_file_that_changes_is_read_again(self, files, tmp_path) -> None:
        source = SharedCredentialsFile("temporary", files)
        assert source.load().access_key_id == "AKIDTEMP"
        (tmp_path / "credentials").write_text(f"[temporary]\naws_access_key_id = AKIDNEWER\naws_secret_access_key = {SECRET}\n")
        assert source.load().access_key_id == "AKIDNEWER"


class TestProcess:
    def run(self, tmp_path, output: str, code: int = 0, error: str = "", **options) -> awsign.Credentials:
        script = tmp_path / "a script.py"
        script.write_text(f"import sys\nsys.stdout.write({output!r})\nsys.stderr.write({error!r})\nsys.exit({code})\n")
        return Process(f"{sys.executable} {shlex.quote(str(script))}", environ=os.environ, **options).load()

    def test_what_it_prints(self, tmp_path) -> None:
        document = {"Version": 1, "AccessKeyId": KEY, "SecretAccessKey": SECRET}
        assert self.run(tmp_path, json.dumps(document)) == awsign.Credentials(KEY, SECRET)
        document |= {"SessionToken": TOKEN, "Expiration": "2030-01-15T12:00:00+01:00"}
        found = self.run(tmp_path, json.dumps(document))
        assert (found.session_token, found.expiration) == (TOKEN, datetime(2030, 1, 15, 11, tzinfo=UTC))

    @pytest.mark.parametrize(
        ("output", "code", "error", "said"),
        [
            ("", 0, "", "is not JSON"),
            ("[]", 0, "", "not a JSON object"),
            ('{"Version": 2}', 0, "", "Version '2'"),
            ('{"Version": 1, "AccessKeyId": "A"}', 0, "", "lacks SecretAccessKey"),
            (f'{{"Version": 1, "AccessKeyId": 5, "SecretAccessKey": "{SECRET}"}}', 0, "", "something else than text"),
            (f'{{"Version": 1, "AccessKeyId": "A", "SecretAccessKey": "{SECRET}", "Expiration": "soon"}}', 0, "", "not a time"),
            ("", 3, "vault is sealed\n", "exit code 3: vault is sealed"),
            ("", 3, f"could not use {SECRET}\n", "exit code 3$"),
        ],
    )
    def test_what_it_prints_wrongly(self, tmp_path, output, code, error, said) -> None:
        with pytest.raises(awsign.CredentialsError, match=said) as caught:
            self.run(tmp_path, output, code, error)
        assert SECRET not in str(caught.value)
        assert not isinstance(caught.value, NotHere)

    def test_what_cannot_be_run(self) -> None:
        for command, said in (
            ("no-such-program --secret x", "no-such-program cannot be run"),
            ("a 'b", "a quote that does not end"),
            ("/", "cannot be run"),
        ):
            with pytest.raises(awsign.CredentialsError, match=said):
                Process(command, environ={}).load()
        with pytest.raises(awsign.CredentialsError, match=r"did not end in 0.2 seconds"):
            Process("sleep 5", timeout=0.2, environ=os.environ).load()


class TestContainer:
    def test_of_awsign_serve(self) -> None:
        with servers.awsign_serve("--container-token", "Basic abc") as url:
            environ = {
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{url}/v1/credentials",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN": "Basic abc",
            }
            assert Container(environ).load().access_key_id.startswith("ASIA")
            environ["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "Basic other"
            with pytest.raises(awsign.CredentialsError, match="answered 401 AccessDenied"):
                Container(environ).load()

    def test_of_ministack(self, ministack) -> None:
        environ = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{ministack[0]}/v2/credentials/awsign"}
        assert Container(environ).load().session_token

    def test_the_token_file_is_read_anew(self, tmp_path) -> None:
        """EKS Pod Identity replaces it while the pod runs."""
        token = tmp_path / "token"
        with raw_server(answer(DOCUMENT)) as server:
            environ = {
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{server.url}/x",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(token),
            }
            source = Container(environ | {"AWS_CONTAINER_AUTHORIZATION_TOKEN": "not this one"})
            for text in ("first", "second"):
                token.write_text(text)
                source.load()
                assert server.header("Authorization") == text
            token.unlink()
            with pytest.raises(awsign.CredentialsError, match=r"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE.*cannot be read"):
                source.load()
            assert len(server.requests) == 2

    @pytest.mark.parametrize(
        "url",
        [
            "http://192.0.2.1/x", "http://127.0.0.1.evil.example/x", "http://localhost.evil.example/", "http://127.0.0.1@192.0.2.1/",
            "http://192.0.2.1#@127.0.0.1/", "http://[::ffff:192.0.2.1]/", "http://0.0.0.0/", "http://169.254.169.254/", "http://2130706433/",
            "http://127.0.0.1\\@192.0.2.1/", "ftp://127.0.0.1/", "http:///x", "//127.0.0.1/", "127.0.0.1/x", "http://127.0.0.1:x/", "http://a b/",
            "http://127.0.0.1/\r\nHost: evil", "http://169.254.170.2.evil.example/", "http://169.254.170.20/",
        ],
    )  # fmt: skip
    def test_the_token_goes_nowhere_else(self, url, monkeypatch) -> None:
        """Refused before a connection is made, or a name is looked up."""

        def connected(*arguments):
            raise AssertionError(arguments)

        monkeypatch.setattr("socket.create_connection", connected)
        monkeypatch.setattr("socket.getaddrinfo", connected)
        environ = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": url, "AWS_CONTAINER_AUTHORIZATION_TOKEN": "secret-token"}
        with pytest.raises(awsign.CredentialsError) as caught:
            Container(environ).load()
        assert "secret-token" not in str(caught.value)

    def test_it_goes_where_it_may(self, monkeypatch) -> None:
        asked = []

        def connected(address, *arguments, **options):
            asked.append(address[0])
            raise ConnectionRefusedError

        monkeypatch.setattr("socket.create_connection", connected)
        monkeypatch.setattr("socket.getaddrinfo", connected)
        urls = [
            "http://169.254.170.2/x",
            "http://169.254.170.23/x",
            "http://[fd00:ec2::23]/x",
            "http://localhost/x",
            "http://127.0.0.9/x",
            "http://[::1]/x",
        ]
        for url in urls:
            with pytest.raises(awsign.CredentialsError, match="no answer"):
                Container({"AWS_CONTAINER_CREDENTIALS_FULL_URI": url}, pause=0).load()
        with pytest.raises(awsign.CredentialsError, match="no answer"):
            Container({"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/x"}, pause=0).load()
        hosts = ["169.254.170.2", "169.254.170.23", "fd00:ec2::23", "localhost", "127.0.0.9", "::1", "169.254.170.2"]
        assert list(dict.fromkeys(asked)) == list(dict.fromkeys(hosts))
        with pytest.raises(awsign.CredentialsError, match="begins with a slash"):
            Container({"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": ".evil.example/"}).load()

    def test_a_redirect_is_not_followed(self) -> None:
        with raw_server(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n") as server:
            environ = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": server.url, "AWS_CONTAINER_AUTHORIZATION_TOKEN": "token"}
            with pytest.raises(awsign.CredentialsError, match="answered 302"):
                Container(environ).load()

    def test_a_passing_failure_is_asked_again(self) -> None:
        with raw_server(answer("", "503 No"), lambda connection: None, answer(DOCUMENT)) as server:
            found = Container({"AWS_CONTAINER_CREDENTIALS_FULL_URI": server.url}, pause=0).load()
            assert (found.access_key_id, len(server.requests)) == ("ASIA", 3)

    def test_no_proxy_is_asked(self) -> None:
        with raw_server(answer(DOCUMENT)) as server:
            environ = {
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": server.url,
                "http_proxy": "http://127.0.0.1:9",
                "all_proxy": "http://127.0.0.1:9",
            }
            assert Container(environ).load().access_key_id == "ASIA"


class TestInstanceMetadata:
    def test_of_moto(self, moto) -> None:
        credentials = InstanceMetadata(moto, environ={}).load()
        assert credentials.session_token
        assert credentials.expiration > datetime.now(UTC)

    def test_of_ministack(self, ministack) -> None:
        credentials = InstanceMetadata(environ={"AWS_EC2_METADATA_SERVICE_ENDPOINT": ministack[0] + "/"}).load()
        assert credentials.access_key_id.startswith("ASIA")

    def test_of_awsign_serve_end_to_end(self, serve) -> None:
        from ..wire import send

        signer = awsign.SigV4(Refreshing(InstanceMetadata(serve, environ={})), "execute-api", "us-east-1")
        status, answer = send(signer.sign(awsign.Request("GET", f"{serve}/orders")))
        assert status == 200, answer
        assert json.loads(answer)["Verified"]["AccessKeyId"].startswith("ASIA")

    def test_credentials_that_ended_are_refused_and_refreshed(self) -> None:
        """A role whose credentials last a second: a long-lived signer goes on, the old ones are refused."""
        from ..wire import send

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

    def test_settings_of_the_profile(self, tmp_path) -> None:
        with raw_server(answer("TOKEN"), answer("role"), answer(DOCUMENT)) as server:
            config = tmp_path / "config"
            config.write_text(f"[profile p]\nec2_metadata_service_endpoint = {server.url}\nmetadata_service_timeout = 3\n")
            assert InstanceMetadata(profile="p", environ={"AWS_CONFIG_FILE": str(config)}).load().access_key_id == "ASIA"
        for setting, value, said in (
            ("AWS_METADATA_SERVICE_TIMEOUT", "soon", "AWS_METADATA_SERVICE_TIMEOUT is 'soon'"),
            ("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "-1", "NUM_ATTEMPTS"),
            ("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ipv5", "IPv4 or IPv6"),
            ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "https://127.0.0.1/", "not an http:// URL"),
            ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "127.0.0.1", "not the URL"),
        ):
            with pytest.raises(awsign.CredentialsError, match=said):
                InstanceMetadata(environ={setting: value}).load()

    @pytest.mark.parametrize("variable", [{"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "IPv6"}, {"AWS_IMDS_USE_IPV6": "true"}])
    def test_the_address_of_ipv6(self, monkeypatch, variable) -> None:
        asked = []

        def connected(address, *arguments, **options):
            asked.append(address)
            raise ConnectionRefusedError

        monkeypatch.setattr("socket.create_connection", connected)
        with pytest.raises(NotHere):
            InstanceMetadata(environ=variable).load()
        assert asked == [("fd00:ec2::254", 80)]

    @pytest.mark.parametrize(
        ("told", "region"),
        [
            ("eu-west-1", "eu-west-1"),
            ("us-gov-west-1", "us-gov-west-1"),
            ("us-west-2-lax-1a", "us-west-2"),
            ("eu-central-1b", "eu-central-1"),
        ],
    )
    def test_the_region(self, told, region) -> None:
        with raw_server(answer("TOKEN"), answer(told)) as server:
            assert InstanceMetadata(server.url, environ={}).region() == region
        with raw_server(answer("TOKEN"), answer("", "404 No"), answer(told)) as server:
            assert InstanceMetadata(server.url, environ={}).region() == region

    def test_find_region(self, serve, moto) -> None:
        environ = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": serve}
        assert find_region(environ=environ) == "us-east-1"
        assert find_region(environ={"AWS_EC2_METADATA_SERVICE_ENDPOINT": moto}) == "us-east-1"
        assert find_region(environ=environ, instance=False) is None
        assert find_region(environ=environ | {"AWS_DEFAULT_REGION": "eu-west-2"}) == "eu-west-2"
        assert find_region(environ=environ | {"AWS_DEFAULT_REGION": "eu-west-2", "AWS_REGION": "eu-west-3"}) == "eu-west-3"
        assert find_region(environ={"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:9"}) is None
        with raw_server(answer("TOKEN"), answer("<html>")) as server, pytest.raises(awsign.CredentialsError, match="which is none"):
            InstanceMetadata(server.url, environ={}).region()

    def test_credentials_that_have_ended_serve_while_there_are_no_others(self, caplog) -> None:
        """Static stability: botocore, InstanceMetadataFetcher._evaluate_expiration."""
        document = json.dumps({"AccessKeyId": "ASIA", "SecretAccessKey": "s", "Token": "t", "Expiration": "2020-01-01T00:00:00Z"})
        with raw_server(answer("TOKEN"), answer("role"), answer(document)) as server:
            left = InstanceMetadata(server.url, environ={}).load().expiration - datetime.now(UTC)
        assert 500 < left.total_seconds() < 1000
        assert "no newer credentials than ASIA" in caplog.text

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

    @pytest.mark.parametrize("role", ["../../../x", "a b", "ro\u0142e", "x" * 70 + "/y", "role\r"])
    def test_a_role_that_is_no_name(self, role) -> None:
        with raw_server(answer("TOKEN"), answer(role)) as server:
            if role == "role\r":
                return
            with pytest.raises(awsign.CredentialsError, match="no name of one"):
                InstanceMetadata(server.url, environ={}).load()
            assert len(server.requests) == 2

    @pytest.mark.parametrize("at", [0, 1, 2])
    @pytest.mark.parametrize(
        "lie",
        [
            lambda connection: time.sleep(5),
            lambda connection: connection.close(),
            lambda connection: drip(connection, b"HTTP/1.1 200 OK\r\nX-Header: "),
            lambda connection: drip(connection, b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n"),
            lambda connection: drip(connection, b"HTTP/1.1 200 OK\r\n\r\n"),
            lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"),
            lambda connection: connection.sendall(b"\x00\xff nonsense\r\n\r\n"),
            lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (2 << 20)),
            b"HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 204 Nothing\r\n\r\n",
        ],
    )  # fmt: skip
    def test_hangs_lies_and_halves_end_in_a_clear_error_in_bounded_time(self, at, lie) -> None:
        """At the token, at the role, at the document."""
        answers = [answer("TOKEN"), answer("role"), answer(DOCUMENT)]
        answers[at] = lie
        with raw_server(*answers, lie) as server:
            begun = time.monotonic()
            with pytest.raises(awsign.CredentialsError) as caught:
                InstanceMetadata(server.url, timeout=0.3, environ={}).load()
            assert time.monotonic() - begun < 2
        assert len(str(caught.value)) > 20

    def test_a_server_that_fails(self) -> None:
        with raw_server(answer("", "500 No"), answer("TOKEN"), answer("role"), answer("", "503 No")) as server:
            with pytest.raises(awsign.CredentialsError):
                InstanceMetadata(server.url, environ={}, attempts=2).load()
            assert len(server.requests) == 5


def answer(body: str, status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


def drip(connection, begin: bytes) -> None:
    """A byte from time to time: no single read takes long."""
    connection.sendall(begin)
    for _ in range(100):
        time.sleep(0.05)
        connection.sendall(b"x")


DOCUMENT = json.dumps(
    {"Code": "Success", "AccessKeyId": "ASIA", "SecretAccessKey": "s", "Token": "t", "Expiration": "2030-01-01T00:00:00Z"}
)
