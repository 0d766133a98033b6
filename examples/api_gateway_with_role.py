"""Signature Version 4, an API with a domain of its own, with the role of the EC2 instance that this runs on.

The host tells neither service nor region, so the signer is told both: the region is the configured one, or the instance's. The
role's temporary credentials come from the instance metadata service and are refreshed before they end: the signer may live as long
as the program.

    API_URL=https://api.example.com/orders?status=open python examples/api_gateway_with_role.py
"""

import os
import urllib.error
import urllib.request

import awsign
from awsign.credentials import InstanceMetadata

signer = awsign.SigV4(InstanceMetadata(), service="execute-api", region=awsign.find_region())

signed = signer.sign(awsign.Request("GET", os.environ.get("API_URL", "https://api.example.com/orders?status=open")))

try:
    with urllib.request.urlopen(urllib.request.Request(signed.url, None, dict(signed.headers), method=signed.method)) as response:
        print(response.read().decode())
except urllib.error.HTTPError as error:
    raise SystemExit(f"{error.code}: {error.read().decode()}") from None
