"""The SQL of words: blocks of items that follow each other, and the words that are in each."""

from typing import Any

from psycopg import Connection

Conn = Connection[Any]

#: items of a block
BLOCK = 256

# a batch with items that are in no block yet; another engine takes another batch
UNWOVEN = """
select id from batch where n_items - n_woven >= 256 order by id limit 1 for update skip locked"""

# the next full blocks of a batch. Words are cut at 60 letters; a block with more of them than one
# row takes is marked as one that may have any.
WEAVE = """
with fresh as (
    select id, item_text(payload) as says, (row_number() over (order by id) - 1) / 256 as place
    from (
        select id, payload from item
        where batch_id = %(batch)s and id > coalesce((
            select max(last_item) from item_block where batch_id = %(batch)s), 0)
        order by id limit 256 * %(blocks)s
    ) i
), block as (
    select min(id) as first_item, max(id) as last_item, string_agg(says, ' ') as says
    from fresh group by place having count(*) = 256
), woven as (
    insert into item_block (batch_id, first_item, last_item, words)
    select %(batch)s, first_item, last_item, array_to_tsvector(
        case when w.bytes < 900000 then w.words else array[%(batch)s || '/*'] end)
    from block, lateral (
        select array_agg(one) as words, coalesce(sum(octet_length(one) + 4), 1000000) as bytes
        from (select distinct %(batch)s || '/' || word as one from item_words(says) word) d
    ) w
    returning 1
)
select count(*) from woven"""
WOVEN = "update batch set n_woven = n_woven + %s where id = %s"
# what cannot be woven because its items are elsewhere than they were counted is not tried again
SETTLED = "update batch set n_woven = n_items where id = %s"


def unwoven(conn: Conn) -> int | None:
    """A batch that has items without a block, locked."""
    row = conn.execute(UNWOVEN).fetchone()
    return row[0] if row else None


def weave(conn: Conn, batch_id: int, blocks: int) -> int:
    """Make up to so many blocks of a batch; how many there were to make."""
    row = conn.execute(WEAVE, {"batch": batch_id, "blocks": blocks}).fetchone()
    made = int(row[0]) if row else 0
    if made:
        conn.execute(WOVEN, [made * BLOCK, batch_id])
    else:
        conn.execute(SETTLED, [batch_id])
    return made
