"""Why a request does not verify: the derivation that should have been, beside the one that was."""

from __future__ import annotations

from ..response import Response
from .explanation import explain
from .kinds import GROUPS, KINDS, Group, Kind
from .material import Unreadable
from .report import Cause, Report

__all__ = ["GROUPS", "KINDS", "Cause", "Group", "Kind", "Report", "Response", "Unreadable", "explain"]
