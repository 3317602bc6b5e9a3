"""The command line: people and scripts at work with accounts, without writing Python."""

from unique_account.cli.command import command

__all__ = ["command"]
