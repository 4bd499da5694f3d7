"""Paying out and billing from the command line, from an account to the bank's statement."""

from pathlib import Path
from typing import Any

from click.testing import CliRunner

from canut.cli.main import cli
from canut.db.pool import connect
from canut.errors import CanutError
from canut.pay.ledger import post
from tests import factories as make
from tests.pay.books import books, move
from tests.pay.payees import camt

PASSWORD = "warp and weft and silk"
COOP = """
name = "Belvoie"
iban = "BE68 5390 0754 7034"
vat_id = "FR83404833048"
address = {town = "Lyon", country = "FR"}
vat = {category = "S", rate = 2000}
"""
ACCOUNT = """
way = "iban"
holder = "Ada"
iban = "FR76 3000 6000 0112 3456 7890 189"
address = {street = "cours Zola", building = "12", town = "Villeurbanne", country = "FR"}
"""
BILLING = 'name = "Atelier"\naddress = {town = "Bruxelles", country = "BE"}\n'


class Shell:
    """Commands over one database; what they print, or the error they end with."""

    def __init__(self, url: str, folder: Path):
        self.url, self.folder = url, folder

    def __call__(self, command: str, *more: str, text: str | None = None) -> str:
        words = [word.format(d=self.folder) for word in command.split()]
        arguments = [*words, *more, "--database-url", self.url]
        found = CliRunner().invoke(cli, arguments, input=text)
        error: Any = found.exception
        if error is not None and not isinstance(error, CanutError | SystemExit):
            raise error
        return found.output + (str(error) if isinstance(error, CanutError) else "")


def test_from_an_account_to_the_statement_and_an_invoice(fresh_url: str, tmp_path: Path) -> None:
    """Bank data is read from files and never printed; each approver gives a password; files are for
    the eyes of who writes them; a wrong file names what is wrong in it."""
    import facturx

    canut = Shell(fresh_url, tmp_path)
    for name, text in (("coop", COOP), ("account", ACCOUNT), ("billing", BILLING)):
        (tmp_path / f"{name}.toml").write_text(text, "utf-8")
    with connect(fresh_url) as conn:
        b = books(conn, escrow=20_000)
        slug, ada = make.one(conn, "select slug from client"), 0
        ada = make.one(conn, "select owner_id from ledger_account where id = %s", b.ada)
        post(conn, [move("accrue", b.escrow, b.ada, 10_000, at_ms=2_000)], 3_000)
    for name in ("ines", "noor"):
        canut(f"people create-operator {name}@belvoie.example --name {name}", text=PASSWORD)

    assert canut(f"payout account {ada}") == f"contributor {ada} has no payout account\n"
    keys = "--bank-key {d}/keys"
    said = canut(f"payout account {ada} --set {{d}}/account.toml {keys}")
    assert "FR** **** 0189" in said
    assert "3000" not in said
    assert "12.50 EUR to FR** **** 0189" in canut(f"payout ask {ada} 12.50 EUR --key k1")
    assert "more than there is" in canut(f"payout ask {ada} 900 EUR --key k2")
    assert "1 payout " in canut("payout waiting")
    assert "run 1: 1 payout by iban, 12.50 EUR, assembled" in canut("payout assemble")
    assert "not approved" in canut(f"payout file 1 --coop {{d}}/coop.toml {keys}")
    wrong = canut("payout approve 1 --total 12.50 --as ines@belvoie.example", text="silk")
    assert "not right" in wrong
    for name in ("ines", "noor"):
        said = canut(f"payout approve 1 --total 12.50 --as {name}@belvoie.example", text=PASSWORD)
    assert "12.50 EUR, approved" in said
    assert "approved by noor" in canut("payout show 1")
    canut(f"payout file 1 --to {{d}}/run.xml --coop {{d}}/coop.toml {keys}")
    assert b"FR7630006000011234567890189" in (tmp_path / "run.xml").read_bytes()
    assert (tmp_path / "run.xml").stat().st_mode & 0o777 == 0o600
    statement = camt("S1", ("CANUT-PAYOUT-1", "12.50", "DBIT"), ("CANUT-PAYOUT-9", "1", "DBIT"))
    (tmp_path / "camt.xml").write_bytes(statement)
    said = canut("payout read {d}/camt.xml --coop {d}/coop.toml")
    assert "S1: 1 settled, 0 came back" in said
    assert "there is no payout 9" in said
    assert "paid" in canut(f"payout of {ada}")
    alone = canut("payout fail 1 --why gone --as ines@belvoie.example", text=PASSWORD)
    assert "waits for a second person" in alone
    canut("payout fail 1 --as noor@belvoie.example --why", "the bank telephoned", text=PASSWORD)
    assert "failed  the bank telephoned" in canut(f"payout of {ada}")
    assert "no run" not in canut("payout list")

    (tmp_path / "billing.toml").write_text(BILLING, "utf-8")
    assert "Bruxelles (BE)" in canut(f"invoice client {slug} --set {{d}}/billing.toml")
    assert "100.00 EUR" in canut(f"invoice issue {slug} --until 2026-01-01 --dry-run")
    said = canut(f"invoice issue {slug} --until 2026-01-01 --coop {{d}}/coop.toml")
    assert "100.00 EUR, tax 20.00 EUR, due 20.00 EUR" in said
    number = said.split()[1]
    assert f"invoice {number}" in canut(f"invoice list --client {slug}")
    canut(f"invoice file {number} --to {{d}}/i.pdf")
    assert facturx.get_facturx_xml_from_pdf((tmp_path / "i.pdf").read_bytes(), check_xsd=True)[1]
    assert "no deposit has enough" in canut("invoice collect")
    canut(f"funds deposit 20.00 EUR --client {slug} --reference B1")
    assert f"{number}: 20.00 EUR taken" in canut("invoice collect")
    said = canut(f"invoice cancel {number} --coop {{d}}/coop.toml --why", "wrong name")
    assert said.startswith("credit note")
    assert "20.00 EUR back to" in canut(f"funds refund 20.00 EUR --client {slug} --reference R1")
    assert "no batch has money" in canut("funds release")
    assert "all rules hold" in canut("ledger check")

    (tmp_path / "coop.toml").write_text(COOP.replace("7034", "7035").replace("Lyon", ""), "utf-8")
    said = canut("payout read {d}/camt.xml --coop {d}/coop.toml")
    assert "address.town: is empty" in said
    assert "iban: " in said
