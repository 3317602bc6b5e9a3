"""Reading a configuration, with all that is wrong in it at once."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from unique_account.core.errors import Problems
from unique_account.files.text import read_toml
from unique_account.json_documents import InvalidDocument, from_document
from unique_account.serve.config.secret import reason
from unique_account.serve.config.tables import Config, NodeKind


class InvalidConfig(Problems, ValueError):
    """A configuration cannot be used.

    Attributes:
        name: The file's name.
        problems: One ``path: what is wrong`` for each problem.
    """

    def __init__(self, name: str, problems: Iterable[str]) -> None:
        super().__init__(problems)
        self.args = (name, self.problems)
        self.name = name
        self.opening = f"{name} cannot be used:"


def read_config(path: Path, environ: Mapping[str, str] = os.environ) -> Config:
    """The configuration in a TOML file.

    Args:
        path: The file; files that it names without a folder are looked for beside it.
        environ: The environment, for secrets.

    Raises:
        InvalidConfig: It cannot be used; every problem is listed.
    """
    config, apart = _read(path)
    if problems := (*apart, *_missing_secrets(config, environ), *_missing_files(config)):
        raise InvalidConfig(str(path), problems)
    return config


def read_settings(path: Path) -> Config:
    """The configuration in a TOML file, whatever is missing of the secrets and files that it names.

    Raises:
        InvalidConfig: It cannot be used; every problem is listed.
    """
    return _read(path)[0]


def _read(path: Path) -> tuple[Config, tuple[str, ...]]:
    """The configuration in a file, and what is wrong between its nodes."""
    try:
        document = read_toml(path)
    except OSError as error:
        raise InvalidConfig(str(path), (f"cannot be read: {reason(error)}",)) from error
    except InvalidDocument as error:
        alone = (problem.removeprefix(f"{path.name}: ") for problem in error.problems)
        raise InvalidConfig(str(path), alone) from error
    apart = _apart(document)
    try:
        return from_document(Config, _beside(path.absolute().parent, document)), apart
    except InvalidDocument as error:
        raise InvalidConfig(str(path), (*error.problems, *apart)) from error


def _beside(folder: Path, document: Any) -> Any:
    """The document with every file that it names looked for in a folder."""
    if isinstance(document, list):
        return [_beside(folder, part) for part in document]
    if not isinstance(document, dict):
        return document
    return {
        name: str(folder / part) if name == "file" and isinstance(part, str) else _beside(folder, part)
        for name, part in document.items()
    }


def _apart(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Nodes to which no other one would get a trunk, whatever else is wrong in the document."""
    nodes = document.get("nodes")
    tables = [node for node in nodes if isinstance(node, dict)] if isinstance(nodes, list) else []
    asterisks = [node for node in tables if node.get("kind") != NodeKind.MEMORY]
    if len(asterisks) < 2:
        return ()
    return tuple(
        f'nodes[{index}].sip: is missing; the other nodes need it, such as sip = "10.0.0.2:5060"'
        for index, node in enumerate(tables)
        if node in asterisks and "sip" not in node
    )


def _missing_secrets(config: Config, environ: Mapping[str, str]) -> Iterable[str]:
    secrets = {f"nodes[{index}].secret": node.secret for index, node in enumerate(config.nodes)}
    secrets["assistant.key"] = config.assistant.key if config.assistant else None
    secrets["users.confd.token"] = config.users.confd.token if config.users.confd else None
    secrets["bus.password"] = config.bus.password if config.bus else None
    postgresql = config.accounts.postgresql
    secrets["accounts.postgresql.password"] = postgresql.password if postgresql else None
    for place, secret in secrets.items():
        try:
            if secret is not None:
                secret.look_up(environ)
        except ValueError as error:
            yield f"{place}: {error}"


def _missing_files(config: Config) -> Iterable[str]:
    """Files that the UC Assistant cannot do without."""
    if config.assistant is None:
        return
    files = {"assistant.people": config.assistant.people, "assistant.passwords": config.assistant.passwords}
    files |= {
        f"nodes[{index}].passwords": one.passwords for index, one in enumerate(config.nodes) if one.passwords
    }
    for place, named in files.items():
        if not Path(named.file).is_file():
            yield f"{place}.file: {named.file} is not there"
