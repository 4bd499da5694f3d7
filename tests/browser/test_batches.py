"""A client hands a file over, mends it, watches it and takes the results, in a browser."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.test_every_page import fits
from tests.house import House

pytestmark = pytest.mark.browser
#: what is left of a batch that contributors work on is as it was
HOUSE = "shared"

BAD = "sku,Titre\nB1,Kettle\nB2,Lamp\nB1,No key of its own\n,No key\nB3,Toaster\n"


def hand_in(page: Page, text: str, name: str = "offers.csv") -> None:
    file: Any = {"name": name, "mimeType": "text/csv", "buffer": text.encode()}
    page.set_input_files("[name=file]", files=[file])
    page.click("main button.main")


def go_on(page: Page, to: str) -> None:
    page.click(".submit button.main")
    page.wait_for_url(f"**/{to}")


def test_a_question_is_made_and_answered(visit: Visit, house: House) -> None:
    """From a file to an answer, by keyboard where it matters: columns are recognised, wrong rows
    told and left out, the question is shown while it is typed, a window that is behind is told so,
    closing the browser loses nothing; a contributor answers what was previewed, and the result is
    there. Every step fits the screen."""
    page = visit("client", "/batches/new?lang=en")
    hand_in(page, BAD)
    page.wait_for_url("**/columns")
    at = page.url.removesuffix("/columns")
    expect(page.locator("#rows-to-mend tbody tr")).to_have_count(2)
    fits(page)
    page.click(".submit button.main")
    expect(page.get_by_role("alert")).to_contain_text("Some rows have something wrong")
    page.check("[name=skip]")
    go_on(page, "question")
    fits(page)
    page.check("[name=pick][value=made]")
    page.click(".submit button.main")
    page.fill("[name=title]", "Which shelf?")
    page.fill("[name=options]", "Kitchen\nLighting")
    preview = page.locator("#preview")
    expect(preview.locator("legend, .legend").first).to_have_text("Which shelf?")
    expect(preview.locator(".option")).to_have_count(2 + 11)
    expect(page.locator("[data-saved]")).to_have_text("Saved.")
    fits(page)
    other = page.context.new_page()
    other.goto(f"{at}/question")
    expect(other.locator("[name=title]")).to_have_value("Which shelf?")
    other.fill("[name=title]", "Which aisle?")
    expect(other.locator("[data-saved]")).to_have_text("Saved.")
    other.close()
    page.fill("[name=title]", "Which rack?")
    expect(page.locator("#elsewhere")).to_be_visible()
    page.goto(f"{at}/question")
    expect(page.locator("[name=title]")).to_have_value("Which aisle?")
    page.press("[name=title]", "Enter")
    page.wait_for_url("**/target")
    fits(page)
    page.check("[name=error][value='10']")
    go_on(page, "launch")
    fits(page)
    page.fill("[name=name]", "Aisles")
    page.click("text=Launch >> nth=-1")
    expect(page.locator("h1")).to_contain_text("Aisles")
    batch = page.url.rpartition("/")[2]
    work = visit("contributor", f"/work/{batch}?lang=en")
    work.click("main button.main")
    expect(work.locator(".ask legend, .ask .legend").first).to_have_text("Which aisle?")
    # keys are heard from then on
    work.wait_for_selector(".task[data-grown]")
    work.keyboard.press("1")
    work.keyboard.press("Enter")
    expect(work.locator("#saved")).to_contain_text("Saved")
    with psycopg.connect(house.database) as conn:
        said = conn.execute(
            """select a.value from answer a join task t on t.id = a.task_id
            join batch_step s on s.id = t.batch_step_id where s.batch_id = %s""",
            [int(batch)],
        ).fetchall()
    assert said == [("Kitchen",)]


def test_a_file_that_is_no_table_is_refused_with_a_mend(visit: Visit, house: House) -> None:
    """A PDF is told apart at once, whatever it is called; a table that was pasted is one."""
    page = visit("client", "/batches/new?lang=en")
    hand_in(page, "%PDF-1.7 ...")
    expect(page.get_by_role("alert")).to_contain_text("PDF")
    page.fill("[name=text]", "A kettle\nA lamp")
    page.uncheck("[name=headed]")
    page.click("main button.main")
    expect(page.locator(".draft-column h2")).to_have_text("text")


def test_progress_arrives_by_itself(
    visit: Visit, house: House, ask: Callable[..., list[Any]]
) -> None:
    """What the engine writes is on the page within seconds, without a reload; at the end the page
    says that the batch is delivered."""
    batch = house.batches["search-relevance"]
    page = visit("client", f"/batches/{batch}?lang=en")
    before = int(page.locator("[data-figure=answers]").inner_text().split()[0])
    page.evaluate("window.same = true")
    with psycopg.connect(house.database) as conn:
        conn.execute("update batch_step set n_answers = n_answers + 7 where batch_id = %s", [batch])
    expect(page.locator("[data-figure=answers]")).to_contain_text(str(before + 7))
    assert page.evaluate("window.same") is True
    with psycopg.connect(house.database) as conn:
        conn.execute(
            "update batch set state = 'delivered', delivered_ms = now_ms() where id = %s", [batch]
        )
    expect(page.locator(".page-head .state")).to_have_text("delivered")
    with psycopg.connect(house.database) as conn:
        conn.execute("update batch_step set n_answers = n_answers - 7 where batch_id = %s", [batch])
        conn.execute(
            "update batch set state = 'running', delivered_ms = null where id = %s", [batch]
        )


def test_pause_priority_resume_cancel(
    visit: Visit, house: House, ask: Callable[..., list[Any]]
) -> None:
    """The client steers a batch; a cancelled one offers nothing more to press."""
    batch = house.batches["invoices-capture"]
    page = visit("client", f"/batches/{batch}?lang=en")
    state = page.locator(".page-head .state")
    page.click("text=Pause")
    expect(state).to_have_text("paused")
    page.select_option("#priority", "3")
    page.get_by_role("button", name="Set", exact=True).click()
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
    other = visit("operator", "/operator?lang=en")
    expect(other.locator("h1")).to_have_text("Operation")
