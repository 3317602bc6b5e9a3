"""``unique-account password``: a hash for the directory, of a password that nobody else sees."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest
from argon2 import PasswordHasher
from click.testing import CliRunner

from unique_account.cli import command


class TestStandardInput:
    """Without a terminal, the password is the first line of standard input."""

    @pytest.mark.parametrize("given", ["sésame", "sésame\n", "sésame\r\nmore\n"])
    def test_its_hash_is_printed(self, given: str) -> None:
        done = CliRunner().invoke(command, ["password"], input=given)
        assert done.exit_code == 0
        assert PasswordHasher().verify(done.stdout.strip(), "sésame")

    @pytest.mark.parametrize("given", ["", "\n", "x" * 1025])
    def test_what_is_no_password_is_refused(self, given: str) -> None:
        done = CliRunner().invoke(command, ["password"], input=given)
        assert (done.exit_code, done.stdout) == (1, "")
        assert done.stderr == "Error: a password has 1 to 1024 characters\n"

    def test_it_is_no_argument(self) -> None:
        assert CliRunner().invoke(command, ["password", "sésame"]).exit_code == 2


class TestTerminal:
    """At a terminal it is asked for twice, and not shown."""

    def test_it_is_asked_for_until_both_agree(self) -> None:
        said, printed = typed("sésame", "another", "sésame", "sésame")
        assert PasswordHasher().verify(printed.strip(), "sésame")
        assert "do not match" in said
        assert "same" not in said


def typed(*lines: str) -> tuple[str, str]:
    """Run the command at a terminal; returns what it said there, and its standard output."""
    ours, theirs = pty.openpty()
    line = [sys.executable, "-m", "unique_account", "password"]
    with subprocess.Popen(
        line, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, start_new_session=True
    ) as run:
        os.close(theirs)
        said = ""
        for text in lines:
            while not said.endswith(": "):
                said += os.read(ours, 1024).decode()
            os.write(ours, f"{text}\n".encode())
            said += "\n"
        assert run.stdout is not None
        printed = run.stdout.read().decode()
    os.close(ours)
    return said, printed
