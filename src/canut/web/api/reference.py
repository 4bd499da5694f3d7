"""The API as documents: OpenAPI for programs, a plain page for people."""

from typing import Any

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from canut.config import Settings
from canut.web.api.common import PREFIX
from canut.web.api.document import build
from canut.web.auth import OPEN, WebRequest
from canut.web.pages.render import render

METHODS = ("get", "post", "put", "patch", "delete")


def routes(settings: Settings, handlers: list[HTTPRouteHandler]) -> list[Any]:
    """Routes of the document and of the page, made once."""
    document = build(handlers, settings.url)
    encoded = msgspec.json.encode(document)

    @get(f"{PREFIX}/openapi.json", opt=OPEN, sync_to_thread=False)
    def openapi() -> Response[bytes]:
        """The OpenAPI document."""
        headers = {"cache-control": "public, max-age=300"}
        media_type = "application/vnd.oai.openapi+json"
        return Response(encoded, media_type=media_type, headers=headers)

    @get(f"{PREFIX}/docs", opt=OPEN, sync_to_thread=False)
    def docs(request: WebRequest) -> Response[str]:
        """The reference page."""
        return render(
            request,
            "api/reference.html",
            document=document,
            sections=sections(document),
            pretty=pretty,
        )

    return [openapi, docs]


def sections(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The operations by tag, each with its method and path, references filled in."""
    found = []
    for tag in document["tags"]:
        operations = [
            {**_filled(entry[method], document), "method": method.upper(), "path": path}
            for path, entry in document["paths"].items()
            for method in METHODS
            if method in entry and tag["name"] in entry[method]["tags"]
        ]
        found.append({**tag, "operations": operations})
    return found


def pretty(value: Any) -> str:
    """An example as a person reads it: text as it is, else indented JSON."""
    if isinstance(value, str):
        return value
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def _filled(operation: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    known = document["components"]["responses"]
    responses = {
        status: known[status] if "$ref" in response else response
        for status, response in operation["responses"].items()
    }
    return {**operation, "responses": responses}
