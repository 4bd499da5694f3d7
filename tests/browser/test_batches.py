"""A client hands a file over, mends it, watches it and takes the results, in a browser."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.house import House

pytestmark = pytest.mark.browser

GOOD = "sku,Titre,Marque\nA1,Kettle 1.7 l,Kelmoor\nA2,Bouilloire,\n"
BAD = "sku,Titre\nB1,Kettle\nB2,\n,No key\n"


def hand_in(page: Page, key: str, text: str) -> None:
    page.check("input[value='catalogue/categorise']")
    file: Any = {"name": "offers.csv", "mimeType": "text/csv", "buffer": text.encode()}
    page.set_input_files("[name=file]", files=[file])
    page.fill("[name=key]", key)
    page.click("main button.main")
    expect(page.locator("h1")).to_have_text("Which column is which?")


def test_a_file_becomes_a_batch(visit: Visit, house: House) -> None:
    """Columns are guessed from their headings in either language; the batch then runs."""
    page = visit("client", "/batches/new?lang=en")
    hand_in(page, "from-a-file", GOOD)
    expect(page.locator("[name='field.title']")).to_have_value("Titre")
    expect(page.locator("[name='field.brand']")).to_have_value("Marque")
    expect(page.locator("[name='field.reference']")).to_have_value("sku")
    page.click("main button.main")
    expect(page.locator("h1")).to_have_text("from-a-file")
    expect(page.locator("[data-figure=items]")).to_have_text("2")
    expect(page.locator("tbody th").first).to_have_text("A1")


def test_wrong_rows_are_told_and_may_be_skipped(visit: Visit, house: House) -> None:
    """Every wrong row is shown with its field and its mend; nothing is imported until the client
    says that the good rows will do."""
    page = visit("client", "/batches/new?lang=en")
    hand_in(page, "wrong-rows", BAD)
    page.click("main button.main")
    expect(page.get_by_role("alert")).to_contain_text("Nothing was imported.")
    expect(page.locator("tbody tr td:first-child")).to_have_text(["2", "3"])
    page.click("text=Import the good rows only")
    expect(page.get_by_role("status")).to_contain_text("1 item was imported.")
    page.click("text=Go to the batch")
    expect(page.locator("[data-figure=items]")).to_have_text("1")


def test_a_file_that_is_no_table_is_refused_with_a_mend(visit: Visit, house: House) -> None:
    """A PDF is told apart at once, on the form, with what was entered still there."""
    page = visit("client", "/batches/new?lang=en")
    page.check("input[value='images/tag']")
    file: Any = {"name": "offers.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 ..."}
    page.set_input_files("[name=file]", files=[file])
    page.fill("[name=key]", "a-pdf")
    page.click("main button.main")
    expect(page.get_by_role("alert")).to_contain_text("PDF")
    expect(page.locator("[name=key]")).to_have_value("a-pdf")


def test_progress_arrives_by_itself(
    visit: Visit, house: House, ask: Callable[..., list[Any]]
) -> None:
    """What the engine writes is on the page within seconds, without a reload; at the end the page
    says that the batch is delivered."""
    batch = house.batches["search-relevance"]
    page = visit("client", f"/batches/{batch}?lang=en")
    before = int(page.locator("[data-figure=answers]").inner_text())
    page.evaluate("window.same = true")
    with psycopg.connect(house.database) as conn:
        conn.execute("update batch_step set n_answers = n_answers + 7 where batch_id = %s", [batch])
    expect(page.locator("[data-figure=answers]")).to_have_text(str(before + 7))
    assert page.evaluate("window.same") is True
    with psycopg.connect(house.database) as conn:
        conn.execute(
            "update batch set state = 'delivered', delivered_ms = now_ms() where id = %s", [batch]
        )
    expect(page.locator(".page-head .state")).to_have_text("delivered")


def test_pause_priority_resume_cancel(
    visit: Visit, house: House, ask: Callable[..., list[Any]]
) -> None:
    """The client steers a batch; a cancelled one offers nothing more to press."""
    batch = house.batches["catalogue-enrich"]
    page = visit("client", f"/batches/{batch}?lang=en")
    state = page.locator(".page-head .state")
    page.click("text=Pause")
    expect(state).to_have_text("paused")
    page.select_option("#priority", "3")
    page.click("text=Set")
    expect(page.locator("#priority")).to_have_value("3")
    page.click("text=Resume")
    expect(state).to_have_text("running")
    page.click("text=Cancel this batch")
    page.click("text=Cancel the batch")
    expect(state).to_have_text("cancelled")
    expect(page.locator("#priority")).to_have_count(0)
    assert ask("select state, priority from batch where id = %s", batch) == [("cancelled", 3)]


@pytest.mark.parametrize("form", ["CSV", "JSONL", "Parquet"])
def test_results_are_taken_away(visit: Visit, house: House, form: str, tmp_path: Path) -> None:
    """Each format is one click, and the file is whole."""
    page = visit("client", f"/batches/{house.batches['catalogue-categorise']}?lang=en")
    with page.expect_download() as download:
        page.click(f".button:text-is('{form}')")
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    assert path.suffix == f".{form.lower()}"
    content = path.read_bytes()
    if form == "Parquet":
        assert content.startswith(b"PAR1")
        assert content.endswith(b"PAR1")
    else:
        assert len(content.decode().splitlines()) == 330 + (form == "CSV")


def test_a_stream_does_not_keep_the_server_from_stopping(visit: Visit, house: House) -> None:
    """While somebody watches, other pages answer, and the fixture's clean stop (20 s) holds."""
    page = visit("client", f"/batches/{house.batches['catalogue-categorise']}?lang=en")
    expect(page.locator("#live")).not_to_have_text("…")
    begun = time.monotonic()
    other = visit("operator", "/operator?lang=en")
    expect(other.locator("h1")).to_have_text("Operation")
    assert time.monotonic() - begun < 8
