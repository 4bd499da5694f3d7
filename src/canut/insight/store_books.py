"""The SQL of what stewards read."""

from collections.abc import Sequence

from canut.db.pool import SyncConn
from canut.db.rows import all_of, first_of
from canut.insight.books_model import Evidence, StepPrice, Sum, Titles

# how many are not decided, up to a number
REVIEWS = """
select count(*) from (select from time_review where decided_ms is null limit %s) r"""

HOURS = """
select count(*) from (select from paid_hours where decided_ms is null limit %s) h"""

SUMS = """
select kind, currency, sum(credits - debits)::bigint as posted,
       sum(debits_pending)::bigint as held
from ledger_account group by kind, currency order by currency, kind"""

# whose accounts these are, by name
OWNERS = """
select a.id, coalesce(c.name, b.name, w.name)
from ledger_account a
left join client c on a.kind = 'client_deposit' and c.id = a.owner_id
left join batch b on a.kind in ('batch_escrow', 'topup_reserve') and b.id = a.owner_id
left join contributor w on a.kind in ('contributor_payable', 'disputed', 'member_capital')
    and w.id = a.owner_id
where a.id = any (%s) and a.owner_id > 0"""

NAMES = "select id, name from contributor where id = any (%s)"

# the task of a statement: for how long it was theirs, and when they were seen at work
EVIDENCE = """
select r.id as review_id, c.name as contributor, b.id as batch_id, b.name as batch,
       s.process_id, s.slug, coalesce(w.claimed_ms, g.claimed_ms) as claimed_ms,
       coalesce(w.ended_ms, g.ended_ms) as ended_ms,
       coalesce(w.answered, g.state = 'submitted') as answered,
       array(select array[lower(i), upper(i)] from unnest(w.intervals) i) as seen,
       a.name as decider
from time_review r
join contributor c on c.id = r.contributor_id
join batch_step s on s.id = r.batch_step_id
join batch b on b.id = s.batch_id
left join assignment g on g.task_id = r.task_id and g.contributor_id = r.contributor_id
left join work_time w on w.task_id = r.task_id and w.contributor_id = r.contributor_id
left join account a on a.id = r.account_id
where r.id = any (%s)"""

# the steps of the newest version of each process, the library's first
_STEP = """
select p.id as process_id, p.slug as process_slug, s.slug,
       coalesce(v.definition -> 'title', to_jsonb(p.slug)) as process,
       coalesce(s.definition -> 'title', to_jsonb(s.slug)) as title, c.name as client
from process p
left join client c on c.id = p.client_id
join lateral (
    select v.id, v.definition from process_version v
    where v.process_id = p.id order by v.adapted, v.number desc limit 1
) v on true
join step s on s.process_version_id = v.id
"""
STEPS = _STEP + "order by c.name nulls first, p.slug, s.position limit %s"
STEP = _STEP + "where p.id = %s and s.slug = %s"

TITLES = (
    _STEP + "where (p.id, s.slug) in (select * from unnest(%s::bigint[], %s::text[]))"  # noqa: S608 - statements of ours
)


def open_reviews(conn: SyncConn, most: int) -> int:
    row = conn.execute(REVIEWS, [most]).fetchone()
    return int(row[0]) if row else 0


def open_hours(conn: SyncConn, most: int) -> int:
    row = conn.execute(HOURS, [most]).fetchone()
    return int(row[0]) if row else 0


def sums(conn: SyncConn) -> list[Sum]:
    return all_of(conn, Sum, SUMS)


def owners(conn: SyncConn, accounts: Sequence[int]) -> dict[int, str]:
    """Account -> name of whom it is of."""
    return {id_: name or "" for id_, name in conn.execute(OWNERS, [list(accounts)])}


def names(conn: SyncConn, contributors: Sequence[int]) -> dict[int, str]:
    """Contributor -> name."""
    return dict(conn.execute(NAMES, [list(contributors)]).fetchall())


def evidence(conn: SyncConn, reviews: Sequence[int]) -> dict[int, Evidence]:
    """By review."""
    return {one.review_id: one for one in all_of(conn, Evidence, EVIDENCE, [list(reviews)])}


def steps(conn: SyncConn, most: int) -> list[StepPrice]:
    return all_of(conn, StepPrice, STEPS, [most])


def step(conn: SyncConn, process_id: int, slug: str) -> StepPrice | None:
    return first_of(conn, StepPrice, STEP, [process_id, slug])


def titles(conn: SyncConn, places: Sequence[tuple[int, str]]) -> Titles:
    """What processes and their steps are called."""
    given = [[place[0] for place in places], [place[1] for place in places]]
    found = all_of(conn, StepPrice, TITLES, given)
    return {(one.process_id, one.slug): (one.process, one.title) for one in found}
