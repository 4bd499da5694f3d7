"""The calls of licences and agents; see `canut.sdk.calls`."""

from collections.abc import Iterable

from canut.sdk import values as v
from canut.sdk.call import Call, get, post


def mine() -> Call[v.MyLicences]:
    """Your licences, what they rest on, and what is missing."""
    return get("me/licences", v.MyLicences)


def licences(
    process: str,
    step: str,
    *,
    client: int | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Call[v.Page[v.Licence]]:
    """Every version of every licence at a step, the newest first (operators)."""
    query = {"process": process, "step": step, "client": client, "limit": limit, "cursor": cursor}
    return get("licences", v.Page[v.Licence], query)


def begin(
    process_id: int, step: str, basis: str, *, contributor: int | None = None
) -> Call[v.Licence]:
    """An agent begins to earn a licence for the version of it that `basis` names; again, it is the
    one that it earns."""
    body = v.BeginLicence(process_id, step, basis, contributor)
    return post("licences/begin", v.Licence, body)


def grant(contributor: int, process_id: int, step: str, reason: str) -> Call[v.Licence]:
    """Let a person work on a step, for a reason (operators)."""
    body = v.GrantLicence(contributor, process_id, step, reason)
    return post("licences/grant", v.Licence, body, repeatable=False)


def end(licence: int, cause: v.Cause, reason: str) -> Call[v.Licence]:
    """End a licence, for a cause and a reason that its holder reads (operators)."""
    body = v.EndLicence(cause, reason)
    return post(f"licences/{licence}/end", v.Licence, body)


def keep(licence: int, reason: str) -> Call[v.Licence]:
    """Keep a flagged licence, for a reason (operators); the new version of it."""
    body = v.KeepLicence(reason)
    return post(f"licences/{licence}/keep", v.Licence, body)


def create_agent(
    name: str, *, family: str | None = None, skills: Iterable[str] = ()
) -> Call[v.ContributorCreated]:
    """Make an AI agent with its key (operators). Agents of one family are one voice."""
    body = v.NewAgent(name, family, list(skills))
    reply = v.ContributorCreated
    return post("agents", reply, body, repeatable=False)


def set_family(contributor: int, family: str | None) -> Call[v.Contributor]:
    """Say which family an agent is of; None: of none (operators)."""
    body = v.ChangeContributor(family)
    path = f"contributors/{contributor}"
    return Call(method="PATCH", path=path, body=body, reply=v.Contributor)
