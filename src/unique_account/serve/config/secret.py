"""A secret that a configuration only says the place of."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from attrs import field, frozen
from attrs.validators import optional

from unique_account.core.errors import InvalidFields
from unique_account.serve.config import checks


@frozen(weakref_slot=False, kw_only=True)
class Secret:
    """A secret that stands elsewhere: in a file, or in an environment variable.

    Attributes:
        file: The file whose first line it is.
        env: The variable that holds it.
    """

    file: str | None = field(default=None, validator=optional(checks.path))
    env: str | None = None

    def __attrs_post_init__(self) -> None:
        if (self.file is None) == (self.env is None):
            raise InvalidFields(("file: needs to be there, or else env; one of them",))

    def look_up(self, environ: Mapping[str, str] = os.environ) -> str:
        """The secret itself.

        Raises:
            ValueError: It is not there; the sentence says where it was looked for.
        """
        if self.env is not None:
            found, where = environ.get(self.env, ""), f"the environment variable {self.env}"
        else:
            where = str(self.file)
            try:
                found = Path(where).read_text("utf-8").partition("\n")[0].strip()
            except (OSError, UnicodeDecodeError) as error:
                raise ValueError(f"{where} cannot be read: {reason(error)}") from error
        if not found or not found.isprintable():
            raise ValueError(f"{where} holds no secret")
        return found


def reason(error: Exception) -> str:
    """Why a file could not be read, without its name."""
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)
