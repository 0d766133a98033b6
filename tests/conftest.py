"""Fixtures: a clean environment, and the real servers, each started once for all tests."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from . import servers

# Many examples for whoever works on it (EXAMPLES=5000), the same ones each time for CI: what it finds must be of the change.
settings.register_profile(
    "default",
    max_examples=int(os.environ.get("EXAMPLES", "300")),
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("default")

KEY, SECRET, TOKEN = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "FwoGZXIvYXdzEXAMPLE//TOKEN+=="


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the AWS settings, proxies or metadata service of the machine that it runs on."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("BOTO_DISABLE_CRT", "true")


@pytest.fixture(scope="session")
def swift() -> Iterator[str]:
    with servers.swift(KEY, SECRET) as url:
        yield url


@pytest.fixture(scope="session")
def ministack() -> Iterator[tuple[str, str, str]]:
    """URL, access key and secret of an IAM user."""
    with servers.ministack() as url:
        yield (url, *servers.ministack_user(url))


@pytest.fixture(scope="session")
def juicefs() -> Iterator[str]:
    with servers.juicefs(KEY, SECRET) as url:
        yield url


@pytest.fixture(scope="session")
def rgw() -> Iterator[str]:
    from .servers import ceph

    with ceph.rgw(KEY, SECRET) as url:
        yield url


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    with servers.moto() as url:
        yield url


@pytest.fixture(scope="session")
def serve() -> Iterator[str]:
    """`awsign serve`, knowing a long-lived key and a temporary one."""
    with servers.awsign_serve("--key", f"{KEY}:{SECRET}", "--key", f"ASIAEXAMPLE:{SECRET}:{TOKEN}") as url:
        yield url
