"""What the handlers share."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar

from canut.db.pool import Pool, SyncConn, connect
from canut.errors import NotFound, Unavailable
from canut.web.auth import WebRequest, house
from canut.work.names import TaskNames
from canut.work.tasks import Steps

T = TypeVar("T")

PREFIX = "/api/v1"


def pool(request: WebRequest) -> Pool:
    """The connections of this process."""
    found = house(request).pool
    if found is None:
        raise Unavailable("The server is not ready.")
    return found


def steps(request: WebRequest) -> Steps:
    """The steps that this process keeps ready."""
    return house(request).kept.steps


async def task_names(request: WebRequest) -> TaskNames:
    """The public names of tasks."""
    return await house(request).task_names()


def now_ms() -> int:
    """Milliseconds UTC."""
    return time.time_ns() // 1_000_000


def number(request: WebRequest, name: str = "id") -> int:
    """An id in the path. Raises `NotFound` for what cannot be one."""
    text = request.path_params[name]
    if text.isascii() and text.isdigit() and len(text) < 19:
        return int(text)
    raise NotFound("There is no such thing, or it is not yours to see.")


async def in_thread(
    request: WebRequest, work: Callable[[SyncConn], T], *, threads: Executor | None = None
) -> T:
    """Run what blocks (bulk reading, publishing) beside the requests, on a connection of its
    own; commits at the end unless an error passes through."""
    url = house(request).settings.database_url

    def run() -> T:
        with connect(url) as conn:
            return work(conn)

    return await asyncio.get_running_loop().run_in_executor(threads, run)
