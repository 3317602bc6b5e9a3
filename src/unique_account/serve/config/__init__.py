"""The configuration of ``unique-account serve``, a TOML file.

A configuration is read as a whole: every problem that is found is reported at once, each with its place,
such as ``nodes[1].port: is 0; from 1 to 65535``. Files that it names are looked for beside it. Secrets
are not in it: they come from files of their own or from environment variables.
"""

from unique_account.serve.config.group_tables import BusSettings, ClusterSettings
from unique_account.serve.config.reading import InvalidConfig, read_config, read_settings
from unique_account.serve.config.secret import Secret
from unique_account.serve.config.tables import (
    AccountsSettings,
    AssistantSettings,
    ConfdSettings,
    Config,
    Level,
    LogSettings,
    MonitorSettings,
    NamedFile,
    NodeKind,
    NodeSettings,
    PostgresqlSettings,
    UsersSettings,
)

__all__ = [
    "AccountsSettings",
    "AssistantSettings",
    "BusSettings",
    "ClusterSettings",
    "ConfdSettings",
    "Config",
    "InvalidConfig",
    "Level",
    "LogSettings",
    "MonitorSettings",
    "NamedFile",
    "NodeKind",
    "NodeSettings",
    "PostgresqlSettings",
    "Secret",
    "UsersSettings",
    "read_config",
    "read_settings",
]
