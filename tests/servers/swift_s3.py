"""OpenStack Swift with its S3 API in one process: run by the interpreter of .servers/swift, with PORT DIRECTORY KEY SECRET."""

import sys
from pathlib import Path

PORT, ROOT, KEY, SECRET = int(sys.argv[1]), Path(sys.argv[2]).resolve(), sys.argv[3], sys.argv[4]
ETC = ROOT / "etc"
ETC.mkdir(parents=True, exist_ok=True)
(ROOT / "devices" / "disk").mkdir(parents=True, exist_ok=True)
(ETC / "swift.conf").write_text(
    "[swift-hash]\nswift_hash_path_suffix = tests\nswift_hash_path_prefix = awsign\n\n[storage-policy:0]\nname = only\ndefault = yes\n"
)
FILTERS = ["catch_errors", "gatekeeper", "healthcheck", "listing_formats", "bulk", "copy", "slo", "symlink"]
SHARED = f"[DEFAULT]\nswift_dir = {ETC}\ndevices = {ROOT / 'devices'}\nmount_check = false\ndisable_fallocate = true\nworkers = 0\nlog_level = ERROR\n"
PROXY = (
    SHARED
    + "[pipeline:main]\npipeline = catch_errors gatekeeper healthcheck listing_formats s3api tempauth bulk copy slo symlink proxy-server\n"
    + "[app:proxy-server]\nuse = egg:swift#proxy\naccount_autocreate = true\n"
    + "[filter:s3api]\nuse = egg:swift#s3api\nlocation = us-east-1\ncheck_bucket_owner = false\nstorage_domain = s3.localhost\n"
    + "[filter:tempauth]\nuse = egg:swift#tempauth\nuser_a_b = c .admin\n"
    + "".join(f"[filter:{name}]\nuse = egg:swift#{name}\n" for name in FILTERS)
)

import os  # noqa: E402

os.environ["SWIFT_DIR"] = str(ETC)

from swift.common import utils  # noqa: E402

(getattr(utils, "monkey_patch", None) or utils.eventlet_monkey_patch)()
utils.SWIFT_CONF_FILE = str(ETC / "swift.conf")

import eventlet  # noqa: E402
import eventlet.wsgi  # noqa: E402
from swift.common import storage_policy  # noqa: E402
from swift.common.ring import RingBuilder  # noqa: E402
from swift.common.wsgi import SwiftHttpProtocol, loadapp  # noqa: E402

storage_policy.reload_storage_policies()
if hasattr(utils, "validate_hash_conf"):
    utils.validate_hash_conf()


class Silence:
    def write(self, *_: object) -> None: ...

    def flush(self) -> None: ...


def serve(name: str, listener: object) -> object:
    app = loadapp(str(ETC / f"{name}.conf"), global_conf={"log_name": name})
    if name == "proxy":
        # tempauth names its users account:user; S3 clients want a plain access key.
        auth = app
        while type(auth).__name__ != "TempAuth":
            auth = auth.app
        auth.users[KEY] = {"key": SECRET, "url": "$host/v1/AUTH_tests", "groups": [".admin"]}
    return eventlet.spawn(eventlet.wsgi.server, listener, app, log=Silence(), protocol=SwiftHttpProtocol, debug=False)


for kind in ("account", "container", "object"):
    listener = eventlet.listen(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    ring = RingBuilder(1, 1, 0)
    ring.add_dev(
        {
            "id": 0, "region": 1, "zone": 1, "ip": "127.0.0.1", "port": port, "replication_ip": "127.0.0.1",
            "replication_port": port, "device": "disk", "weight": 1.0, "meta": "",
        }
    )  # fmt: skip
    ring.rebalance()
    ring.get_ring().save(str(ETC / f"{kind}.ring.gz"))
    (ETC / f"{kind}.conf").write_text(SHARED + f"[pipeline:main]\npipeline = server\n[app:server]\nuse = egg:swift#{kind}\n")
    serve(kind, listener)
(ETC / "proxy.conf").write_text(PROXY)
running = serve("proxy", eventlet.listen(("127.0.0.1", PORT)))
print("ready", flush=True)
running.wait()
