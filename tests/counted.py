"""Counts how often functions of ours are called, whatever module calls them."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from functools import wraps
from typing import Any

import pytest


def counted(patch: pytest.MonkeyPatch, *functions: Callable[..., Any]) -> Counter[str]:
    """Count the calls of these functions by their names, in every module that imported them."""
    calls: Counter[str] = Counter()
    for function in functions:
        counting = _counting(function, calls)
        for name, module in list(sys.modules.items()):
            if name.startswith("unique_account") and vars(module).get(function.__name__) is function:
                patch.setattr(module, function.__name__, counting)
    return calls


def _counting(function: Callable[..., Any], calls: Counter[str]) -> Callable[..., Any]:
    @wraps(function)
    def count(*args: Any, **kwargs: Any) -> Any:
        calls[function.__name__] += 1
        return function(*args, **kwargs)

    return count
