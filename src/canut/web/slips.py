"""A pay slip as its contributor may see it: tasks by the names they know."""

import asyncio
from collections.abc import Callable

import msgspec
from litestar import Response

from canut.pay.settlement import Slip, read_slip
from canut.pay.settlement.slip_csv import slip_csv
from canut.pay.settlement.slip_pdf import slip_pdf
from canut.pay.settlement.slip_texts import Locale
from canut.web.api.common import in_thread, task_names
from canut.web.api.replying import attachment
from canut.web.auth import WebRequest, house, principal
from canut.work.model import TaskRef


async def own_slip(request: WebRequest, slip_id: int) -> tuple[Slip, Callable[[int], str]]:
    """A slip of the contributor who asks, and what each of its tasks is called. Tasks of one moment
    are in the order of these names, for their numbers tell which were made last, as checks are.
    Raises `NotFound`."""
    who, names = principal(request).contributor(), await task_names(request)
    slip = await in_thread(request, lambda conn: read_slip(conn, slip_id, who))
    named = {
        line.task_id: names.name(TaskRef(line.batch_step_id, line.task_id)) for line in slip.lines
    }
    lines = sorted(slip.lines, key=lambda line: (line.ended_ms, named[line.task_id]))
    return msgspec.structs.replace(slip, lines=lines), named.__getitem__


async def slip_to_read(request: WebRequest, slip_id: int, locale: Locale) -> Response[bytes]:
    """It as PDF. Who the co-op is stands on it where that is written down: a file that somebody has
    to mend keeps no slip back. Raises `NotFound`."""
    slip, name = await own_slip(request, slip_id)
    kept = house(request)

    def make() -> bytes:
        coop = kept.coop()
        return slip_pdf(slip, locale, name, coop.name if coop else "")

    made = await asyncio.to_thread(make)
    return attachment(made, "application/pdf", f"pay-slip-{slip_id}.pdf")


async def slip_to_reckon(request: WebRequest, slip_id: int, locale: Locale) -> Response[bytes]:
    """It as CSV: every task in whole milliseconds. Raises `NotFound`."""
    slip, name = await own_slip(request, slip_id)
    return attachment(slip_csv(slip, locale, name), "text/csv", f"pay-slip-{slip_id}.csv")
