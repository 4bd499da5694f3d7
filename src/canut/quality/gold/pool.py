"""The pool of gold: what enters it, who may see it, how it is retired.

Gold is a secret of those who hand work over and of operators: whoever answers tasks never sees it,
not even as an operator, or they could not be measured by it.
"""

from collections.abc import Sequence
from typing import Any

from canut.db.pool import SyncConn
from canut.errors import Conflict, Forbidden, Invalid, NotFound, Problem
from canut.people.model import Principal
from canut.people.store.log import audit_sync
from canut.processes import store as processes
from canut.processes.examples import GoldItem
from canut.processes.library import load_shipped
from canut.processes.load import Loaded
from canut.processes.shipped import unpublished
from canut.processes.store import ProcessVersion, publish
from canut.processes.store_shipped import mark
from canut.quality.exams.correction import correct_exams
from canut.quality.gold import store as store_gold
from canut.quality.gold import store_pool as store_gold_pool
from canut.quality.gold.store_pool import Place
from canut.quality.gold.values import Cause, Gold, GoldStep, Imported, NewGold, PoolSize, Proposal
from canut.quality.model import RIGHT_FROM

#: characters of a reason
REASON_MAX = 500
NEWEST = 2**63 - 1


def publish_loaded(
    conn: SyncConn, client_id: int | None, loaded: Loaded, now_ms: int
) -> ProcessVersion:
    """The version with this content, and the gold of its folder in the pool. The same folder again
    changes nothing; gold that is no more in the folder, or was edited, is retired."""
    version = publish(conn, client_id, loaded.definition, now_ms)
    with conn.transaction():
        new = [gold for item in loaded.gold for gold in _of_item(item)]
        store_gold_pool.enter(conn, version.process_id, "process", new, now_ms)
        gone = store_gold_pool.dropped(conn, version.process_id, new)
        retire_all(conn, [(id, "edited", "") for id in gone], now_ms)
    return version


def publish_shipped(conn: SyncConn, now_ms: int) -> list[ProcessVersion]:
    """`publish_loaded` of the processes that come with Canut and are new to this database, for
    every client; may be called at every start, by several servers at once."""
    versions = []
    for slug, digest in unpublished(conn).items():
        with conn.transaction():
            versions.append(publish_loaded(conn, None, load_shipped(slug), now_ms))
            mark(conn, versions[-1].id, digest)
    return versions


def _of_item(item: GoldItem) -> list[NewGold]:
    return [
        NewGold(step, item.reference, item.payload, value) for step, value in item.answers.items()
    ]


def check_keeper(who: Principal) -> None:
    """Raises `Forbidden` for whoever answers tasks themselves."""
    if who.contributor_id is not None:
        raise Forbidden(
            "You answer tasks yourself, so gold is not shown to you.",
            mend="use an account that answers no tasks",
        )


def list_pools(conn: SyncConn, who: Principal) -> list[PoolSize]:
    """The steps whose gold this principal keeps: of their own processes, of all for operators."""
    check_keeper(who)
    return store_gold_pool.sizes(conn, who.clients)


def find_step(conn: SyncConn, who: Principal, place: Place) -> GoldStep:
    """A step whose gold this principal keeps. Raises `NotFound`, `Forbidden`."""
    check_keeper(who)
    found = store_gold_pool.step(conn, who.clients, place)
    if found is None:
        raise NotFound("There is no such step, or its gold is not yours to see.")
    return found


def find_place(conn: SyncConn, client_id: int | None, process: str, step: str) -> Place:
    """The place of a process by its slug, where work of `client_id` goes on (None: the shared
    library). Raises `NotFound`."""
    version = processes.find_place(conn, client_id, process)
    if version is None:
        raise NotFound(f"There is no process {process[:100]!r}.", mend="list the processes first")
    if version.definition.step(step) is None:
        steps = ", ".join(one.slug for one in version.definition.steps)
        raise NotFound(f"{process} has no step {step[:100]!r}.", mend=f"name one of: {steps}")
    return Place(version.process_id, step)


def list_gold(
    conn: SyncConn,
    step: GoldStep,
    *,
    state: str | None = None,
    before: int = NEWEST,
    limit: int = 50,
) -> list[Gold]:
    """Gold of a step, the newest first."""
    place = Place(step.process_id, step.slug)
    return store_gold_pool.golds(conn, place, RIGHT_FROM, before, limit, state)


