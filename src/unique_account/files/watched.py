"""A file that is read again once it has changed; while it cannot be read or used, what it said last holds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from unique_account.ports.observer import Observer, PortRequest

T = TypeVar("T")


class WatchedFile(Generic[T]):
    """What a file says.

    Reading is done in a thread, since a large file takes seconds. Callers wait for it meanwhile, so nobody is
    answered by what the file said before it changed.

    Args:
        path: The file.
        read: Reads it; raises an OSError if it cannot be read, and anything else if it cannot be used.
        observer: Is notified once that it cannot, and that it can again.
        request: What the observer is then notified of; by default, that the file is read.

    Attributes:
        last: What the file said when it was last read.

    Raises:
        Exception: What `read` raises, the first time.
    """

    def __init__(
        self,
        path: Path,
        read: Callable[[Path], T],
        observer: Observer | None = None,
        request: PortRequest | None = None,
    ) -> None:
        self._path = path
        self._read = read
        self._observer = observer
        self._request = request or PortRequest("file", f"read {path.name}")
        self._why = ""
        self._reading = asyncio.Lock()
        self._stamp = self._found()
        self.last = read(path)

    def _found(self) -> tuple[int, ...]:
        """What differs after any change of a file; its time alone can be set back."""
        found = self._path.stat()
        return (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino, found.st_dev)

    async def now(self) -> T:
        """What the file says now; if it cannot be read or used, what it said last. The next call tries."""
        try:
            if self._found() != self._stamp:
                async with self._reading:
                    await self._read_again()
        except OSError as error:
            self._stamp = ()
            self._fail(error)
        return self.last

    async def _read_again(self) -> None:
        stamp = self._found()  # first: a change meanwhile is one more
        if stamp == self._stamp:
            return
        try:
            self.last = await asyncio.to_thread(self._read, self._path)
        except OSError:
            raise
        except Exception as error:  # what is in it cannot be used, and will not be until it changes
            self._fail(error)
        else:
            self._recover()
        self._stamp = stamp

    def _fail(self, error: Exception) -> None:
        if self._observer is not None and self._why != str(error):
            self._observer.failed(self._request, error)
        self._why = str(error)

    def _recover(self) -> None:
        if self._observer is not None and self._why:
            self._observer.recovered(self._request)
        self._why = ""
