"""Paying people out: never more than there is, never by one person alone, never half."""

from pathlib import Path
from xml.etree import ElementTree

import msgspec
import psycopg
import pytest
import sepaxml

from canut.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable
from canut.pay.identity import Address
from canut.pay.ledger import balances
from canut.pay.payouts import runs
from canut.pay.payouts.asking import (
    PAGE_MAX,
    account_of,
    available,
    cancel_payout,
    leaving,
    payouts_of,
    request_payout,
    set_account,
)
from canut.pay.payouts.camt import NoEntities, read_camt
from canut.pay.payouts.model import BankAccount, MobileMoney, Payout, Run
from canut.pay.payouts.reconciling import (
    fail_payout,
    read_statement,
    returns_of,
    settle_run,
)
from canut.pay.payouts.vault import Vault, open_vault
from canut.people.model import Principal
from tests import factories as make
from tests.pay.payees import (
    COOP,
    IBAN,
    NOW,
    OTHER_IBAN,
    VAULT,
    Payees,
    bank_account,
    camt,
    person,
    sound,
)

AGENT = Principal(name="program", roles=frozenset({"operator"}))


def ask(conn: psycopg.Connection, who: Principal, amount: int, key: str = "one") -> Payout:
    """A request in euros."""
    return request_payout(conn, who, amount, "EUR", key, NOW)


def sent(conn: psycopg.Connection, p: Payees, *amounts: int) -> tuple[Run, list[Payout]]:
    """An approved run of requests of Ada's and Bea's by turns."""
    asked = [
        ask(conn, (p.ada, p.bea)[n % 2], amount, f"{n} {amount}")
        for n, amount in enumerate(amounts)
    ]
    run = runs.assemble_run(conn, p.operator, "iban", "EUR", NOW)
    runs.approve_run(conn, p.operator, run.id, run.total, NOW)
    return runs.approve_run(conn, p.steward, run.id, run.total, NOW), asked


def whole(statement: str, run: Run, amount: str) -> bytes:
    """A statement that has a run as one line."""
    text = camt(statement, ("x", amount, "DBIT")).decode()
    start, end = text.index("<TxDtls>"), text.index("</NtryDtls>")
    group = f"<Btch><PmtInfId>CANUT-RUN-{run.id}</PmtInfId></Btch>"
    return (text[:start] + group + text[end:]).encode()


def held(conn: psycopg.Connection, *accounts: int) -> list[int]:
    """What is available on each account."""
    found = balances(conn, accounts)
    return [found[one].available for one in accounts]


def test_bank_data_is_sealed_masked_and_its_changes_are_told(db: psycopg.Connection) -> None:
    """No IBAN, name or street stands in the table in the clear; what is shown are four digits; a
    change is in the audit log by its masks, and whoever shares an IBAN is seen."""
    p = Payees(db)
    ada = p.ada.contributor()
    for row in db.execute("select sealed, masked, mark from payout_account"):
        assert not any(word in bytes(row[0]) for word in (b"FR76", b"cka", b"Zola"))
        assert IBAN not in row[1]
    shown = account_of(db, ada)
    assert shown is not None
    assert (shown.masked, shown.shared_with) == ("FR** **** 0189", [])
    set_account(
        db,
        p.bea,
        p.bea.contributor(),
        bank_account(iban="FR76 3000 6000 0112 3456 7890 189"),
        VAULT,
        NOW,
    )
    again = account_of(db, ada)
    assert again is not None
    assert again.shared_with == [p.bea.contributor()]
    log = "select detail from audit_log where action = 'change.payout_account' order by id desc"
    assert make.one(db, log) == {"from": "DE** **** 3000", "to": "FR** **** 0189"}
    with pytest.raises(Forbidden):
        set_account(db, p.steward, ada, bank_account(), VAULT, NOW)


def test_a_destination_says_all_that_is_wrong_with_it(db: psycopg.Connection) -> None:
    """Check digits, countries without SEPA, addresses in one line, numbers nobody serves."""
    p = Payees(db)

    def refused(to: BankAccount | MobileMoney) -> list[str]:
        with pytest.raises(Invalid) as caught:
            set_account(db, p.ada, p.ada.contributor(), to, VAULT, NOW)
        return [problem.field for problem in caught.value.problems]

    wrong = BankAccount(" ", IBAN[:-1] + "0", Address("", "France", "x" * 71))
    assert refused(wrong) == ["holder", "iban", "address.street", "address.town", "address.country"]
    outside = BankAccount("Awa", "SN08SN0100152000048500003035", Address("Dakar", "SN"))
    assert refused(outside) == ["iban"]
    assert refused(MobileMoney("palmera", "=Ada", "+33612345678")) == ["holder", "number"]
    assert refused(MobileMoney("nobody", "Ada", "+254700000001")) == ["provider"]


