"""The engine's part: answers are paid, a set at a time, each once for each cause."""

from collections.abc import Iterator, Sequence

from canut.db.pool import SyncConn
from canut.pay.accrual import store
from canut.pay.accrual.model import Charged, Due, charged, earned
from canut.pay.cost import minor_of_micro
from canut.pay.funding import store as funding
from canut.pay.ledger import AccountName, Transfer, open_accounts, post
from canut.pay.policy import list_rules
from canut.pay.policy.model import DAY_MS, in_force, share_of

#: answers of one pass
ANSWERS_MAX = 5000
#: sheets made at once: five moves each, of which the books take 50,000 in a group
DUE_MAX = 8_000
#: corrected times are looked for among the decisions of so many days
CORRECTED_DAYS = 30


def accrue(conn: SyncConn, now_ms: int, limit: int = ANSWERS_MAX) -> int:
    """Pay up to `limit` answers that were weighed: their money is held for their contributors, from
    the batch's escrow. How many answers were taken; count their times first.

    One transaction: a sheet for each contributor and batch, and its holds in the books. An answer
    earns once, however often this runs, on however many engines, and wherever it is killed.
    """
    with conn.transaction():
        if not store.alone(conn):
            return 0
        work = store.take(conn, limit)
        store.earn(conn, earned(work), now_ms)
        store.correct(conn, CORRECTED_DAYS * DAY_MS, now_ms)
        # in slices: a price that rose after the fact owes to everybody at once
        while due := store.due(conn, DUE_MAX):
            _hold(conn, due, now_ms)
    return len(work)


def _hold(conn: SyncConn, due: Sequence[Due], now_ms: int) -> None:
    rules = list_rules(conn)
    today = in_force(rules, now_ms)
    money = funding.escrow(conn, sorted({one.batch_id for one in due}))
    found = []
    for one in due:
        place = one.jurisdiction or today.home
        # contributions are of today, the fee is the one that was agreed
        social = share_of(one.amount_minor, today.social_share(place))
        fee = share_of(one.amount_minor, in_force(rules, one.funded_ms).fee)
        sheet = charged(one, place, social, fee, money.get(one.batch_id, 0))
        money[one.batch_id] = money.get(one.batch_id, 0) - _of_batch(sheet)
        found.append(sheet)
    made = store.make_sheets(conn, found, now_ms + today.accept_ms, now_ms)
    ids = open_accounts(conn, [name for one in found for name in _names(one)], now_ms)
    moves = [
        (sheet_id, move)
        for sheet_id, one in zip(made, found, strict=True)
        for move in _moves(sheet_id, one, ids)
    ]
    if not moves:
        return
    posted = post(conn, [move for _, move in moves], now_ms)
    holds: dict[int, list[int]] = {}
    for (sheet_id, _), transfer in zip(moves, posted, strict=True):
        holds.setdefault(sheet_id, []).append(transfer)
    store.keep_holds(conn, holds)


def _of_batch(one: Charged) -> int:
    """What a sheet takes from its batch."""
    pay = one.due.amount_minor - one.coop_minor
    return pay + one.social_minor - one.coop_social_minor + one.fee_minor


def _names(one: Charged) -> list[AccountName]:
    currency = one.due.currency
    return [
        AccountName("batch_escrow", currency, one.due.batch_id),
        AccountName("contributor_payable", currency, one.due.contributor_id),
        AccountName("social_payable", currency),
        AccountName("coop_fee", currency),
    ]


def _moves(sheet_id: int, one: Charged, ids: dict[AccountName, int]) -> Iterator[Transfer]:
    escrow, payable, social, coop = (ids[name] for name in _names(one))
    parts = (
        ("pay", "accrue", escrow, payable, one.due.amount_minor - one.coop_minor),
        ("coop", "topup", coop, payable, one.coop_minor),
        ("social", "contribution", escrow, social, one.social_minor - one.coop_social_minor),
        ("coop social", "contribution", coop, social, one.coop_social_minor),
        ("fee", "fee", escrow, coop, one.fee_minor),
    )
    for part, kind, debit, credit, amount in parts:
        if amount:
            yield Transfer(
                key=f"sheet:{sheet_id}:{part}",
                kind=kind,  # type: ignore[arg-type]
                debit=debit,
                credit=credit,
                amount=amount,
                currency=one.due.currency,
                why=f"sheet {sheet_id}",
                reference=f"batch:{one.due.batch_id}/contributor:{one.due.contributor_id}",
                pending=True,
            )


def post_ai(conn: SyncConn, now_ms: int) -> int:
    """Post what language models have cost batches since the last time, rounded up once for each
    batch; in minor units, all together. What a batch has no money for, the co-op pays."""
    posted = 0
    with conn.transaction():
        if not store.alone(conn):
            return 0
        moves: list[Transfer] = []
        due = [one for one in store.ai_due(conn) if _ai(one) > one.posted]
        money = funding.escrow(conn, [one.batch_id for one in due])
        for one in due:
            amount = _ai(one) - one.posted
            own = min(amount, max(money.get(one.batch_id, 0), 0))
            names = [
                AccountName("batch_escrow", one.currency, one.batch_id),
                AccountName("coop_fee", one.currency),
                AccountName("ai_payable", one.currency),
            ]
            ids = open_accounts(conn, names, now_ms)
            for name, part in ((names[0], own), (names[1], amount - own)):
                if part:
                    moves.append(
                        Transfer(
                            key=f"ai:batch:{one.batch_id}:{_ai(one)}:{name.kind}",
                            kind="ai",
                            debit=ids[name],
                            credit=ids[names[2]],
                            amount=part,
                            currency=one.currency,
                            why="language models",
                            reference=f"batch:{one.batch_id}",
                        )
                    )
            store.ai_posted(conn, one.batch_id, _ai(one))
            posted += amount
        if moves:
            post(conn, moves, now_ms)
    return posted


def _ai(one: store.AiDue) -> int:
    return minor_of_micro(one.micro, one.currency)
