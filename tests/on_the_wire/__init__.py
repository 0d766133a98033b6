"""What really reaches a socket, from each adapter and each peer, judged by rules that share no code with awsign.

`make wire` prints the table; tests/test_on_the_wire.py holds it.
"""
