"""Pages for people: server-rendered, in English and French."""

from litestar.types import ControllerRouterHandler

from canut.config import Settings
from canut.web.pages import account


def routes(settings: Settings) -> list[ControllerRouterHandler]:
    """Every page."""
    return [*account.ROUTES]
