"""The price of a new batch: quoted before it is launched, and set aside when it is."""

from collections.abc import Sequence

from msgspec import Struct

from canut.channels.drafts.composing import with_target
from canut.channels.drafts.model import Draft, Form, first
from canut.db.pool import SyncConn
from canut.errors import Conflict, Invalid
from canut.pay.amounts import read_minor
from canut.pay.funding import fund
from canut.pay.money.purses import read_purses
from canut.pay.quotes import Basis, Quote, estimate, make_quote, read_basis, within
from canut.people.model import Principal
from canut.processes.model import ProcessDefinition
from canut.web.pages.drafts.shared import Sight

#: shares of wrong decisions offered, in percent
ERRORS = (10, 5, 2, 1)
#: most characters of an amount
AMOUNT_CHARS_MAX = 20


class Neighbour(Struct, frozen=True):
    """The same batch with another share of wrong decisions."""

    #: percent, as the form sends it
    value: str
    quote: Quote
    #: it is what was chosen
    here: bool


class Priced(Struct, frozen=True):
    """What a batch will cost, and whether the money is there."""

    #: of all its items
    whole: Quote
    #: what is set aside at the launch: the whole, or as far as the limit goes
    start: Quote
    deposit: int
    neighbours: list[Neighbour]

    @property
    def missing(self) -> int:
        """To be paid in before work begins."""
        return max(self.start.total_minor - self.deposit, 0)


def shares_around(usual: float) -> list[float]:
    """Shares of wrong decisions to choose from, in percent: those offered, and the usual one."""
    return sorted({*map(float, ERRORS), round(usual, 3)}, reverse=True)


def levels_at(seen: Sight, shares: Sequence[float]) -> dict[str, ProcessDefinition]:
    """Share of wrong decisions, in percent as the form has it -> the process that asks for it."""
    base, made = seen.plan.base, seen.plan.way == "made"
    if base is None:
        return {}
    written = [f"{share:g}" for share in shares]
    return {one: with_target(base, {"error": [one]}, [], made=made) for one in written}


def price_levels(
    conn: SyncConn, client_id: int, levels: dict[str, ProcessDefinition], items: int, now_ms: int
) -> dict[str, Quote]:
    """Level -> what so many items would cost at it; empty where the work is voluntary."""
    basis = _basis(conn, client_id, next(iter(levels.values()), None), now_ms)
    if basis is None or items <= 0:
        return {}
    return {value: estimate(basis, one, items, now_ms) for value, one in levels.items()}


def price(
    conn: SyncConn,
    who: Principal,
    seen: Sight,
    shares: Sequence[float],
    items: int,
    now_ms: int,
    deadline_ms: int | None,
) -> Priced | None:
    """What the draft will cost, and what it would at these shares of wrong decisions. None: the
    work is voluntary. A limit that is no amount, or covers nothing, is left out here: the launch
    says what is wrong with it."""
    draft, definition = seen.draft, seen.plan.definition
    basis = _basis(conn, draft.client_id, definition, now_ms)
    if definition is None or basis is None or items <= 0:
        return None

    def of(count: int) -> Quote:
        return estimate(basis, definition, count, now_ms, deadline_ms)

    whole = start = of(items)
    try:
        most = read_limit(draft.form("launch"), basis.currency)
        if most is not None and most < whole.total_minor:
            start = of(within(most, items, of))
    except Invalid:
        start = whole
    purses = read_purses(conn, who, draft.client_id).purses
    deposit = next((one.deposit for one in purses if one.currency == basis.currency), 0)
    error = definition.steps[0].promise.error_max
    neighbours = [
        Neighbour(
            value,
            estimate(basis, one, items, now_ms),
            here=abs(one.steps[0].promise.error_max - error) < 1e-9,
        )
        for value, one in levels_at(seen, shares).items()
    ]
    return Priced(whole, start, deposit, neighbours)


def check_limit(
    conn: SyncConn, draft: Draft, definition: ProcessDefinition | None, now_ms: int
) -> int | None:
    """The most that may be spent, in minor units; None: no limit, or nothing costs anything. Raises
    `Invalid` for what is no amount, or does not cover an item."""
    basis = _basis(conn, draft.client_id, definition, now_ms)
    if basis is None or definition is None:
        return None
    most = read_limit(draft.form("launch"), basis.currency)
    if most is not None:
        within(most, 1, lambda count: estimate(basis, definition, count, now_ms))
    return most


def set_aside(
    conn: SyncConn, who: Principal, batch_id: int, form: Form, most: int | None, now_ms: int
) -> None:
    """Agree to the price that was shown, if the deposit covers it. Else, or where the price is
    another by now, the batch waits, with its quote, until its client agrees."""
    shown = first(form, "shown")
    try:
        offer = make_quote(conn, who, batch_id, now_ms, most_minor=most)
        if shown.isdecimal() and len(shown) < 19 and offer.quote.total_minor <= int(shown):
            fund(conn, who, offer.id, now_ms)
    except (Invalid, Conflict):
        # voluntary work begins by itself; a deposit that is too small is said on the batch's page
        return


def read_limit(form: Form, currency: str) -> int | None:
    """Minor units of the field `budget`; None where it is empty. Raises `Invalid`."""
    written = first(form, "budget").strip()
    return read_minor(written[:AMOUNT_CHARS_MAX], currency, "budget") if written else None


def _basis(
    conn: SyncConn, client_id: int, definition: ProcessDefinition | None, now_ms: int
) -> Basis | None:
    return None if definition is None else read_basis(conn, client_id, definition, now_ms)
