"""Where the lab's programs are, and which of them are missing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from ctypes.util import find_library
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from attrs import frozen

INSTALL: Final = "python -m lab install"
"""The command that gets what the lab needs."""

PROGRAMS: Final = {
    "baresip": "baresip-core",
    "chromium": "chromium",
    "ip": "iproute2",
    "npm": "npm",
    "openssl": "openssl",
    "sipp": "sip-tester",
}
"""The programs that the lab takes from the host, with their Debian packages."""

LIBRARIES: Final = {"atomic": "libatomic1"}
"""The libraries that it takes from the host: playwright is driven by a program that needs this one."""

PYTHON_PACKAGES: Final = {
    "grafana_foundation_sdk": "grafana-foundation-sdk",
    "playwright": "playwright>=1.49",
}
"""The modules that tests import beside the lab's own, with their packages."""

POSTGRESQL: Final = "postgresql-15"
"""The Debian package of the PostgreSQL server that tests start on a port of their own."""


class NotInstalled(Exception):
    """Something that the lab needs is missing.

    Attributes:
        missing: What, each as a short phrase.
    """

    def __init__(self, missing: tuple[str, ...]) -> None:
        super().__init__(missing)
        self.missing = missing

    def __str__(self) -> str:
        return f"the lab lacks {', '.join(self.missing)}; run: {INSTALL} (as root, on Debian 12)"


def home() -> Path:
    """The lab's folder: ``$UNIQUE_ACCOUNT_LAB``, or one in the user's cache."""
    named = os.environ.get("UNIQUE_ACCOUNT_LAB")
    return Path(named) if named else Path.home() / ".cache" / "unique_account" / "lab"


@frozen(weakref_slot=False)
class AsteriskFiles:
    """An installed Asterisk, with the loader and the libraries of its own system.

    Attributes:
        root: The root directory of that system.
        loader: Its dynamic loader.
        libraries: Where its libraries are.
        modules: Where Asterisk's modules are.
    """

    root: Path
    loader: Path
    libraries: tuple[Path, ...]
    modules: Path

    @property
    def program(self) -> Path:
        """Asterisk itself."""
        return self.root / "usr/sbin/asterisk"

    @property
    def data(self) -> Path:
        """Its sounds and documentation."""
        return self.root / "usr/share/asterisk"

    @property
    def command(self) -> tuple[str, ...]:
        """How Asterisk is run without its root being the root: what it forks uses the host's libraries."""
        path = ":".join(map(str, self.libraries))
        return (str(self.loader), "--argv0", "asterisk", "--library-path", path, str(self.program))


def asterisk_files(root: Path | None = None) -> AsteriskFiles:
    """The lab's Asterisk.

    Raises:
        NotInstalled: There is none.
    """
    root = home() / "asterisk" if root is None else root
    loader = next(root.glob("usr/lib*/ld-linux-*.so.*"), None)
    modules = next(root.glob("usr/lib/*/asterisk/modules"), None)
    if loader is None or modules is None or not (root / "usr/sbin/asterisk").exists():
        raise NotInstalled((f"Asterisk in {root}",))
    return AsteriskFiles(root, loader, (modules.parent.parent,), modules)


def program(name: str) -> str:
    """Where one of the host's programs is.

    Raises:
        NotInstalled: It is not there.
    """
    found = shutil.which(name)
    if found is None:
        raise NotInstalled((name,))
    return found


def axe_file() -> Path:
    """axe-core, which finds what keeps people from using a page.

    Raises:
        NotInstalled: It is not there.
    """
    found = home() / "npm" / "node_modules" / "axe-core" / "axe.min.js"
    if not found.exists():
        raise NotInstalled((f"axe-core in {found.parent}",))
    return found


def asyncapi_schema() -> Path:
    """The JSON Schema of AsyncAPI 3.0 documents.

    Raises:
        NotInstalled: It is not there.
    """
    folder = home() / "npm" / "node_modules" / "@asyncapi" / "specs" / "schemas"
    found = folder / "3.0.0-without-$id.json"
    if not found.exists():
        raise NotInstalled((f"the schema of AsyncAPI in {folder}",))
    return found


