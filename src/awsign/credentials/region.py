"""The region, where no host tells it: the environment's, the profile's, the instance's."""

from __future__ import annotations

from ..settings import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def find_region(profile: str | None = None, environ: Mapping[str, str] | None = None, *, instance: bool = True) -> str | None:
    """AWS_REGION, AWS_DEFAULT_REGION, the region of the profile, that of the instance; None where there is none of them.

    profile: its name; None is that of AWS_PROFILE, else `default`. environ: in the place of os.environ. instance: whether the
    metadata service is asked, which takes a second where there is none. Never a default: what is None has to be passed.
    """
    settings = Settings(profile, environ)
    if settings.region or not instance:
        return settings.region
    from .instance import InstanceMetadata
    from .provider import NotHere

    try:
        return InstanceMetadata(profile=profile, environ=environ).region()
    except NotHere:
        return None
