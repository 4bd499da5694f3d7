"""People to pay out, for tests: a co-op with a bank, keepers, contributors with money."""

import psycopg

from canut.db.check_money import MONEY
from canut.pay.identity import Address, Coop
from canut.pay.ledger import first_fault, post
from canut.pay.payouts.asking import request_payout, set_account
from canut.pay.payouts.model import BankAccount, Destination
from canut.pay.payouts.runs import approve_run, assemble_run
from canut.pay.payouts.vault import Vault
from canut.people.model import Principal
from tests import factories as make
from tests.pay.books import Books, books, move

NOW = 1_795_000_000_000
IBAN = "FR7630006000011234567890189"
OTHER_IBAN = "DE89370400440532013000"
COOP = Coop(
    "Coopérative Belvoie",
    Address("Lyon", "FR", "rue des Tables", "4 bis", "69004"),
    "BE68539007547034",
    bic="GKCCBEBB",
)
VAULT = Vault([b"k" * 32])


def person(conn: psycopg.Connection, contributor: int | None = None, *roles: str) -> Principal:
    """Somebody with an account; a contributor, a keeper, or both."""
    account = make.one(
        conn,
        """insert into account (email, name, password_hash, created_ms)
        values ('p' || (select count(*) from account) || '@canut.example', 'Person', '', 0)
        returning id""",
    )
    if contributor is not None:
        conn.execute("update contributor set account_id = %s where id = %s", [account, contributor])
    for role in sorted({*roles} & {"operator", "steward"}):
        conn.execute("insert into account_role values (%s, %s, 0)", [account, role])
    return Principal(account_id=account, contributor_id=contributor, roles=frozenset(roles))


def sound(conn: psycopg.Connection) -> bool:
    """Whether the books hold, and payouts, invoices and payments fit them."""
    broken = [rule for rule, query in MONEY.items() if conn.execute(query).fetchone()]
    assert broken == []
    return first_fault(conn) is None


def bank_account(holder: str = "Ada Łęcka", iban: str = IBAN) -> Destination:
    """With an address in parts."""
    return BankAccount(holder, iban, Address("Villeurbanne", "FR", "cours Zola", "12", "69100"))


class Payees:
    """The books, two keepers, and Ada and Bea with 100 euros each and an account to pay to."""

    def __init__(self, conn: psycopg.Connection):
        self.books: Books = books(conn, escrow=20_000)
        row = conn.execute(
            "select owner_id from ledger_account where id = any (%s) order by id",
            [[self.books.ada, self.books.bea]],
        ).fetchall()
        self.ada, self.bea = (person(conn, one[0], "contributor") for one in row)
        self.steward, self.operator = person(conn, None, "steward"), person(conn, None, "operator")
        b = self.books
        pay = [move("accrue", b.escrow, one, 10_000, at_ms=2000) for one in (b.ada, b.bea)]
        post(conn, pay, NOW)
        for who, iban in ((self.ada, IBAN), (self.bea, OTHER_IBAN)):
            set_account(conn, who, who.contributor(), bank_account(iban=iban), VAULT, NOW)


def camt(statement: str, *lines: tuple[str, str, str], iban: str = COOP.iban) -> bytes:
    """A statement with lines of (end-to-end id, amount, DBIT or CRDT)."""
    entries = "".join(
        f"<Ntry><Amt Ccy='EUR'>{amount}</Amt><CdtDbtInd>{way}</CdtDbtInd>"
        "<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-11-20</Dt></BookgDt>"
        "<BkTxCd><Prtry><Cd>NTRF</Cd></Prtry></BkTxCd>"
        f"<NtryDtls><TxDtls><Refs><EndToEndId>{name}</EndToEndId></Refs>"
        f"<Amt Ccy='EUR'>{amount}</Amt><CdtDbtInd>{way}</CdtDbtInd>"
        + ("<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>" if way == "CRDT" else "")
        + "</TxDtls></NtryDtls></Ntry>"
        for name, amount, way in lines
    )
    return (
        "<?xml version='1.0' encoding='UTF-8'?>"
        "<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.08'><BkToCstmrStmt>"
        "<GrpHdr><MsgId>M1</MsgId><CreDtTm>2026-11-20T06:00:00Z</CreDtTm></GrpHdr>"
        f"<Stmt><Id>{statement}</Id><CreDtTm>2026-11-20T06:00:00Z</CreDtTm>"
        f"<Acct><Id><IBAN>{iban}</IBAN></Id></Acct>"
        "<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy='EUR'>0</Amt>"
        "<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-11-20</Dt></Dt></Bal>"
        f"{entries}</Stmt></BkToCstmrStmt></Document>"
    ).encode()


def two_runs(conn: psycopg.Connection, who: int, keeper: int, now: int) -> tuple[int, int]:
    """Runs that pay a contributor ten cents each: one that the keeper (an account) and another
    approved, and one that waits for them."""
    me = Principal(contributor_id=who, roles=frozenset({"contributor"}))
    by = [
        Principal(account_id=keeper, roles=frozenset({"operator"})),
        person(conn, None, "steward"),
    ]
    set_account(conn, me, who, bank_account(), VAULT, now)
    made = []
    for key in ("first", "second"):
        request_payout(conn, me, 10, "EUR", key, now)
        made.append(assemble_run(conn, by[0], "iban", "EUR", now).id)
    for one in by:
        approve_run(conn, one, made[0], 10, now)
    return made[0], made[1]
