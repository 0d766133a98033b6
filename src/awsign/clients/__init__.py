"""Adapters: one file a client, each with its extra. What is signed is what is sent, or it is refused before anything is sent.

    from awsign.clients.requests import AwsAuth       # awsign[requests]
    requests.get("https://my-bucket.s3.eu-west-1.amazonaws.com/key", auth=AwsAuth())

All take the same keyword arguments, those of `signing.Signing`; what becomes of one request is an `exchange.Exchange`.
"""
