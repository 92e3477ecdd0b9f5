"""Pages for people: plain, accessible, without a script, and with headers that let nothing else in."""

from __future__ import annotations

import base64
from hashlib import sha256
from html import escape

from aiohttp import web

STYLE = (
    ":root{color-scheme:light dark;font:1.125rem/1.5 system-ui,sans-serif}"
    "body{margin:0 auto;max-width:34rem;padding:3rem 1.25rem}"
    "h1{font-size:1.5rem;line-height:1.25}"
    "a.button{background:#4a154b;border:2px solid #4a154b;border-radius:.5rem;color:#fff;display:inline-block;"
    "font-weight:600;padding:.625rem 1.25rem;text-decoration:none}"
    "a.button:focus-visible{outline:3px solid #1264a3;outline-offset:3px}"
)
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src 'sha256-"
        f"{base64.b64encode(sha256(STYLE.encode()).digest()).decode()}'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # The address holds a code of Slack's.
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def page(title: str, *paragraphs: str, button: tuple[str, str] | None = None, status: int = 200) -> web.Response:
    """Return a page of a heading, paragraphs, and at most one button that leads somewhere."""
    said = "".join(f"<p>{escape(paragraph)}</p>" for paragraph in paragraphs)
    link = f'<p><a class="button" href="{escape(button[1])}">{escape(button[0])}</a></p>' if button else ""
    body = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} – GenAI roles</title><style>{STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1>{said}{link}</main></body></html>"
    )
    return web.Response(text=body, content_type="text/html", status=status, headers=HEADERS)
