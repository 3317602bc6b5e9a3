"""The UC Assistant: a page of static files, which the CTI server hands out with the headers given here.

ES modules, style sheets and icons as they are written, without a build step. What is not ours is in
``page/vendor``, with its licences and the script that fetched it; nothing is loaded from elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).with_name("page")
"""The folder of the page; it begins with ``index.html``."""


def headers(*servers: str) -> Mapping[str, str]:
    """The headers that all files of the page go with.

    Args:
        servers: The origins, other than the page's own, that the browser's phone connects to by SIP, such as
            ``wss://pbx.example.org``.
    """
    connect = " ".join(("'self'", *servers))
    policy = (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "media-src 'self' blob:",
        "manifest-src 'self'",
        "worker-src 'self'",
        f"connect-src {connect}",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types lit-html workers",
    )
    return {
        "Content-Security-Policy": "; ".join(policy),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cache-Control": "no-cache",
    }
