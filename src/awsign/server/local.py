"""The verifying server in a thread of this process, for tests: it records what arrives, and explains what does not verify."""

from __future__ import annotations

import threading

from ..identity import Credentials
from ..verify import Verifier
from .app import VerifyingApp
from .explained import Explainer
from .issued import Issued
from .played import Played
from .run import listening, server_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

    from .explained import Recorded

CREDENTIALS = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")


class LocalServer:
    """`awsign serve` on a free port of 127.0.0.1, for as long as its block.

    url: where it is. credentials: such as it knows. requests: what arrived, each with its outcome. expect_mismatches: whether refused
    requests are what the test is about.
    """

    def __init__(self, *more: Credentials) -> None:
        self.credentials = CREDENTIALS
        self.requests: list[Recorded] = []
        self.expect_mismatches = False
        self.told = 0  # How many of the refused requests the test's failure has told already.
        self._known = {known.access_key_id: known for known in (CREDENTIALS, *more)}
        issued = Issued()

        def secret_for(access_key_id: str) -> Credentials | None:
            return self._known.get(access_key_id) or issued.get(access_key_id)

        app = VerifyingApp(
            Verifier(secret_for),
            Played(issued),
            issued=issued,
            explainer=Explainer(secret_for),
            recorded=self.requests.append,
        )
        self._listener = listening(0)
        self._server = server_of(app)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._listener]}, daemon=True, name="awsign-server"
        )
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __repr__(self) -> str:
        return f"<LocalServer {self.url}, {len(self.requests)} requests>"

    def add(self, credentials: Credentials) -> Credentials:
        """Know these too."""
        self._known[credentials.access_key_id] = credentials
        return credentials

    @property
    def mismatches(self) -> list[Recorded]:
        """The requests that were refused."""
        return [each for each in self.requests if each.error is not None]

    @property
    def unexpected(self) -> list[Recorded]:
        """Those that nobody expected, and that were not told yet."""
        return [] if self.expect_mismatches else self.mismatches[self.told :]

    def report(self) -> str:
        """Why they were: the explainer's report of each."""
        return "\n\n".join(
            f"{each.request.method} {each.request.path}: {each.error.code if each.error else ''}\n\n{each.report or each.error}"
            for each in self.mismatches
        )

    def __enter__(self) -> LocalServer:
        # Connections wait in the listener's queue until the server takes them: nothing has to be waited for.
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        self._listener.close()
