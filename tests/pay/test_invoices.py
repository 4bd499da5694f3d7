"""Invoices: every cent of the books once, numbers without a gap, valid for people and programs."""

import io

import psycopg
import pytest
from lxml import etree

from canut.errors import Conflict, Forbidden, Invalid, NotFound
from canut.pay.identity import Address, Coop, Vat
from canut.pay.ledger import Reverse, open_accounts, post
from canut.pay.ledger.model import AccountName
from canut.pay.money import invoicing, reading
from canut.pay.money.billing import billing_of, known_number, set_billing
from canut.pay.money.model import Billing, Invoice
from canut.people.model import Principal
from tests import factories as make
from tests.pay.books import Books, books, move
from tests.pay.payees import person, sound

NOW = 1_795_000_000_000
DAY = 86_400_000
COOP = Coop(
    "Coopérative Belvoie",
    Address("Lyon", "FR", "rue des Tables", "4 bis", "69004"),
    "BE68539007547034",
    registration="404833048",
    vat_id="FR83404833048",
    vat=Vat("S", 2000),
)
BUYER = Billing("Atelier Sögne", Address("Bruxelles", "BE", "quai Vert", "7", "1000"), locale="fr")


class House:
    """A client with a batch that has cost something, and an operator."""

    def __init__(self, conn: psycopg.Connection, deposit: int = 100_000):
        self.conn = conn
        self.books: Books = books(conn, deposit=deposit, escrow=20_000)
        found = conn.execute("select client_id, id from batch order by id desc limit 1").fetchone()
        assert found is not None
        self.client, self.batch = found
        self.operator = person(conn, None, "operator")
        b = self.books
        names = [AccountName("social_payable", "EUR"), AccountName("ai_payable", "EUR")]
        self.social, self.ai = open_accounts(conn, names, 1).values()
        self.moves = [
            move("fund", b.escrow, b.reserve, 1_000, at_ms=2_000),
            move("accrue", b.escrow, b.ada, 4_000, at_ms=3_000),
            move("hourly", b.escrow, b.bea, 333, at_ms=3_000),
            move("topup", b.reserve, b.bea, 250, at_ms=3_000),
            move("contribution", b.escrow, self.social, 400, at_ms=3_000),
            move("ai", b.escrow, self.ai, 7, at_ms=3_000),
            move("fee", b.escrow, b.fee, 433, at_ms=3_000),
        ]
        self.ids = post(conn, self.moves, NOW)
        set_billing(conn, self.operator, self.client, BUYER, NOW)

    def issue(self, until: int = NOW, coop: Coop = COOP) -> Invoice:
        """An invoice of what is there."""
        return invoicing.issue_invoice(
            self.conn, self.operator, coop, self.client, "EUR", until, NOW
        )

    def pay(self, amount: int, at_ms: int) -> int:
        """More work."""
        b = self.books
        return post(self.conn, [move("accrue", b.escrow, b.ada, amount, at_ms=at_ms)], NOW)[0]


def test_an_invoice_bills_each_cent_of_the_books_once(db: psycopg.Connection) -> None:
    """Lines by batch and part; money set aside and not spent is not in them; tax is taken from the
    deposit. A second invoice has what came since, late dates included; then there is nothing."""
    house = House(db)
    first = house.issue()
    lines = reading.invoice_lines(db, house.operator, first.id)
    assert [(line.part, line.net) for line in lines] == [
        ("pay", 4_333),
        ("topup", 250),
        ("social", 400),
        ("ai", 7),
        ("fee", 433),
    ]
    assert (first.net, first.vat, first.prepaid, first.due) == (5_423, 1_085, 6_508, 0)
    with pytest.raises(Conflict, match="nothing to bill"):
        house.issue()
    house.pay(100, at_ms=2_500)
    house.pay(900, at_ms=NOW - 5)
    second = house.issue(until=NOW - 5)
    assert (second.net, second.vat) == (100, 20)
    assert [one.number for one in (first, second)] == ["2026-00001", "2026-00002"]
    assert sound(db)
    with pytest.raises(Invalid, match="billed"):
        house.issue(until=NOW + 1)


def test_the_papers_are_valid_for_programs_and_people(db: psycopg.Connection) -> None:
    """XML of the profile EN 16931 by its schema, inside a PDF that says so in its metadata; totals
    add up in it; the page has what the law wants, in the client's language."""
    import facturx
    import pypdf

    house = House(db)
    made = house.issue()
    file = reading.invoice_file(db, house.operator, made.id)
    assert file.name == "2026-00001.pdf"
    name, xml = facturx.get_facturx_xml_from_pdf(file.content, check_xsd=True)
    assert name == "factur-x.xml"
    assert xml == reading.invoice_file(db, house.operator, made.id, xml=True).content
    root = etree.fromstring(xml)
    assert facturx.get_level(root) == "en16931"

    def values(tag: str) -> list[str]:
        return [node.text for node in root.iter(f"{{*}}{tag}")]

    lines = [float(text) for text in values("LineTotalAmount")]
    assert sum(lines[:-1]) == pytest.approx(lines[-1]) == pytest.approx(54.23)
    assert values("GrandTotalAmount") == ["65.08"]
    assert values("DuePayableAmount") == ["0.00"]
    assert values("TaxTotalAmount") == ["10.85"]
    pdf = pypdf.PdfReader(io.BytesIO(file.content))
    text = "".join(page.extract_text() for page in pdf.pages)
    for said in ("Facture 2026-00001", "Atelier Sögne", "FR83404833048", "65,08", "TVA 20"):
        assert said in text
    meta = pdf.xmp_metadata
    assert meta is not None
    told = meta.stream.get_data().decode()
    assert "<pdfaid:part>3<" in told
    assert "EN 16931" in told


