"""``serve``: the service on the PBX nodes, the store and the users that a configuration names."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

import click
from attrs import evolve

from unique_account.cli import options
from unique_account.cli.demo_page import serve_stage
from unique_account.cli.file_modes import open_to_others
from unique_account.cli.logs import configure
from unique_account.serve.config import read_config
from unique_account.serve.group import serve_in_group
from unique_account.serve.lifecycle import LOGGER
from unique_account.serve.lifecycle import serve as run
from unique_account.serve.wiring import running

STAGE_PORT: Final = 8090


@click.command()
@options.config(
    "The TOML file that says what to serve; without it, the stage of `demo --web` is.", required=False
)
@click.option("--json-log", is_flag=True, help="Log JSON objects, one on a line, whatever the file says.")
def serve(file: Path | None, json_log: bool) -> None:
    """Keep accounts, and the PBX in step with them, until SIGTERM or SIGINT.

    SIGHUP reads the users again, and makes the PBX agree with the accounts. Health and metrics are
    served over HTTP on loopback, unless the configuration says otherwise. With a table [cluster], the
    process is one of several, of which one serves and the others stand by.
    """
    if file is None:
        serve_stage(STAGE_PORT)
        return
    config = read_config(file)
    configure(evolve(config.log, json=config.log.json or json_log))
    for sentence in open_to_others(config):
        LOGGER.warning(sentence)
    if config.cluster is None:
        asyncio.run(run(running(config)))
    else:
        asyncio.run(serve_in_group(config, config.cluster))
