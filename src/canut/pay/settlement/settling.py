"""Settling a period: slips are written, what was missing is paid, and the books close."""

from collections.abc import Iterator, Sequence

from msgspec import structs

from canut.db.pool import SyncConn
from canut.errors import Conflict, Forbidden, Invalid
from canut.pay.cost import PILOT_MOST
from canut.pay.ledger import (
    AccountName,
    Transfer,
    close_period,
    closed_until,
    open_accounts,
    post,
)
from canut.pay.ledger.model import AccountKind, TransferKind
from canut.pay.policy import list_rules
from canut.pay.policy.model import DAY_MS, in_force
from canut.pay.settlement import store, store_lines
from canut.pay.settlement.model import Period, Settled, Unpaid
from canut.pay.settlement.rules import Part, period_end, reckon, shared_out, week_of
from canut.people.model import Principal
from canut.people.store.log import audit_sync

#: work is looked at again for so long: times and prices that became known later
LATE_MS = 92 * DAY_MS
#: slips paid in one transaction, and moves of one group of the books
SLIPS_MAX, MOVES_MAX = 2000, 40_000


def settle_next(conn: SyncConn, now_ms: int, limit: int = SLIPS_MAX) -> int:
    """The engine's part, a bounded piece of work: go on with the period that was begun, or begin
    the next if it is over and all its answers are counted. How much was done; 0: nothing is due.

    `conn` is in autocommit mode. Each piece is one transaction, and killed at any moment, the next
    call goes on where it stopped: a slip is written once, and paid once. While another engine is at
    it, nothing is due.
    """
    with conn.transaction():
        if not store.may_be_alone(conn):
            return 0
        last = store.last(conn)
        if last is not None and last.settled_ms is None:
            return _go_on(conn, last, now_ms, limit)
        span = _next(conn, last)
        if span is None or span[1] > now_ms or store.uncounted(conn, span[1]):
            return 0
        _begin(conn, *span, None, now_ms)
    return 1


def settle_until(
    conn: SyncConn, by: Principal, now_ms: int, until_ms: int | None = None
) -> list[Settled]:
    """Settle every period that is over, now; with `until_ms`, all until then, the last one shorter
    than usual if need be. What was settled, by period and currency; nothing where all is settled.
    `conn` is in autocommit mode.

    Raises `Forbidden`, `Invalid` for a moment to come, `Conflict` while answers of a period are not
    counted: an engine does that within a minute.
    """
    if not by.keeps_books:
        raise Forbidden("Operators and stewards settle periods.")
    if until_ms is not None and until_ms > now_ms:
        raise Invalid("Only what is past can be settled.", mend="name a moment that has come")
    found: list[Settled] = []
    while True:
        with conn.transaction():
            store.alone(conn)
            last = store.last(conn)
            if last is None or last.settled_ms is not None:
                last = _begin_for(conn, by, last, now_ms, until_ms)
        if last is None:
            return found
        while _piece(conn, last.id, now_ms):
            pass
        found += store.sums(conn, [structs.replace(last, settled_ms=now_ms)])


def next_period(conn: SyncConn) -> tuple[int, int] | None:
    """From when until when the period is that will be begun next; None: nobody has worked for pay
    yet."""
    return _next(conn, store.last(conn))


def waits_for_count(conn: SyncConn, until_ms: int) -> int:
    """Tasks that ended before and keep a period from being settled: they are not counted yet."""
    return store.uncounted(conn, until_ms)


def _begin_for(
    conn: SyncConn, by: Principal, last: Period | None, now_ms: int, until_ms: int | None
) -> Period | None:
    span = _next(conn, last)
    if span is None:
        return None
    end = span[1] if until_ms is None else min(span[1], until_ms)
    if end > now_ms or end <= span[0]:
        return None
    waiting = store.uncounted(conn, end)
    if waiting:
        raise Conflict(
            f"{waiting} tasks of the period are not counted yet.",
            mend="wait for the engine, which does it every minute",
        )
    begun = _begin(conn, span[0], end, by, now_ms)
    detail = {"from_ms": begun.from_ms, "until_ms": begun.until_ms}
    audit_sync(conn, by, "settle.period", "pay_period", begun.id, detail)
    return begun


def _next(conn: SyncConn, last: Period | None) -> tuple[int, int] | None:
    """The period behind the last; None: nobody has worked for pay yet."""
    if last is not None:
        begins = last.until_ms
    else:
        earliest = store.earliest(conn)
        if earliest is None:
            return None
        begins = week_of(earliest)
    return begins, period_end(list_rules(conn), begins)


