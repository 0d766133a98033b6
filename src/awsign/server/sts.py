"""The calls of STS that credentials come from, as this server answers them: with temporary ones that it knows.

Source: STS API reference, AssumeRole, AssumeRoleWithWebIdentity, GetCallerIdentity.
"""

from __future__ import annotations

import re
from datetime import timedelta
from xml.etree.ElementTree import Element, SubElement

from .answers import query_refusal, query_result
from .issued import ACCOUNT, credentials_element

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..verify import Verified
    from .answers import Answer
    from .issued import Issued

_ROLE = re.compile(r"arn:aws(?:-[a-z]+)*:iam::\d{12}:role/(?:[!-.0-~]+/)*(?P<name>[\w+=,.@-]{1,64})")
_SESSION = re.compile(r"[\w+=,.@-]{2,64}")
_DIGITS = re.compile("[0-9]{1,6}")
_DURATION = 900, 43200


class SecurityTokenService:
    """issued: where what is handed out is kept. seconds: how long it lasts, where the call does not say."""

    def __init__(self, issued: Issued, seconds: int) -> None:
        self._issued = issued
        self._seconds = seconds

    def answer(self, verified: Verified, action: str | None, parameters: Mapping[str, str]) -> Answer | None:
        """The answer to a signed call that was verified; None for a call that is not played."""
        if action == "AssumeRole":
            return self._assumed(action, parameters, verified)
        if action == "GetCallerIdentity":
            arn = self._issued.arn_of(verified.access_key_id)
            return query_result(action, _elements(Arn=arn, UserId=verified.access_key_id, Account=ACCOUNT), verified)
        return None

    def unsigned(self, parameters: Mapping[str, str]) -> Answer | None:
        """The answer to AssumeRoleWithWebIdentity, the one call that is not signed; None for others."""
        if parameters.get("Action") != "AssumeRoleWithWebIdentity":
            return None
        if len(parameters.get("WebIdentityToken", "")) < 4:
            return query_refusal(400, "InvalidIdentityToken", "WebIdentityToken has at least four characters")
        return self._assumed("AssumeRoleWithWebIdentity", parameters, None)

    def _assumed(self, action: str, parameters: Mapping[str, str], verified: Verified | None) -> Answer:
        role = _ROLE.fullmatch(parameters.get("RoleArn", ""))
        session = parameters.get("RoleSessionName", "")
        duration = parameters.get("DurationSeconds")
        if role is None or not _SESSION.fullmatch(session):
            return query_refusal(400, "ValidationError", "RoleArn or RoleSessionName is not of the form that it has")
        if duration and not (_DIGITS.fullmatch(duration) and _DURATION[0] <= int(duration) <= _DURATION[1]):
            return query_refusal(400, "ValidationError", "DurationSeconds is from 900 to 43200")
        arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role['name']}/{session}"
        # Another caller, or another session, is given others.
        caller = verified.access_key_id if verified is not None else ""
        made = self._issued.current(f"{caller} {arn}", timedelta(seconds=int(duration or self._seconds)), arn)
        user = Element("AssumedRoleUser")
        SubElement(user, "AssumedRoleId").text = f"AROAEXAMPLE:{session}"
        SubElement(user, "Arn").text = arn
        return query_result(action, [credentials_element(made), user], verified)


def _elements(**texts: str) -> list[Element]:
    elements = []
    for name, text in texts.items():
        elements.append(Element(name))
        elements[-1].text = text
    return elements
