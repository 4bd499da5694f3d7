"""Search across everything that whoever asks may see."""

from typing import Any, get_args
from urllib.parse import quote, urlencode

from litestar import Response, get
from litestar.params import FromQuery

from canut.insight.finding import QUERY_MAX, Kind, look_for
from canut.insight.store_finding import Found
from canut.web.auth import WebRequest, principal, requires
from canut.web.i18n import N_
from canut.web.pages.view import pool, show

#: kind -> what it is called
NAMES: dict[str, str] = {
    "batches": N_("Batches"),
    "items": N_("Items"),
    "contributors": N_("Contributors"),
    "clients": N_("Clients"),
    "processes": N_("Processes"),
    "accounts": N_("Accounts"),
    "log": N_("Audit log"),
}
TAGS: dict[str, str] = {
    "simulated": N_("simulated"),
    "agent": N_("agent"),
    "closed": N_("closed"),
    "operator": N_("operator"),
    "steward": N_("steward"),
}


@get("/search", opt=requires("client", "operator"), include_in_schema=False)
async def find(
    request: WebRequest,
    q: FromQuery[str] = "",
    kind: FromQuery[str] = "",
    after: FromQuery[str] = "",
) -> Response[str]:
    """The first few of each kind, or a page of one."""
    who = principal(request)
    chosen: Kind | None = kind if kind in get_args(Kind) else None  # type: ignore[assignment]
    found = await look_for(pool(request), who, q, chosen, after if chosen else "")
    operator = "operator" in who.roles
    values: dict[str, Any] = {
        "query": q[:QUERY_MAX],
        "chosen": chosen,
        "after": after if chosen else "",
        "found": [one for one in found if one.found],
        "address": lambda kind, one: _address(kind, one, operator=operator),
        "names": NAMES,
        "tags": TAGS,
        "here_of": lambda kind, after="": (
            "/search?" + urlencode({"q": q, "kind": kind, **({"after": after} if after else {})})
        ),
        "operator": operator,
    }
    return show(request, "search.html", **values)


def _address(kind: str, one: Found, *, operator: bool) -> str:
    """Where it is shown."""
    if kind == "items":
        return f"/batches/{one.batch_id}/items?{urlencode({'key': one.name})}"
    if kind == "batches":
        return f"/operator/batches/{one.id}" if operator else f"/batches/{one.id}"
    if kind == "contributors":
        return f"/operator/contributors/{one.id}"
    if kind == "processes":
        return f"/operator/quality#process-{one.id}" if operator else f"/processes/{one.id}"
    if kind == "accounts":
        return f"/operator/audit?account={one.id}"
    if kind == "log":
        return f"/operator/audit?subject={quote(one.name)}&of={quote(one.more)}"
    return f"/operator/audit?subject=client&of={one.id}"


ROUTES: list[Any] = [find]
