"""The provider: windows, one refresh for any number of threads and tasks, failures, forks."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

import awsign
from awsign.credentials import Chain, Environment, Refreshing, find_credentials

from ..conftest import KEY, SECRET, TOKEN


class Scripted:
    """A source that gives what it is told to: credentials that end after so many minutes, or an error."""

    name = "scripted"

    def __init__(self, *given: object) -> None:
        self.given = list(given)
        self.loads = 0

    def load(self) -> awsign.Credentials:
        self.loads += 1
        minutes = self.given.pop(0) if len(self.given) > 1 else self.given[0]
        if isinstance(minutes, Exception):
            raise minutes
        return awsign.Credentials(
            f"AKID{self.loads}", SECRET, TOKEN, None if minutes is None else datetime.now(UTC) + timedelta(minutes=minutes)
        )


class TestRefreshing:
    def test_kept_while_they_are_good(self) -> None:
        source = Scripted(60)
        provider = Refreshing(source)
        assert [provider.get().access_key_id for _ in range(3)] == ["AKID1"] * 3
        assert Refreshing(Scripted(None)).get().expiration is None

    def test_refreshed_before_they_end(self) -> None:
        provider = Refreshing(Scripted(14, 60))
        assert [provider.get().access_key_id, provider.get().access_key_id, provider.get().access_key_id] == [
            "AKID1",
            "AKID2",
            "AKID2",
        ]

    def test_a_failure_in_the_advisory_window_is_tolerated(self, caplog) -> None:
        source = Scripted(12, awsign.CredentialsError("unreachable"))
        provider = Refreshing(source)
        with caplog.at_level(logging.WARNING):
            assert [provider.get().access_key_id for _ in range(3)] == ["AKID1"] * 3
        assert "unreachable" in caplog.text
        assert source.loads == 2  # Not asked again at once.

    @pytest.mark.parametrize("minutes", [3, 13])
    def test_a_failure_in_the_mandatory_one_is_not(self, minutes) -> None:
        now = [datetime.now(UTC)]
        provider = Refreshing(Scripted(12, awsign.CredentialsError("unreachable")), clock=lambda: now[0])
        provider.get()
        now[0] += timedelta(minutes=minutes)
        with pytest.raises(awsign.CredentialsError, match="unreachable"):
            provider.get()

    def test_a_source_of_dead_keys(self) -> None:
        with pytest.raises(awsign.CredentialsError, match="ended already"):
            Refreshing(Scripted(-1)).get()

    def test_threads_share_one_refresh(self) -> None:
        class Slow(Scripted):
            def load(self) -> awsign.Credentials:
                time.sleep(0.05)
                return super().load()

        source = Slow(60)
        provider = Refreshing(source)
        got: list[str] = []
        threads = [threading.Thread(target=lambda: got.append(provider.get().access_key_id)) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (got, source.loads) == (["AKID1"] * 20, 1)

    def test_async(self) -> None:
        provider = Refreshing(Scripted(60))
        assert asyncio.run(provider.get_async()) == provider.get()
        assert asyncio.run(awsign.Credentials(KEY, SECRET).get_async()).access_key_id == KEY

    def test_repr_and_logs_have_no_secret(self, caplog) -> None:
        with caplog.at_level(logging.DEBUG):
            provider = Refreshing(Scripted(60))
            provider.get()
        assert SECRET not in repr(provider) + caplog.text
        assert TOKEN not in repr(provider) + caplog.text


class TestChain:
    def test_the_order(self, files) -> None:
        environ = files | {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_EC2_METADATA_DISABLED": "true"}
        provider = find_credentials(environ=environ)
        assert (provider.get().access_key_id, provider.found_in) == (KEY, "environment")
        assert find_credentials(environ=environ | {"AWS_PROFILE": "temporary"}).get().access_key_id == KEY
        explicit = find_credentials("temporary", environ)
        assert (explicit.get().access_key_id, explicit.found_in) == ("AKIDTEMP", "shared-credentials-file")

    def test_the_whole_failure_is_a_checklist(self) -> None:
        environ = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}
        with pytest.raises(awsign.CredentialsError) as caught:
            find_credentials(environ=environ).get()
        lines = str(caught.value).splitlines()
        assert [line.split(":")[0] for line in lines if line.startswith("  - ")] == [
            "  - environment",
            "  - shared-credentials-file",
            "  - instance-metadata",
        ]
        assert lines[-1].startswith("set AWS_ACCESS_KEY_ID")

    def test_a_source_with_broken_credentials_ends_it(self) -> None:
        broken = Scripted(awsign.CredentialsError("half a key"))
        after = Scripted(60)
        with pytest.raises(awsign.CredentialsError, match="scripted: half a key"):
            Chain([Environment({}), broken, after]).load()
        assert after.loads == 0

    def test_a_refresh_asks_the_same_source(self) -> None:
        environ: dict[str, str] = {}
        second = Scripted(60)
        chain = Chain([Environment(environ), second])
        assert chain.load().access_key_id == "AKID1"
        environ.update(AWS_ACCESS_KEY_ID=KEY, AWS_SECRET_ACCESS_KEY=SECRET)
        assert chain.load().access_key_id == "AKID2"
