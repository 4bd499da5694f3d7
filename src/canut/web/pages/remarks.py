"""What contributors said of the tasks of a batch instead of answering them."""

from typing import Any

from litestar import Response, get
from litestar.params import FromPath

from canut.web.auth import WebRequest, principal, requires
from canut.web.pages.screen import REMARKS
from canut.web.pages.view import pool, say, show
from canut.work import batches
from canut.work.screen import REMARKS_MAX, read_remarks


@get("/batches/{batch_id:int}/remarks", opt=requires("client", "operator"), include_in_schema=False)
async def list_remarks(request: WebRequest, batch_id: FromPath[int]) -> Response[str]:
    """Newest first, and how often each reason was given. Not who made them."""
    batch = await batches.read_batch(pool(request), principal(request), batch_id)
    made = await read_remarks(pool(request), batch.id)
    counts: dict[tuple[str, str], int] = {}
    for one in made:
        counts[one.kind, one.reason] = counts.get((one.kind, one.reason), 0) + 1
    words = {key: say(request, text) for key, text in REMARKS.items()}
    often = sorted(((n, words[key]) for key, n in counts.items()), key=lambda one: -one[0])
    values: dict[str, Any] = {"remarks": made, "words": words, "often": often}
    return show(request, "work/remarks.html", batch=batch, remarks_max=REMARKS_MAX, **values)


ROUTES: list[Any] = [list_remarks]