def test_a_vault_opens_for_its_owner_only(tmp_path: Path) -> None:
    """What is copied to another's row, changed, or sealed with a lost key does not open; a new key
    above the old one does; the file is made once, for its owner's eyes."""
    file = tmp_path / "data" / "bank.key"
    vault = open_vault(file)
    closed = vault.seal("contributor:1", b"plain")
    assert open_vault(file).open("contributor:1", closed) == b"plain"
    assert file.stat().st_mode & 0o777 == 0o600
    for owner, text in (("contributor:2", closed), ("contributor:1", closed[:-1] + b"x")):
        with pytest.raises(Unavailable, match="changed"):
            vault.open(owner, text)
    with pytest.raises(Unavailable, match="not in the file"):
        VAULT.open("contributor:1", closed)
    old = file.read_text()
    file.write_text("A" * 43 + "=\n" + old)
    both = open_vault(file)
    assert both.open("contributor:1", closed) == b"plain"
    assert both.mark(b"x") == vault.mark(b"x")
    assert both.seal("a", b"")[:4] != closed[:4]
    file.write_text("short\n")
    with pytest.raises(Unavailable, match="no keys") as caught:
        open_vault(file)
    assert [problem.row for problem in caught.value.problems] == [1]
    assert Vault([b"a" * 32]).mark(b"x") != VAULT.mark(b"x")


def test_nobody_asks_for_more_than_there_is(db: psycopg.Connection) -> None:
    """What is asked for is held; the same key asks once; what is taken back can be asked for
    again; nobody takes back what is another's or in a run."""
    p = Payees(db)
    first = ask(db, p.ada, 6_000)
    assert ask(db, p.ada, 6_000) == first
    with pytest.raises(Conflict, match="another payout"):
        ask(db, p.ada, 6_001)
    assert available(db, p.ada.contributor()) == {"EUR": 4_000}
    with pytest.raises(Invalid, match=r"40\.00 EUR"):
        ask(db, p.ada, 4_001, "two")
    for amount in (0, -5, 1.5, True):
        with pytest.raises(Invalid):
            ask(db, p.ada, amount, "bad")  # type: ignore[arg-type]
    with pytest.raises(Invalid, match="takes EUR"):
        request_payout(db, p.ada, 5, "USD", "dollars", NOW)
    with pytest.raises(NotFound):
        cancel_payout(db, p.bea, first.id, NOW)
    cancel_payout(db, p.ada, first.id, NOW)
    cancel_payout(db, p.ada, first.id, NOW)
    late = ask(db, p.ada, 10_000, "all")
    runs.assemble_run(db, p.operator, "iban", "EUR", NOW)
    with pytest.raises(Conflict, match="being paid"):
        cancel_payout(db, p.ada, late.id, NOW)
    assert [one.state for one in payouts_of(db, p.ada.contributor())] == ["requested", "cancelled"]
    assert sound(db)


def test_what_is_on_its_way_is_told_however_old(db: psycopg.Connection) -> None:
    """What was asked for and what was approved, until it arrives or comes back; whatever else was
    asked for since."""
    p = Payees(db)
    ada = p.ada.contributor()
    sent(db, p, 2_500)
    ask(db, p.ada, 100, "more")
    db.execute(
        """insert into payout (contributor_id, payout_account_id, way, currency, amount, key, state,
                               requested_ms, ended_ms)
        select contributor_id, payout_account_id, way, currency, amount, 'back ' || n, 'cancelled',
               requested_ms, requested_ms
        from payout, generate_series(1, %s) n where key = 'more'""",
        [PAGE_MAX + 1],
    )
    assert {one.state for one in payouts_of(db, ada, limit=PAGE_MAX)} == {"cancelled"}
    assert leaving(db, ada) == {"EUR": 2_600}
    assert leaving(db, p.bea.contributor()) == {}


