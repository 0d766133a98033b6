"""A local server that verifies what arrives, answers in the shape of the service, and plays the instance metadata service."""
