"""A RabbitMQ broker of one's own: no data, ports of loopback, gone when the block is left.

The broker's Erlang looks for its nodes at a name server, ``epmd``, which it would start as a daemon and
leave behind. So each broker has one of its own, which is stopped with it.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from lab.ports import LOOPBACK, port
from lab.processes import own_folder
from lab.programs import rabbitmq_files
from lab.waiting import PATIENCE

USER: Final = "lab"
_STARTS_WITHIN: Final = 3 * PATIENCE
_POLL: Final = 0.05
_HEADER: Final = b"AMQP\x00\x00\x09\x01"
_EMULATOR: Final = (
    "+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}"
)
"""One scheduler that does not spin, so that a broker costs its tests little; no port but on loopback."""


class RabbitmqBroker:
    """A broker that can be stopped, killed, paused and started again on the same data.

    Attributes:
        port: Where it listens on loopback.
        password: What its user needs there.
    """

    def __init__(self, folder: Path) -> None:
        self.port = port()
        self.password = secrets.token_urlsafe(12)
        self._folder = folder
        self._files = rabbitmq_files()
        self._names, self._nodes = port(), port()
        self._epmd: subprocess.Popen[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._configure()

    @property
    def url(self) -> str:
        """Its address, password included."""
        return f"amqp://{USER}:{self.password}@{LOOPBACK}:{self.port}/"

    @property
    def stopped(self) -> bool:
        """Whether it does not run."""
        return self._process is None

    def start(self) -> None:
        """Start it, and wait until it takes connections.

        Raises:
            RuntimeError: It ended instead, or takes too long; the sentence holds the end of its log.
        """
        if self._epmd is None:
            epmd = str(self._files.emulator / "epmd")
            self._epmd = self._run(epmd, "-port", str(self._names), "-address", LOOPBACK)
        self._process = self._run(str(self._files.server))
        patience = time.monotonic() + _STARTS_WITHIN
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > patience:
                raise RuntimeError(f"RabbitMQ does not start: {self._log.read_text('utf-8')[-2000:]}")
            time.sleep(_POLL)

    def stop(self) -> None:
        """End it in order."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """Let it hang: its connections stay open, and nothing is answered."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def close(self) -> None:
        """End it and its name server."""
        self.stop()
        if self._epmd is not None:
            self._epmd.kill()
            self._epmd.wait()
            self._epmd = None

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        self._signal(number)
        self._signal(signal.SIGCONT)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(PATIENCE)
        self._signal(signal.SIGKILL)
        self._process.wait()
        self._process = None

    @property
    def _log(self) -> Path:
        return self._folder / "broker.log"

    def _run(self, *command: str) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return subprocess.Popen(
                ["setpriv", "--pdeathsig=KILL", *command],
                cwd=self._folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _environment(self) -> Mapping[str, str]:
        programs = f"{self._files.erlang / 'bin'}:{os.environ['PATH']}"
        return {
            "PATH": programs,
            "HOME": str(self._folder),
            "LANG": "C.UTF-8",
            "ERL_EPMD_PORT": str(self._names),
            "ERL_EPMD_ADDRESS": LOOPBACK,
            "RUNNING_UNDER_SYSTEMD": "true",  # the script becomes the broker, so that signals reach it
            "RABBITMQ_NODENAME": f"lab{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(self._nodes),
            "RABBITMQ_CONF_ENV_FILE": str(self._folder / "none"),
            "RABBITMQ_CONFIG_FILE": str(self._folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self._folder / "plugins"),
            "RABBITMQ_MNESIA_BASE": str(self._folder / "data"),
            "RABBITMQ_LOG_BASE": str(self._folder),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": _EMULATOR,
        }

    def _configure(self) -> None:
        lines = (
            f"listeners.tcp.1 = {LOOPBACK}:{self.port}",
            f"default_user = {USER}",
            f"default_pass = {self.password}",
            "loopback_users = none",
            "disk_free_limit.absolute = 1MB",
            "log.console.level = warning",
        )
        config = self._folder / "rabbitmq.conf"
        config.write_text("\n".join(lines) + "\n", "utf-8")
        config.chmod(0o600)
        (self._folder / "plugins").write_text("[].\n", "utf-8")

    def _answers(self) -> bool:
        """Whether it takes connections: to the header of AMQP it answers with its first method."""
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=PATIENCE) as probe:
                probe.sendall(_HEADER)
                return probe.recv(1) == b"\x01"
        except OSError:
            return False


@contextmanager
def rabbitmq_broker() -> Iterator[RabbitmqBroker]:
    """Run a broker until the block is left.

    Raises:
        NotInstalled: The lab has no RabbitMQ.
    """
    with own_folder("rabbitmq") as folder:
        broker = RabbitmqBroker(folder)
        try:
            broker.start()
            yield broker
        finally:
            broker.close()
