"""Reading for stewards: what waits, whose accounts, what speaks for which time, what steps pay."""

from collections.abc import Sequence

from msgspec import structs

from canut.db.pool import SyncConn
from canut.errors import NotFound
from canut.insight import store_books as store
from canut.insight.books_model import Asked, Named, StepPrice, Titles, Waits
from canut.pay.ledger import Account, AccountKind, balance_at, closed_until, list_accounts
from canut.pay.payouts.model import Run
from canut.pay.payouts.reconciling import statements_read
from canut.pay.payouts.runs import list_runs, waiting
from canut.pay.settlement import list_periods, next_period, waits_for_count
from canut.pay.tariffs import Tariff, list_tariffs
from canut.pay.time import list_reviews
from canut.people.model import Principal

#: statements about time, and of hours, that are counted at most
REVIEWS_MAX = 1000
#: runs and statements of the bank that are looked at
LATEST = 20
#: prices that began in so many days are told
MOVED_MS = 7 * 86_400_000
STEPS_MAX = 500


def read_waits(conn: SyncConn, by: Principal, now_ms: int) -> Waits:
    """What of pay waits for somebody. Raises `Forbidden`."""
    span = next_period(conn)
    over = span is not None and span[1] <= now_ms
    moved = [one for one in list_tariffs(conn, now_ms) if one.from_ms >= now_ms - MOVED_MS]
    return Waits(
        reviews=store.open_reviews(conn, REVIEWS_MAX),
        hours=store.open_hours(conn, REVIEWS_MAX),
        waiting=waiting(conn, by),
        runs=[run for run in list_runs(conn, by, limit=LATEST) if is_open(run)],
        last=next(iter(list_periods(conn, limit=1)), None),
        next=span,
        uncounted=waits_for_count(conn, span[1]) if span and over else 0,
        closed_ms=closed_until(conn),
        sums=store.sums(conn),
        moved=sorted(moved, key=lambda one: -one.from_ms),
        titles=titles_of(conn, moved),
        faults=[
            one.statement
            for one in statements_read(conn, by, limit=LATEST)
            if one.report.get("faults")
        ],
    )


def is_open(run: Run) -> bool:
    """Whether something is still to be done about a run."""
    under_way = run.state == "approved" and run.paid + run.failed < run.n_payouts
    return run.state == "assembled" or under_way


def read_accounts(
    conn: SyncConn,
    *,
    kind: AccountKind | None,
    owner_id: int | None,
    at_ms: int | None,
    after: int,
    limit: int,
) -> list[Named]:
    """Accounts in the order of their numbers, with what they held at a moment (None: now)."""
    found = list_accounts(conn, kind=kind, owner_id=owner_id, after=after, limit=limit)
    whose = store.owners(conn, [one.id for one in found])
    return [
        Named(
            one,
            one.balance.posted if at_ms is None else balance_at(conn, one.id, at_ms).posted,
            whose.get(one.id, ""),
        )
        for one in found
    ]


def owner_of(conn: SyncConn, account: Account) -> str:
    """Whose account it is; empty: the co-op's own."""
    return store.owners(conn, [account.id]).get(account.id, "")


def read_asked(
    conn: SyncConn, *, open_only: bool, after: int, limit: int, now_ms: int
) -> list[Asked]:
    """Statements about time, oldest first, with what speaks for either side."""
    found = list_reviews(conn, open_only=open_only, after=after, limit=limit)
    known = store.evidence(conn, [one.id for one in found])
    means = {(t.process_id, t.step_slug): t.mean_ms for t in list_tariffs(conn, now_ms)}
    return [
        Asked(
            one,
            structs.replace(
                known[one.id], mean_ms=means.get((known[one.id].process_id, known[one.id].slug))
            ),
        )
        for one in found
    ]


def read_prices(conn: SyncConn, now_ms: int) -> list[StepPrice]:
    """Every step, those that pay first."""
    now = {(one.process_id, one.step_slug): one for one in list_tariffs(conn, now_ms)}
    steps = [
        structs.replace(one, tariff=now.get((one.process_id, one.slug)))
        for one in store.steps(conn, STEPS_MAX)
    ]
    return sorted(steps, key=lambda one: one.tariff is None or one.tariff.stage == "voluntary")


def read_step(conn: SyncConn, process_id: int, slug: str) -> StepPrice:
    """Raises `NotFound`."""
    found = store.step(conn, process_id, slug)
    if found is None:
        raise NotFound("There is no such thing, or it is not yours to see.")
    return found


def titles_of(conn: SyncConn, tariffs: Sequence[Tariff]) -> Titles:
    """What the steps of tariffs are called."""
    return store.titles(conn, sorted({(one.process_id, one.step_slug) for one in tariffs}))


def names_of(conn: SyncConn, contributors: Sequence[int]) -> dict[int, str]:
    """Contributor -> name."""
    return store.names(conn, contributors)
