"""Where credentials come from: one file a source, and the chain that asks them in order.

    provider = awsign.find_credentials()          # the first source that has some
    signer = awsign.SigV4(provider, "dynamodb")   # temporary ones are refreshed before they end

A source used by itself is as easy:

    role = AssumeRole("arn:aws:iam::123456789012:role/reader", awsign.find_credentials())

Standard library alone, but for `aws login`, whose refresh needs awsign[sigv4a].
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .assume_role import AssumeRole as AssumeRole
    from .chain import Chain as Chain
    from .chain import find_credentials as find_credentials
    from .container import Container as Container
    from .environment import Environment as Environment
    from .instance import InstanceMetadata as InstanceMetadata
    from .login import Login as Login
    from .process import Process as Process
    from .profile_keys import ConfigFile as ConfigFile
    from .profile_keys import SharedCredentialsFile as SharedCredentialsFile
    from .provider import NotHere as NotHere
    from .provider import Refreshing as Refreshing
    from .provider import Source as Source
    from .region import find_region as find_region
    from .s3_express import S3ExpressSession as S3ExpressSession
    from .s3_express import s3_express_session as s3_express_session
    from .sso import Sso as Sso
    from .sts import Sts as Sts
    from .web_identity import WebIdentity as WebIdentity

# Imported when first asked for: one source does not pay for the others.
_HOME = {
    "AssumeRole": "assume_role",
    "Chain": "chain",
    "ConfigFile": "profile_keys",
    "Container": "container",
    "Environment": "environment",
    "InstanceMetadata": "instance",
    "Login": "login",
    "NotHere": "provider",
    "Process": "process",
    "Refreshing": "provider",
    "S3ExpressSession": "s3_express",
    "SharedCredentialsFile": "profile_keys",
    "Source": "provider",
    "Sso": "sso",
    "Sts": "sts",
    "WebIdentity": "web_identity",
    "find_credentials": "chain",
    "find_region": "region",
    "s3_express_session": "s3_express",
}
__all__ = list(_HOME)


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'awsign.credentials' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOME[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
