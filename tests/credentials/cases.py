"""Generated environments and shared files: every source, mixtures of them, and what is wrong with each, drawn from a seed."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from hashlib import sha1, sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from awsign.server.logins import ACCESS_TOKEN, REFRESH_TOKEN

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
ROLE = "arn:aws:iam::123456789012:role/"
PROFILES = ("default", "dev", "prod", "my profile", "büro")


def at(**ahead: float) -> str:
    return f"{datetime.now(UTC) + timedelta(**ahead):%Y-%m-%dT%H:%M:%SZ}"


class Maker:
    """Draws one case: files in a directory of its own, environment variables, a profile that may be passed."""

    def __init__(self, seed: int, home: Path, url: str) -> None:
        self.draw = random.Random(seed)
        self.home = home
        self.url = url
        self.where = home / f"case{seed}"
        self.where.mkdir()
        self.seed = seed
        self.environ: dict[str, str] = {}
        self.config: dict[str, dict[str, str]] = {}
        self.credentials: dict[str, dict[str, str]] = {}
        self.sessions: dict[str, dict[str, str]] = {}
        self.tags: set[str] = set()  # What is special about the case, to look a documented difference up by.

    def chance(self, probability: float) -> bool:
        return self.draw.random() < probability

    def make(self) -> dict[str, object]:
        names = self.draw.sample(PROFILES, self.draw.randint(1, 4))
        for name in names:
            self.profile(name)
        self.environment(names)
        self.container()
        self.instance()
        profile = self.draw.choice([*names, "no-such"]) if self.chance(0.25) else None
        self.environ |= {
            "AWS_CONFIG_FILE": str(self.where / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.where / "credentials"),
        }
        for service in ("STS", "SSO", "SSO_OIDC", "SIGNIN"):
            self.environ[f"AWS_ENDPOINT_URL_{service}"] = self.url
        self.environ["AWS_DEFAULT_REGION"] = "us-east-1"
        self.write()
        return {"environ": self.environ, "profile": profile, "tags": sorted(self.tags)}

    # The environment.

    def environment(self, names: list[str]) -> None:
        if self.chance(0.2):
            self.environ["AWS_ACCESS_KEY_ID"] = "AKIDENVIRONMENT"
            if not self.chance(0.15):
                self.environ["AWS_SECRET_ACCESS_KEY"] = SECRET
            if self.chance(0.3):
                self.environ[self.draw.choice(["AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"])] = "environmenttoken"
            if self.chance(0.2):
                self.environ["AWS_CREDENTIAL_EXPIRATION"] = self.draw.choice([at(hours=1), at(hours=-1), at(minutes=12)])
        elif self.chance(0.1):
            self.environ["AWS_SECRET_ACCESS_KEY"] = SECRET
        if self.chance(0.5):
            self.environ[self.draw.choice(["AWS_PROFILE", "AWS_DEFAULT_PROFILE"])] = (
                self.draw.choice(names) if self.chance(0.9) else "no-such"
            )
        if self.chance(0.08):
            self.environ["AWS_WEB_IDENTITY_TOKEN_FILE"] = self.token_file()
            if self.chance(0.8):
                self.environ["AWS_ROLE_ARN"] = ROLE + "of-the-environment"
            self.environ["AWS_ROLE_SESSION_NAME"] = "session-of-env"  # The made-up ones differ.

    def container(self) -> None:
        if not self.chance(0.25):
            return
        self.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = self.draw.choice(
            [f"{self.url}/v1/credentials"] * 5
            + [f"{self.url}/v1/nothing", "http://192.0.2.1/v1/credentials", "http://127.0.0.1.evil.example/v1/credentials"]
        )
        if self.chance(0.3):
            self.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = self.draw.choice(["token", "Bearer x", "bad\r\ntoken"])
        if self.chance(0.2):
            path = self.where / "container-token"
            if self.chance(0.7):
                path.write_text(self.draw.choice(["token", "bad\ntoken"]))
            self.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = str(path)

    def instance(self) -> None:
        if self.chance(0.5):
            self.environ["AWS_EC2_METADATA_DISABLED"] = self.draw.choice(["true", "TRUE"])
            return
        self.environ["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = self.draw.choice(
            [self.url, self.url + "/", "http://127.0.0.1:9", "nonsense"]
        )

    # Profiles.

    def profile(self, name: str) -> None:
        """What a profile has: one kind of credentials, at times two, in one of the files."""
        for kind in self.draw.sample(
            [self.keys, self.keys, self.role, self.role, self.web_identity, self.sso, self.process, self.login, self.nothing],
            2 if self.chance(0.3) else 1,
        ):
            kind(name)

    def section(self, name: str, *, credentials: float = 0.0) -> dict[str, str]:
        return (self.credentials if self.chance(credentials) else self.config).setdefault(name, {})

    def nothing(self, name: str) -> None:
        self.section(name)["region"] = "us-east-1"

    def keys(self, name: str) -> None:
        section = self.section(name, credentials=0.7)
        key = f"AKID{name.upper().replace(' ', '').encode('ascii', 'ignore').decode()}{'C' if name in self.config else 'S'}"
        section["aws_access_key_id"] = key
        section["aws_secret_access_key"] = SECRET
        if self.chance(0.1):
            del section[self.draw.choice(["aws_access_key_id", "aws_secret_access_key"])]
        if self.chance(0.3):
            section[self.draw.choice(["aws_session_token", "aws_security_token"])] = "profiletoken"

    def role(self, name: str) -> None:
        section = self.section(name, credentials=0.2)
        section["role_arn"] = ROLE + self.draw.choice(["one", "two", "deep/path/three"]) if self.chance(0.95) else "nonsense"
        section["role_session_name"] = f"session-{self.draw.randint(1, 3)}"
        if self.chance(0.75):
            section["source_profile"] = self.draw.choice([*PROFILES, name]) if self.chance(0.95) else "no-such"
        if self.chance(0.25):
            section["credential_source"] = self.draw.choice(
                ["Environment", "Ec2InstanceMetadata", "EcsContainer", "environment", "Nowhere"]
            )
        if self.chance(0.3):
            section["external_id"] = "external"
        if self.chance(0.3):
            section["duration_seconds"] = self.draw.choice(["900", "3600", "60", "soon"])

    def token_file(self) -> str:
        path = self.where / "token"
        if self.chance(0.85):
            path.write_text("a.web.identity.token")
        return str(path)

    def web_identity(self, name: str) -> None:
        section = self.section(name)
        section["web_identity_token_file"] = self.token_file()
        if self.chance(0.9):
            section["role_arn"] = ROLE + "web"
        section["role_session_name"] = "web-session"

    def sso(self, name: str) -> None:
        section = self.section(name)
        section |= {"sso_account_id": "123456789012", "sso_role_name": self.draw.choice(["reader", "writer"])}
        start_url = f"https://start{self.seed}.example/{self.draw.randint(1, 2)}"
        of_session = {"sso_start_url": start_url, "sso_region": "us-east-1"}
        if self.chance(0.6):
            session = f"session-{self.seed}-{self.draw.randint(1, 2)}"
            section["sso_session"] = session
            if self.chance(0.9):
                self.sessions[session] = of_session
            if self.chance(0.1):
                section["sso_region"] = self.draw.choice(["us-east-1", "eu-west-1"])
        else:
            session = None
            section |= of_session
        if self.chance(0.1):
            del section[self.draw.choice(["sso_account_id", "sso_role_name"])]
        self.sso_token(session or start_url)

    def sso_token(self, name: str) -> None:
        token: dict[str, object] = {
            "startUrl": "https://start.example",
            "region": "us-east-1",
            "accessToken": ACCESS_TOKEN if self.chance(0.9) else "a-void-token",
            "expiresAt": self.draw.choice([at(hours=5), at(hours=5), at(hours=-5), at(minutes=5)]),
        }
        if self.chance(0.5):
            token |= {"refreshToken": "void", "clientId": "client", "clientSecret": "secret"}
            token["registrationExpiresAt"] = self.draw.choice([at(days=30), at(days=-1)])
        if self.chance(0.05):
            del token["accessToken"]
        if self.chance(0.9):
            path = self.home / ".aws" / "sso" / "cache" / f"{sha1(name.encode()).hexdigest()}.json"
            path.write_text(json.dumps(token) if self.chance(0.95) else "not json")

    def process(self, name: str) -> None:
        document: dict[str, object] = {"Version": 1, "AccessKeyId": "AKIDPROCESS", "SecretAccessKey": SECRET}
        if self.chance(0.5):
            document |= {"SessionToken": "processtoken", "Expiration": self.draw.choice([at(hours=1), at(hours=1), at(hours=-1)])}
        if self.chance(0.2):
            self.draw.choice(
                [lambda: document.pop("SecretAccessKey"), lambda: document.update(Version=2), lambda: document.pop("Version")]
            )()
        output = self.where / f"process-{len(self.config)}.json"
        output.write_text(json.dumps(document) if self.chance(0.9) else "not json")
        self.section(name)["credential_process"] = self.draw.choice(
            [f"cat '{output}'"] * 6 + ["false", "no-such-program --x", "cat 'unclosed"]
        )

    def login(self, name: str) -> None:
        session = f"arn:aws:iam::123456789012:user/{self.seed}-{self.draw.randint(1, 2)}"
        self.section(name)["login_session"] = session
        key = ec.generate_private_key(ec.SECP256R1())
        token: dict[str, object] = {
            "accessToken": {
                "accessKeyId": "ASIALOGIN", "secretAccessKey": SECRET, "sessionToken": "logintoken", "accountId": "123456789012",
                "expiresAt": self.draw.choice([at(hours=5), at(hours=5), at(hours=-1), at(minutes=4), at(minutes=12)]),
            },
            "refreshToken": "void",
            "clientId": "arn:aws:signin:::devtools/same-device",
            "dpopKey": key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode(),
        }  # fmt: skip
        if self.chance(0.1):
            del token[self.draw.choice(sorted(token))]
        if self.chance(0.1):
            token["dpopKey"] = "no key"
        if self.chance(0.9):
            path = self.home / ".aws" / "login" / "cache" / f"{sha256(session.encode()).hexdigest()}.json"
            path.write_text(json.dumps(token))

    # The files.

    def write(self) -> None:
        of_config = {
            (
                name
                if name == "default" and self.chance(0.8)
                else f'profile "{name}"'
                if " " in name or self.chance(0.1)
                else f"profile {name}"
            ): section
            for name, section in self.config.items()
        } | {f"sso-session {name}": section for name, section in self.sessions.items()}
        if self.chance(0.1):
            of_config["preview"] = {"cloudfront": "true"}
        for name, sections in (("config", of_config), ("credentials", self.credentials)):
            if not sections and self.chance(0.5):
                continue
            lines: list[str] = []
            for title, section in sections.items():
                lines += [f"[{title}]"]
                for key, value in section.items():
                    equals = self.draw.choice([" = ", "=", " =", ": "] if self.chance(0.1) else [" = "])
                    lines.append(f"{key.upper() if self.chance(0.05) else key}{equals}{value}")
                if self.chance(0.1):
                    lines += ["s3 =", "  max_concurrent_requests = 5", "  addressing_style = path"]
                if self.chance(0.1):
                    lines += ["# a comment", "; another"]
                lines.append("")
            spoilt = self.draw.random()
            if spoilt < 0.01:
                lines += ["[default]", "[default]"]
            elif spoilt < 0.02:
                lines.insert(0, "no_section = 1")
            elif spoilt < 0.03:
                lines += ["[DEFAULT]", "region = eu-west-1"]
            text = ("\r\n" if self.chance(0.1) else "\n").join(lines) + "\n"
            raw = text.encode()
            if self.chance(0.02):
                raw = b"\xef\xbb\xbf" + raw
                self.tags.add("bom")
            (self.where / name).write_bytes(raw)


__all__ = ["REFRESH_TOKEN", "Maker"]
