"""The server that UC Assistants connect to: XiVO's CTI messages over a WebSocket, and log-ins over HTTP."""

from __future__ import annotations

try:
    import jwt as _jwt  # noqa: F401 - asked for here, so that one sentence says what is missing
    import starlette as _starlette  # noqa: F401
    import uvicorn as _uvicorn  # noqa: F401
    import websockets as _websockets  # noqa: F401
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        f"the CTI server needs {missing.name}: pip install 'unique_account[assistant]' brings it",
        name=missing.name,
    ) from missing

from unique_account.adapters.xuc.processes import Browsers, Processes
from unique_account.adapters.xuc.server import XucCti
from unique_account.adapters.xuc.settings import TurnServer, XucSettings

__all__ = ["Browsers", "Processes", "TurnServer", "XucCti", "XucSettings"]