def test_two_people_approve_and_none_of_them_is_paid_by_it(db: psycopg.Connection) -> None:
    """One person, twice, is one; a program, a client, and whoever the run pays are none; the total
    that was read is what is approved. A cancelled run gives its payouts back."""
    p = Payees(db)
    ask(db, p.ada, 2_500)
    ask(db, p.bea, 500)
    with pytest.raises(Conflict, match="waits"):
        runs.assemble_run(db, p.operator, "palmera", "KES", NOW)
    run = runs.assemble_run(db, p.operator, "iban", "EUR", NOW)
    assert (run.n_payouts, run.total) == (2, 3_000)
    paid = Principal(
        p.ada.account_id, contributor_id=p.ada.contributor_id, roles=frozenset({"steward"})
    )
    for who in (AGENT, p.bea, paid):
        with pytest.raises(Forbidden):
            runs.approve_run(db, who, run.id, 3_000, NOW)
    with pytest.raises(Invalid, match="another total"):
        runs.approve_run(db, p.operator, run.id, 2_999, NOW)
    for _ in range(2):
        assert runs.approve_run(db, p.operator, run.id, 3_000, NOW).state == "assembled"
    with pytest.raises(Conflict, match="not approved"):
        runs.run_file(db, p.operator, run.id, COOP, VAULT)
    runs.cancel_run(db, p.operator, run.id)
    with pytest.raises(Conflict, match="cancelled"):
        runs.approve_run(db, p.steward, run.id, 3_000, NOW)
    other = runs.assemble_run(db, p.operator, "iban", "EUR", NOW)
    assert other.total == 3_000
    runs.approve_run(db, p.steward, other.id, 3_000, NOW)
    done = runs.approve_run(db, p.operator, other.id, 3_000, NOW)
    assert (done.state, len(done.approvals)) == ("approved", 2)
    assert held(db, p.books.ada, p.books.bea, p.books.clearing) == [7_500, 9_500, 3_000]


def test_the_file_for_the_bank_is_valid_and_sums_to_what_left(db: psycopg.Connection) -> None:
    """pain.001.001.09 by the schema of ISO 20022, with addresses in parts and letters every bank
    takes; its control sum is what the books have sent; the same run is the same file."""
    import xmlschema

    p = Payees(db)
    run, asked = sent(db, p, 1_234, 9_999)
    file = runs.run_file(db, p.steward, run.id, COOP, VAULT)
    schema = xmlschema.XMLSchema(str(Path(sepaxml.__file__).parent / "schemas/pain.001.001.09.xsd"))
    found = schema.to_dict(file.content.decode())["CstmrCdtTrfInitn"]
    assert str(found["GrpHdr"]["CtrlSum"]) == "112.33" == str(run.total / 100)
    assert found["GrpHdr"]["MsgId"] == f"CANUT-RUN-{run.id}"
    group = found["PmtInf"][0]
    first = group["CdtTrfTxInf"][0]
    assert first["PmtId"]["EndToEndId"] == asked[0].reference
    assert first["Cdtr"]["Nm"] == "Ada Lecka"
    assert first["Cdtr"]["PstlAdr"]["TwnNm"] == "Villeurbanne"
    assert "AdrLine" not in first["Cdtr"]["PstlAdr"]
    assert group["CdtTrfTxInf"][1]["CdtrAcct"]["Id"]["IBAN"] == OTHER_IBAN
    assert runs.run_file(db, p.steward, run.id, COOP, VAULT) == file
    nameless = runs.run_file(db, p.steward, run.id, msgspec.structs.replace(COOP, bic=""), VAULT)
    bank = schema.to_dict(nameless.content.decode())["CstmrCdtTrfInitn"]["PmtInf"][0]["DbtrAgt"]
    assert bank == {"FinInstnId": {"Othr": {"Id": "NOTPROVIDED"}}}
    export = "select count(*) from audit_log where action = 'export.payout_run'"
    assert make.one(db, export) == 3


def test_mobile_money_is_paid_by_its_providers_file(db: psycopg.Connection) -> None:
    """The columns of the template, with amounts as it wants them; the provider's word settles."""
    p = Payees(db)
    set_account(
        db,
        p.ada,
        p.ada.contributor(),
        MobileMoney("palmera", "Ada Ł", "+254 700 000 001"),
        VAULT,
        NOW,
    )
    payout = ask(db, p.ada, 1_050)
    run = runs.assemble_run(db, p.operator, "palmera", "EUR", NOW)
    for who in (p.operator, p.steward):
        runs.approve_run(db, who, run.id, 1_050, NOW)
    file = runs.run_file(db, p.operator, run.id, COOP, VAULT)
    assert file.content.decode().split("\r\n") == [
        "MSISDN,Name,Amount,Currency,Reference",
        f"254700000001,Ada Ł,10.50,EUR,{payout.reference}",
        "",
    ]
    assert settle_run(db, p.operator, run.id, "report of the day", NOW) == 1
    assert settle_run(db, p.operator, run.id, "again", NOW) == 0
    assert payouts_of(db, p.ada.contributor())[0].state == "paid"
    assert sound(db)


