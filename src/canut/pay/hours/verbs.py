"""Stating hours, recording those of somebody, and deciding."""

from msgspec import structs

from canut.db.pool import SyncConn
from canut.errors import Conflict, Invalid, NotFound, Problem
from canut.pay.active_time import total_ms, union, without
from canut.pay.cost import PILOT_MOST
from canut.pay.deciding import check_decider, check_keeper, text_problems
from canut.pay.hours import store
from canut.pay.hours.model import Hours, PaidHours, Room, Waiting
from canut.pay.hours.rules import (
    NOTED_MIN_MS,
    OPEN_MAX,
    SPAN_MAX_MS,
    currencies_of,
    decision_problems,
    default_currency,
    first_of,
    hours_problems,
    room_in,
)
from canut.pay.policy import policy_at
from canut.pay.reading import EVER
from canut.pay.time.store import keep_from_counting
from canut.people.model import Principal
from canut.people.store.log import audit_sync

PAGE_MAX = 200


def state_hours(
    conn: SyncConn, by: Principal, hours: Hours, now_ms: int, *, noted: bool = False
) -> PaidHours:
    """State hours of one's own, with a reason. Nothing changes until a person has decided. `noted`:
    the task screen saw the server fail so long, and nobody wrote a reason.

    Nobody chooses another floor than their own by its currency. Raises `Invalid` with everything
    that is wrong, `Conflict` where they share time with hours that were stated before, or too many
    wait already. Safe to repeat.
    """
    contributor_id = by.contributor()
    with conn.transaction():
        found = _whose(conn, contributor_id)
        policy = policy_at(conn, now_ms)
        hours = _complete(hours, default_currency(policy, found.jurisdiction))
        problems = hours_problems(hours, policy, now_ms)
        own = currencies_of(policy, found.jurisdiction)
        if hours.currency not in own and not any(one.field == "currency" for one in problems):
            mend = f"use one of {', '.join(own)}"
            problems.append(Problem("your floor is in another currency", mend, field="currency"))
        if noted and hours.kind != "waiting":
            problems.append(Problem("the screen notes waiting only", field="kind"))
        if not noted:
            problems += text_problems(hours.reason, "reason")
        if problems:
            raise Invalid("These hours cannot be stated.", problems=problems)
        known = store.same(conn, _values(by, contributor_id, hours, now_ms, noted=noted))
        if known is None:
            if store.open_of(conn, contributor_id) >= OPEN_MAX:
                raise Conflict(
                    "Too many of your hours wait for a decision.",
                    mend="state more when some of them are decided",
                )
            known = _open(conn, by, contributor_id, hours, now_ms, noted=noted)
            detail = structs.asdict(hours) | {"noted": noted}
            audit_sync(conn, by, "open.paid_hours", "paid_hours", known, detail)
        return _read(conn, known)


def note_waiting(
    conn: SyncConn, by: Principal, batch_id: int, from_ms: int, until_ms: int, now_ms: int
) -> list[PaidHours]:
    """What the task screen noted by itself: all of this span it had no task of the batch to show,
    because the server failed. It is stated, and waits for a person. Of what was noted before, by
    another device, only the rest is. Gives all that is noted in the span by then: sent again, the
    same. Empty where it is nothing: too short, or work in the batch is voluntary, or the batch is
    not theirs to see.

    `until_ms` may be a little ahead, as clocks of devices are; otherwise as `state_hours`.
    """
    who, until_ms = by.contributor(), min(until_ms, now_ms)
    from_ms = max(from_ms, until_ms - SPAN_MAX_MS)
    if until_ms - from_ms < NOTED_MIN_MS:
        return []
    if not store.pays(conn, who, batch_id, from_ms - SPAN_MAX_MS):
        return []
    with conn.transaction():
        # of two devices, one after the other
        _whose(conn, who)
        new = without([(from_ms, until_ms)], union(store.taken(conn, who, from_ms, until_ms)))
        for one in new:
            waited = Hours("waiting", *one, total_ms([one]), "")
            if waited.stated_ms >= NOTED_MIN_MS:
                state_hours(conn, by, waited, now_ms, noted=True)
        return [_read(conn, one) for one in store.noted(conn, who, from_ms, until_ms)]


def record_hours(
    conn: SyncConn, by: Principal, contributor_id: int, hours: Hours, now_ms: int
) -> PaidHours:
    """Record hours of somebody else: stated and agreed at once, for the reason that is given. Safe
    to repeat.

    Raises `Forbidden` for who may not (operators and stewards record, nobody of themselves),
    `NotFound`, `Invalid` with everything that is wrong, `Conflict` as `state_hours` does.
    """
    check_keeper(by)
    with conn.transaction():
        keep_from_counting(conn)
        found = _whose(conn, contributor_id)
        check_decider(by, found.account_id)
        policy = policy_at(conn, now_ms)
        hours = _complete(hours, default_currency(policy, found.jurisdiction))
        problems = hours_problems(hours, policy, now_ms)
        if problems:
            problems += text_problems(hours.reason, "reason")
            raise Invalid("These hours cannot be recorded.", problems=problems)
        known = store.same(conn, _values(by, contributor_id, hours, now_ms, noted=False))
        if known is not None and _read(conn, known).agreed_ms == hours.stated_ms:
            return _read(conn, known)
        room = _room(conn, contributor_id, hours.from_ms, hours.until_ms, now_ms)
        problems = decision_problems(
            hours.stated_ms, hours.stated_ms, hours.reason, room, field="reason"
        )
        if problems:
            raise Invalid("These hours cannot be recorded.", problems=problems)
        made = _open(conn, by, contributor_id, hours, now_ms, noted=False)
        _decide(conn, by, made, hours.stated_ms, hours.reason, room, now_ms)
        audit_sync(conn, by, "record.paid_hours", "paid_hours", made, structs.asdict(hours))
        return _read(conn, made)


