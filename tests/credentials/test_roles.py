"""Roles: STS calls signed by awsign, at MiniStack, moto and `awsign serve`; chains of roles, web identities, MFA, errors."""

from __future__ import annotations

import base64
import http.server
import json
import os
import pickle
import ssl
import threading
import urllib.parse

import pytest

import awsign
from awsign.credentials import AssumeRole, NotHere, Refreshing, Sts, WebIdentity, find_credentials
from awsign.settings import Settings

from .. import servers
from ..conftest import KEY, SECRET, TOKEN
from ..raw_server import raw_server
from ..wire import send

ROLE = "arn:aws:iam::123456789012:role/reader"
CREDENTIALS = awsign.Credentials(KEY, SECRET)


def at(url: str, **more: str) -> Settings:
    return Settings(
        environ={"AWS_ENDPOINT_URL_STS": url, "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull} | more
    )


class TestAssumeRole:
    def test_at_ministack_which_verifies(self, ministack) -> None:
        """The role's credentials are taken by the server that gave them, and refused with another token."""
        url, key, secret = ministack
        role = AssumeRole("arn:aws:iam::000000000000:role/tested", awsign.Credentials(key, secret), settings=at(url))
        credentials = role.load()
        assert credentials.session_token
        request = awsign.Request("GET", f"{url}/?Action=GetCallerIdentity&Version=2011-06-15")
        assert send(awsign.SigV4(credentials, "sts", "us-east-1").sign(request))[0] == 200
        assert (
            Sts("us-east-1", at(url))
            .caller_identity(Refreshing(role))["Arn"]
            .startswith("arn:aws:sts::000000000000:assumed-role/tested/")
        )
        with pytest.raises(awsign.CredentialsError, match=r"AssumeRole at .* was answered with 403"):
            AssumeRole(ROLE, awsign.Credentials(key, "another" + secret), settings=at(url)).load()

    def test_at_moto(self, moto) -> None:
        credentials = AssumeRole(ROLE, CREDENTIALS, session_name="from-awsign", settings=at(moto)).load()
        assert credentials.access_key_id.startswith("ASIA")
        identity = Sts("us-east-1", at(moto)).caller_identity(credentials)
        assert identity["Arn"] == "arn:aws:sts::123456789012:assumed-role/reader/from-awsign"

    def test_what_is_asked(self) -> None:
        with raw_server(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n") as server:
            role = AssumeRole(
                ROLE, CREDENTIALS, session_name="s", external_id="e&=", policy='{"a": "b"}', duration_seconds=900, mfa_serial="mfa",
                prompt=lambda question: f"{question}".partition("mfa")[1] + " 123456 ", region="eu-west-1", settings=at(server.url),
            )  # fmt: skip
            with pytest.raises(awsign.CredentialsError, match="answered with 500"):
                role.load()
            head, body = server.requests[0]
            asked = dict(urllib.parse.parse_qsl(body.decode()))
            assert asked == {
                "Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": ROLE, "RoleSessionName": "s", "ExternalId": "e&=",
                "Policy": '{"a": "b"}', "DurationSeconds": "900", "SerialNumber": "mfa", "TokenCode": "mfa 123456",
            }  # fmt: skip
            assert b"/eu-west-1/sts/aws4_request" in head
            assert len(server.requests) == 3  # It was asked again, twice.

    def test_the_code_is_asked_for_once(self, serve) -> None:
        asked = []

        def prompt(question: str) -> str:
            asked.append(question)
            return "123456"

        role = AssumeRole(ROLE, CREDENTIALS, mfa_serial="arn:aws:iam::123456789012:mfa/me", prompt=prompt, settings=at(serve))
        role.load()
        with pytest.raises(awsign.CredentialsError, match="was asked for once already"):
            role.load()
        assert asked == ["Enter MFA code for arn:aws:iam::123456789012:mfa/me: "]

    def test_nobody_to_ask(self, serve, monkeypatch) -> None:
        monkeypatch.setattr("sys.stdin", None)
        with pytest.raises(awsign.CredentialsError, match="no terminal to ask on"):
            AssumeRole(ROLE, CREDENTIALS, mfa_serial="mfa", settings=at(serve)).load()

    def test_a_chain_of_roles_that_outlives_its_middle(self) -> None:
        """Each hop has a provider of its own: the middle's credentials are kept while they are good."""
        with servers.awsign_serve("--key", f"{KEY}:{SECRET}", "--role-seconds", "2", "--quiet") as url:
            middle = Refreshing(AssumeRole(ROLE, CREDENTIALS, settings=at(url)))
            last = Refreshing(AssumeRole(ROLE + "-2", middle, settings=at(url)))
            signer = awsign.SigV4(last, "execute-api", "us-east-1")
            seen = set()
            end = threading.Event()
            for _ in range(12):
                signed = signer.sign(awsign.Request("GET", f"{url}/"))
                assert send(signed)[0] == 200
                seen.add(last.get().access_key_id)
                end.wait(0.3)
            assert len(seen) > 2

    @pytest.mark.parametrize(
        ("status", "body", "said"),
        [
            (200, "", "lacks AccessKeyId"),
            (200, "<Credentials><AccessKeyId>A</AccessKeyId><SecretAccessKey>topsecret</SecretAccessKey></Credentials>", "lacks SessionToken, Expiration"),
            (200, "<Credentials><AccessKeyId>A</AccessKeyId><SecretAccessKey>topsecret</SecretAccessKey><SessionToken>t</SessionToken><Expiration>soon</Expiration></Credentials>", "not a time as"),
            (403, "<Code>AccessDenied</Code><Message>User: arn is not authorized &amp; so on</Message>", "403 AccessDenied: User: arn is not authorized & so on"),
            (403, "<Code>SignatureDoesNotMatch</Code><Message>The String-to-Sign should have been AWS4-HMAC-SHA256</Message>", "SignatureDoesNotMatch: no reason given"),
            (400, "<html>", "was answered with 400"),
        ],
    )  # fmt: skip
    def test_answers_that_are_no_use(self, status, body, said) -> None:
        with raw_server(f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()) as server:
            with pytest.raises(awsign.CredentialsError, match=said) as caught:
                AssumeRole(ROLE, CREDENTIALS, settings=at(server.url)).load()
            assert "topsecret" not in str(caught.value)

    def test_over_tls_with_the_bundle_of_the_settings(self, tmp_path) -> None:
        import trustme

        authority = trustme.CA()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        authority.cert_pem.write_to_path(tmp_path / "ca.pem")
        body = "<Account>1</Account><Arn>a</Arn><UserId>u</UserId>"
        with raw_server(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode(), context=context) as server:
            found = Sts("us-east-1", at(server.url, AWS_CA_BUNDLE=str(tmp_path / "ca.pem"))).caller_identity(CREDENTIALS)
            assert found == {"Account": "1", "Arn": "a", "UserId": "u"}
            with pytest.raises(awsign.CredentialsError, match="CERTIFICATE_VERIFY_FAILED"):
                Sts("us-east-1", at(server.url)).caller_identity(CREDENTIALS)
            with pytest.raises(awsign.CredentialsError, match="certificates of '/no/such' cannot be read"):
                Sts("us-east-1", at(server.url, AWS_CA_BUNDLE="/no/such")).caller_identity(CREDENTIALS)

    def test_through_a_proxy(self, serve) -> None:
        seen = []

        class Proxy(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                seen.append((self.path, self.headers["Proxy-Authorization"]))
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(502)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments) -> None:
                pass

        proxy = http.server.HTTPServer(("127.0.0.1", 0), Proxy)
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        try:
            settings = at("http://sts.example", http_proxy=f"http://user:p%40ss@127.0.0.1:{proxy.server_port}")
            with pytest.raises(awsign.CredentialsError, match="502"):
                Sts("us-east-1", settings).caller_identity(CREDENTIALS)
            assert seen[0] == ("http://sts.example/", "Basic dXNlcjpwQHNz")
            with pytest.raises(awsign.CredentialsError, match="proxy of the environment is not a URL") as caught:
                Sts("us-east-1", at("http://sts.example", http_proxy="socks5://user:secret@127.0.0.1")).caller_identity(CREDENTIALS)
            assert "secret" not in str(caught.value)
        finally:
            proxy.shutdown()
            proxy.server_close()

    @pytest.mark.parametrize(
        ("region", "environ", "place"),
        [
            (None, {}, ("https://sts.amazonaws.com", "us-east-1")),
            ("eu-west-1", {}, ("https://sts.eu-west-1.amazonaws.com", "eu-west-1")),
            (None, {"AWS_REGION": "cn-north-1"}, ("https://sts.cn-north-1.amazonaws.com.cn", "cn-north-1")),
            (None, {"AWS_DEFAULT_REGION": "us-isob-east-1"}, ("https://sts.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1")),
            ("eu-west-1", {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, ("http://127.0.0.1:1", "eu-west-1")),
        ],
    )
    def test_the_endpoint(self, region, environ, place) -> None:
        assert Sts(region, Settings(environ={"AWS_CONFIG_FILE": os.devnull} | environ))._place() == place


class TestProfiles:
    """What a profile asks for; all of it beside botocore is in test_differential.py."""

    def environ(self, tmp_path, url: str, config: str, **more: str) -> dict[str, str]:
        (tmp_path / "config").write_text(config)
        return {
            "AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_ENDPOINT_URL_STS": url,
            "AWS_EC2_METADATA_DISABLED": "true", "PATH": os.environ["PATH"],
        } | more  # fmt: skip

    def test_mfa_by_the_chain(self, tmp_path, serve) -> None:
        config = (
            f"[profile base]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n"
            f"[profile role]\nrole_arn = {ROLE}\nsource_profile = base\nmfa_serial = arn:aws:iam::123456789012:mfa/me\n"
        )
        asked = []
        provider = find_credentials(
            "role", self.environ(tmp_path, serve, config), prompt=lambda question: asked.append(question) or "123456"
        )
        assert provider.get().access_key_id.startswith("ASIA")
        assert (provider.found_in, len(asked)) == ("assume-role", 1)
        provider.get()
        assert len(asked) == 1

    @pytest.mark.parametrize(
        ("config", "said"),
        [
            ("[profile p]\nrole_arn = r\n", "neither of source_profile and credential_source"),
            ("[profile p]\nrole_arn = r\nsource_profile = q\ncredential_source = Environment\n", "both of source_profile"),
            ("[profile p]\nrole_arn = r\nsource_profile = q\n", "source_profile = q, and there is no such profile"),
            ("[profile p]\nrole_arn = r\nsource_profile = q\n[profile q]\nrole_arn = s\nsource_profile = p\n", "without an end: p -> q -> p"),
            ("[profile p]\nrole_arn = r\nsource_profile = p\n", "without an end: p -> p"),
            ("[profile p]\nrole_arn = r\nsource_profile = q\n[profile q]\nregion = x\n", "has nobody to assume it: no credentials found"),
            ("[profile p]\nrole_arn = r\ncredential_source = Ec2InstanceMetadata\n", "has nobody to assume it: AWS_EC2_METADATA_DISABLED"),
            ("[profile p]\nrole_arn = r\ncredential_source = Somewhere\n", "it is one of Environment, EcsContainer, Ec2InstanceMetadata"),
        ],
    )  # fmt: skip
    def test_a_role_that_cannot_be_assumed_is_not_passed_over(self, tmp_path, config, said) -> None:
        with pytest.raises(awsign.CredentialsError, match=said) as caught:
            find_credentials("p", self.environ(tmp_path, "http://127.0.0.1:9", config)).get()
        assert not isinstance(caught.value, NotHere)
        assert str(caught.value).startswith("assume-role: ")

    def test_the_environment_as_the_source(self, tmp_path, serve, monkeypatch) -> None:
        config = f"[profile p]\nrole_arn = {ROLE}\ncredential_source = Environment\n"
        environ = self.environ(tmp_path, serve, config, AWS_ACCESS_KEY_ID=KEY, AWS_SECRET_ACCESS_KEY=SECRET)
        assert find_credentials("p", environ).get().session_token
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        provider = find_credentials("p")
        assert pickle.loads(pickle.dumps(provider)).get() == provider.get() == pickle.loads(pickle.dumps(provider)).get()
        by_variable = find_credentials(None, environ | {"AWS_PROFILE": "p"})
        assert (by_variable.get().access_key_id, by_variable.found_in) == (KEY, "environment")  # AWS_PROFILE does not skip it.

    def test_the_instance_as_the_source_by_the_settings_of_the_profile(self, tmp_path, serve) -> None:
        config = (
            f"[profile p]\nrole_arn = {ROLE}\ncredential_source = Ec2InstanceMetadata\nec2_metadata_service_endpoint = {serve}\n"
        )
        environ = self.environ(tmp_path, serve, config, AWS_PROFILE="missing", AWS_EC2_METADATA_DISABLED="false")
        assert find_credentials("p", environ).get().session_token


class TestWebIdentity:
    def test_the_token_is_read_anew(self, tmp_path, serve) -> None:
        token = tmp_path / "token"
        token.write_text("first.web.token\n")
        source = WebIdentity(
            str(token), ROLE, session_name="session", environ={"AWS_ENDPOINT_URL_STS": serve, "AWS_CONFIG_FILE": os.devnull}
        )
        assert source.load().session_token
        body = b"<Code>InvalidIdentityToken</Code><Message>no</Message>"
        answer = b"HTTP/1.1 400 No\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        with raw_server(answer) as server:
            source = WebIdentity(str(token), ROLE, environ={"AWS_ENDPOINT_URL_STS": server.url, "AWS_CONFIG_FILE": os.devnull})
            for text in ("first.web.token", "second.web.token"):
                token.write_text(text)
                with pytest.raises(awsign.CredentialsError, match="400 InvalidIdentityToken: no") as caught:
                    source.load()
                assert text not in str(caught.value)
                head, sent = server.requests[-1]
                assert dict(urllib.parse.parse_qsl(sent.decode()))["WebIdentityToken"] == text
                assert b"authorization" not in head.lower()  # It is not signed.

    def test_at_moto_and_ministack(self, tmp_path, moto, ministack) -> None:
        token = tmp_path / "token"
        claims = base64.urlsafe_b64encode(json.dumps({"iss": "https://accounts.google.com", "sub": "me"}).encode()).decode()
        token.write_text(f"e30.{claims}.c2ln")
        for url, role in ((moto, ROLE), (ministack[0], "arn:aws:iam::000000000000:role/tested")):
            environ = {
                "AWS_ENDPOINT_URL_STS": url, "AWS_WEB_IDENTITY_TOKEN_FILE": str(token), "AWS_ROLE_ARN": role, "AWS_CONFIG_FILE": os.devnull,
            }  # fmt: skip
            provider = find_credentials(environ=environ)
            assert provider.get().session_token
            assert provider.found_in == "web-identity"

    def test_what_is_missing(self, tmp_path) -> None:
        empty = tmp_path / "empty"
        empty.write_text(" \n")
        environ = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
        for path, role, said in (
            (str(tmp_path / "none"), ROLE, "cannot be read"),
            (str(empty), ROLE, "is empty"),
            (str(empty), None, "AWS_ROLE_ARN"),
        ):
            with pytest.raises(awsign.CredentialsError, match=said) as caught:
                WebIdentity(path, role, environ=environ).load()
            assert not isinstance(caught.value, NotHere)
        with pytest.raises(NotHere):
            WebIdentity(environ=environ).load()


def test_temporary_credentials_assume_a_role_too(serve) -> None:
    credentials = awsign.Credentials("ASIAEXAMPLE", SECRET, TOKEN)
    assert AssumeRole(ROLE, credentials, settings=at(serve)).load().session_token
    assert json.dumps(Sts("us-east-1", at(serve)).caller_identity(credentials))
