"""The client of a running service: one question, one answer."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any, Final

from unique_account.core.errors import UniqueAccountError, Unreachable
from unique_account.serve.config import read_settings
from unique_account.serve.live_socket import short_path, socket_path

PATIENCE: Final = 10.0
"""For how many seconds an answer is waited for."""

LARGEST_ANSWER: Final = 4 << 20
"""An answer has at most so many bytes."""


class NotAnswered(UniqueAccountError):
    """A service refused to answer, or has no such account."""


def ask(config: Path, **request: Any) -> dict[str, Any]:
    """Ask the service that runs with a configuration.

    Raises:
        InvalidConfig: The configuration cannot be used.
        Unreachable: No service runs with it, or it does not answer.
        NotAnswered: It has no answer to this.
    """
    path = socket_path(read_settings(config))
    if path is None:
        raise Unreachable(f"{config} names no file of a store beside which a service could be asked")
    try:
        answer: dict[str, Any] = json.loads(_answer(path, json.dumps(request).encode() + b"\n"))
    except (FileNotFoundError, ConnectionRefusedError) as error:
        raise Unreachable(f"no service runs with {config}: nobody answers at {path}") from error
    except PermissionError as error:
        raise Unreachable(f"{path} answers only the user that the service runs as") from error
    except (OSError, ValueError) as error:
        raise Unreachable(f"the service at {path} gives no answer") from error
    if "error" in answer:
        raise NotAnswered(answer["error"])
    return answer


def _answer(path: Path, request: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PATIENCE)
        with short_path(path) as address:
            connection.connect(address)
        connection.sendall(request)
        with connection.makefile("rb") as reader:
            return reader.readline(LARGEST_ANSWER)
