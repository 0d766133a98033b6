"""Where credentials come from: one file a source, and the chain that asks them in order.

    provider = awsign.find_credentials()          # the first source that has some
    signer = awsign.SigV4(provider, "dynamodb")   # temporary ones are refreshed before they end

A source used by itself is as easy: `awsign.credentials.InstanceMetadata()`. Standard library alone.
"""

from __future__ import annotations

from .chain import Chain as Chain
from .chain import find_credentials as find_credentials
from .environment import Environment as Environment
from .instance import InstanceMetadata as InstanceMetadata
from .profile import Profile as Profile
from .provider import NotHere as NotHere
from .provider import Refreshing as Refreshing
from .provider import Source as Source
from .s3_express import S3ExpressSession as S3ExpressSession
from .s3_express import s3_express_session as s3_express_session

__all__ = [
    "Chain", "Environment", "InstanceMetadata", "NotHere", "Profile", "Refreshing", "S3ExpressSession", "Source", "find_credentials",
    "s3_express_session",
]  # fmt: skip
