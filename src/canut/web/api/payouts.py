"""What contributors are paid: slips of pay periods, where the money goes, payouts."""

from typing import Any

from litestar import Response, get, post

from canut.errors import NotFound
from canut.pay import settlement
from canut.pay.payouts import asking
from canut.pay.payouts.model import Payout
from canut.pay.settlement import SlipSummary
from canut.pay.settlement.slip_texts import Locale
from canut.sdk import values as v
from canut.web.api.common import PREFIX, in_thread, now_ms, number
from canut.web.api.describe import Operation, described
from canut.web.api.reading import ID_MAX, Reader, read_query
from canut.web.api.replying import Json, PageQuery, after, like, nothing, page, reply
from canut.web.api.work import TASK, OptionsQuery
from canut.web.auth import WebRequest, principal
from canut.web.slips import own_slip, slip_to_read, slip_to_reckon

NEW_PAYOUT = Reader(v.NewPayout)
WHEN_MS = 1_790_000_000_000
WEEK_MS = 604_800_000

SLIP = v.PaySlip(
    id=41,
    currency="EUR",
    from_ms=WHEN_MS - WEEK_MS,
    until_ms=WHEN_MS,
    number=1,
    jurisdiction="FR",
    floor_minor=1_202,
    tasks=120,
    agreed_ms=7_200_000,
    qualifying_minor=2_310,
    owed_minor=2_404,
    before_minor=0,
    topup_minor=94,
    hours_ms=0,
    hours_minor=0,
    total_minor=2_404,
    hourly_minor=1_202,
    written_ms=WHEN_MS,
    paid_ms=WHEN_MS,
)
LINE = v.PaySlipLine(
    TASK.task, "catalogue/categorise", "category", WHEN_MS - WEEK_MS + 60_000, 24_000, 7, "price"
)
ACCOUNT = v.PayoutAccount("iban", "FR** **** 0189", WHEN_MS)
PAYOUT = v.Payout(9, 2_404, "EUR", "iban", ACCOUNT.masked, "requested", "CANUT-PAYOUT-9", WHEN_MS)


def _about(name: str, summary: str, description: str, **more: Any) -> Operation:
    values = {"tag": "pay", "scopes": ("work",), "refuses": (404, 422)} | more
    return Operation(name=name, summary=summary, description=description, **values)


SLIPS = _about(
    "list_slips",
    "List pay slips",
    "Yours, newest first.",
    query=PageQuery,
    reply=v.Page[v.PaySlip],
    reply_example=v.Page(data=[SLIP]),
    refuses=(422,),
)
SLIP_OP = _about(
    "get_slip",
    "Read a pay slip",
    "With every task, and all hours beside them: whoever adds it up gets the same cents.",
    reply=v.PaySlipDetail,
    reply_example=v.PaySlipDetail(SLIP, [LINE]),
    refuses=(404,),
)
PDF = _about(
    "get_slip_pdf",
    "Download a pay slip as PDF",
    "For reading and for the files (PDF/A-2a, PDF/UA-1).",
    query=OptionsQuery,
    reply_stream={"application/pdf": ""},
)
CSV = _about(
    "get_slip_csv",
    "Download a pay slip as CSV",
    "Every task in whole milliseconds, then the sum, a step a row.",
    query=OptionsQuery,
    reply_stream={"text/csv": "Line,What,Paid,Tasks,Milliseconds,Amount,Currency"},
)
ACCOUNT_OP = _about(
    "get_payout_account",
    "Read where your money goes",
    "Masked. It is named on your pages only: a key that was lost must not lead money elsewhere. "
    "404 where you have not named it.",
    reply=v.PayoutAccount,
    reply_example=ACCOUNT,
    refuses=(404,),
)
PAYOUTS = _about(
    "list_payouts",
    "List payouts",
    "What you asked for, newest first.",
    query=PageQuery,
    reply=v.Page[v.Payout],
    reply_example=v.Page(data=[PAYOUT]),
    refuses=(422,),
)
REQUEST = _about(
    "request_payout",
    "Ask for money",
    "It is held until it is paid, or comes back. The same key again is the same payout.",
    body=v.NewPayout,
    body_example=v.NewPayout(2_404, "EUR", "november"),
    reply=v.Payout,
    reply_example=PAYOUT,
    refuses=(400, 409, 415, 422),
)
CANCEL = _about(
    "cancel_payout",
    "Take a request back",
    "While it is in no run; again, nothing changes.",
    status=204,
    refuses=(404, 409),
)


