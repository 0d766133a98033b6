"""What botocore finds: a case a line on standard input, as {"environ": {...}, "profile": ...}; a line of what it found on standard output.

A process of its own: botocore fixes the directory of its token cache when it is imported.
"""

import json
import os
import sys

import botocore.session

KEPT = {"PATH", "HOME", "LANG", "PYTHONPATH"}

for line in sys.stdin:
    case = json.loads(line)
    for name in set(os.environ) - KEPT:
        del os.environ[name]
    os.environ.update(case["environ"])
    try:
        session = botocore.session.Session(profile=case["profile"])
        found = session.get_credentials()
        if found is None:
            told = {"outcome": "none"}
        else:
            frozen = found.get_frozen_credentials()
            told = {"outcome": "found", "source": found.method, "key": frozen.access_key, "token": bool(frozen.token)}
    except Exception as error:
        told = {"outcome": "failed", "error": type(error).__name__, "said": str(error)[:200]}
    print(json.dumps(told), flush=True)
