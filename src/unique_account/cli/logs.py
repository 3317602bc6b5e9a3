"""What the log looks like: lines for people, or a JSON object on each."""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime
from typing import Final

from unique_account.cli.log_repeats import RepeatFilter
from unique_account.core.errors import UniqueAccountError
from unique_account.serve.config import LogSettings

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_FIELDS: Final = ("user", "event", "before", "after", "failed", "recovered")
"""What records may carry beside their message."""


class _Lines(logging.Formatter):
    """One line for each record; a fault of ours with where it came from."""

    def format(self, record: logging.LogRecord) -> str:
        instant = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%d %H:%M:%S")
        message = _CONTROL.sub(" ", record.getMessage())
        line = f"{instant} {record.levelname:<7} {message}"
        return f"{line}\n{self.formatException(record.exc_info)}" if _is_fault(record) else line  # type: ignore[arg-type]


class _JsonLines(logging.Formatter):
    """One JSON object for each record."""

    def format(self, record: logging.LogRecord) -> str:
        said: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        said |= {name: getattr(record, name) for name in _FIELDS if hasattr(record, name)}
        if _is_fault(record) and record.exc_info:
            said["traceback"] = self.formatException(record.exc_info)
        return json.dumps(said, ensure_ascii=False, default=str)


def _is_fault(record: logging.LogRecord) -> bool:
    """Whether an error is none that the world is known for, so that its traceback matters."""
    error = record.exc_info[1] if record.exc_info else None
    return error is not None and not isinstance(error, (UniqueAccountError, OSError))


def configure(settings: LogSettings) -> None:
    """Log to standard error, as the settings say; other libraries' warnings too. Repetitions are counted."""
    handler = RepeatFilter()
    handler.setFormatter(_JsonLines() if settings.json else _Lines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # the stores report what it warns of
    logging.getLogger("unique_account").setLevel(settings.level.upper())
