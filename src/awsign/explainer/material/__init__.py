"""Whatever a person has of a request -> the request, and what else the text says.

One file for each form: a message of HTTP (a client's verbose output too), a curl command line, JSON (a HAR, or what `awsign sign` prints), a
log (botocore's, http.client's), printed headers, a URL.
"""

from __future__ import annotations

from .material import Material, Unreadable, read

__all__ = ["Material", "Unreadable", "read"]
