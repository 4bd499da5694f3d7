"""Clients' money, as they look at it. Minor units."""

from typing import Literal, TypeAlias

from msgspec import Struct

from canut.pay.money.model import Part

#: what the money of a batch went on
PARTS: tuple[Part, ...] = ("pay", "topup", "social", "ai", "fee")
MoveKind: TypeAlias = Literal["deposit", "refund", "fund", "vat", "release", "dismiss"]


class Purse(Struct, frozen=True):
    """A client's money in one currency."""

    currency: str
    #: free to be set aside
    deposit: int
    #: set aside in batches and not used, reserves too
    aside: int
    #: held for contributors, contributions and fee until it is accepted
    held: int


class ClientPurse(Struct, frozen=True):
    """A client, with a purse for each currency it ever had."""

    client_id: int
    slug: str
    name: str
    purses: list[Purse]
    #: batches that wait for money
    waiting: int


class BatchPurse(Struct, frozen=True):
    """The money of a batch."""

    id: int
    client_id: int
    name: str
    state: str
    n_items: int
    #: items that may still need answers
    left_items: int
    #: None: it never had money
    currency: str | None
    funded_ms: int | None
    #: since when its money does not cover another item
    short_ms: int | None
    #: quotes that were agreed to
    agreed: int
    #: what went back on the deposit
    back: int
    #: until it is accepted
    held: int
    #: set aside for work, and to reach the floor
    escrow: int
    reserve: int

    @property
    def left(self) -> int:
        """Set aside, not used and not held."""
        return self.escrow + self.reserve

    @property
    def used(self) -> int:
        """Spent for good."""
        return self.agreed - self.back - self.held - self.left

    @property
    def waits(self) -> bool:
        """It needs money before anybody may work in it."""
        alive = self.state in ("running", "paused")
        return alive and (self.funded_ms is None or self.short_ms is not None)


class PartSum(Struct, frozen=True):
    """What of a batch's money went on one thing, or is held for it."""

    part: Part
    used: int
    held: int


class Move(Struct, frozen=True):
    """A movement on a client's deposit."""

    transfer_id: int
    at_ms: int
    kind: MoveKind
    currency: str
    #: below 0: it left
    amount: int
    #: of the other side: the batch's escrow or reserve, the bank, ...
    other: str
    batch_id: int | None
    batch_name: str
    #: what the bank calls it; empty: nothing
    reference: str
