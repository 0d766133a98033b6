"""Verifying servers: middleware for an application of yours (standard library alone), and the server that `awsign serve` runs."""

from __future__ import annotations

from .answers import error_answer as error_answer
from .asgi import AsgiMiddleware as AsgiMiddleware
from .wsgi import WsgiMiddleware as WsgiMiddleware

__all__ = ["AsgiMiddleware", "WsgiMiddleware", "error_answer"]