@get(f"{PREFIX}/slips", opt=described(SLIPS))
async def list_slips(request: WebRequest) -> Json:
    """A page of the slips of the contributor who asks."""
    query, who = read_query(request, PageQuery), principal(request).contributor()
    before = after(query, ID_MAX)
    found = await in_thread(
        request,
        lambda conn: settlement.list_slips(
            conn, contributor_id=who, before=before, limit=query.limit + 1
        ),
    )
    return page(request, query, found, _slip, lambda one: one.id)


@get(f"{PREFIX}/slips/{{id:str}}", opt=described(SLIP_OP))
async def get_slip(request: WebRequest) -> Json:
    """A slip with its lines."""
    slip, called = await own_slip(request, number(request))
    lines = [like(v.PaySlipLine, one, task=called(one.task_id)) for one in slip.lines]
    hours = [like(v.PaySlipHours, one) for one in slip.hours]
    return reply(v.PaySlipDetail(_slip(slip.summary), lines, hours))


@get(f"{PREFIX}/slips/{{id:str}}/pdf", opt=described(PDF))
async def get_slip_pdf(request: WebRequest) -> Response[bytes]:
    """A slip to be read."""
    return await slip_to_read(request, number(request), _locale(request))


@get(f"{PREFIX}/slips/{{id:str}}/csv", opt=described(CSV))
async def get_slip_csv(request: WebRequest) -> Response[bytes]:
    """A slip to be recomputed."""
    return await slip_to_reckon(request, number(request), _locale(request))


@get(f"{PREFIX}/payout-account", opt=described(ACCOUNT_OP))
async def get_payout_account(request: WebRequest) -> Json:
    """Where the money of the contributor who asks goes."""
    who = principal(request).contributor()
    found = await in_thread(request, lambda conn: asking.account_of(conn, who))
    if found is None:
        raise NotFound("Nobody knows where your money goes.", mend="name a payout account")
    return reply(like(v.PayoutAccount, found))


@get(f"{PREFIX}/payouts", opt=described(PAYOUTS))
async def list_payouts(request: WebRequest) -> Json:
    """A page of what the contributor who asks asked for."""
    query, who = read_query(request, PageQuery), principal(request).contributor()
    before = after(query, ID_MAX)
    found = await in_thread(
        request, lambda conn: asking.payouts_of(conn, who, before=before, limit=query.limit + 1)
    )
    return page(request, query, found, _payout, lambda one: one.id)


@post(f"{PREFIX}/payouts", opt=described(REQUEST), status_code=200)
async def request_payout(request: WebRequest) -> Json:
    """A payout, once per key of its own."""
    asked = await NEW_PAYOUT.read(request)
    who = principal(request)
    made = await in_thread(
        request,
        lambda conn: asking.request_payout(
            conn, who, asked.amount_minor, asked.currency, asked.key, now_ms()
        ),
    )
    return reply(_payout(made))


@post(f"{PREFIX}/payouts/{{id:str}}/cancel", opt=described(CANCEL), status_code=200)
async def cancel_payout(request: WebRequest) -> Json:
    """A request that is taken back."""
    who, payout = principal(request), number(request)
    await in_thread(request, lambda conn: asking.cancel_payout(conn, who, payout, now_ms()))
    return nothing()


def _locale(request: WebRequest) -> Locale:
    return "fr" if read_query(request, OptionsQuery).locale == "fr" else "en"


def _slip(one: SlipSummary) -> v.PaySlip:
    return like(v.PaySlip, one, tasks=one.n_tasks)


def _payout(one: Payout) -> v.Payout:
    return like(v.Payout, one, amount_minor=one.amount)


ROUTES = [
    list_slips,
    get_slip,
    get_slip_pdf,
    get_slip_csv,
    get_payout_account,
    list_payouts,
    request_payout,
    cancel_payout,
]
