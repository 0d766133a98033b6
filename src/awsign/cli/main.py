"""`awsign`: finds the subcommand, and turns what goes wrong into one sentence and an exit code."""

from __future__ import annotations

import sys

from ..errors import AwsignError, MissingExtra
from .failure import Failure, exit_code_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    import click

# Named here with their one line of help, so that `awsign --help` and completion load none of them.
_COMMANDS = {
    "curl": ("awsign.cli.curl", "Send a signed request; curl's options with curl's meaning."),
    "sign": ("awsign.cli.sign", "Sign a request and print what would be sent."),
    "presign": ("awsign.cli.presign", "Print a URL that carries its signature."),
    "verify": ("awsign.cli.verify", "Verify a request as a server would; the exit code says."),
    "explain": ("awsign.cli.explain", "Say why a signature does not match."),
    "serve": ("awsign.cli.serve", "Run a local server that verifies what arrives."),
    "credentials": ("awsign.cli.credentials", "Show where credentials are looked for, and which are found."),
    "whoami": ("awsign.cli.whoami", "Say whose credentials are found."),
}


def _group() -> click.Group:
    import click

    from .. import __version__

    class Commands(click.Group):
        def list_commands(self, ctx: click.Context) -> list[str]:
            return list(_COMMANDS)

        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
            if cmd_name not in _COMMANDS:
                return None
            from importlib import import_module

            command: click.Command = import_module(_COMMANDS[cmd_name][0]).command
            return command

        def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
            with formatter.section("Commands"):
                formatter.write_dl([(name, summary) for name, (_, summary) in _COMMANDS.items()])

    return click.version_option(__version__, prog_name="awsign")(
        Commands(
            name="awsign",
            help="Requests to AWS, and to whatever speaks AWS's signatures, signed right.\n\n"
            "\b\nExample: awsign curl 'https://sts.us-east-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15'",
            context_settings={"help_option_names": ["-h", "--help"]},
        )
    )


def run(arguments: list[str] | None = None) -> None:
    """The entry point of the command; ends the process with its exit code."""
    try:
        import click
    except ImportError:
        print("awsign: the command needs its extra packages; pip install 'awsign[cli]'", file=sys.stderr)
        sys.exit(2)
    if sys.stdout is None:  # Closed by whoever called.
        print("awsign: (23) there is no standard output", file=sys.stderr)
        sys.exit(23)
    try:
        _group().main(args=arguments, prog_name="awsign", standalone_mode=False)
    except click.exceptions.Exit as end:
        sys.exit(end.exit_code)
    except click.Abort:
        sys.exit(130)
    except click.ClickException as error:
        command = getattr(getattr(error, "ctx", None), "command_path", "awsign")
        print(f"awsign: {error.format_message()} (see {command} --help)", file=sys.stderr)
        sys.exit(2)
    except Failure as failure:
        if not failure.silent:
            print(f"awsign: ({failure.exit_code}) {failure}", file=sys.stderr)
        sys.exit(failure.exit_code)
    except (AwsignError, MissingExtra) as error:
        print(f"awsign: {error}", file=sys.stderr)
        sys.exit(exit_code_for(error))
    except OSError as error:
        if not isinstance(error, BrokenPipeError):
            print(f"awsign: (23) {error.strerror or type(error).__name__}", file=sys.stderr)
        # Whoever read our output has enough; flushing at exit would fail once more.
        sys.stdout = None
        sys.exit(23)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        # Nothing of its text: it may hold what nobody foresaw, a secret included.
        where = error.__traceback__
        while where is not None and where.tb_next is not None:
            where = where.tb_next
        place = f"{where.tb_frame.f_code.co_filename}:{where.tb_lineno}" if where else "?"
        print(f"awsign: this should not have happened: {type(error).__name__} in {place}; please report it", file=sys.stderr)
        sys.exit(70)


if __name__ == "__main__":
    run()
