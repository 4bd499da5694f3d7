"""The SQL of the search. Each kind is found by an index of its own, but for items: their keys are
in the index of their batch, so that an intake writes no other; it is asked batch by batch, the
newest first, until a page is full."""

from typing import Any

from msgspec import Struct

from canut.db.pool import Conn
from canut.insight.store_operations import rows

#: batches whose items are looked through, the newest
BATCHES_MAX = 20_000
#: below every key in bytes, and above every one that begins so
_LAST = "\U0010ffff"

_CLIENTS = "(%(clients)s::bigint[] is null or client_id = any (%(clients)s::bigint[]))"

BATCHES = f"""
select id, name, key as more, state as tag, id as batch_id, id::text as place
from batch
where (words_of(name || ' ' || key) @@ words_like(%(query)s) or id = %(number)s)
  and {_CLIENTS} and id < %(before)s
order by id desc limit %(limit)s"""  # noqa: S608 - conditions of ours, with parameters

ITEMS = f"""
select i.id, i.key as name, b.name as more, '' as tag, b.id as batch_id,
       b.id || ' ' || i.key as place
from (
    select id, name from batch
    where {_CLIENTS} and id <= %(batch)s order by id desc limit {BATCHES_MAX}
) b
cross join lateral (
    select id, key from item
    where batch_id = b.id and key >= %(query)s and key <= %(last)s
      and (b.id < %(batch)s or key > %(key)s)
    order by key limit %(limit)s
) i
order by b.id desc, i.key limit %(limit)s"""  # noqa: S608

CONTRIBUTORS = """
select c.id, c.name, coalesce(a.email, c.family, '') as more,
       case when c.simulated then 'simulated' when c.kind = 'agent' then 'agent'
            when c.state = 'paused' then 'paused' else '' end as tag,
       null::bigint as batch_id, c.id::text as place
from contributor c left join account a on a.id = c.account_id
where c.id in (
    select id from contributor where words_of(name) @@ words_like(%(query)s)
    union select id from contributor where id = %(number)s
    union select o.id from account w join contributor o on o.account_id = w.id
    where words_of(w.name || ' ' || w.email) @@ words_like(%(query)s))
  and c.id < %(before)s
order by c.id desc limit %(limit)s"""

CLIENTS = """
select id, name, slug as more, '' as tag, null::bigint as batch_id, id::text as place
from client
where (words_of(name || ' ' || slug) @@ words_like(%(query)s) or id = %(number)s)
  and id < %(before)s
order by id desc limit %(limit)s"""

PROCESSES = f"""
select p.id, p.slug as name, coalesce(c.name, '') as more, '' as tag, null::bigint as batch_id,
       p.id::text as place
from process p left join client c on c.id = p.client_id
where words_of(p.slug) @@ words_like(%(query)s)
  and (p.client_id is null or {_CLIENTS}) and p.id < %(before)s
order by p.id desc limit %(limit)s"""  # noqa: S608

ACCOUNTS = """
select a.id, a.name, a.email as more,
       case when a.disabled_ms is not null then 'closed' else coalesce((
           select role from account_role r where r.account_id = a.id order by role limit 1), '')
       end as tag,
       null::bigint as batch_id, a.id::text as place
from account a
where (words_of(a.name || ' ' || a.email) @@ words_like(%(query)s) or a.id = %(number)s)
  and a.id < %(before)s
order by a.id desc limit %(limit)s"""

# what was changed, by its number, or by the kind of thing it is
LOG = """
select max(id) as id, subject as name, subject_id as more, '' as tag, null::bigint as batch_id,
       max(id)::text as place
from audit_log
where id in (
    (select id from audit_log where subject_id = %(query)s and id < %(before)s
     order by id desc limit 1000)
    union
    (select id from audit_log where subject = lower(%(query)s) and id < %(before)s
     order by subject_id desc, id desc limit 1000))
group by subject, subject_id order by max(id) desc limit %(limit)s"""

_SQL = {
    "batches": BATCHES,
    "items": ITEMS,
    "contributors": CONTRIBUTORS,
    "clients": CLIENTS,
    "processes": PROCESSES,
    "accounts": ACCOUNTS,
    "log": LOG,
}
_NEWEST = 2**63 - 1


class Asking(Struct, frozen=True):
    """What is looked for."""

    query: str
    #: of these clients; None: of all, for operators
    clients: list[int] | None
    #: `place` of the last one already shown; empty: from the first on
    after: str
    limit: int


class Found(Struct, frozen=True):
    """Something with a page."""

    id: int
    name: str
    #: what tells it from others of its name
    more: str
    tag: str
    batch_id: int | None
    #: where it stands in the order
    place: str


async def find(conn: Conn, kind: str, asking: Asking) -> list[Found]:
    """What was found of a kind, the newest first."""
    return await rows(conn, Found, _SQL[kind], _values(asking))


def _values(asking: Asking) -> dict[str, Any]:
    batch, _, key = asking.after.partition(" ")
    from_ = _number(batch) or _NEWEST
    return {
        "query": asking.query,
        "number": _number(asking.query) or -1,
        "clients": asking.clients,
        "before": from_,
        "batch": from_,
        # the empty key is below all others, and no key is empty
        "key": key,
        "last": asking.query + _LAST,
        "limit": asking.limit,
    }


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
