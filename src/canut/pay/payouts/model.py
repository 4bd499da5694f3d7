"""Where money goes, what was asked for, and the runs that pay it."""

from typing import Literal, TypeAlias

from msgspec import Struct

from canut.pay.identity import Address

PayoutState: TypeAlias = Literal["requested", "cancelled", "approved", "paid", "failed"]
RunState: TypeAlias = Literal["assembled", "approved", "cancelled"]

#: the way of bank accounts; other ways are slugs of mobile-money providers
BANK = "iban"


class BankAccount(Struct, frozen=True, tag="iban", tag_field="way", forbid_unknown_fields=True):
    """A bank account in the single euro payments area."""

    #: whose account it is
    holder: str
    iban: str
    address: Address


class MobileMoney(Struct, frozen=True, tag="mobile", tag_field="way", forbid_unknown_fields=True):
    """An account with a provider of mobile money."""

    #: slug of the provider
    provider: str
    holder: str
    #: in international form: "+254700000001"
    number: str


Destination: TypeAlias = BankAccount | MobileMoney


class PayoutAccount(Struct, frozen=True):
    """Where a contributor's money goes, as far as it may be shown."""

    id: int
    contributor_id: int
    way: str
    masked: str
    created_ms: int
    #: other contributors with the same IBAN or number: for a person to look at
    shared_with: list[int] = []


class Payout(Struct, frozen=True):
    """What a contributor asked for, and what became of it."""

    id: int
    contributor_id: int
    way: str
    masked: str
    currency: str
    #: minor units
    amount: int
    state: PayoutState
    run_id: int | None
    reason: str
    requested_ms: int
    ended_ms: int | None

    @property
    def reference(self) -> str:
        """What the bank calls it: the end-to-end id."""
        return reference_of(self.id)


class Approval(Struct, frozen=True):
    """Somebody who approved a run."""

    account_id: int
    name: str
    at_ms: int
    #: it counts: they may still log in, and are a steward or an operator
    stands: bool


class Return(Struct, frozen=True):
    """Somebody who said that a payout which may have left did not arrive."""

    payout_id: int
    account_id: int
    name: str
    why: str
    at_ms: int
    #: it counts, as an approval does
    stands: bool


class Run(Struct, frozen=True):
    """Payouts that are paid together."""

    id: int
    way: str
    currency: str
    state: RunState
    n_payouts: int
    #: minor units; what two people approve
    total: int
    assembled_ms: int
    approved_ms: int | None
    #: of its payouts, by now
    paid: int
    failed: int
    #: minor units of those that failed
    returned: int
    #: minor units that the file summed to when it was first taken; None: nobody has
    file_total: int | None
    approvals: list[Approval] = []

    @property
    def left(self) -> int:
        """Minor units of what was not given back."""
        return self.total - self.returned


class Payee(Struct, frozen=True):
    """A line of a file for a bank or a provider."""

    payout_id: int
    #: minor units
    amount: int
    destination: Destination


class RunFile(Struct, frozen=True):
    """A file for a bank or a provider."""

    name: str
    media_type: str
    content: bytes


def reference_of(payout_id: int) -> str:
    """The end-to-end id of a payout."""
    return f"CANUT-PAYOUT-{payout_id}"


def run_reference(run_id: int) -> str:
    """What the bank calls a run: the id of the message and of its one group of payments."""
    return f"CANUT-RUN-{run_id}"
