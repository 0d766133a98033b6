"""Signature Version 4, a JSON API: create a DynamoDB table, with the keys of the environment or of ~/.aws.

python examples/dynamodb_create_table.py
"""

import json
import os
import urllib.error
import urllib.request

import awsign

endpoint = os.environ.get("AWS_ENDPOINT_URL_DYNAMODB", "https://dynamodb.us-east-1.amazonaws.com")
table = {
    "TableName": "Music",
    "AttributeDefinitions": [{"AttributeName": "Artist", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "Artist", "KeyType": "HASH"}],
    "BillingMode": "PAY_PER_REQUEST",
}
request = awsign.Request(
    "POST",
    f"{endpoint}/",
    headers={"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "DynamoDB_20120810.CreateTable"},
    body=json.dumps(table),
)
signed = awsign.SigV4(awsign.find_credentials(), "dynamodb", "us-east-1").sign(request)

try:
    with urllib.request.urlopen(
        urllib.request.Request(signed.url, signed.body, dict(signed.headers), method=signed.method)
    ) as response:
        print(response.read().decode())
except urllib.error.HTTPError as error:
    raise SystemExit(f"{error.code}: {error.read().decode()}") from None
