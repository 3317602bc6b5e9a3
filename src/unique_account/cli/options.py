"""Options that several commands have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
"""A file that is read."""


def config(help: str, *, required: bool = True) -> Callable[[Command], Command]:
    """``--config``, the TOML file of ``serve``, which the command gets as ``file``."""
    return click.option("--config", "file", type=FILE, required=required, help=help)


def json(help: str) -> Callable[[Command], Command]:
    """``--json``, output for machines, which the command gets as ``as_json``."""
    return click.option("--json", "as_json", is_flag=True, help=help)
