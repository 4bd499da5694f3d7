"""Search across everything, as far as whoever asks may see it.

Names are found by the beginnings of their words, whatever their case and accents; items by the
beginning of their key, exactly as the client wrote it; anything by its number.
"""

from typing import Literal, get_args

from msgspec import Struct

from canut.db.pool import Pool
from canut.insight import store_finding as store
from canut.insight.store_finding import Found
from canut.people.model import Principal
from canut.people.store import audit

Kind = Literal["batches", "items", "contributors", "clients", "processes", "accounts", "log"]
KINDS: tuple[Kind, ...] = get_args(Kind)
#: what a client's people may look for: their own
FOR_CLIENTS: tuple[Kind, ...] = ("batches", "items", "processes")
#: shown of each kind at first, and on a page of one kind
FIRST, PAGE = 5, 50
QUERY_MAX = 200


class Results(Struct, frozen=True):
    """What was found of one kind."""

    kind: Kind
    found: list[Found]
    #: where the next page begins; empty: there is none
    next: str


async def look_for(
    pool: Pool, who: Principal, query: str, kind: Kind | None = None, after: str = ""
) -> list[Results]:
    """What was found, by kind; the first few of each, or a page of one `kind` from `after` on.

    Items are clients' own data: when an operator finds any, the audit log keeps what they looked
    for.
    """
    query = query.replace("\0", "")[:QUERY_MAX].strip()
    may = KINDS if "operator" in who.roles else FOR_CLIENTS
    kinds = [one for one in may if kind in (None, one)] if query else []
    size = PAGE if kind else FIRST
    made = []
    async with pool.connection() as conn:
        for one in kinds:
            asking = store.Asking(query, who.clients, after, size + 1)
            found = await store.find(conn, one, asking)
            more = found[size - 1].place if len(found) > size else ""
            made.append(Results(one, found[:size], more))
            if one == "items" and found and "operator" in who.roles:
                detail = {"query": query, "shown": len(found[:size])}
                await audit(conn, who, "search.items", "search", "", detail)
    return made
