"""A pay slip as CSV: every task, all hours beside them, then the sum, a step a row."""

import csv
import io
from collections.abc import Callable

from canut.pay.settlement.model import Slip
from canut.pay.settlement.slip_sum import Step, steps
from canut.pay.settlement.slip_texts import TEXTS, Locale
from canut.pay.settlement.slip_words import iso, plain, titled

COLUMNS = (
    "csv_line",
    "csv_what",
    "csv_basis",
    "csv_n",
    "csv_ms",
    "csv_amount",
    "csv_currency",
    "csv_step",
)


def slip_csv(slip: Slip, locale: Locale, name: Callable[[int], str] = str) -> bytes:
    """The file, in UTF-8; `name` makes what a contributor calls a task of its number. Amounts are
    in units of the currency, with a point; times in milliseconds."""
    text, about = TEXTS[locale], slip.summary
    out = io.StringIO(newline="")
    rows = csv.writer(out)
    rows.writerow(text[one] for one in COLUMNS)
    for line in slip.lines:
        what = f"{titled(line, locale)}, {name(line.task_id)}"
        step_slug = f"{line.process}/{line.step}"
        basis = text[f"basis_{line.basis}"]
        pay = plain(line.pay_minor, about.currency)
        figures = [1, line.agreed_ms, pay, about.currency]
        rows.writerow([text["task"], what, basis, *figures, step_slug])
    for one in slip.hours:
        what = f"{text[f'kind_{one.kind}']}, {iso(one.from_ms)}/{iso(one.until_ms)}"
        # what they bring is rounded once, for all of them: it stands in the sum
        rows.writerow([text["hours_line"], what, text["hour"], "", one.agreed_ms, "", "", ""])
    for step in steps(slip, locale):
        rows.writerow(["", step.words, "", *_figures(step, about.currency), ""])
    return out.getvalue().encode()


def _figures(step: Step, currency: str) -> list[str | int]:
    n = "" if step.n_tasks is None else step.n_tasks
    ms = "" if step.ms is None else step.ms
    if step.minor is None:
        return [n, ms, "", ""]
    return [n, ms, plain(step.minor, currency), currency]
