"""The SQL of invoices and of what they bill."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from psycopg.types.json import Jsonb

from canut.db.pool import SyncConn
from canut.db.rows import all_of, first_of
from canut.pay.money.model import Invoice, Part

CLIENT = "select slug, name from client where id = %s"

SET_BILLING = """
insert into client_billing (client_id, name, address, vat_id, vat, locale, changed_ms)
values (%(client)s, %(name)s, %(address)s, %(vat_id)s, %(vat)s, %(locale)s, %(now)s)
on conflict (client_id) do update set name = excluded.name, address = excluded.address,
    vat_id = excluded.vat_id, vat = excluded.vat, locale = excluded.locale,
    changed_ms = excluded.changed_ms"""

BILLING = "select name, address, vat_id, vat, locale from client_billing where client_id = %s"

# one who issues at a time: numbers have no gap, and nothing is billed twice
NEXT = """
insert into invoice_series (series, last) values (%s, 1)
on conflict (series) do update set last = invoice_series.last + 1
returning last"""

# what batches of a client have cost until a date, less what was billed before, by kind of cost:
# whatever is dated late, reversed or dismissed is in the next difference
COSTS = """
with purse as (
    select a.id, a.owner_id as batch_id from ledger_account a
    join batch b on b.id = a.owner_id and b.client_id = %(client)s
    where a.kind in ('batch_escrow', 'topup_reserve') and a.currency = %(currency)s
), cost as (
    select p.batch_id, t.kind, t.amount from purse p
    join ledger_transfer t on t.debit_account = p.id
    where t.mode in ('posted', 'post') and t.at_ms < %(until)s
      and t.kind not in ('fund', 'release')
    union all
    select p.batch_id, t.kind, -t.amount from purse p
    join ledger_transfer t on t.credit_account = p.id
    where t.mode in ('posted', 'post') and t.at_ms < %(until)s
      and t.kind not in ('fund', 'release')
), part as (
    select batch_id, case kind when 'topup' then 'topup' when 'contribution' then 'social'
                               when 'ai' then 'ai' when 'fee' then 'fee' else 'pay' end as part,
           amount
    from cost
    union all
    select l.batch_id, l.part, case i.kind when 'invoice' then -l.net else l.net end
    from invoice i join invoice_line l on l.invoice_id = i.id
    where i.client_id = %(client)s and i.currency = %(currency)s
)
select p.batch_id, b.name as batch_name, p.part, sum(p.amount)::bigint as net
from part p join batch b on b.id = p.batch_id
group by p.batch_id, b.name, p.part having sum(p.amount) <> 0
order by p.batch_id, array_position(array['pay', 'topup', 'social', 'ai', 'fee'], p.part)"""

# the last invoice of the client that no credit note has taken back
LAST = """
select i.id, i.number, i.issued_ms from invoice i
where i.client_id = %s and i.currency = %s and i.kind = 'invoice'
  and not exists (select from invoice c where c.of_invoice = i.id and c.why <> '')
order by i.id desc limit 1"""

ADD = """
insert into invoice (number, series, position, kind, client_id, of_invoice, currency, until_ms,
    issued_ms, net, vat, prepaid, papers, why, xml, pdf, account_id)
values (%(number)s, %(series)s, %(position)s, %(kind)s, %(client)s, %(of)s, %(currency)s,
    %(until)s, %(issued)s, %(net)s, %(vat)s, %(prepaid)s, %(papers)s, %(why)s, %(xml)s, %(pdf)s,
    %(account)s)
returning id"""

ADD_LINES = """
insert into invoice_line (invoice_id, place, batch_id, batch_name, part, net)
select %(invoice)s, u.place, u.batch_id, u.batch_name, u.part, u.net
from unnest(%(batches)s::bigint[], %(names)s::text[], %(parts)s::text[], %(nets)s::bigint[])
    with ordinality as u (batch_id, batch_name, part, net, place)"""

LINES = """
select batch_id, batch_name, part, net from invoice_line where invoice_id = %s order by place"""

TAKEN = """
insert into invoice_vat (invoice_id, transfer_id, taken_ms) values (%s, %s, %s)
on conflict (invoice_id) do nothing"""
IS_TAKEN = "select exists (select from invoice_vat where invoice_id = %s)"

# a credit note that corrects by hand says why, and takes its invoice back whole
_INVOICE = """
select i.id, i.number, i.kind, i.client_id, i.of_invoice, i.currency, i.until_ms, i.issued_ms,
       i.net, i.vat, i.prepaid, i.why,
       i.kind = 'invoice' and exists (select from invoice c
           where c.of_invoice = i.id and c.why <> '') as cancelled,
       case when i.kind = 'invoice' and i.vat > 0
                 and not exists (select from invoice_vat v where v.invoice_id = i.id)
                 and not exists (select from invoice c where c.of_invoice = i.id and c.why <> '')
            then i.vat else 0 end as due
