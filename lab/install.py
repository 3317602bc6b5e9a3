"""Getting what the tests need: programs of Debian 12, and an Asterisk in a folder of its own.

Debian 12 has no Asterisk, so a small system of Debian's testing suite is unpacked, and only Asterisk of it
is used. What is there already is left alone: a second run takes no time, and one that was broken off is
taken up again.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from lab.programs import (
    POSTGRESQL,
    NotInstalled,
    asterisk_files,
    asyncapi_schema,
    axe_file,
    haproxy_command,
    home,
    missing_packages,
    missing_python_packages,
    nginx_file,
    promtool_file,
    rabbitmq_files,
)

SUITE: Final = "forky"
"""The Debian suite that Asterisk 22 is taken from."""

VERSION: Final = "Asterisk 22."

# The host's debootstrap is older than the suite; all newer suites are unpacked in the same way as sid.
SCRIPT: Final = Path("/usr/share/debootstrap/scripts/sid")

SUPPORTED: Final = "12"
AXE: Final = "axe-core@4.14.1"
ASYNCAPI: Final = "@asyncapi/specs@6.11.1"

_ERLANG: Final = (
    *("asn1", "base", "crypto", "eldap", "inets", "mnesia", "os-mon", "parsetools", "public-key"),
    *("runtime-tools", "ssl", "syntax-tools", "tools", "xmerl"),
)
RABBITMQ: Final = ("rabbitmq-server", *(f"erlang-{library}" for library in _ERLANG))
"""The Debian packages of the broker, which tests start on ports of their own, and of its Erlang."""


HAPROXY: Final = ("haproxy", "liblua5.3-0", "libopentracing-c-wrapper0", "libopentracing1")
"""The Debian packages of the proxy before a group of processes, with its libraries."""


class CannotInstall(Exception):
    """The lab cannot be installed here; the sentence says why."""


def install() -> None:
    """Get whatever is missing.

    Raises:
        CannotInstall: This is not Debian 12, nobody is root, or a step failed.
    """
    _host_packages()
    _python_packages()
    _asterisk(home() / "asterisk")
    _npm(home() / "npm")
    _nginx(home() / "nginx")
    _haproxy(home() / "haproxy")
    _prometheus(home() / "prometheus")
    _rabbitmq(home() / "rabbitmq")


def _host_packages() -> None:
    packages = list(missing_packages())
    if shutil.which("debootstrap") is None and _has_no_asterisk():
        packages.append("debootstrap")
    if not packages:
        return
    _check_host()
    if POSTGRESQL in packages:
        _keep_no_database()
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    _run("dpkg", "--configure", "-a", env=environment)
    _run("apt-get", "update", "-q", env=environment)
    _run("apt-get", "install", "-q", "-y", "--no-install-recommends", *packages, env=environment)


def _keep_no_database() -> None:
    """Let the package install the server's programs only: by default it makes a database and runs it."""
    _CLUSTERS.mkdir(parents=True, exist_ok=True)
    (_CLUSTERS / "unique_account.conf").write_text("create_main_cluster = false\n", "utf-8")


_CLUSTERS: Final = Path("/etc/postgresql-common/createcluster.d")


def _python_packages() -> None:
    for package in missing_python_packages():
        _run(sys.executable, "-m", "pip", "install", "--quiet", package)


def _asterisk(root: Path) -> None:
    if not _has_no_asterisk():
        return
    _check_host()
    _check_outside_of_git(root)
    # Unpacked beside its place and then renamed: a folder of that name is always whole.
    unfinished = root.with_name(root.name + ".unfinished")
    _remove(unfinished)
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    options = ("--variant=minbase", "--include=asterisk")
    _run("debootstrap", *options, SUITE, str(unfinished), mirror(), str(SCRIPT))
    shutil.rmtree(unfinished / "var/cache/apt", ignore_errors=True)
    shutil.rmtree(root, ignore_errors=True)
    unfinished.rename(root)
    _check_version()


def _remove(unfinished: Path) -> None:
    """Remove what a run left that was broken off; debootstrap may have left file systems mounted there."""
    for name in ("proc", "sys"):
        if (unfinished / name).is_mount():
            _run("umount", "--lazy", str(unfinished / name))
    shutil.rmtree(unfinished, ignore_errors=True)