def decide_hours(
    conn: SyncConn, by: Principal, hours_id: int, agreed_ms: int, why: str, now_ms: int
) -> PaidHours:
    """Decide about hours that were stated: `agreed_ms` of them are paid, with the next slip; 0 is
    none. At most as much as nothing else pays in that time.

    Raises `Forbidden` for who may not (operators and stewards decide, nobody about themselves),
    `NotFound`, `Conflict` for those that are decided, `Invalid`.
    """
    check_keeper(by)
    with conn.transaction():
        keep_from_counting(conn)
        contributor_id = store.owner(conn, hours_id)
        if contributor_id is None:
            raise NotFound(f"There are no hours {hours_id}.")
        check_decider(by, _whose(conn, contributor_id).account_id)
        found = _read(conn, hours_id)
        if found.decided_ms is not None:
            raise Conflict("These hours are decided already.")
        room = _room(conn, contributor_id, found.from_ms, found.until_ms, now_ms)
        problems = decision_problems(agreed_ms, found.stated_ms, why, room)
        if problems:
            raise Invalid("This cannot be decided so.", problems=problems)
        _decide(conn, by, hours_id, agreed_ms, why, room, now_ms)
        detail = {
            "agreed_ms": agreed_ms,
            "stated_ms": found.stated_ms,
            "elsewhere_ms": room.tasks_ms + room.exams_ms,
        }
        audit_sync(conn, by, "decide.paid_hours", "paid_hours", hours_id, detail)
        return _read(conn, hours_id)


def own_hours(
    conn: SyncConn, contributor_id: int, *, before: int = EVER, limit: int = 50
) -> list[PaidHours]:
    """A contributor's hours, the newest first, from those before `before` on."""
    return store.own(conn, contributor_id, before, max(1, min(limit, PAGE_MAX)))


def unpaid_ms(conn: SyncConn, contributor_id: int) -> int:
    """How much of a contributor's hours is agreed and on no slip yet: the next one pays it."""
    return store.unpaid_ms(conn, contributor_id)


def list_hours(
    conn: SyncConn, now_ms: int, *, open_only: bool = True, after: int = 0, limit: int = 50
) -> list[Waiting]:
    """Everybody's hours, the oldest first, from those behind `after` on, with what of their time
    is paid otherwise; only those that wait, unless all are asked for."""
    found = store.every(conn, after, max(1, min(limit, PAGE_MAX)), open_only=open_only)
    return [
        Waiting(one, _room(conn, one.contributor_id, one.from_ms, one.until_ms, now_ms))
        for one in found
    ]


def _complete(hours: Hours, currency: str | None) -> Hours:
    return structs.replace(
        hours, currency=hours.currency or currency or "", reason=hours.reason.strip()
    )


def _whose(conn: SyncConn, contributor_id: int) -> store.Whose:
    found = store.whose(conn, contributor_id)
    if found is None:
        raise NotFound(f"There is no contributor {contributor_id} who is a person.")
    return found


def _room(conn: SyncConn, contributor_id: int, from_ms: int, until_ms: int, now_ms: int) -> Room:
    tasks = store.tasks(conn, contributor_id, from_ms, until_ms)
    exams = store.exams(conn, contributor_id, from_ms, until_ms, now_ms, PILOT_MOST)
    return room_in((from_ms, until_ms), tasks, exams)


def _values(
    by: Principal, contributor_id: int, hours: Hours, now_ms: int, *, noted: bool
) -> dict[str, object]:
    return {
        "who": contributor_id,
        "kind": hours.kind,
        "currency": hours.currency,
        "from": hours.from_ms,
        "until": hours.until_ms,
        "stated": hours.stated_ms,
        "reason": hours.reason,
        "noted": noted,
        "by": by.account_id,
        "now": now_ms,
    }


def _open(
    conn: SyncConn, by: Principal, contributor_id: int, hours: Hours, now_ms: int, *, noted: bool
) -> int:
    if store.overlapping(conn, contributor_id, hours) is not None:
        raise Conflict(
            "Hours of this time were stated already.", mend="state what is not among them"
        )
    return store.open_hours(conn, _values(by, contributor_id, hours, now_ms, noted=noted))


def _decide(
    conn: SyncConn, by: Principal, hours_id: int, agreed_ms: int, why: str, room: Room, now_ms: int
) -> None:
    values = {
        "hours": hours_id,
        "agreed": agreed_ms,
        "why": why.strip(),
        "by": by.account_id,
        "now": now_ms,
    }
    store.decide(conn, values, first_of(room.free, agreed_ms))


def _read(conn: SyncConn, hours_id: int) -> PaidHours:
    found = store.one(conn, hours_id)
    assert found is not None
    return found
