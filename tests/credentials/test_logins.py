"""`aws sso login` and `aws login`: the files that they keep, refreshed by botocore and by awsign in turn, at `awsign serve`."""

from __future__ import annotations

import base64
import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha1, sha256
from pathlib import Path

import pytest
from botocore.credentials import _build_dpop_header
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import awsign
from awsign.credentials import Login, NotHere, Sso, dpop, find_credentials
from awsign.server.logins import ACCESS_TOKEN, REFRESH_TOKEN

from .. import servers
from ..conftest import SECRET
from ..raw_server import raw_server
from .cases import at

SESSION = "my-session"
LOGIN = "arn:aws:iam::123456789012:user/me"
CONFIG = f"""[profile of-session]
sso_session = {SESSION}
sso_account_id = 123456789012
sso_role_name = reader
[profile older]
sso_start_url = https://start.example/older
sso_region = us-east-1
sso_account_id = 123456789012
sso_role_name = reader
[profile of-login]
login_session = {LOGIN}
region = us-east-1
[sso-session {SESSION}]
sso_start_url = https://start.example/
sso_region = us-east-1
"""


class Home:
    """A home directory with the files of logins, and the endpoints of a server of its own."""

    def __init__(self, path: Path, url: str) -> None:
        self.path = path
        (path / ".aws").mkdir()
        (path / ".aws" / "config").write_text(CONFIG)
        self.environ = {"HOME": str(path), "PATH": os.environ["PATH"], "AWS_EC2_METADATA_DISABLED": "true"}
        self.environ |= {f"AWS_ENDPOINT_URL_{service}": url for service in ("SSO", "SSO_OIDC", "SIGNIN")}

    def file(self, kind: str, name: str) -> Path:
        hashed = sha1(name.encode()).hexdigest() if kind == "sso" else sha256(name.encode()).hexdigest()
        path = self.path / ".aws" / kind / "cache" / f"{hashed}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def sso(self, name: str = SESSION, **changes: object) -> Path:
        token = {
            "startUrl": "https://start.example/", "region": "us-east-1", "accessToken": ACCESS_TOKEN, "expiresAt": at(hours=5),
            "clientId": "client", "clientSecret": "client-secret", "registrationExpiresAt": at(days=30), "refreshToken": REFRESH_TOKEN,
        }  # fmt: skip
        path = self.file("sso", name)
        path.write_text(json.dumps(token | changes))
        return path

    def login(self, expires: str, **changes: object) -> Path:
        key = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        token = {
            "accessToken": {"accessKeyId": "ASIALOGIN", "secretAccessKey": SECRET, "sessionToken": "logintoken", "accountId": "123456789012", "expiresAt": expires},
            "refreshToken": REFRESH_TOKEN, "clientId": "arn:aws:signin:::devtools/same-device", "dpopKey": key.decode(),
        }  # fmt: skip
        path = self.file("login", LOGIN)
        path.write_text(json.dumps(token | changes))
        return path

    def ours(self, profile: str) -> str:
        return find_credentials(profile, self.environ).get().access_key_id

    def botocores(self, profile: str) -> str:
        worker = [sys.executable, str(Path(__file__).parent / "botocore_worker.py")]
        case = json.dumps({"environ": self.environ, "profile": profile})
        done = subprocess.run(worker, input=case + "\n", env=self.environ, capture_output=True, text=True, check=True, timeout=60)
        told = json.loads(done.stdout)
        assert told["outcome"] == "found", told
        return str(told["key"])


@pytest.fixture
def home(tmp_path) -> Iterator[Home]:
    with servers.awsign_serve("--quiet") as url:  # Its own: a refresh token serves once.
        yield Home(tmp_path, url)


class TestSso:
    @pytest.mark.parametrize("profile", ["of-session", "older"])
    def test_a_token_that_is_good(self, home, profile) -> None:
        path = home.sso() if profile == "of-session" else home.sso("https://start.example/older")
        before = path.read_bytes()
        assert home.ours(profile) == home.botocores(profile)
        assert path.read_bytes() == before

    @pytest.mark.parametrize("expires", [{"hours": -1}, {"minutes": 10}])
    @pytest.mark.parametrize("first", ["ours", "botocores"])
    def test_a_token_is_refreshed_and_the_other_goes_on_with_it(self, home, first, expires) -> None:
        path = home.sso(expiresAt=at(**expires), accessToken="void")
        order = [home.ours, home.botocores] if first == "ours" else [home.botocores, home.ours]
        keys = {each("of-session") for each in order}
        assert len(keys) == 1
        kept = json.loads(path.read_text())
        assert kept["refreshToken"] != REFRESH_TOKEN
        assert kept.keys() == {
            "startUrl",
            "region",
            "accessToken",
            "expiresAt",
            "clientId",
            "clientSecret",
            "registrationExpiresAt",
            "refreshToken",
        }
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert not list(path.parent.glob("*.tmp"))

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"expiresAt": at(hours=-1), "refreshToken": "void"}, "ended at .*; run `aws sso login --sso-session my-session`"),
            ({"expiresAt": at(hours=-1), "refreshToken": None}, "ended at"),
            ({"expiresAt": at(hours=-1), "registrationExpiresAt": at(days=-1)}, "ended at"),
            ({"accessToken": "void"}, "does not take the token any more; run"),
            ({"accessToken": None}, "has no accessToken"),
            ({"expiresAt": "soon"}, "not a time"),
        ],
    )
    def test_a_token_that_is_none(self, home, changes, said) -> None:
        home.sso(**changes)
        with pytest.raises(awsign.CredentialsError, match=said) as caught:
            home.ours("of-session")
        assert ACCESS_TOKEN not in str(caught.value)

    def test_a_refresh_that_fails_is_tolerated_while_the_token_is_good(self, home, caplog) -> None:
        home.sso(expiresAt=at(minutes=5), refreshToken="void")
        assert home.ours("of-session")
        assert "invalid_grant" in caplog.text

    def test_nobody_is_logged_in(self, home) -> None:
        with pytest.raises(awsign.CredentialsError, match=r"nobody is logged in.*run `aws sso login --profile older`"):
            home.ours("older")
        home.file("sso", SESSION).write_text("{")
        with pytest.raises(awsign.CredentialsError, match="is not a JSON object"):
            home.ours("of-session")

    def test_without_a_profile(self, home) -> None:
        home.sso("https://start.example/")
        given = {"start_url": "https://start.example/", "region": "us-east-1", "account_id": "123456789012", "role_name": "reader"}
        assert Sso(**given, environ=home.environ).load().session_token
        with pytest.raises(NotHere):
            Sso(environ=home.environ).load()