def test_tax_is_collected_when_the_deposit_has_it(db: psycopg.Connection) -> None:
    """Else the invoice says by when it is due; once, and not of what was cancelled."""
    house = House(db, deposit=0)
    made = house.issue()
    assert (made.prepaid, made.due) == (5_423, 1_085)
    assert invoicing.collect_vat(db, house.operator, NOW) == []
    b = house.books
    post(db, [move("deposit", b.bank, b.deposit, 1_085)], NOW)
    assert [one.id for one in invoicing.collect_vat(db, house.operator, NOW)] == [made.id]
    assert invoicing.collect_vat(db, house.operator, NOW) == []
    assert reading.find_invoice(db, house.operator, made.id).due == 0
    assert sound(db)


def test_what_was_wrong_is_credited_and_billed_anew(db: psycopg.Connection) -> None:
    """A credit note over the whole names its invoice and why, and gives the tax back; the next
    invoice bills the same again. What the books take back is a credit note by itself."""
    import facturx

    house = House(db)
    first = house.issue()
    note = invoicing.cancel_invoice(db, house.operator, COOP, first.id, "wrong name", NOW)
    assert (note.kind, note.of_invoice, note.net) == ("credit_note", first.id, first.net)
    for wrong in (first.id, note.id):
        with pytest.raises(Conflict, match="cannot be cancelled"):
            invoicing.cancel_invoice(db, house.operator, COOP, wrong, "again", NOW)
    again = house.issue()
    assert (again.net, again.number) == (first.net, "2026-00003")
    post(db, [Reverse("oops", house.ids[1], "was another's")], NOW + 1)
    back = invoicing.issue_invoice(db, house.operator, COOP, house.client, "EUR", NOW + 2, NOW + 2)
    assert (back.kind, back.net, back.vat, back.of_invoice) == ("credit_note", 4_000, 800, again.id)
    xml = reading.invoice_file(db, house.operator, back.id, xml=True).content
    assert facturx.xml_check_xsd(xml)
    assert b"<ram:TypeCode>381<" in xml
    assert again.number.encode() in xml
    vat = AccountName("vat_payable", "EUR")
    [account] = open_accounts(db, [vat], NOW).values()
    total = "select credits - debits from ledger_account where id = %s"
    assert make.one(db, total, account) == again.vat - 800
    assert sound(db)


def test_numbers_have_no_gap_and_invoices_stay(db: psycopg.Connection) -> None:
    """An invoice that fails gives its number back; nobody changes or removes one."""
    house = House(db)
    lacking = Coop("Belvoie", COOP.address, COOP.iban, vat=Vat("S", 2000))
    with pytest.raises(Invalid, match="cannot issue"):
        house.issue(coop=lacking)
    assert house.issue().number == "2026-00001"
    for sql in ("update invoice set net = 0", "delete from invoice_line"):
        with pytest.raises(psycopg.errors.RestrictViolation), db.transaction():
            db.execute(sql)


def test_who_may_bill_whom(db: psycopg.Connection) -> None:
    """Operators issue; a client sees its own; nobody is billed who has no address; how a client is
    taxed is an operator's to say, and reverse charge needs a number with right check digits."""
    house = House(db)
    own = Principal(account_id=house.operator.account_id, client_ids=(house.client,))
    stranger = Principal(account_id=house.operator.account_id, client_ids=(make.client(db),))
    with pytest.raises(Forbidden):
        invoicing.issue_invoice(db, own, COOP, house.client, "EUR", NOW, NOW)
    made = house.issue()
    assert reading.list_invoices(db, own) == [made]
    assert reading.list_invoices(db, stranger) == []
    with pytest.raises(NotFound):
        reading.invoice_file(db, stranger, made.id)
    db.execute("delete from client_billing")
    house.pay(5, at_ms=NOW - 1)
    with pytest.raises(Conflict, match="whom to bill"):
        house.issue()
    wrong = Billing("", Address("", "BE"), "FR83404833049", Vat("AE", 5))
    with pytest.raises(Invalid) as caught:
        set_billing(db, house.operator, house.client, wrong, NOW)
    fields = [problem.field for problem in caught.value.problems]
    assert fields == ["name", "address.town", "vat_id", "vat.rate"]
    reverse = Billing("Atelier", BUYER.address, "BE0403019261", Vat("AE"))
    with pytest.raises(Invalid, match="made out"):
        set_billing(db, own, house.client, reverse, NOW)
    set_billing(db, house.operator, house.client, reverse, NOW)
    assert billing_of(db, own, house.client) == reverse
    charged = house.issue()
    assert (charged.net, charged.vat) == (5, 0)
    xml = reading.invoice_file(db, own, charged.id, xml=True).content
    assert b"VATEX-EU-AE" in xml
    assert known_number("CHE123456789")
    assert not known_number("12")


def test_names_in_any_letters_reach_the_program(db: psycopg.Connection) -> None:
    """Where the fonts of the page lack a letter it is written in Latin; the XML has the name."""
    import facturx

    house = House(db)
    set_billing(
        db, house.operator, house.client, Billing("株式会社 <織機>", Address("京都", "JP")), NOW
    )
    made = house.issue()
    file = reading.invoice_file(db, house.operator, made.id)
    _, xml = facturx.get_facturx_xml_from_pdf(file.content, check_xsd=True)
    assert "株式会社 &lt;織機&gt;" in xml.decode()
