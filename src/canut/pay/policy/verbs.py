"""Deciding rules, and reading what holds."""

from canut.db.pool import SyncConn
from canut.errors import Invalid, NotFound
from canut.pay.policy import store
from canut.pay.policy.model import Policy, Rule, check_rule, in_force, is_jurisdiction
from canut.people.model import Principal
from canut.people.store.log import audit_sync


def policy_at(conn: SyncConn, at_ms: int) -> Policy:
    """The rules in force at a moment."""
    return in_force(store.rules(conn), at_ms)


def list_rules(conn: SyncConn) -> list[Rule]:
    """Every rule there was, is or will be, in the order of their days."""
    return store.rules(conn)


def decide_rule(
    conn: SyncConn,
    by: Principal,
    name: str,
    value: int,
    now_ms: int,
    *,
    jurisdiction: str = "",
    currency: str = "",
    from_ms: int | None = None,
    resolution: str | None = None,
) -> int:
    """Let a rule hold from `from_ms` on (None: from now); its id. The rules before it stay what
    they were. `resolution` names what decided it. Raises `Invalid`."""
    begins = now_ms if from_ms is None else from_ms
    check_rule(name, value, jurisdiction, currency, begins, now_ms)
    values = {
        "name": name,
        "value": value,
        "jurisdiction": jurisdiction,
        "currency": currency,
        "from": begins,
        "resolution": resolution,
    }
    with conn.transaction():
        made = store.decide(conn, {**values, "by": by.account_id, "now": now_ms})
        audit_sync(conn, by, "decide.policy", "policy", made, values)
    return made


def set_jurisdiction(
    conn: SyncConn, by: Principal, contributor_id: int, jurisdiction: str | None
) -> None:
    """Whose rules a contributor's pay follows; None: those of home. Raises `Invalid`,
    `NotFound`."""
    if jurisdiction is not None and not is_jurisdiction(jurisdiction):
        raise Invalid(f"{jurisdiction!r} is no jurisdiction.", mend='write it as "FR" or "US-CA"')
    with conn.transaction():
        if not store.place(conn, contributor_id, jurisdiction):
            raise NotFound(f"There is no contributor {contributor_id}.")
        detail = {"jurisdiction": jurisdiction}
        audit_sync(conn, by, "place.contributor", "contributor", contributor_id, detail)
