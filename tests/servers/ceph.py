"""Ceph's RADOS Gateway on 127.0.0.1: one monitor, one OSD in memory, the gateway, and a user. From Debian's packages, unpacked."""

from __future__ import annotations

import os
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from . import INSTALLED, free_port, running

# Both addresses, or the OSD listens on all; the intervals take the start from 12 s to one.
_CONFIG = """\
[global]
fsid = {fsid}
mon host = [v2:127.0.0.1:{monitor}/0]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
keyring = {folder}/keyring
run dir = {folder}
admin socket =
log file = {folder}/$name.log
crash dir = {folder}
plugin dir = {libraries}/ceph
erasure code dir = {libraries}/ceph/erasure-code
osd class dir = {libraries}/rados-classes
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 2
osd pool default pgp num = 2
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 1000
mon data avail crit = 1
paxos propose interval = 0.05
objecter tick interval = 0.5
[mon]
mon data = {folder}/mon
mon cluster log file = {folder}/cluster.log
[osd]
osd objectstore = memstore
osd data = {folder}/osd
[client.rgw.a]
rgw frontends = beast endpoint=127.0.0.1:{port}
rgw data = {folder}
rgw dns name = s3.localhost
"""


@contextmanager
def rgw(key: str, secret: str) -> Iterator[str]:
    """Its URL; key and secret are those of its one user."""
    root = INSTALLED / "ceph"
    libraries = root / "usr/lib/x86_64-linux-gnu"
    if not libraries.exists():  # Installed in the system, so that there was nothing to unpack.
        root, libraries = Path("/"), Path("/usr/lib/x86_64-linux-gnu")
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder, port = Path(name), free_port()
        config = _CONFIG.format(fsid=uuid.uuid4(), monitor=free_port(), port=port, folder=folder, libraries=libraries)
        (folder / "ceph.conf").write_text(config)
        for each in ("mon", "osd"):
            (folder / each).mkdir()
        environ = os.environ | {
            "LD_LIBRARY_PATH": f"{libraries}:{libraries}/ceph:{root}/lib/x86_64-linux-gnu",
            "PATH": f"{root}/usr/bin:{os.environ['PATH']}",
            "CEPH_CONF": f"{folder}/ceph.conf",
        }

        def run(*command: str) -> None:
            subprocess.run(command, env=environ, cwd=folder, check=True, capture_output=True, timeout=60)

        def daemon(*command: str) -> None:
            process = subprocess.Popen(command, env=environ, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            stack.callback(process.wait)
            stack.callback(process.kill)  # What it stores is in memory: there is nothing to end in order.

        run("ceph-authtool", "-C", "keyring", "--gen-key", "-n", "mon.", "--cap", "mon", "allow *")
        for who in ("client.admin", "osd.0", "client.rgw.a"):
            run("ceph-authtool", "keyring", "--gen-key", "-n", who, "--cap", "mon", "allow *", "--cap", "osd", "allow *")
        fsid, address = config.split("fsid = ")[1].split("\n")[0], config.split("mon host = ")[1].split("\n")[0]
        run("monmaptool", "--create", "--fsid", fsid, "--addv", "a", address, "monmap")
        run("osdmaptool", "--createsimple", "1", "osdmap")
        run("ceph-mon", "-i", "a", "--mkfs", "--monmap", "monmap", "--osdmap", "osdmap", "--keyring", "keyring")
        daemon("ceph-mon", "-i", "a", "-f")
        run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", str(uuid.uuid4()))
        daemon("ceph-osd", "-i", "0", "-f")
        url = f"http://127.0.0.1:{port}"
        with running(["radosgw", "-n", "client.rgw.a", "-f"], url, environ, str(folder), kill=True):
            run(
                "radosgw-admin", "-n", "client.rgw.a", "user", "create", "--uid", "tester", "--display-name", "tester",
                "--access-key", key, "--secret-key", secret,
            )  # fmt: skip
            yield url
