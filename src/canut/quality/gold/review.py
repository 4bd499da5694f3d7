"""The periodic look at gold: what leaked, or is disputed by good contributors, is retired."""

from collections.abc import Sequence
from itertools import groupby

from msgspec import Struct

from canut.db.pool import SyncConn
from canut.quality.gold import store as store_gold
from canut.quality.gold.pool import retire_all
from canut.quality.gold.rules import Dispute, Leak, disputed, leak, skill
from canut.quality.gold.store import Told
from canut.quality.gold.values import Cause
from canut.quality.model import RIGHT_FROM

#: golds looked at in one transaction
GOLDS_PER_PASS = 200
#: newcomers: a contributor's first so many answers to gold of a step. Whoever has learned the work
#: is right more often than at first, and would look like a leak
NEWCOMER = 10


class Review(Struct):
    """What a review did."""

    looked_at: int = 0
    #: id of a gold -> why it was retired
    retired: dict[int, Cause] = {}


def review_gold(conn: SyncConn, now_ms: int) -> Review:
    """Look at every gold that has new answers, and retire what is no good any more. Each pass is a
    transaction; safe to repeat, and to run twice at once."""
    done = Review()
    while True:
        with conn.transaction():
            golds = store_gold.to_review(conn, GOLDS_PER_PASS)
            rows = store_gold.told(conn, [gold.id for gold in golds])
            bad = [one for id, told in _by_gold(rows) if (one := judge_one(id, told)) is not None]
            for id in retire_all(conn, bad, now_ms):
                done.retired[id] = next(cause for gold, cause, _ in bad if gold == id)
            store_gold.looked_at(conn, golds)
            # what an engine counted while its gold was being retired
            store_gold.uncount(conn)
        done.looked_at += len(golds)
        if len(golds) < GOLDS_PER_PASS:
            return done


def judge_one(gold_id: int, told: Sequence[Told]) -> tuple[int, Cause, str] | None:
    """(id, cause, reason) where the answers to this gold, in their order, speak against it."""
    right = [one.agreement >= RIGHT_FROM for one in told]
    elsewhere, judged = [one.elsewhere for one in told], [one.judged for one in told]
    said = disputed(right, elsewhere, judged)
    if said.disputed:
        return gold_id, "disputed", _disputed(said)
    new = [place for place, one in enumerate(told) if one.nth <= NEWCOMER]
    skills = skill([elsewhere[i] for i in new], [judged[i] for i in new])
    found = leak([right[i] for i in new], skills)
    if found is not None and found.leaked:
        return gold_id, "leaked", _leaked(found)
    return None


def _by_gold(rows: Sequence[Told]) -> list[tuple[int, list[Told]]]:
    return [(id, list(told)) for id, told in groupby(rows, lambda one: one.gold_id)]


def _disputed(said: Dispute) -> str:
    message = f"Of {said.good} good contributors, {said.agreed} agreed with it."
    return message


def _leaked(found: Leak) -> str:
    message = (
        f"Newcomers' right answers rose from {found.before:.0%} to {found.after:.0%}, where their "
        f"skill predicts {found.expected:.0%}."
    )
    return message
