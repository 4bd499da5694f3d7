"""Pages for people: server-rendered, in English and French."""

from litestar.types import ControllerRouterHandler

from canut.config import Settings
from canut.web.pages import account, client, home, operator, options, pictures, work


def routes(settings: Settings) -> list[ControllerRouterHandler]:
    """Every page."""
    return [*home.ROUTES, *account.ROUTES, *work.ROUTES, *options.ROUTES, *pictures.ROUTES, *client.ROUTES, *operator.ROUTES]
