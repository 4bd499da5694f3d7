"""What the pages of clients' money share."""

from typing import Any

from canut.db.pool import SyncConn
from canut.errors import CanutError
from canut.pay.money.model import Part
from canut.pay.money.purse_model import MoveKind
from canut.pay.policy import policy_at
from canut.pay.quotes.model import LineKind
from canut.people.model import Client
from canut.people.store import clients_of
from canut.web.auth import WebRequest, principal, requires
from canut.web.i18n import N_
from canut.web.pages.forms import whole_number
from canut.web.pages.view import now_ms, pool, problems_of, told

CLIENTS = requires("client")
#: rows on a page of a list
PAGE = 30
#: where no policy says another
CURRENCY = "EUR"

LINES: dict[LineKind, str] = {
    "pay": N_("Pay of contributors"),
    "social": N_("Social contributions"),
    "ai": N_("Language models"),
    "fee": N_("Fee of the co-op"),
    "reserve": N_("Reserve to reach the hourly floor"),
    "cover": N_("Set aside for tasks under way"),
}
PARTS: dict[Part, str] = {
    "pay": N_("Pay of contributors"),
    "topup": N_("Top-ups to the hourly floor"),
    "social": N_("Social contributions"),
    "ai": N_("Language models"),
    "fee": N_("Fee of the co-op"),
}
MOVES: dict[MoveKind, str] = {
    "deposit": N_("Paid in"),
    "refund": N_("Paid back to you"),
    "fund": N_("Set aside for a batch"),
    "vat": N_("Tax of an invoice"),
    "release": N_("Back from a batch"),
    "dismiss": N_("Back from a dispute"),
}


class Scene:
    """Who looks at whose money: the values that every page of it has."""

    def __init__(self, request: WebRequest, clients: list[Client], client_id: int):
        self.request, self.client_id = request, client_id
        self.clients = clients
        #: what addresses need where somebody acts for several
        self.of = f"?client={client_id}" if len(clients) > 1 else ""

    def values(self, error: CanutError | None = None) -> dict[str, Any]:
        """For templates."""
        return {
            "clients": self.clients,
            "client_id": self.client_id,
            "of": self.of,
            "problems": told(self.request, problems_of(error)),
        }


async def scene(request: WebRequest, asked: str = "") -> Scene:
    """The client that is asked for (its number as a form or an address has it), or the first of
    one's own. Raises `NotFound` for a client that is not theirs."""
    who = principal(request)
    async with pool(request).connection() as conn:
        clients = await clients_of(conn, who.client_ids)
    wanted = whole_number(asked)
    chosen = who.client(wanted if wanted is not None else clients[0].id if clients else None)
    return Scene(request, clients, chosen)


def currencies(conn: SyncConn) -> list[str]:
    """In what clients may pay: those that have an hourly floor."""
    return sorted({currency for _, currency in policy_at(conn, now_ms()).floors}) or [CURRENCY]