def test_a_statement_settles_and_bounces_each_payout_once(db: psycopg.Connection) -> None:
    """By end-to-end id: what left is settled, what came back is on the balance again with the
    bank's reason; other lines of the account are left alone. Read again, nothing changes; with
    other contents under the same id it is refused."""
    p = Payees(db)
    run, (a, b, c) = sent(db, p, 1_000, 2_000, 3_000)
    lines = [
        (b.reference, "20.00", "CRDT"),
        *((one.reference, f"{one.amount / 100:.2f}", "DBIT") for one in (a, b)),
        ("RENT-7", "900", "DBIT"),
    ]
    content = camt("S1", *lines)
    [report] = read_statement(db, p.steward, COOP, content, NOW)
    assert (report.settled, report.bounced) == ([a.id, b.id], [(b.id, "AC04")])
    assert (report.others, report.faults) == (1, [])
    after = held(db, p.books.ada, p.books.bea, p.books.clearing)
    assert after == [6_000, 10_000, 3_000]
    [again] = read_statement(db, p.steward, COOP, content, NOW)
    assert (again.settled, again.again) == (report.settled, 3)
    assert held(db, p.books.ada, p.books.bea, p.books.clearing) == after
    with pytest.raises(Conflict, match="other contents"):
        read_statement(db, p.steward, COOP, camt("S1", *lines[:1]), NOW)
    assert payouts_of(db, p.bea.contributor())[0].reason == "AC04"
    found = runs.find_run(db, p.steward, run.id)
    assert (found.paid, found.failed) == (1, 1)
    fail_payout(db, p.operator, c.id, "the bank telephoned", NOW)
    fail_payout(db, p.operator, c.id, "again", NOW)
    assert held(db, p.books.ada, p.books.clearing) == [9_000, 0]
    assert sound(db)


def test_lines_that_cannot_be_so_are_named_and_nothing_is_half_done(
    db: psycopg.Connection,
) -> None:
    """Part of a payment, a payout that is unknown, twice, not approved, or comes back before it
    left: each is a fault with its line. What comes back early is taken when the missing statement
    has been read."""
    p = Payees(db)
    _, (a, b) = sent(db, p, 1_000, 2_000)
    waits = ask(db, p.ada, 77, "later")
    odd = camt(
        "S2",
        (a.reference, "9.99", "DBIT"),
        (b.reference, "20.00", "CRDT"),
        ("CANUT-PAYOUT-999999", "5.00", "DBIT"),
        (waits.reference, "0.77", "DBIT"),
    )
    [report] = read_statement(db, p.steward, COOP, odd, NOW)
    assert [problem.row for problem in report.faults] == [1, 3, 4, 2]
    assert "9.99" in report.faults[0].message
    assert held(db, p.books.ada, p.books.bea, p.books.clearing) == [8_923, 8_000, 3_000]
    before = camt("S1", (b.reference, "20.00", "DBIT"), (b.reference, "20.00", "DBIT"))
    [report] = read_statement(db, p.steward, COOP, before, NOW)
    assert report.settled == [b.id]
    assert len(report.faults) == 1
    [report] = read_statement(db, p.steward, COOP, odd, NOW)
    assert report.bounced == [(b.id, "AC04")]
    assert sound(db)


def test_a_bank_may_book_a_run_as_one_line(db: psycopg.Connection) -> None:
    """By the name of the group of payments, whole: another total settles nothing."""
    p = Payees(db)
    run, asked = sent(db, p, 1_000, 2_000)
    [report] = read_statement(db, p.steward, COOP, whole("S1", run, "29.00"), NOW)
    assert (report.settled, len(report.faults)) == ([], 1)
    [report] = read_statement(db, p.steward, COOP, whole("S2", run, "30.00"), NOW)
    assert sorted(report.settled) == [one.id for one in asked]
    [report] = read_statement(db, p.steward, COOP, whole("S2", run, "30.00"), NOW)
    assert report.again == 1
    [report] = read_statement(db, p.steward, COOP, whole("S3", run, "30.00"), NOW)
    assert "settled before" in report.faults[0].message


