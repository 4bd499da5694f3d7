"""From a quote to money at the bank, in a browser: what a client pays in reaches who did the work,
and every paper on the way is what its schema says."""

import io
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from canut.db.pool import connect
from canut.engine.pay import settle
from canut.pay.ledger import first_fault
from canut.pay.policy.model import DAY_MS
from canut.pay.tariffs import find_step, set_tariff
from canut.people.store import COMMAND_LINE
from canut.work.decide import decide_fresh
from canut.work.tasks import Steps
from tests.browser.conftest import Visit
from tests.browser.test_batches import go_on, hand_in
from tests.factories import one
from tests.house import House, now_ms
from tests.pay.payees import IBAN, camt

pytestmark = pytest.mark.browser

ITEMS = "query,product\noak lamp,Ondelaine bedside lamp\nkettle,Kelmoor kettle\nlamp,Clamp lamp\n"
COOP = """name = "Les Tisseurs"
iban = "BE68539007547034"
vat_id = "FR83404833048"
registration = "404833048"
[vat]
category = "S"
rate = 2000
[address]
town = "Lyon"
country = "FR"
postcode = "69004"
"""


def taken(page: Page, text: str) -> bytes:
    """The file behind a link."""
    with page.expect_download() as download:
        page.get_by_role("link", name=text).first.click()
    return Path(download.value.path()).read_bytes()


def engine(house: House) -> None:
    """What engines do meanwhile: answers are counted, and paid; what is accepted is theirs."""
    with connect(house.database, autocommit=True) as conn:
        decide_fresh(conn, Steps(), now_ms() + 60_000, 10_000)
        settle(conn, now_ms)


def a_week_passes(house: House) -> None:
    """The work was done the week before."""
    with connect(house.database) as conn:
        week = 7 * DAY_MS
        conn.execute(
            "update work_time set claimed_ms = claimed_ms - %s, ended_ms = ended_ms - %s",
            [week, week],
        )
        conn.execute("update answer set submitted_ms = submitted_ms - %s", [week])


