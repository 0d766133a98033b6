"""What a Signature Version 4A claims: as one of Version 4, but its regions are in X-Amz-Region-Set, and a public key checks it."""

from __future__ import annotations

from ..authorization import REGION_SET
from ..errors import InvalidRequest, MissingExtra
from ..scope import ASYMMETRIC
from ..sigv4a import EcdsaKey, EcdsaP256Sha256, covers, key_of_public, parse_region_set, require_cryptography
from .sigv4 import SigV4Claim

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container
    from typing import Any

    from ..authorization import Authorization
    from ..scope import Key
    from .arrival import Arrival
    from .events import EventCheck


class SigV4AClaim(SigV4Claim):
    scheme = "sigv4a"
    _algorithm = EcdsaP256Sha256()

    def __init__(self, arrival: Arrival, place: str) -> None:
        try:
            require_cryptography()
        except MissingExtra as missing:
            arrival.fail("unsupported-algorithm", f"{ASYMMETRIC} cannot be verified here: {missing}")
        super().__init__(arrival, place)

    def _region(self, arrival: Arrival) -> str:
        """The region set."""
        header = arrival.header(REGION_SET.lower())
        if self._in_query is not None and header:
            arrival.fail("duplicate-header", f"{REGION_SET} stands in the query and in a header")
        region_set = header if self._in_query is None else self._in_query.region_set
        if not region_set:
            arrival.fail("missing-region-set", f"the request has no {REGION_SET}, which names the regions that it is signed for")
        try:
            return parse_region_set(region_set)
        except InvalidRequest as error:
            arrival.fail("wrong-region", f"{REGION_SET}: {error}")

    def _check_scope(self, arrival: Arrival) -> None:
        arrival.check_scope(self.service or "", self.region or "", self._takes_region)

    def _takes_region(self, regions: Container[str]) -> bool:
        """Whether one of the regions that are taken here is in the region set."""
        assert self.region is not None
        if isinstance(regions, (set, frozenset, list, tuple)):
            return any(covers(self.region, region) for region in regions)
        return any(name in regions for name in self.region.split(","))

    def _events(self) -> EventCheck:
        raise ValueError("a request signed by sigv4a has no event stream: SigV4 alone signs them")

    def _public_key(self, given: object) -> EcdsaKey | None:
        return key_of_public(given)

    def _key_of(self, signer: Any, claimed: Authorization) -> Key:
        return signer if isinstance(signer, EcdsaKey) else super()._key_of(signer, claimed)