@pytest.mark.parametrize(("amount", "faults"), [("30.00", 0), ("60.00", 1), ("50.00", 1)])
def test_the_rest_of_a_run_settles_when_one_of_it_was_given_back(
    db: psycopg.Connection, amount: str, faults: int
) -> None:
    """The line of the run may be of the rest, or whole: then the one that was given back and paid
    all the same is named, also when it is read again. What is neither settles nothing."""
    p = Payees(db)
    run, (a, b, c) = sent(db, p, 1_000, 3_000, 2_000)
    fail_payout(db, p.operator, b.id, "the bank telephoned", NOW)
    for again in (0, 1):
        [report] = read_statement(db, p.steward, COOP, whole("S", run, amount), NOW)
        assert len(report.faults) == faults
        if amount == "50.00":
            assert (report.settled, report.again) == ([], 0)
        else:
            assert (report.settled, report.again) == ([a.id, c.id], again)
            assert all(f"payout {b.id} was given back" in one.message for one in report.faults)
    assert sound(db)


def test_nobody_gives_money_back_to_themselves(db: psycopg.Connection) -> None:
    """A keeper who is paid as a contributor neither fails their payout, nor settles a run that pays
    them, nor reads the statement that gives it back: somebody else does."""
    p = Payees(db)
    run, (mine, _) = sent(db, p, 1_000, 2_000)
    roles = frozenset({"steward"})
    me = Principal(p.ada.account_id, contributor_id=p.ada.contributor_id, roles=roles)
    for who in (me, Principal(p.ada.account_id, roles=roles)):
        with pytest.raises(Forbidden, match="pays you"):
            fail_payout(db, who, mine.id, "nothing came", NOW)
    content = camt("S", (mine.reference, "10.00", "DBIT"), (mine.reference, "10.00", "CRDT"))
    [report] = read_statement(db, me, COOP, content, NOW)
    assert (report.settled, report.bounced, len(report.faults)) == ([mine.id], [], 1)
    with pytest.raises(Conflict, match="paid by a bank"):
        settle_run(db, p.steward, run.id, "said so", NOW)
    db.execute("update payout_run set way = 'palmera' where id = %s", [run.id])
    with pytest.raises(Forbidden, match="pays you"):
        settle_run(db, me, run.id, "report of the day", NOW)
    assert held(db, p.books.ada, p.books.clearing) == [9_000, 2_000]
    [report] = read_statement(db, p.steward, COOP, content, NOW)
    assert report.bounced == [(mine.id, "AC04")]
    assert held(db, p.books.ada) == [10_000]


def test_what_may_have_left_is_given_back_by_two(db: psycopg.Connection) -> None:
    """Once a file was taken, or the payout is paid: one person, twice, is one; so is somebody whose
    role was taken away; a program is none."""
    p = Payees(db)
    run, (a, b) = sent(db, p, 1_000, 2_000)
    runs.run_file(db, p.operator, run.id, COOP, VAULT)
    read_statement(db, p.steward, COOP, camt("S", (b.reference, "20.00", "DBIT")), NOW)
    third = person(db, None, "steward")
    for payout in (a, b):
        with pytest.raises(Forbidden, match="Two people"):
            fail_payout(db, AGENT, payout.id, "refused", NOW)
        for _ in range(2):
            assert not fail_payout(db, p.operator, payout.id, "refused", NOW)
    assert {*returns_of(db, p.steward, run.id)} == {a.id, b.id}
    db.execute("delete from account_role where account_id = %s", [p.operator.account_id])
    assert returns_of(db, p.steward, run.id) == {}
    assert not fail_payout(db, p.steward, b.id, "refused", NOW)
    assert held(db, p.books.ada, p.books.bea, p.books.clearing) == [9_000, 8_000, 1_000]
    assert fail_payout(db, third, b.id, "refused, says the bank", NOW)
    assert held(db, p.books.ada, p.books.bea, p.books.clearing) == [9_000, 10_000, 1_000]
    assert payouts_of(db, p.bea.contributor())[0].reason == "refused, says the bank"
    assert sound(db)


