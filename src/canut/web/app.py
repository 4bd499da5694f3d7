"""The application: what is served, and the few layers that every request passes."""

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar import Litestar, Response, get
from litestar.config.compression import CompressionConfig
from litestar.datastructures import State

from canut.config import Settings, handed_down
from canut.db.pool import open_pool
from canut.web import api, pages
from canut.web.auth import OPEN, gate
from canut.web.errors import handlers
from canut.web.headers import security_headers
from canut.web.house import House
from canut.web.static_files import static_route
from canut.web.templating import STATIC, Templates

#: largest body of a request, in bytes, where a route says nothing else
BODY_BYTES_MAX = 10_000_000
#: pages and scripts are read over poor lines. Not what streams (it would wait for more) nor what
#: is packed already; programs ask the API too often for it to be worth the time
COMPRESSION = CompressionConfig(
    backend="gzip",
    minimum_size=600,
    gzip_compress_level=6,
    exclude=[
        "^/static/",
        "^/api/",
        "^/pictures/",
        "/events$",
        "/results/",
        "^/certificates/",
        r"\.png$",
    ],
)


def create_app(settings: Settings, templates: Templates | None = None) -> Litestar:
    """The web application on the database `settings.database_url` (which must be set).

    `templates` never change: applications of one process may share them.
    """
    house = House(settings, templates)

    @asynccontextmanager
    async def with_pool(app: Litestar) -> AsyncIterator[None]:
        given = house.settings
        async with open_pool(given.database_url, given.pool_size) as pool:
            house.pool = pool
            with house.live.closing_on(signal.SIGTERM, signal.SIGINT):
                yield
            await house.live.close()
            house.imports.shutdown(wait=False, cancel_futures=True)
            house.pool = None

    return Litestar(
        [
            static_route(house.templates.version, STATIC),
            alive,
            *pages.routes(settings),
            *api.routes(settings),
        ],
        state=State({"house": house}),
        lifespan=[with_pool],
        middleware=[gate(house)],
        compression_config=COMPRESSION,
        exception_handlers=handlers(),
        before_send=[security_headers(house)],
        openapi_config=api.openapi(settings),
        request_max_body_size=BODY_BYTES_MAX,
        logging_config=None,
        debug=False,
    )


def app_factory() -> Litestar:
    """For the HTTP server: the application with the settings that `canut serve` hands down."""
    return create_app(handed_down())


@get("/alive", opt={**OPEN, "unlimited": True}, include_in_schema=False)
async def alive() -> Response[str]:
    """For load balancers: this process serves."""
    return Response("alive\n", media_type="text/plain")
