"""The command group, and how errors reach the user: a sentence on stderr and an exit code."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

import click

from unique_account.cli.accounts import accounts
from unique_account.cli.asterisk import asterisk
from unique_account.cli.demo import demo
from unique_account.cli.diagram import diagram, table
from unique_account.cli.doctor import doctor
from unique_account.cli.exits import Interrupted, give_output_up, sentence
from unique_account.cli.explain import explain
from unique_account.cli.history import history
from unique_account.cli.password import password
from unique_account.cli.replay import replay
from unique_account.cli.serve import serve
from unique_account.cli.users_import import import_users
from unique_account.core.errors import UniqueAccountError

_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""The errors of a disk that takes no more."""


@contextmanager
def _sentences() -> Iterator[None]:
    """Turn what goes wrong into a sentence on stderr and an exit code, without a traceback."""
    try:
        yield
    except UniqueAccountError as error:
        raise click.ClickException(str(error)) from error
    except BrokenPipeError:
        give_output_up()
        raise click.exceptions.Exit(1) from None
    except KeyboardInterrupt:
        raise Interrupted("interrupted") from None
    except OSError as error:
        if error.errno in _FULL:
            give_output_up()
            raise click.ClickException(f"it cannot be written: {error.strerror}") from error
        raise click.ClickException(sentence(error)) from error


class _Command(click.Group):
    """Exits with 1 for what was refused or is wrong in a file, and with 130 when interrupted."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        run = partial(super().main, args, prog_name, complete_var, standalone_mode=False, **extra)
        if not standalone_mode:
            return run()
        try:  # click itself takes an interrupt outside of the two below for an error of exit code 1
            code: object = run()
        except (click.Abort, KeyboardInterrupt):
            error: click.ClickException = Interrupted("interrupted")
        except click.ClickException as raised:
            error = raised
        else:
            sys.exit(code if isinstance(code, int) else 0)
        error.show()
        sys.exit(error.exit_code)

    def make_context(self, *args: Any, **more: Any) -> click.Context:
        with _sentences():
            return super().make_context(*args, **more)

    def invoke(self, ctx: click.Context) -> Any:
        with _sentences():
            return super().invoke(ctx)


@click.group(cls=_Command, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="unique_account")
def command() -> None:
    """One number, a deskphone and a browser phone: Unique Accounts of a XiVO PBX.

    \b
    See it work:           unique-account demo
    On a real recording:   unique-account replay day.ami --users users.toml
    Ask why:               unique-account explain --logged-in --selection webrtc --webrtc unavailable
    Run it on a PBX:       unique-account serve --config unique_account.toml
    Ask the running one:   unique-account explain alice --config unique_account.toml

    Exit codes: 0 done, 1 refused or something in a file is wrong (stderr says what), 2 wrong usage,
    130 interrupted.
    """  # noqa: D301 - click wants the control character itself


for subcommand in (
    demo,
    replay,
    explain,
    accounts,
    table,
    diagram,
    import_users,
    serve,
    asterisk,
    doctor,
    history,
    password,
):
    command.add_command(subcommand)
