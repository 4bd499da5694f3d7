"""Security headers, on every response, errors and files too."""

from typing import Any

from litestar.types import Message, Scope

from canut.web.house import House

#: our pages load nothing from elsewhere but pictures of items, and run no inline script or style
PAGE_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: https:",
        "font-src 'self'",
        "media-src 'self' https:",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)
API_POLICY = "default-src 'none'; frame-ancestors 'none'"
HALF_A_YEAR_S = 15_768_000


def security_headers(shared: House) -> Any:
    """Hook that adds the headers; a content security policy the route set itself stays."""
    common = [
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"same-origin"),
        (b"cross-origin-opener-policy", b"same-origin"),
    ]
    if shared.secure:
        common.append((b"strict-transport-security", f"max-age={HALF_A_YEAR_S}".encode()))
    permissions = (b"permissions-policy", b"camera=(), geolocation=(), payment=(), usb=()")
    page = [*common, permissions]
    page_policy = (b"content-security-policy", PAGE_POLICY.encode())
    api = [*common, (b"content-security-policy", API_POLICY.encode())]

    async def add(message: Message, scope: Scope) -> None:
        if message["type"] != "http.response.start":
            return
        headers = list(message["headers"])
        path = scope["path"]
        # the reference of the API is a page like any other; a file of ours is none, and there are
        # a dozen on a page
        if path.startswith("/static/") or (
            path.startswith("/api/v") and not path.endswith("/docs")
        ):
            message["headers"] = headers + api
            return
        if all(name != b"content-security-policy" for name, _ in headers):
            headers.append(page_policy)
        message["headers"] = headers + page

    return add