class TestLogin:
    def test_credentials_that_are_good(self, home) -> None:
        home.login(at(hours=5))
        assert home.ours("of-login") == home.botocores("of-login") == "ASIALOGIN"

    @pytest.mark.parametrize("first", ["ours", "botocores"])
    def test_refreshed_with_a_proof_and_the_other_goes_on_with_it(self, home, first) -> None:
        """The server checks the proof: RFC 9449, section 4.3."""
        path = home.login(at(minutes=2))
        order = [home.ours, home.botocores] if first == "ours" else [home.botocores, home.ours]
        keys = {each("of-login") for each in order}
        assert len(keys) == 1
        assert keys != {"ASIALOGIN"}
        kept = json.loads(path.read_text())
        assert kept["refreshToken"] != REFRESH_TOKEN
        assert kept["accessToken"].keys() == {"accessKeyId", "secretAccessKey", "sessionToken", "accountId", "expiresAt"}
        assert kept["accessToken"]["accountId"] == "123456789012"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"refreshToken": "void"}, "the session has ended; run `aws login --profile of-login`"),
            ({"dpopKey": "no key"}, "not a private key in PEM"),
            ({"dpopKey": None}, "lacks dpopKey"),
            ({"accessToken": {}}, "lacks accessToken"),
            ({"accessToken": {"accessKeyId": "A"}}, "lacks secretAccessKey"),
        ],
    )
    def test_a_login_that_is_none(self, home, changes, said) -> None:
        home.login(at(minutes=-2), **changes)
        with pytest.raises(awsign.CredentialsError, match=said) as caught:
            home.ours("of-login")
        assert SECRET not in str(caught.value)
        assert "logintoken" not in str(caught.value)

    def test_nobody_is_logged_in(self, home) -> None:
        with pytest.raises(awsign.CredentialsError, match=r"nobody is logged in.*run `aws login`"):
            Login("another", environ=home.environ).load()

    def test_a_key_on_another_curve(self) -> None:
        key = ec.generate_private_key(ec.SECP384R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        with pytest.raises(awsign.CredentialsError, match="P-256"):
            dpop.proof(key.decode(), "POST", "https://x/")

    def test_the_regions_hosts(self, home, monkeypatch) -> None:
        del home.environ["AWS_ENDPOINT_URL_SIGNIN"]
        asked = []

        def connected(address, *arguments, **options):
            asked.append(address[0])
            raise ConnectionRefusedError

        monkeypatch.setattr("socket.create_connection", connected)
        for region, host in (("eu-west-1", "eu-west-1.signin.aws.amazon.com"), ("cn-north-1", "cn-north-1.signin.amazonaws.cn")):
            home.login(at(minutes=-2), signInRegion=region)
            with pytest.raises(awsign.CredentialsError, match="no answer"):
                home.ours("of-login")
            assert asked[-1] == host
            assert awsign.infer(f"https://{host}/") == ("signin", region)


class TestProof:
    def test_it_is_botocores_but_for_the_signature(self) -> None:
        """The same header and claims, byte for byte; ECDSA signs otherwise each time."""
        from awscrt.crypto import EC

        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
        der = key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        ours = dpop.proof(pem, "POST", "https://x.example/v1/token", at=1700000000, identifier="an-id")
        theirs = _build_dpop_header(EC.new_key_from_der_data(der), "https://x.example/v1/token", uid="an-id", ts=1700000000)
        assert ours.rpartition(".")[0] == theirs.rpartition(".")[0]
        assert len(base64.urlsafe_b64decode(ours.rpartition(".")[2] + "==")) == 64

    def test_without_the_extra(self, monkeypatch) -> None:
        monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric", None)
        with pytest.raises(awsign.MissingExtra, match=r"pip install 'awsign\[sigv4a\]'"):
            dpop.proof("", "POST", "https://x/")


@pytest.mark.parametrize("path", ["/federation/credentials?role_name=a&account_id=b", "/token", "/v1/token"])
def test_what_the_played_services_refuse(serve, path) -> None:
    import urllib.error
    import urllib.request

    headers = {"x-amz-sso_bearer_token": "void", "DPoP": "no.proof.here", "Content-Type": "application/json"}
    data = None if path.startswith("/fed") else b"[]"
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(urllib.request.Request(serve + path, data, headers))
    assert caught.value.code in (400, 401)
    caught.value.close()


def test_the_sign_in_service_answers_nonsense(tmp_path) -> None:
    for body, status, said in (
        (b"[]", 200, "has no accessToken, expiresIn"),
        (b'{"error": "USER_CREDENTIALS_CHANGED"}', 400, "password was changed"),
    ):
        with raw_server(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)) as server:
            path = tmp_path / str(status)
            path.mkdir()
            home = Home(path, server.url)
            home.login(at(minutes=-1))
            with pytest.raises(awsign.CredentialsError, match=said):
                home.ours("of-login")
