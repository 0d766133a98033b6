"""The `awsign` command: one file a subcommand."""
