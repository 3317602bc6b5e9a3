"""What of a configuration lies open to others on the machine: folders of stores, and files of secrets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from unique_account.serve.config import Config


def open_to_others(config: Config) -> Iterator[str]:
    """One sentence for each folder with a store, and each secret, that others than its owner can get at.

    A folder is only named and not changed: it may be one of the system's.
    """
    for folder in sorted({Path(store).absolute().parent for store in _stores(config)}):
        if _mode(folder) & 0o077:
            yield f"the folder {folder} of a store is open to others: chmod 0700 {folder}"
    for secret in sorted(set(_secrets(config))):
        if _mode(Path(secret)) & 0o007:
            yield f"{secret} holds a secret and is open to everybody: chmod o= {secret}"


def _stores(config: Config) -> Iterator[str]:
    if config.accounts.file:
        yield config.accounts.file
    if config.assistant and config.assistant.store:
        yield config.assistant.store.file


def _secrets(config: Config) -> Iterator[str]:
    secrets = [node.secret for node in config.nodes]
    named = [node.passwords for node in config.nodes]
    if config.accounts.postgresql:
        secrets.append(config.accounts.postgresql.password)
    if config.users.confd:
        secrets.append(config.users.confd.token)
    if config.assistant:
        secrets.append(config.assistant.key)
        named.append(config.assistant.passwords)
    yield from (secret.file for secret in secrets if secret and secret.file)
    yield from (one.file for one in named if one)


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except OSError:
        return 0