def add_gold(
    conn: SyncConn, who: Principal, step: GoldStep, new: Sequence[NewGold], now_ms: int
) -> Imported:
    """Put gold into the pool of a step; of the same reference, the new replaces the old."""
    place = Place(step.process_id, step.slug)
    with conn.transaction():
        added = store_gold_pool.enter(conn, step.process_id, "operator", new, now_ms)
        old = store_gold_pool.replaced(conn, place, new)
        retire_all(conn, [(id, "edited", "") for id in old], now_ms)
        done = Imported(len(added), len(new) - len(added), len(old))
        detail = {"step": step.slug, "added": done.added, "replaced": done.replaced}
        audit_sync(
            conn, who, "import.gold", "process", step.process_id, detail, client_id=step.client_id
        )
    return done


def retire_gold(conn: SyncConn, who: Principal, gold_id: int, reason: str, now_ms: int) -> Gold:
    """Take gold out of use, for a reason that is kept. Raises `NotFound`, `Conflict` where it is
    retired already, `Invalid` without a reason."""
    check_keeper(who)
    gold = store_gold_pool.one(conn, gold_id, RIGHT_FROM)
    if gold is None:
        raise NotFound("There is no such gold, or it is not yours to see.")
    step = find_step(conn, who, Place(gold.process_id, gold.step_slug))
    reason = reason.replace("\0", "\ufffd").strip()
    if not 0 < len(reason) <= REASON_MAX:
        message = f"A reason has 1 to {REASON_MAX} characters."
        raise Invalid(message, problems=[Problem(message, "say why", field="reason")])
    with conn.transaction():
        if not retire_all(conn, [(gold_id, "person", reason)], now_ms):
            raise Conflict("This gold is retired already.")
        detail = {"step": gold.step_slug, "reason": reason}
        audit_sync(conn, who, "retire.gold", "gold", gold_id, detail, client_id=step.client_id)
    retired = store_gold_pool.one(conn, gold_id, RIGHT_FROM)
    assert retired is not None
    return retired


def retire_all(conn: SyncConn, golds: Sequence[tuple[int, Cause, str]], now_ms: int) -> list[int]:
    """Retire these (id, cause, reason): from now on they count for nobody, neither for nor
    against, and exams that they decided against somebody are judged again. The ids of those that
    were active."""
    if not golds:
        return []
    ids, causes, reasons = zip(*golds, strict=True)
    retired = store_gold_pool.retire(conn, ids, causes, reasons, now_ms)
    if retired:
        store_gold.uncount(conn)
        correct_exams(conn, retired, now_ms)
    return retired


def list_proposals(conn: SyncConn, step: GoldStep) -> list[Proposal]:
    """Items that an expert and contributors agreed on; a person says which become gold."""
    return store_gold_pool.proposals(conn, Place(step.process_id, step.slug))


def accept_proposal(
    conn: SyncConn, who: Principal, step: GoldStep, task_id: int, now_ms: int
) -> None:
    """Make it gold: only what contributors may see of the item is kept, and nobody who had the
    item gets it again. Raises `NotFound`."""
    [proposal] = _proposal(conn, step, task_id)
    seen = {
        field.name: proposal.payload[field.name]
        for field in step.item.fields
        if field.show and not field.personal and field.name in proposal.payload
    }
    with conn.transaction():
        new = NewGold(step.slug, "", seen, proposal.value, task_id)
        made = store_gold_pool.enter(conn, step.process_id, "expert", [new], now_ms)
        if not made:
            # the same item with the same answer is gold already
            store_gold_pool.decline(conn, task_id, now_ms)
        for gold_id in made:
            store_gold_pool.known(conn, gold_id, task_id, now_ms)
        _note(conn, who, "accept.gold", step, task_id)


def decline_proposal(
    conn: SyncConn, who: Principal, step: GoldStep, task_id: int, now_ms: int
) -> None:
    """Propose it no more. Raises `NotFound`."""
    _proposal(conn, step, task_id)
    with conn.transaction():
        store_gold_pool.decline(conn, task_id, now_ms)
        _note(conn, who, "decline.gold", step, task_id)


def _proposal(conn: SyncConn, step: GoldStep, task_id: int) -> list[Proposal]:
    place = Place(step.process_id, step.slug)
    found = store_gold_pool.proposals(conn, place, 1, task_id)
    if not found:
        raise NotFound("This item is not proposed any more.")
    return found


def _note(conn: SyncConn, who: Principal, action: str, step: GoldStep, task_id: int) -> None:
    detail: dict[str, Any] = {"step": step.slug, "task": task_id}
    audit_sync(conn, who, action, "process", step.process_id, detail, client_id=step.client_id)


def _clients(who: Principal) -> list[int] | None:
    return None if "operator" in who.roles or "operate" in who.scopes else list(who.client_ids)