def _begin(
    conn: SyncConn, from_ms: int, until_ms: int, by: Principal | None, now_ms: int
) -> Period:
    """Write the slips of a period, whole: what is missing is known from then on."""
    period = store.begin(conn, from_ms, until_ms, by.account_id if by else None, now_ms)
    store_lines.keep_lines(conn, period, until_ms - LATE_MS, PILOT_MOST)
    rules = list_rules(conn)
    known = store.worked(conn, period.id)
    policies = {at: in_force(rules, at) for at in {one.at_ms for one in known}}
    slips = [reckon(one, policies[one.at_ms]) for one in known]
    store.write(conn, period.id, slips, now_ms)
    return period


def _piece(conn: SyncConn, period_id: int, now_ms: int) -> int:
    with conn.transaction():
        store.alone(conn)
        last = store.last(conn)
        if last is None or last.id != period_id or last.settled_ms is not None:
            return 0
        return _go_on(conn, last, now_ms, SLIPS_MAX)


def _go_on(conn: SyncConn, period: Period, now_ms: int, limit: int) -> int:
    slips = store.unpaid(conn, period.id, limit)
    if slips:
        return _pay(conn, slips, now_ms)
    store.settled(conn, period.id, now_ms)
    if closed_until(conn) < period.until_ms:
        close_period(conn, period.until_ms, now_ms)
    return 1


def _pay(conn: SyncConn, slips: Sequence[Unpaid], now_ms: int) -> int:
    """Post what the first of these slips say, as many as one group has room for."""
    policy = in_force(list_rules(conn), now_ms)
    batches = sorted({batch for slip in slips for batch in slip.batches})
    parts = list(shared_out(slips, store.reserves(conn, batches), policy))
    ids = open_accounts(conn, dict.fromkeys(n for p in parts for n in _names(p)), now_ms)
    moves: list[tuple[int, Transfer]] = []
    done: dict[int, list[int]] = {}
    by_slip: dict[int, list[Part]] = {slip.id: [] for slip in slips}
    for part in parts:
        by_slip[part.slip.id].append(part)
    for slip_id, own in by_slip.items():
        more = [(slip_id, move) for part in own for move in _moves(part, ids)]
        if moves and len(moves) + len(more) > MOVES_MAX:
            break
        moves += more
        done[slip_id] = []
    posted = post(conn, [move for _, move in moves], now_ms)
    for (slip_id, _), transfer in zip(moves, posted, strict=True):
        done[slip_id].append(transfer)
    store.paid(conn, done, now_ms)
    return len(done)


def _names(part: Part) -> list[AccountName]:
    slip = part.slip
    names = [
        AccountName("contributor_payable", slip.currency, slip.contributor_id),
        AccountName("coop_fee", slip.currency),
        AccountName("social_payable", slip.currency),
    ]
    if part.batch_id is not None:
        names.append(AccountName("topup_reserve", slip.currency, part.batch_id))
    return names


def _moves(part: Part, ids: dict[AccountName, int]) -> Iterator[Transfer]:
    slip, batch = part.slip, part.batch_id
    by_kind: dict[AccountKind, int] = {name.kind: ids[name] for name in _names(part)}
    pay: TransferKind = "hourly" if batch is None else "topup"
    of = "hours" if batch is None else f"batch {batch}"
    flows: tuple[tuple[str, TransferKind, AccountKind, AccountKind, int], ...] = (
        ("own", pay, "topup_reserve", "contributor_payable", part.own_minor),
        ("coop", pay, "coop_fee", "contributor_payable", part.coop_minor),
        ("social", "contribution", "topup_reserve", "social_payable", part.own_social_minor),
        ("coop social", "contribution", "coop_fee", "social_payable", part.coop_social_minor),
    )
    for name, kind, debit, credit, amount in flows:
        if amount:
            yield Transfer(
                key=f"slip:{slip.id}:{batch or 'hours'}:{name}",
                kind=kind,
                debit=by_kind[debit],
                credit=by_kind[credit],
                amount=amount,
                currency=slip.currency,
                why=f"pay slip {slip.id}, {of}",
                reference=f"batch:{batch}/contributor:{slip.contributor_id}"
                if batch
                else f"contributor:{slip.contributor_id}",
            )