from invoice i
"""
ONE = _INVOICE + "where i.id = %s"
OF_CLIENTS = (
    _INVOICE
    + """where (%(clients)s::bigint[] is null or i.client_id = any (%(clients)s))
  and (%(client)s::bigint is null or i.client_id = %(client)s)
  and (%(before)s::bigint is null or i.id < %(before)s)
order by i.id desc limit %(limit)s"""
)
UNPAID = (
    _INVOICE  # noqa: S608 - two texts of ours
    + """where i.kind = 'invoice' and i.vat > 0
  and not exists (select from invoice_vat v where v.invoice_id = i.id)
  and not exists (select from invoice c where c.of_invoice = i.id and c.why <> '')
order by i.id limit %s"""
)
# its tax is taken once, and not when it is cancelled meanwhile
LOCK_INVOICE = "select id from invoice where id = %s for update"
NUMBER = "select id from invoice where number = %s"
FILES = "select number, pdf, xml from invoice where id = %s"
PAPERS = "select papers from invoice where id = %s"


class Cost(Struct, frozen=True):
    """What a batch has cost and was not billed."""

    batch_id: int
    batch_name: str
    part: Part
    net: int


class Files(Struct, frozen=True):
    """What was sent."""

    number: str
    pdf: bytes
    xml: bytes


class BillingRow(Struct, frozen=True):
    """Whom to bill, as the table has it."""

    name: str
    address: dict[str, Any]
    vat_id: str
    vat: dict[str, Any] | None
    locale: str


def client(conn: SyncConn, client_id: int) -> tuple[str, str] | None:
    """Slug and name."""
    row = conn.execute(CLIENT, [client_id]).fetchone()
    return None if row is None else (row[0], row[1])


def set_billing(conn: SyncConn, values: dict[str, Any]) -> None:
    vat = values["vat"]
    conn.execute(
        SET_BILLING,
        values | {"address": Jsonb(values["address"]), "vat": None if vat is None else Jsonb(vat)},
    )


def billing(conn: SyncConn, client_id: int) -> BillingRow | None:
    return first_of(conn, BillingRow, BILLING, [client_id])


def next_position(conn: SyncConn, series: str) -> int:
    row = conn.execute(NEXT, [series]).fetchone()
    assert row is not None
    return int(row[0])


def costs(conn: SyncConn, client_id: int, currency: str, until_ms: int) -> list[Cost]:
    values = {"client": client_id, "currency": currency, "until": until_ms}
    return all_of(conn, Cost, COSTS, values)


def last_invoice(conn: SyncConn, client_id: int, currency: str) -> tuple[int, str, int] | None:
    """Id, number and moment."""
    row = conn.execute(LAST, [client_id, currency]).fetchone()
    return None if row is None else (row[0], row[1], row[2])


def add(conn: SyncConn, values: dict[str, Any], lines: Sequence[tuple[int, str, str, int]]) -> int:
    row = conn.execute(ADD, values | {"papers": Jsonb(values["papers"])}).fetchone()
    assert row is not None
    columns = list(zip(*lines, strict=True)) or [()] * 4
    names = ("batches", "names", "parts", "nets")
    told = {name: list(column) for name, column in zip(names, columns, strict=True)}
    conn.execute(ADD_LINES, told | {"invoice": row[0]})
    return int(row[0])


def lines(conn: SyncConn, invoice_id: int) -> list[Cost]:
    return all_of(conn, Cost, LINES, [invoice_id])


def taken(conn: SyncConn, invoice_id: int, transfer_id: int, now_ms: int) -> None:
    conn.execute(TAKEN, [invoice_id, transfer_id, now_ms])


def is_taken(conn: SyncConn, invoice_id: int) -> bool:
    row = conn.execute(IS_TAKEN, [invoice_id]).fetchone()
    return bool(row and row[0])


def invoice(conn: SyncConn, invoice_id: int) -> Invoice | None:
    return first_of(conn, Invoice, ONE, [invoice_id])


def invoices(conn: SyncConn, values: dict[str, Any]) -> list[Invoice]:
    return all_of(conn, Invoice, OF_CLIENTS, values)


def lock_invoice(conn: SyncConn, invoice_id: int) -> None:
    conn.execute(LOCK_INVOICE, [invoice_id])


def unpaid(conn: SyncConn, limit: int) -> list[Invoice]:
    return all_of(conn, Invoice, UNPAID, [limit])


def id_of(conn: SyncConn, number: str) -> int | None:
    row = conn.execute(NUMBER, [number]).fetchone()
    return None if row is None else row[0]


def files(conn: SyncConn, invoice_id: int) -> Files | None:
    return first_of(conn, Files, FILES, [invoice_id])


def papers(conn: SyncConn, invoice_id: int) -> dict[str, Any]:
    row = conn.execute(PAPERS, [invoice_id]).fetchone()
    assert row is not None
    found: dict[str, Any] = row[0]
    return found
