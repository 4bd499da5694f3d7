"""The last step of a new batch."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Response

from canut.channels.drafts import drafting
from canut.channels.drafts.model import Draft
from canut.db.pool import connect
from canut.errors import Conflict, Invalid, NotFound
from canut.web.auth import WebRequest, house, principal
from canut.web.pages.drafts.pricing import check_limit, set_aside
from canut.web.pages.drafts.shared import Sight, sight, uploads
from canut.web.pages.render import go, locale_of
from canut.web.pages.view import now_ms, problems_of

Page = Callable[..., Awaitable[Response[Any]]]


async def launch(request: WebRequest, draft: Draft, page: Page) -> Response[Any]:
    """Make the batch, and go to it; or say what is missing."""
    shared, loop = house(request), asyncio.get_running_loop()
    seen = await sight(request, draft)
    leave = shared.busy.enter(draft.client_id)
    try:
        batch = await loop.run_in_executor(shared.imports, _launch, request, seen)
    except (Invalid, Conflict, NotFound) as error:
        return await page(request, draft, "launch", problems_of(error))
    finally:
        leave()
    uploads(request).forget(draft.file)
    return go(f"/batches/{batch}")


def _launch(request: WebRequest, seen: Sight) -> int:
    draft, who, now = seen.draft, principal(request), now_ms()
    with connect(house(request).settings.database_url) as conn:
        most = check_limit(conn, draft, seen.plan.definition, now)
        batch, made = drafting.launch(
            conn, who, draft.id, uploads(request), locale_of(request), now
        )
        # pressed twice, it is one batch, and one price
        if made is not None:
            set_aside(conn, who, batch, draft.form("launch"), most, now)
    return batch