def nginx_file() -> Path:
    """nginx, which tests run as the web proxy before the servers.

    Raises:
        NotInstalled: It is not there.
    """
    found = home() / "nginx" / "usr/sbin/nginx"
    if not found.exists():
        raise NotInstalled((f"nginx in {home() / 'nginx'}",))
    return found


def haproxy_command() -> tuple[str, ...]:
    """How HAProxy is run, which tests have before the processes of a group.

    Raises:
        NotInstalled: It is not there.
    """
    root = home() / "haproxy"
    libraries = next(root.glob("usr/lib/*/liblua5.3.so.0"), None)
    if libraries is None:
        raise NotInstalled((f"HAProxy in {root}",))
    return ("env", f"LD_LIBRARY_PATH={libraries.parent}", str(root / "usr/sbin/haproxy"))


def promtool_file() -> Path:
    """Prometheus' tool that checks and tests alerts.

    Raises:
        NotInstalled: It is not there.
    """
    found = home() / "prometheus" / "usr/bin/promtool"
    if not found.exists():
        raise NotInstalled((f"promtool in {home() / 'prometheus'}",))
    return found


@frozen(weakref_slot=False)
class RabbitmqFiles:
    """An unpacked RabbitMQ with the Erlang that it runs on.

    Attributes:
        root: The folder into which the packages were unpacked.
        server: The program that is the broker.
        emulator: Where Erlang's own programs are, such as ``epmd``.
    """

    root: Path
    server: Path
    emulator: Path

    @property
    def erlang(self) -> Path:
        """Erlang's root directory."""
        return self.root / "usr/lib/erlang"


def rabbitmq_files(root: Path | None = None) -> RabbitmqFiles:
    """The lab's RabbitMQ.

    Raises:
        NotInstalled: There is none.
    """
    root = home() / "rabbitmq" if root is None else root
    server = next(root.glob("usr/lib/rabbitmq/lib/*/sbin/rabbitmq-server"), None)
    emulator = next(root.glob("usr/lib/erlang/erts-*/bin"), None)
    if server is None or emulator is None:
        raise NotInstalled((f"RabbitMQ in {root}",))
    return RabbitmqFiles(root, server, emulator)


def missing_packages() -> tuple[str, ...]:
    """The Debian packages of the programs and libraries that are missing."""
    programs = [package for name, package in PROGRAMS.items() if shutil.which(name) is None]
    libraries = [package for name, package in LIBRARIES.items() if find_library(name) is None]
    return (*programs, *libraries, *([POSTGRESQL] if postgresql() is None else []))


def missing_python_packages() -> tuple[str, ...]:
    """The packages of the modules that are missing."""
    return tuple(package for module, package in PYTHON_PACKAGES.items() if find_spec(module) is None)


def postgresql() -> Path | None:
    """Where the programs of the newest PostgreSQL server are; None without one.

    Debian keeps them out of the search path.
    """
    servers = [found.parent for found in _POSTGRESQL_SERVERS.glob("*/bin/postgres")]
    return max(servers, key=lambda folder: int(folder.parent.name), default=None)


_POSTGRESQL_SERVERS: Final = Path("/usr/lib/postgresql")


def missing() -> tuple[str, ...]:
    """Everything that the lab needs and does not find."""
    found = list(missing_packages())
    found.extend(f"{package} (Python)" for package in missing_python_packages())
    for look in _UNPACKED:
        try:
            look()
        except NotInstalled as error:
            found.extend(error.missing)
    return tuple(found)


_UNPACKED: Final[tuple[Callable[[], object], ...]] = (
    *(asterisk_files, axe_file, asyncapi_schema),
    *(nginx_file, haproxy_command, promtool_file, rabbitmq_files),
)


def require() -> None:
    """Check that the lab is whole.

    Raises:
        NotInstalled: With all that is missing.
    """
    if absent := missing():
        raise NotInstalled(absent)
