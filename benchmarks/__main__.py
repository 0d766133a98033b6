"""`make bench`: awsign beside its peers, all in one run. `python -m benchmarks [SECTION ...] [--write]`, in the environment of peers.txt.

Sections: presigning, header_signing, verifying, bodies, starting, scaling. --write puts the tables into docs/benchmarks.md. What
takes a server or two gigabytes has programs of its own: `python -m benchmarks.clients`, `python -m benchmarks.streams`.
"""

from __future__ import annotations

import os
import platform
import sys
from importlib import import_module

from .rounds import Table, pin

SECTIONS = ("presigning", "header_signing", "verifying", "bodies", "starting", "scaling")


def main(arguments: list[str]) -> None:
    os.environ["BOTO_DISABLE_CRT"] = "true"  # With awscrt installed boto3 would sign by it.
    chosen = [argument for argument in arguments if not argument.startswith("-")] or SECTIONS
    if unknown := [name for name in chosen if name not in SECTIONS]:
        sys.exit(f"{unknown[0]!r} is not one of {', '.join(SECTIONS)}")
    print(f"CPython {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores")
    pin()
    tables: list[Table] = []
    for name in chosen:
        tables += import_module(f".{name}", __package__).tables()
    if "--write" in arguments:
        from .page import write

        write(tables)
        print("\ndocs/benchmarks.md and docs/benchmarks.svg are written")


if __name__ == "__main__":
    main(sys.argv[1:])