def test_a_file_never_pays_what_was_given_back(db: psycopg.Connection) -> None:
    """What one keeper gave back before the file was first taken is not in it, and its sum is what
    the books still have on their way. Once taken it is the same file or none."""
    p = Payees(db)
    run, (a, b, c) = sent(db, p, 1_000, 2_000, 4_000)
    assert fail_payout(db, p.operator, b.id, "they asked me to", NOW)
    file = runs.run_file(db, p.steward, run.id, COOP, VAULT)
    assert b"<CtrlSum>50.00</CtrlSum>" in file.content
    assert runs.cleared(db, p.steward, run.id) == 5_000
    assert b.reference.encode() not in file.content
    assert runs.run_file(db, p.steward, run.id, COOP, VAULT) == file
    [report] = read_statement(db, p.steward, COOP, whole("S", run, "50.00"), NOW)
    assert (report.settled, report.faults) == ([a.id, c.id], [])
    for who in (p.operator, p.steward):
        fail_payout(db, who, c.id, "the bank telephoned", NOW)
    with pytest.raises(Conflict, match="came back since"):
        runs.run_file(db, p.steward, run.id, COOP, VAULT)
    other, (d,) = sent(db, p, 500)
    fail_payout(db, p.operator, d.id, "they asked me to", NOW)
    with pytest.raises(Conflict, match="was given back"):
        runs.run_file(db, p.steward, other.id, COOP, VAULT)
    assert sound(db)


def test_only_who_is_keeper_still_has_approved(db: psycopg.Connection) -> None:
    """An approval counts while its author may log in and is a steward or an operator: a run is sent
    with two that do, and not with one of somebody who was put out."""
    p = Payees(db)
    ask(db, p.ada, 2_500)
    run = runs.assemble_run(db, p.operator, "iban", "EUR", NOW)
    runs.approve_run(db, p.operator, run.id, 2_500, NOW)
    db.execute("update account set disabled_ms = 1 where id = %s", [p.operator.account_id])
    waits = runs.approve_run(db, p.steward, run.id, 2_500, NOW)
    assert (waits.state, runs.missing_approvals(waits)) == ("assembled", 1)
    stands = {one.account_id: one.stands for one in waits.approvals}
    assert stands == {p.operator.account_id: False, p.steward.account_id: True}
    third = person(db, None, "operator")
    assert runs.approve_run(db, third, run.id, 2_500, NOW).state == "approved"
    assert sound(db)


def test_an_account_is_named_again_when_its_key_is_lost(db: psycopg.Connection) -> None:
    """What no key opens any more is another account: the new one takes its place, and opens."""
    p = Payees(db)
    ada, fresh = p.ada.contributor(), Vault([b"n" * 32])
    before = account_of(db, ada)
    for _ in range(2):
        set_account(db, p.ada, ada, bank_account(), fresh, NOW)
    named = "select count(*) from payout_account where contributor_id = %s"
    assert make.one(db, named, ada) == 2
    after = account_of(db, ada)
    assert before is not None
    assert after is not None
    assert (after.masked, after.id != before.id) == (before.masked, True)


def test_what_is_no_statement_of_ours_is_not_read(db: psycopg.Connection) -> None:
    """Another account, of which four digits are shown, another message, a document type in
    whatever letters, what is not in UTF-8, wrong amounts: each problem is named, and nothing is
    read."""
    p = Payees(db)
    with pytest.raises(Invalid, match="another account") as caught:
        read_statement(db, p.steward, COOP, camt("S", iban=IBAN), NOW)
    assert "FR** **** 0189" in str(caught.value)
    assert IBAN not in str(caught.value)
    typed = "<!DOCTYPE x [<!ENTITY y 'z'>]><x>&y;</x>"
    for text, why in (
        (b"", "no XML"),
        (b"<a/>", "not a camt.053"),
        (typed.encode(), "document type x"),
        (b"<!DOCTYPE y SYSTEM 'y'><y/>", "document type y"),
        (typed.encode("utf-16"), "UTF-8"),
        (typed.encode("utf-16-le"), "UTF-8"),
        (b"\xff\xfe", "UTF-8"),
    ):
        with pytest.raises(Invalid, match=why):
            read_camt(text)
    # the type is refused by the parser, before what it declares: the letters make no difference
    with pytest.raises(ValueError, match="document type x"):
        ElementTree.XML(typed.encode("utf-16"), ElementTree.XMLParser(target=NoEntities()))
    wrong = [("a", "1.234", "DBIT"), ("b", "-5", "DBIT"), ("c", "0", "DBIT"), ("d", "1", "X")]
    with pytest.raises(Invalid) as caught:
        read_camt(camt("S", *wrong))
    assert [problem.row for problem in caught.value.problems] == [1, 2, 3, 4]
    with pytest.raises(Forbidden):
        read_statement(db, p.ada, COOP, camt("S"), NOW)
