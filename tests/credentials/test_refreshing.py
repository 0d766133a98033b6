"""The provider: windows, one refresh for any number of threads and tasks, failures, forks."""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

import awsign
from awsign.credentials import (
    AssumeRole,
    Chain,
    Container,
    Environment,
    InstanceMetadata,
    Login,
    NotHere,
    Process,
    Refreshing,
    Sso,
    WebIdentity,
    find_credentials,
)

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
        if isinstance(minutes, BaseException):
            raise minutes
        return awsign.Credentials(
            f"AKID{self.loads}", SECRET, TOKEN, None if minutes is None else datetime.now(UTC) + timedelta(minutes=minutes)
        )


class Slow(Scripted):
    """Takes a while, and counts how often it is asked at once."""

    seconds = 0.1

    def __init__(self, *given: object) -> None:
        super().__init__(*given)
        self.waits_for: threading.Event | None = None
        self.at_once = 0
        self._now = 0

    def load(self) -> awsign.Credentials:
        self._now += 1
        self.at_once = max(self.at_once, self._now)
        try:
            time.sleep(self.seconds)
            assert self.waits_for is None or self.waits_for.wait(60)
            return super().load()
        finally:
            self._now -= 1


def at_expiry(ahead: float | None) -> tuple[Slow, Refreshing]:
    """A provider whose credentials end in so many minutes; None is one that has none yet."""
    now = [datetime.now(UTC)]
    source = Slow(60) if ahead is None else Slow(60, 120)
    provider = Refreshing(source, clock=lambda: now[0])
    if ahead is not None:
        provider.get()
        now[0] += timedelta(minutes=60 - ahead)
    return source, provider


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

    @pytest.mark.parametrize("ahead", [None, -1, 3, 9])
    def test_a_thousand_threads_at_expiry_cause_one_refresh(self, ahead) -> None:
        """ahead: minutes until the credentials that are there end; None for none."""
        source, provider = at_expiry(ahead)
        expected = source.loads + 1
        got: list[str] = []
        begin = threading.Barrier(1000)

        def ask() -> None:
            begin.wait()
            got.append(provider.get().access_key_id)

        threads = [threading.Thread(target=ask) for _ in range(1000)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (source.loads, source.at_once) == (expected, 1)
        assert got == [f"AKID{expected}"] * 1000

    @pytest.mark.parametrize("ahead", [None, -1, 3, 9])
    def test_a_thousand_tasks_at_expiry_cause_one_refresh(self, ahead) -> None:
        source, provider = at_expiry(ahead)
        expected = source.loads + 1

        async def all_of_them() -> list[str]:
            # The source gives nothing before the loop has gone on while it is asked.
            source.waits_for = threading.Event()

            async def tick() -> None:
                await asyncio.sleep(0.005)
                source.waits_for.set()

            ticking = asyncio.create_task(tick())
            got = await asyncio.gather(*(provider.get_async() for _ in range(1000)))
            await ticking
            return [credentials.access_key_id for credentials in got]

        assert asyncio.run(all_of_them()) == [f"AKID{expected}"] * 1000
        assert (source.loads, source.at_once) == (expected, 1)

    def test_threads_and_tasks_share_one_too(self) -> None:
        source = Slow(60)
        provider = Refreshing(source)
        with ThreadPoolExecutor(50) as pool:
            of_threads = [pool.submit(provider.get) for _ in range(50)]

            async def of_tasks() -> list[awsign.Credentials]:
                return await asyncio.gather(*(provider.get_async() for _ in range(50)))

            got = asyncio.run(of_tasks()) + [each.result() for each in of_threads]
        assert ({each.access_key_id for each in got}, source.loads) == ({"AKID1"}, 1)

    def test_in_the_advisory_window_nobody_waits(self) -> None:
        now = [datetime.now(UTC)]
        source = Slow(60, 120)
        provider = Refreshing(source, clock=lambda: now[0])
        provider.get()
        now[0] += timedelta(minutes=47)

        async def ask() -> None:
            begun = time.monotonic()
            assert {(await provider.get_async()).access_key_id for _ in range(100)} == {"AKID1"}
            assert time.monotonic() - begun < Slow.seconds
            await asyncio.sleep(Slow.seconds * 3)
            assert (await provider.get_async()).access_key_id == "AKID2"

        asyncio.run(ask())
        assert source.loads == 2

    def test_a_failure_reaches_all_who_wait_and_is_not_kept(self) -> None:
        source = Slow(awsign.CredentialsError("unreachable"), 60)
        provider = Refreshing(source)

        async def ask() -> list[object]:
            return await asyncio.gather(*(provider.get_async() for _ in range(100)), return_exceptions=True)

        assert {str(each) for each in asyncio.run(ask())} == {"unreachable"}
        assert provider.get().access_key_id == "AKID2"

    def test_a_task_that_is_cancelled_does_not_cancel_it_for_the_others(self) -> None:
        provider = Refreshing(Slow(60))

        async def ask() -> None:
            first, second = (asyncio.create_task(provider.get_async()) for _ in range(2))
            await asyncio.sleep(0.01)
            first.cancel()
            assert (await second).access_key_id == "AKID1"
            with pytest.raises(asyncio.CancelledError):
                await first

        asyncio.run(ask())

    def test_an_interrupt_ends_one_and_tells_the_others(self) -> None:
        provider = Refreshing(Slow(KeyboardInterrupt(), 60))
        others = ThreadPoolExecutor(1)
        waiting: list = []
        threading.Timer(Slow.seconds / 3, lambda: waiting.append(others.submit(provider.get))).start()
        with pytest.raises(KeyboardInterrupt):
            provider.get()
        with pytest.raises(awsign.CredentialsError, match="ended by KeyboardInterrupt"):
            waiting[0].result()
        assert provider.get().access_key_id == "AKID2"
        others.shutdown()

    def test_a_source_that_breaks_is_not_hidden(self) -> None:
        class Broken:
            name = "broken"

            def load(self) -> awsign.Credentials:
                raise ZeroDivisionError

        for ask in (Refreshing(Broken()).get, lambda: asyncio.run(Refreshing(Broken()).get_async())):
            with pytest.raises(ZeroDivisionError):
                ask()

    def test_the_same_again_is_not_asked_for_at_every_signature(self) -> None:
        class Same(Scripted):
            def load(self) -> awsign.Credentials:
                self.loads += 1
                return awsign.Credentials(KEY, SECRET, TOKEN, end)

        now = [datetime.now(UTC)]
        end = now[0] + timedelta(minutes=8)
        source = Same(0)
        provider = Refreshing(source, clock=lambda: now[0])
        kept = provider.get()
        for _ in range(100):
            assert provider.get() is kept
        assert source.loads == 2
        now[0] += timedelta(seconds=2)
        provider.get()
        assert source.loads == 3
        now[0] = end
        with pytest.raises(awsign.CredentialsError, match="ended already"):
            provider.get()

    def test_what_a_service_called_expired_is_forgotten(self) -> None:
        source = Scripted(60)
        provider = Refreshing(source)
        first = provider.get()
        provider.forget(awsign.Credentials(KEY, SECRET))
        assert provider.get() is first
        provider.forget(first)
        assert provider.get().access_key_id == "AKID2"

    def test_async(self) -> None:
        provider = Refreshing(Scripted(60))
        assert asyncio.run(provider.get_async()) == provider.get()
        assert asyncio.run(awsign.Credentials(KEY, SECRET).get_async()).access_key_id == KEY

    @pytest.mark.parametrize(
        "provider",
        [
            find_credentials(),
            find_credentials("p"),
            find_credentials(environ={"AWS_ACCESS_KEY_ID": "AKIDPASSED"}),
            Refreshing(AssumeRole("arn:aws:iam::123456789012:role/r", find_credentials())),
            *map(Refreshing, (Environment(), Container(), WebIdentity(), Sso(), Login(), Process(), InstanceMetadata())),
        ],
        ids=repr,
    )
    def test_every_one_is_pickled_without_the_environment(self, provider, monkeypatch) -> None:
        """It takes that of where it goes."""
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        packed = pickle.dumps(provider)
        assert SECRET.encode() not in packed
        assert repr(pickle.loads(packed)) == repr(provider)
        if isinstance(provider.source, Environment):
            assert pickle.loads(packed).get() == awsign.Credentials(KEY, SECRET)

    @pytest.mark.parametrize(
        ("windows", "said"),
        [
            ({"advisory": 60}, "timedelta"),
            ({"mandatory": timedelta(hours=1)}, "the shorter of the two"),
            ({"mandatory": timedelta(minutes=-5)}, "from 0 to 7 days"),
        ],
    )
    def test_windows_that_are_none(self, windows, said) -> None:
        with pytest.raises((TypeError, ValueError), match=said):
            Refreshing(Environment({}), **windows)

    def test_a_source_that_gives_something_else(self) -> None:
        class Other:
            name = "other"

            def load(self) -> object:
                return {"AccessKeyId": KEY}

        with pytest.raises(TypeError, match=r"Other.load\(\) gave dict, not awsign.Credentials"):
            Refreshing(Other()).get()
        with pytest.raises(TypeError, match="Refreshing"):
            awsign.SigV4(Other())

    def test_a_source_is_a_provider_by_itself(self) -> None:
        environ = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
        signer = awsign.SigV4(Environment(environ), "dynamodb", "us-east-1")
        request = awsign.Request("GET", "https://dynamodb.us-east-1.amazonaws.com/")
        assert f"Credential={KEY}/" in dict(signer.sign(request).headers)["Authorization"]
        source = pickle.loads(pickle.dumps(Environment(environ)))
        assert source.get() is source.get() is asyncio.run(source.get_async())

        class Counted(Environment):
            loads = 0

            def load(self) -> awsign.Credentials:
                self.loads += 1
                time.sleep(0.05)
                return super().load()

        counted = Counted(environ)
        threads = [threading.Thread(target=counted.get) for _ in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert counted.loads == 1

    def test_pickled_it_goes_on_elsewhere(self) -> None:
        provider = Refreshing(Environment({"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}))
        assert pickle.loads(pickle.dumps(provider)).get() == provider.get() == pickle.loads(pickle.dumps(provider)).get()

    @pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
    def test_a_fork_in_the_middle_of_a_refresh(self) -> None:
        """What is under way in the parent's thread never ends in the child."""
        provider = Refreshing(Slow(60))
        under_way = threading.Thread(target=provider.get)
        under_way.start()
        time.sleep(Slow.seconds / 3)
        child = os.fork()
        if child == 0:
            try:
                os._exit(0 if provider.get().access_key_id == "AKID1" else 1)
            finally:
                os._exit(2)
        under_way.join()
        deadline = time.monotonic() + 20
        while (ended := os.waitpid(child, os.WNOHANG)) == (0, 0):
            if time.monotonic() > deadline:
                os.kill(child, 9)
                os.waitpid(child, 0)
                pytest.fail("the child waits for its parent's thread")
            time.sleep(0.02)
        assert ended[1] == 0

    def test_a_signer_never_holds_a_dead_key(self) -> None:
        now = [datetime.now(UTC)]
        provider = Refreshing(Scripted(60, 120, 180), clock=lambda: now[0])
        signer = awsign.SigV4(provider, "dynamodb", "us-east-1")
        request = awsign.Request("GET", "https://dynamodb.us-east-1.amazonaws.com/")
        used = []
        for _ in range(3):
            used.append(re.search("Credential=([^/]+)", dict(signer.sign(request, at=now[0]).headers)["Authorization"])[1])
            now[0] += timedelta(minutes=55)
        assert used == ["AKID1", "AKID2", "AKID3"]

    def test_repr_and_logs_have_no_secret(self, caplog) -> None:
        with caplog.at_level(logging.DEBUG):
            provider = Refreshing(Scripted(60))
            provider.get()
        assert SECRET not in repr(provider) + caplog.text
        assert TOKEN not in repr(provider) + caplog.text


class TestChain:
    def test_the_whole_failure_is_a_checklist(self) -> None:
        environ = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}
        with pytest.raises(NotHere) as caught:
            find_credentials(environ=environ).get()
        lines = str(caught.value).splitlines()
        assert [line.split(":")[0] for line in lines if line.startswith("  - ")] == [
            "  - environment",
            "  - assume-role",
            "  - web-identity",
            "  - sso",
            "  - shared-credentials-file",
            "  - login",
            "  - process",
            "  - config-file",
            "  - container",
            "  - instance-metadata",
        ]
        assert lines[-1].startswith("set AWS_ACCESS_KEY_ID")
        # A profile that is passed leaves the environment out.
        with pytest.raises(awsign.CredentialsError, match="no profile 'p'"):
            find_credentials("p", environ | {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}).get()

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