def _npm(folder: Path) -> None:
    try:
        axe_file()
        asyncapi_schema()
    except NotInstalled:
        _check_outside_of_git(folder)
        folder.mkdir(parents=True, exist_ok=True)
        options = ("--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder))
        _run("npm", "install", *options, AXE, ASYNCAPI)


def _nginx(folder: Path) -> None:
    """Unpack nginx of this Debian: its package, if installed, would run a server at port 80."""
    try:
        nginx_file()
    except NotInstalled:
        with _unpacked(folder, "nginx"):
            pass


def _haproxy(folder: Path) -> None:
    """Unpack HAProxy of this Debian with its libraries: its package, if installed, would run it."""
    try:
        haproxy_command()
    except NotInstalled:
        with _unpacked(folder, *HAPROXY):
            pass


def _prometheus(folder: Path) -> None:
    """Unpack Prometheus of this Debian: its package, if installed, would run a server at port 9090."""
    try:
        promtool_file()
    except NotInstalled:
        with _unpacked(folder, "prometheus"):
            pass


def _rabbitmq(folder: Path) -> None:
    """Unpack RabbitMQ and Erlang of this Debian: the packages, if installed, would run a broker and epmd."""
    try:
        rabbitmq_files()
    except NotInstalled:
        with _unpacked(folder, *RABBITMQ) as unfinished:
            # The only file of what runs here that knows where Debian installs Erlang.
            program = unfinished / "usr/lib/erlang/bin/erl"
            text, root = program.read_text("utf-8"), folder / "usr/lib/erlang"
            program.write_text(text.replace("ROOTDIR=/usr/lib/erlang", f'ROOTDIR="{root}"'), "utf-8")


@contextmanager
def _unpacked(folder: Path, *packages: str) -> Iterator[Path]:
    """Unpack packages of this Debian, without what they do when they are installed; whole or not at all."""
    _check_host()
    unfinished = folder.with_name(folder.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    _run("apt-get", "update", "-q")
    _run("apt-get", "download", "-q", "-o", "APT::Sandbox::User=root", *packages, folder=unfinished)
    for package in unfinished.glob("*.deb"):
        _run("dpkg", "--extract", str(package), str(unfinished))
        package.unlink()
    yield unfinished
    unfinished.rename(folder)


def _check_version() -> None:
    asked = subprocess.run([*asterisk_files().command, "-V"], capture_output=True, text=True, check=False)
    if not asked.stdout.startswith(VERSION):
        raise CannotInstall(f"{SUITE} holds {asked.stdout.strip()!r}, and the lab is made for {VERSION}")


def _has_no_asterisk() -> bool:
    try:
        asterisk_files()
    except NotInstalled:
        return True
    return False


def mirror() -> str:
    """The Debian mirror that the host's own apt uses.

    Raises:
        CannotInstall: Apt names none.
    """
    form = "$(ORIGIN) $(LABEL) $(REPO_URI)"
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", form], capture_output=True, text=True, check=False
    )
    for line in listed.stdout.splitlines():
        origin, _, address = line.partition(" Debian ")
        if origin == "Debian":
            return address
    raise CannotInstall("apt's sources name no Debian mirror; run apt-get update, or see sources.list")


def _check_host() -> None:
    release = _os_release()
    if release.get("ID") != "debian" or release.get("VERSION_ID") != SUPPORTED:
        here = release.get("PRETTY_NAME", sys.platform)
        raise CannotInstall(f"the lab is made for Debian {SUPPORTED}, and this is {here}")
    if os.geteuid() != 0:
        raise CannotInstall("only root can install packages and unpack a Debian system; run this as root")


def _os_release() -> dict[str, str]:
    try:
        lines = Path("/etc/os-release").read_text("utf-8").splitlines()
    except OSError:
        return {}
    pairs = (line.partition("=") for line in lines)
    return {name: value.strip('"') for name, _, value in pairs}


def _check_outside_of_git(root: Path) -> None:
    for folder in root.resolve().parents:
        if (folder / ".git").exists() and folder != Path.home():
            raise CannotInstall(
                f"{root} is inside of the git tree {folder}; set UNIQUE_ACCOUNT_LAB elsewhere"
            )


def _run(*command: str, env: dict[str, str] | None = None, folder: Path | None = None) -> None:
    print("+", *command, flush=True)
    try:
        subprocess.run(command, check=True, env=env, cwd=folder)
    except (OSError, subprocess.CalledProcessError) as error:
        raise CannotInstall(f"{command[0]} failed: {error}") from error
