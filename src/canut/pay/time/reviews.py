"""A contributor's own statement of the time a task took, and the person who decides about it."""

from canut.db.pool import SyncConn
from canut.errors import Conflict, Invalid, NotFound, Problem
from canut.pay.active_time import Lease, claim_problems
from canut.pay.deciding import check_decider, check_keeper, text_problems
from canut.pay.time import store, store_reviews
from canut.pay.time.model import Review
from canut.people.model import Principal
from canut.people.store.log import audit_sync


def state_time(
    conn: SyncConn, by: Principal, task_id: int, stated_ms: int, reason: str, now_ms: int
) -> int:
    """Say that a task took `stated_ms`; the number of the review that this opens.

    Until a person has decided, the agreed time stays as it is. Raises `NotFound` for a task that
    was never theirs or has not ended, `Invalid` for a time longer than it was theirs or no reason,
    `Conflict` where another statement waits already or it says nothing new. Safe to repeat.
    """
    who = by.contributor()
    found = store.one(conn, task_id, who)
    if found is None:
        raise NotFound("You have ended no such task.", mend="use the name the claim gave")
    problems = claim_problems(stated_ms, Lease(found.claimed_ms, found.ended_ms))
    problems += text_problems(reason, "reason")
    if problems:
        raise Invalid("This time cannot be stated.", problems=problems)
    if stated_ms == found.agreed_ms:
        raise Conflict("This is the time that is agreed.")
    values = {
        "task": task_id,
        "who": who,
        "step": found.batch_step_id,
        "measured": found.measured_ms,
        "stated": stated_ms,
        "reason": reason.strip(),
        "now": now_ms,
    }
    with conn.transaction():
        review_id = store_reviews.open_review(conn, values)
        if review_id is None:
            waiting = store_reviews.waiting(conn, task_id, who)
            if waiting and (waiting.stated_ms, waiting.reason) == (stated_ms, reason.strip()):
                return waiting.id
            raise Conflict("Your statement about this task waits for a decision already.")
        detail = {"stated_ms": stated_ms, "measured_ms": found.measured_ms}
        audit_sync(conn, by, "open.time_review", "time_review", review_id, detail)
    return review_id


def decide_review(
    conn: SyncConn, by: Principal, review_id: int, agreed_ms: int, why: str, now_ms: int
) -> Review:
    """Decide a statement: `agreed_ms` is the time stated, the time measured, or one between; never
    more than other hours of theirs leave. It is the agreed time from then on; both times and the
    reasons stay on record.

    Raises `Forbidden` for who may not (operators and stewards decide, nobody about themselves),
    `NotFound`, `Conflict` for one that is decided, `Invalid`.
    """
    check_keeper(by)
    with conn.transaction():
        store.keep_from_counting(conn)
        found = store_reviews.review(conn, review_id)
        if found is None:
            raise NotFound(f"There is no review {review_id}.")
        check_decider(by, store_reviews.account_of(conn, found.contributor_id))
        if found.decided_ms is not None:
            raise Conflict("This review is decided already.")
        _check(found, agreed_ms, why, store_reviews.most(conn, found))
        values = {
            "review": review_id,
            "task": found.task_id,
            "who": found.contributor_id,
            "agreed": agreed_ms,
            "why": why.strip(),
            "by": by.account_id,
            "now": now_ms,
        }
        store_reviews.decide(conn, values)
        detail = {
            "agreed_ms": agreed_ms,
            "stated_ms": found.stated_ms,
            "measured_ms": found.measured_ms,
        }
        audit_sync(conn, by, "decide.time_review", "time_review", review_id, detail)
        decided = store_reviews.review(conn, review_id)
        assert decided is not None
    return decided


def _check(review: Review, agreed_ms: int, why: str, most_ms: int) -> None:
    problems = text_problems(why, "why")
    low, high = sorted((review.measured_ms, review.stated_ms))
    low = min(low, most_ms)
    if not low <= agreed_ms <= high:
        mend = f"give a time from {low} to {high} ms"
        problems.append(Problem(f"{agreed_ms} ms is neither's", mend, field="time"))
    elif agreed_ms > most_ms:
        mend = f"give at most {most_ms} ms: other hours of theirs pay the rest"
        problems.append(Problem("would pay time twice", mend, field="time"))
    if problems:
        raise Invalid("This cannot be decided so.", problems=problems)
