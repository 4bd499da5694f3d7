"""My hours beside tasks: training, panel duty and waiting; what was decided, and stating more."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromQuery

from canut.db.pool import SyncConn
from canut.errors import CanutError, Conflict, Invalid, Problem
from canut.pay.deciding import REASON_CHARS_MAX
from canut.pay.hours import note_waiting, own_hours, state_hours
from canut.pay.reading import EVER
from canut.web.api.common import in_thread
from canut.web.auth import WebRequest, principal, requires
from canut.web.errors import STATUS
from canut.web.i18n import N_
from canut.web.pages.forms import read_form, whole_number
from canut.web.pages.hours_form import read_hours, today
from canut.web.pages.render import go
from canut.web.pages.view import now_ms, problems_of, say, show, told
from canut.work.screen_model import read_moment

CONTRIBUTORS = requires("contributor")
PAGE = 50
NOTED = N_("The server failed, and you waited: how long is noted for your pay. A person decides.")
REFUSED = N_("This waiting was noted before, and refused. Your hours say why.")
STATED = N_("Stated. A person who is not you decides, and says why.")


@get("/pay/hours", opt=CONTRIBUTORS, include_in_schema=False)
async def show_hours(
    request: WebRequest, said: FromQuery[str] = "", before: FromQuery[int] = EVER
) -> Response[str]:
    """My hours, newest first, and the form to state some."""
    return await _page(
        request, before=before, notice=say(request, STATED) if said == "stated" else ""
    )


@post("/pay/hours", opt=CONTRIBUTORS, include_in_schema=False)
async def state(request: WebRequest) -> Response[Any]:
    """State hours: `kind`, `day`, `from`, `until`, `time` and a `reason`. A person decides."""
    form, who = await read_form(request), principal(request)
    who.contributor()
    try:
        hours = read_hours(form)
        made = await in_thread(request, lambda conn: state_hours(conn, who, hours, now_ms()))
        if made.state == "refused":
            mend = "state them again with another reason, if there is one"
            refused = Problem("These hours were refused.", mend)
            why = Problem(made.why or "", field="reason")
            raise Conflict(refused.message, problems=[refused, why])
        if made.state != "open":
            raise Conflict("These hours are decided already.")
    except (Invalid, Conflict) as error:
        return await _page(request, error=error, given=form)
    return go("/pay/hours?said=stated")


@post("/pay/hours/waited", opt=CONTRIBUTORS, include_in_schema=False, status_code=200)
async def waited(request: WebRequest) -> Response[Any]:
    """What the task screen noted: it had no task of `batch` to show `from` then `until` then, as
    the server failed. Sent again, it is noted once."""
    form, who, at_ms = await read_form(request), principal(request), now_ms()
    who.contributor()
    begin, end = (read_moment(form.get(name, ""), at_ms) for name in ("from", "until"))
    batch_id, said = whole_number(form.get("batch", "")) or 0, ""
    # what cannot be is left out, silently, as times of tasks are
    if begin is not None and end is not None:
        noted = await in_thread(
            request, lambda conn: note_waiting(conn, who, batch_id, begin, end, at_ms)
        )
        if noted:
            said = REFUSED if all(one.state == "refused" for one in noted) else NOTED
    return Response({"said": say(request, said) if said else ""})


async def _page(
    request: WebRequest,
    *,
    before: int = EVER,
    notice: str = "",
    error: CanutError | None = None,
    given: dict[str, str] | None = None,
) -> Response[str]:
    who = principal(request).contributor()

    def read(conn: SyncConn) -> dict[str, Any]:
        found = own_hours(conn, who, before=before, limit=PAGE + 1)
        return {
            "hours": found[:PAGE],
            "older": found[PAGE - 1].id if len(found) > PAGE else None,
        }

    values: dict[str, Any] = {
        "first": before == EVER,
        "notice": notice,
        "given": given or {"kind": "waiting", "day": today(now_ms())},
        "reason_max": REASON_CHARS_MAX,
        "problems": told(request, problems_of(error)),
        **await in_thread(request, read),
    }
    return show(request, "pay/hours.html", status=STATUS[error.code] if error else 200, **values)


ROUTES: list[Any] = [show_hours, state, waited]
