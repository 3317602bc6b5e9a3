"""Certificates for TLS on loopback, which their own key signed."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

from attrs import frozen

from lab.ports import LOOPBACK
from lab.programs import program

_MAKE: Final = "req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -days 2 -subj /CN=lab"


@frozen(weakref_slot=False)
class Certificate:
    """A certificate and its key, as files."""

    chain: Path
    key: Path


def self_signed(folder: Path) -> Certificate:
    """Make a certificate for loopback that nobody else vouches for."""
    made = Certificate(folder / "cert.pem", folder / "key.pem")
    files = ("-keyout", str(made.key), "-out", str(made.chain))
    name = ("-addext", f"subjectAltName=IP:{LOOPBACK}")
    command = [program("openssl"), *_MAKE.split(), *name, *files]
    subprocess.run(command, check=True, capture_output=True)
    return made
