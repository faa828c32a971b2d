"""The `verify` command: finds a command by name, runs it, and turns what it raises into an exit code.

The exit codes are those of `verify.exit_codes`. A command is a module of `verify.commands` with an attribute
``command``; it is imported only when it is called, so that `verify group` does not wait for torch. Its
callback returns the exit code, or None for 0.
"""

import ast
import difflib
import importlib
import os
import pkgutil
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import click

from verify import commands
from verify.exit_codes import ExitCode


def command_names() -> list[str]:
    """The names of all commands, in alphabetical order; a module `check_all` is the command `check-all`."""
    names = (module.name for module in pkgutil.iter_modules(commands.__path__))
    return sorted(name.replace("_", "-") for name in names if not name.startswith("_"))


def short_help(name: str) -> str:
    """The first line of a command module's docstring, read without importing the module."""
    source = Path(commands.__path__[0], f"{name.replace('-', '_')}.py").read_text(encoding="utf-8")
    docstring = ast.get_docstring(ast.parse(source)) or ""
    return docstring.partition("\n")[0]


class LazyGroup(click.Group):
    """A click group whose commands are modules of `verify.commands`, imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        return command_names()

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name; a wrong name is answered with the nearest one."""
        if cmd_name not in command_names():
            near = difflib.get_close_matches(cmd_name, command_names(), n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise click.UsageError(f"expected one of {', '.join(command_names())}, got {cmd_name!r}{hint}", ctx)
        module = importlib.import_module(f"{commands.__name__}.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands, each with the first line of its module's docstring."""
        if names := command_names():
            with formatter.section("Commands"):
                formatter.write_dl([(name, short_help(name)) for name in names])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="coset-verify", prog_name="verify")
def cli() -> None:
    """Prove which cosets a trained group-multiplication network computes with.

    Exit codes: 0 verified, 1 refuted (a counterexample is shown), 2 usage, 3 unknown or timeout,
    4 malformed or unsafe input, 5 internal error.
    """


def execute(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; one sentence on stderr says what went wrong."""
    try:
        code = cli.main(args=list(arguments), prog_name="verify", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Abort:
        return _complain("interrupted", ExitCode.INTERRUPTED)
    except click.ClickException as error:
        error.show()
        return ExitCode.USAGE
    except BrokenPipeError:
        # the interpreter flushes stdout once more at exit, and would complain
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.BROKEN_PIPE
    except Exception as error:
        return _exit_code(error)
    return code if isinstance(code, int) else ExitCode.VERIFIED


def _exit_code(error: Exception) -> int:
    """Tell bad input from a mistake of ours."""
    import msgspec

    from algebra.errors import GroupError
    from net.errors import MalformedInput
    from reports import UnreadableReport

    if isinstance(error, GroupError):  # the command line names no group, element or subgroup
        return _complain(str(error), ExitCode.USAGE)
    if isinstance(error, MalformedInput | UnreadableReport | msgspec.ValidationError | msgspec.DecodeError):
        return _complain(str(error), ExitCode.MALFORMED)
    if isinstance(error, FileNotFoundError):
        return _complain(f"expected a file or folder at {error.filename}, found none", ExitCode.USAGE)
    if isinstance(error, OSError):  # a full disk names no file
        where = "" if error.filename is None else f"{error.filename}: "
        return _complain(f"{where}{error.strerror or error}", ExitCode.MALFORMED)
    if isinstance(error, MemoryError):
        return _complain(
            f"expected enough memory for this input, got too little{f': {error}' if str(error) else ''}", ExitCode.MALFORMED
        )
    traceback.print_exception(error)
    return _complain(f"internal error: {type(error).__name__}: {error}", ExitCode.INTERNAL)


def _complain(message: str, code: int) -> int:
    from reports.escaping import one_line

    click.echo(f"verify: {' '.join(one_line(message).split())}", err=True)
    return code


def main() -> None:
    """The entry point of the `verify` script."""
    sys.exit(execute(sys.argv[1:]))


if __name__ == "__main__":
    main()
