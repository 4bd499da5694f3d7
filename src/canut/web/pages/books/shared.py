"""What the pages of stewards share."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from litestar import Response

from canut.db.pool import SyncConn, connect
from canut.errors import CanutError, Problem
from canut.web.auth import WebRequest, house, requires
from canut.web.errors import STATUS
from canut.web.pages.view import problems_of, say, show, told

T = TypeVar("T")

KEEPERS = requires("steward", "operator")
#: rows on a page of a list
PAGE = 40


def page(
    request: WebRequest, template: str, error: CanutError | None = None, **values: Any
) -> Response[str]:
    """A page of the books; with `error`, what could not be done stands at its top."""
    status = STATUS[error.code] if error else 200
    problems: list[Problem] = told(request, problems_of(error))
    values |= {"problems": problems, "said_of": lambda why: say(request, why)}
    return show(request, f"books/{template}", status=status, **values)


async def committing(request: WebRequest, work: Callable[[SyncConn], T]) -> T:
    """Run what makes transactions of its own, on a connection in autocommit mode."""
    url = house(request).settings.database_url

    def run() -> T:
        with connect(url, autocommit=True) as conn:
            return work(conn)

    return await asyncio.to_thread(run)
