"""What the demo shows of pay: a process that pays, play money to pay with, a co-op to pay it out.

May be made any number of times: what is there stays.
"""

from contextlib import suppress
from pathlib import Path

from canut.db.pool import SyncConn
from canut.errors import Conflict
from canut.pay.funding import deposit, fund, read_funds
from canut.pay.quotes import make_quote
from canut.pay.tariffs import find_step, history, set_tariff
from canut.people.store import COMMAND_LINE

#: the process whose work is paid; all others are voluntary
PAID = "search/relevance"
STEP = "relevance"
#: what the pilot takes a task to need until it is measured
ASSUMED_MS = 20_000
CURRENCY = "EUR"
DEPOSIT_MINOR = 50_000

#: who pays out, to banks and on invoices; the account number is the one of examples
COOP = """# made by `canut demo`: numbers of examples, and nobody's bank
name = "Coopérative de démonstration"
iban = "BE68 5390 0754 7034"
registration = "404833048"
vat_id = "FR83404833048"

[address]
street = "place de la Croix-Rousse"
building = "1"
postcode = "69004"
town = "Lyon"
country = "FR"

[vat]
category = "S"
rate = 2000
"""


def make_money(conn: SyncConn, client_id: int, now_ms: int) -> None:
    """The tariff of the step that pays, and the sample client's deposit; before its batch is
    opened, which then waits for money."""
    step = find_step(conn, PAID, STEP)
    if not history(conn, step):
        why = "the demo shows a pilot"
        set_tariff(
            conn, COMMAND_LINE, step, now_ms, currency=CURRENCY, assumed_ms=ASSUMED_MS, why=why
        )
    deposit(conn, COMMAND_LINE, client_id, DEPOSIT_MINOR, CURRENCY, "play money", now_ms)


def fund_sample(conn: SyncConn, batch_id: int, now_ms: int) -> None:
    """Set the price of the sample aside, as its client would."""
    if read_funds(conn, COMMAND_LINE, batch_id) is None:
        # a demo of old may have worked it off
        with suppress(Conflict):
            fund(conn, COMMAND_LINE, make_quote(conn, COMMAND_LINE, batch_id, now_ms).id, now_ms)


def write_coop(path: Path) -> None:
    """The file that invoices and banks need, unless there is one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError), path.open("x", encoding="utf-8") as file:
        file.write(COOP)