@pytest.mark.slow
def test_from_a_quote_to_the_bank(visit: Visit, house: House) -> None:
    """A client pays in and launches from the price that it is shown; a contributor works; the
    period is settled; what was earned is asked for, approved by two, and paid. Pay slip, invoice
    and the file for the bank are downloaded, and valid."""
    # only the slow run loads what reads the papers
    import facturx
    import sepaxml
    import xmlschema
    from pypdf import PdfReader

    house.settings.coop_file.write_text(COOP)
    with connect(house.database) as conn:
        step = find_step(conn, "search/relevance", "relevance")
        values = {"currency": "EUR", "assumed_ms": 20_000, "why": "a pilot"}
        set_tariff(conn, COMMAND_LINE, step, now_ms(), **values)
        version = one(
            conn,
            """select max(v.id) from process_version v join process p on p.id = v.process_id
            where p.slug = 'search/relevance' and p.client_id is null""",
        )

    client = visit("client", "/money/billing?lang=en")
    for name, value in {"name": "Belvoie SARL", "town": "Lyon"}.items():
        client.fill(f"[name={name}]", value)
    client.select_option("[name=country]", "FR")
    client.get_by_role("button", name="Save").click()
    expect(client.locator("main")).to_contain_text("Saved.")
    operator = visit("operator", f"/operator/money/{house.accounts['belvoie']}?lang=en")
    operator.fill("#deposit-amount", "50.00")
    operator.fill("#deposit-reference", "transfer 1")
    operator.get_by_role("button", name="Book the deposit").click()
    expect(operator.locator("#movements")).to_contain_text("transfer 1")

    client.goto(f"{house.url}/batches/new?lang=en")
    hand_in(client, ITEMS, "searches.csv")
    client.wait_for_url("**/columns")
    go_on(client, "question")
    client.check(f"[name=pick][value='{version}']")
    client.click(".submit button.main")
    client.get_by_role("button", name="Go on to the quality").click()
    client.wait_for_url("**/target")
    go_on(client, "launch")
    expect(client.locator("main")).to_contain_text("of your deposit of €50.00 is set aside")
    client.get_by_role("button", name="Launch", exact=True).click()
    client.wait_for_url(lambda url: url.rpartition("/")[2].isdigit())
    batch = int(client.url.rpartition("/")[2])

    worker = visit("contributor", f"/work/{batch}?lang=en")
    expect(worker.locator("main")).to_contain_text("€12.02")
    worker.click("main button.main")
    for done in (1, 2):
        worker.wait_for_selector(".task[data-grown]")
        worker.keyboard.press("1")
        worker.keyboard.press("Enter")
        expect(worker.locator("#saved")).to_contain_text(f"{done} answered in this sitting")
    engine(house)
    client.goto(f"{house.url}/batches/{batch}/money?lang=en")
    client.get_by_role("button", name="Accept the work now").click()
    expect(client.locator("main")).to_contain_text("You have accepted the work.")
    engine(house)
    a_week_passes(house)

    operator.goto(f"{house.url}/operator/pay/periods?lang=en")
    operator.get_by_role("button", name="Settle it now").click()
    expect(operator.locator("main")).to_contain_text("Settled periods")
    worker.goto(f"{house.url}/pay/slips?lang=en")
    worker.get_by_role("link", name="Pay slip").first.click()
    slip = PdfReader(io.BytesIO(taken(worker, "PDF")))
    assert "Pay of the period" in slip.pages[0].extract_text()
    worker.goto(f"{house.url}/pay/account?lang=en")
    for name, value in {"holder": "Salomé Terreaux", "iban": IBAN, "address.town": "Lyon"}.items():
        worker.fill(f"[name='{name}']", value)
    worker.get_by_role("button", name="Keep this account").click()
    worker.get_by_role("button", name="Ask for it").click()
    expect(worker.locator(".rows")).to_contain_text("asked for")

    operator.goto(f"{house.url}/operator/pay/payouts?lang=en")
    operator.get_by_role("button", name="Make a run of them").click()
    operator.wait_for_url(lambda url: url.rpartition("/")[2].isdigit())
    with connect(house.database) as conn:
        total = one(conn, "select total from payout_run")
        payout = one(conn, "select id from payout")
    steward = visit("steward", operator.url.removeprefix(house.url) + "?lang=en")
    for keeper in (operator, steward):
        keeper.fill("[name=total]", f"{total / 100:.2f}")
        keeper.get_by_role("button", name="Approve", exact=True).click()
        expect(keeper.locator(".timeline")).to_contain_text("Approved by")
    order = taken(steward, "File for the bank")
    schema = xmlschema.XMLSchema(str(Path(sepaxml.__file__).parent / "schemas/pain.001.001.09.xsd"))
    found = schema.to_dict(order.decode())["CstmrCdtTrfInitn"]
    assert int(found["GrpHdr"]["CtrlSum"] * 100) == total > 0
    statement = camt("S1", (f"CANUT-PAYOUT-{payout}", f"{total / 100:.2f}", "DBIT"))
    steward.goto(f"{house.url}/operator/pay/payouts?lang=en")
    file = {"name": "camt.xml", "mimeType": "application/xml", "buffer": statement}
    steward.set_input_files("[name=file]", files=[file])
    steward.get_by_role("button", name="Read it").click()
    expect(steward.locator("#statements")).to_contain_text("S1")
    worker.goto(f"{house.url}/pay/payouts?lang=en")
    expect(worker.locator(".rows")).to_contain_text("paid out")

    operator.goto(f"{house.url}/operator/money/{house.accounts['belvoie']}?lang=en")
    operator.get_by_role("button", name="Issue the invoice").click()
    expect(operator.locator("#invoices table")).to_be_visible()
    client.goto(f"{house.url}/money/invoices?lang=en")
    _, xml = facturx.get_facturx_xml_from_pdf(taken(client, "PDF"), check_xsd=True)
    assert b"Belvoie SARL" in xml
    with connect(house.database) as conn:
        assert first_fault(conn) is None
