"""What people and agents' own keys do about licences, each with a reason and in the audit log.

No program ends a person's licence: an operator does, names a cause from a list and says why, and
the evidence they had before them is kept with it.
"""

from typing import Any

from canut.db.pool import SyncConn
from canut.errors import Conflict, Forbidden, Invalid, NotFound, Problem
from canut.people.model import Principal
from canut.people.store.log import audit_sync
from canut.quality.licences import licensing
from canut.quality.licences import store as store_licences
from canut.quality.licences import store_acts as store_licence_acts
from canut.quality.licences.licensing import SUPERSEDED
from canut.quality.model import Licence, LicencePlace

#: why an operator may end a licence. evidence: blind answers speak against it; asked: whoever holds
#: it asked; conduct: rules of the work were broken; mistake: it should not have been granted;
#: withdrawn: the agent is not to be used any more; other
CAUSES = ("evidence", "asked", "conduct", "mistake", "withdrawn", "other")
#: those that make sense for a person, and for an agent
CAUSES_OF = {
    "person": ("evidence", "asked", "conduct", "mistake", "other"),
    "agent": ("evidence", "withdrawn", "mistake", "other"),
}
#: characters of a reason, and of a basis
REASON_MAX = 500
BASIS_MAX = 200


def begin(
    conn: SyncConn, by: Principal, place: LicencePlace, basis: str, seed: str, now_ms: int
) -> Licence:
    """An agent begins to earn a licence: an operator says so, or its own key. `basis` names the
    agent's version; the same one again changes nothing. `seed`: see `licensing.begin_earning`.

    Raises `NotFound`, `Forbidden`, `Invalid`, `Conflict` for a person.
    """
    if not _operates(by) and by.contributor_id != place.contributor_id:
        raise Forbidden("Only the agent itself or an operator may do this.")
    if _kind(conn, place) != "agent":
        raise Conflict("People earn a licence by an exam.", mend="see the exams")
    basis = _text(basis, BASIS_MAX, "basis")
    before = {one.id for one in _open(conn, place)}
    with conn.transaction():
        licence = licensing.begin_earning(conn, place, basis, seed, now_ms)
        if licence.id not in before:
            _note(conn, by, "begin.licence", licence, {"basis": basis})
    return licence


def grant(conn: SyncConn, by: Principal, place: LicencePlace, reason: str, now_ms: int) -> Licence:
    """A person may work on a step, because an operator says so. Raises `NotFound`, `Forbidden`,
    `Invalid`, `Conflict` for an agent, and where a licence is in force."""
    _check_operator(by, place)
    if _kind(conn, place) != "person":
        raise Conflict("Agents earn their licence on blind answers.", mend="let it begin to earn")
    reason = _text(reason, REASON_MAX, "reason")
    with conn.transaction():
        licence = licensing.grant_person(conn, place, now_ms, {"granted": reason})
        _note(conn, by, "grant.licence", licence, {"reason": reason})
    return licence


def end(
    conn: SyncConn, by: Principal, licence_id: int, cause: str, reason: str, now_ms: int
) -> Licence:
    """End a licence, in force or being earned, for a cause and a reason that its holder reads.

    Raises `NotFound`, `Forbidden`, `Conflict` where it has ended, `Invalid`.
    """
    with conn.transaction():
        licence, place = _held(conn, by, licence_id)
        evidence = licence.standing or {}
        _check_cause(cause, _kind(conn, place), evidence)
        reason = _text(reason, REASON_MAX, "reason")
        store_licences.end(conn, place, now_ms, reason, by.account_id)
        detail = {"cause": cause, "reason": reason, "evidence": evidence}
        _note(conn, by, "end.licence", licence, detail)
    ended = store_licences.locked(conn, licence_id)
    assert ended is not None
    return ended


def keep(conn: SyncConn, by: Principal, licence_id: int, reason: str, now_ms: int) -> Licence:
    """A person looked at what speaks against a flagged licence, and keeps it. A new version begins
    without evidence against it, and without a flag. Raises as `end`."""
    with conn.transaction():
        licence, place = _held(conn, by, licence_id)
        if licence.flagged_ms is None:
            raise Conflict("Nothing speaks against this licence.")
        reason = _text(reason, REASON_MAX, "reason")
        store_licences.end(conn, place, now_ms, SUPERSEDED, by.account_id)
        values = {
            "state": "in_force",
            "granted": now_ms,
            "error_max": licence.error_max,
            "delta": licence.delta,
            "finding": licence.finding,
        }
        new = store_licences.locked(conn, store_licences.begin(conn, place, now_ms, values))
        assert new is not None
        detail = {"reason": reason, "evidence": licence.standing, "of": licence.id}
        _note(conn, by, "keep.licence", new, detail)
    return new


def _held(conn: SyncConn, by: Principal, licence_id: int) -> tuple[Licence, LicencePlace]:
    if not _operates(by):
        raise Forbidden("Only operators may do this.")
    licence = store_licences.locked(conn, licence_id)
    if licence is None:
        raise NotFound("There is no such licence.")
    place = LicencePlace(licence.contributor_id, licence.process_id, licence.step_slug)
    _check_operator(by, place)
    if licence.state == "ended":
        raise Conflict("This licence has ended already.")
    return licence, place


def _check_operator(by: Principal, place: LicencePlace) -> None:
    if not _operates(by):
        raise Forbidden("Only operators may do this.")
    if by.contributor_id == place.contributor_id:
        raise Forbidden("It is your own licence.", mend="ask another operator")


def _operates(by: Principal) -> bool:
    return "operate" in by.scopes


def _check_cause(cause: str, kind: str, evidence: dict[str, Any]) -> None:
    known = CAUSES_OF[kind]
    if cause not in known:
        message = "Choose why it ends."
        raise Invalid(message, problems=[Problem(message, ", ".join(known), field="cause")])
    if cause == "evidence" and not evidence.get("wrong"):
        message = "No blind answer speaks against this licence."
        raise Invalid(message, problems=[Problem(message, "name another cause", field="cause")])


def _kind(conn: SyncConn, place: LicencePlace) -> str:
    kind = store_licence_acts.kind(conn, place.contributor_id)
    if kind is None:
        raise NotFound("There is no such contributor.")
    if not store_licence_acts.has_step(conn, place.process_id, place.step_slug):
        raise NotFound("There is no such step.")
    return kind


def _open(conn: SyncConn, place: LicencePlace) -> list[Licence]:
    contributors = [place.contributor_id]
    return store_licences.open_of_agents(conn, place.process_id, place.step_slug, contributors)


def _text(text: str, length_max: int, field: str) -> str:
    text = text.replace("\0", "\ufffd").strip()
    if not 0 < len(text) <= length_max:
        message = f"Say it in 1 to {length_max} characters."
        raise Invalid(message, problems=[Problem(message, field=field)])
    return text


def _note(
    conn: SyncConn, by: Principal, action: str, licence: Licence, detail: dict[str, Any]
) -> None:
    about = {
        "contributor": licence.contributor_id,
        "process": licence.process_id,
        "step": licence.step_slug,
        "version": licence.version,
    }
    audit_sync(conn, by, action, "licence", licence.id, about | detail)
