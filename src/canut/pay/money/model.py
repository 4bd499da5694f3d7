"""Invoices, and payments by a provider. Amounts in minor units."""

from typing import Literal, TypeAlias

from msgspec import Struct

from canut.pay.identity import Address, Coop, Vat

InvoiceKind: TypeAlias = Literal["invoice", "credit_note"]
#: what a client pays for: work, top-ups to the floor, contributions, language models, the co-op
Part: TypeAlias = Literal["pay", "topup", "social", "ai", "fee"]
PaymentState: TypeAlias = Literal["begun", "open", "pending", "paid", "failed", "expired"]
Locale: TypeAlias = Literal["en", "fr"]


class Billing(Struct, frozen=True, forbid_unknown_fields=True):
    """Whom invoices to a client name."""

    #: in law
    name: str
    address: Address
    #: with the letters of the country; empty: none
    vat_id: str = ""
    #: None: taxed as the co-op says
    vat: Vat | None = None
    locale: Locale = "en"


class InvoiceLine(Struct, frozen=True):
    """A part of what a batch cost. Below 0: it cost less than was billed before."""

    batch_id: int
    batch_name: str
    part: Part
    net: int


class Papers(Struct, frozen=True):
    """What an invoice says of the parties, as they were."""

    seller: Coop
    buyer: Billing
    vat: Vat
    locale: Locale
    #: number and day (ISO 8601) of the invoice that a credit note corrects
    corrects: tuple[str, str] | None = None


class Draft(Struct, frozen=True):
    """Everything that an invoice says."""

    number: str
    kind: InvoiceKind
    currency: str
    issued_ms: int
    #: work dated before this
    until_ms: int
    lines: list[InvoiceLine]
    net: int
    vat: int
    #: of what it comes to: paid from the deposit already
    prepaid: int
    papers: Papers
    why: str = ""

    @property
    def total(self) -> int:
        """With tax."""
        return self.net + self.vat

    @property
    def due(self) -> int:
        """To be paid still."""
        return self.total - self.prepaid


class Invoice(Struct, frozen=True):
    """An invoice or credit note, in a list."""

    id: int
    number: str
    kind: InvoiceKind
    client_id: int
    #: the invoice that it corrects
    of_invoice: int | None
    #: it was corrected whole
    cancelled: bool
    currency: str
    until_ms: int
    issued_ms: int
    net: int
    vat: int
    prepaid: int
    #: tax that is still to be taken from the deposit
    due: int
    why: str


class Payment(Struct, frozen=True):
    """A payment that a client was asked to make at a provider."""

    id: int
    client_id: int
    provider: str
    currency: str
    amount: int
    state: PaymentState
    session: str | None
    #: where the client pays
    url: str
    begun_ms: int
    changed_ms: int
