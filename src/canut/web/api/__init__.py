"""The JSON API."""

from litestar.openapi import OpenAPIConfig
from litestar.types import ControllerRouterHandler

from canut.config import Settings


def routes(settings: Settings) -> list[ControllerRouterHandler]:
    """Every route of the API."""
    return []


def openapi(settings: Settings) -> OpenAPIConfig | None:
    """How the API describes itself; None for no description."""
    return None
