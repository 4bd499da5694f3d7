"""A pay slip as its contributor may see it: tasks by the names they know."""

from collections.abc import Callable

import msgspec

from canut.pay.settlement import Slip, read_slip
from canut.web.api.common import in_thread, task_names
from canut.web.auth import WebRequest, principal
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
