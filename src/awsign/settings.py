"""What the environment and the shared files say beside credentials: region, endpoints, certificates, proxies.

Source: AWS SDKs and tools reference, "Configuration and authentication settings" and "Service-specific endpoints"; curl(1) for
what proxy variables mean.
"""

from __future__ import annotations

import os

from .errors import CredentialsError, InvalidRequest
from .redact import without_userinfo
from .service_ids import service_ids
from .shared_files import SharedFiles, expanded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from .shared_files import Section

# A setting has one name in a profile, and in the environment that in capitals after AWS_; but for these.
_VARIABLES = {
    # botocore reads AWS_DEFAULT_REGION alone; all other SDKs, and the AWS CLI v2, AWS_REGION.
    "region": ("AWS_REGION", "AWS_DEFAULT_REGION"),
}


class Settings:
    """The settings of a profile and of the environment, which counts first.

    profile: its name; None is that of AWS_PROFILE, else `default`. environ: in the place of os.environ. The files are read when a
    setting is asked for that the environment does not have. Raises CredentialsError for a file that cannot be read, and for
    a profile that was named and does not exist.
    """

    def __init__(self, profile: str | None = None, environ: Mapping[str, str] | None = None) -> None:
        if profile == "":
            raise InvalidRequest("profile is empty; leave it out for that of AWS_PROFILE, or `default`")
        self._explicit = profile
        self._environ = environ  # None stays so: what is pickled takes the environment of where it goes.

    def __repr__(self) -> str:
        return f"<Settings of the profile {self.profile!r}>"

    @property
    def environ(self) -> Mapping[str, str]:
        return os.environ if self._environ is None else self._environ

    @property
    def asked_for(self) -> str | None:
        """The profile that was named, None where it is `default` for want of a name."""
        return profile_asked_for(self._explicit, self.environ)

    @property
    def profile(self) -> str:
        return self.asked_for or "default"

    @property
    def files(self) -> SharedFiles:
        """As they are now."""
        return SharedFiles(self.environ)

    @property
    def of_profile(self) -> Section:
        """What the profile sets, in both files. Empty where there is no profile `default`."""
        files = self.files
        found = files.profiles.get(self.profile)
        if found is None and self.asked_for:
            raise CredentialsError(
                f"there is no profile {self.profile!r} in {files.config} and {files.credentials}; {self._what_was_meant(files)}"
            )
        return found or {}

    def _what_was_meant(self, files: SharedFiles) -> str:
        from difflib import get_close_matches

        if self.profile in files.without_kind:
            return f"the config file has [{self.profile}], which has to be [profile {self.profile}]"
        known = sorted(files.profiles)
        if close := get_close_matches(self.profile, known, 1):
            return f"is {close[0]!r} meant?"
        more = f" and {len(known) - 8} more" if len(known) > 8 else ""
        return f"is it spelt right? There are: {', '.join(known[:8]) or 'none'}{more}"

    def get(self, setting: str) -> str | None:
        """A setting, by its name in a profile; None where it is not set."""
        for variable in _VARIABLES.get(setting, (f"AWS_{setting.upper()}",)):
            if value := self.environ.get(variable):
                return value
        return self.of_profile.get(setting) or None

    def switched_on(self, setting: str) -> bool:
        return (self.get(setting) or "").lower() == "true"

    @property
    def region(self) -> str | None:
        """AWS_REGION, AWS_DEFAULT_REGION, or that of the profile. (That of the instance: credentials.find_region.)"""
        return self.get("region")

    @property
    def ca_bundle(self) -> str | None:
        """The file of the certificates to trust, in the place of the system's."""
        bundle = self.get("ca_bundle")
        return bundle and str(expanded(bundle, self.environ))

    @property
    def sigv4a_signing_region_set(self) -> str | None:
        """The regions that a SigV4A signature is for, separated by commas."""
        return self.get("sigv4a_signing_region_set")

    def endpoint_url(self, service: str) -> str | None:
        """The endpoint that is configured for a service, by its signing name or its service ID; None for AWS's own.

        Of AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, `endpoint_url` of the service in the profile's `services` section, that
        of the profile, the first that is set; none of them if AWS_IGNORE_CONFIGURED_ENDPOINT_URLS is true.
        """
        if self.switched_on("ignore_configured_endpoint_urls"):
            return None
        get, ids = self.environ.get, service_ids(service)
        found = next(filter(None, (get(f"AWS_ENDPOINT_URL_{each.upper()}") for each in ids)), None) or get("AWS_ENDPOINT_URL")
        if not found:
            services = self._services()
            found = next(filter(None, (services.get(f"{each}.endpoint_url") for each in ids)), None)
            found = found or self.of_profile.get("endpoint_url")
        if found and not found.startswith(("https://", "http://")):
            shown = without_userinfo(found)[:60]
            raise InvalidRequest(f"the endpoint {shown!r} that is configured for {service} is not the URL of a server")
        return found.rstrip("/") if found else None

    def _services(self) -> Section:
        title = self.of_profile.get("services")
        if title is None:
            return {}
        if title not in self.files.services:
            raise CredentialsError(f"the profile {self.profile!r} has services = {title}, but there is no [services {title}]")
        return self.files.services[title]

    def proxy_for(self, scheme: str, host: str) -> str | None:
        return proxy_for(scheme, host, self.environ)


def proxy_for(scheme: str, host: str, environ: Mapping[str, str] | None = None) -> str | None:
    """The proxy that the environment names for a host, None for none.

    `http_proxy` counts in lower case alone, as in curl: a server of CGI would take HTTP_PROXY from a client's `Proxy:` header.
    """
    get = (os.environ if environ is None else environ).get
    found = get("http_proxy") if scheme == "http" else get("https_proxy") or get("HTTPS_PROXY")
    found = found or get("all_proxy") or get("ALL_PROXY")
    if not found:
        return None
    from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined] # The standard library's reading of no_proxy.

    bypassed = proxy_bypass_environment(host, {"no": get("no_proxy") or get("NO_PROXY") or ""})
    return None if bypassed else found


def profile_asked_for(explicit: str | None, environ: Mapping[str, str]) -> str | None:
    """The profile that was named: explicitly, or by AWS_PROFILE or its older name. None leaves `default`."""
    return explicit or environ.get("AWS_PROFILE") or environ.get("AWS_DEFAULT_PROFILE") or None
