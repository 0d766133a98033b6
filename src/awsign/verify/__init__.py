"""Verifying: what arrived -> who signed it, or a precise error.

The same derivation as for signing, run on the request as it came. Safe by default: comparisons take constant time, every
`x-amz-*` header that arrives must be signed, a declared body hash is checked against the body, and times and scopes are checked
before any key is looked up.
"""

from __future__ import annotations

from .body import BodyCheck as BodyCheck
from .claim import Claim as Claim
from .claim import Verified as Verified
from .replay import MemoryReplayGuard as MemoryReplayGuard
from .verifier import Verifier as Verifier

__all__ = ["BodyCheck", "Claim", "MemoryReplayGuard", "Verified", "Verifier"]
