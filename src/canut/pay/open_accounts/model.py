"""What is shown of a month, and which months there are. Pure. Minor units, milliseconds UTC."""

from datetime import UTC, datetime

from msgspec import Struct

#: of fewer people nothing is shown: a sum of few says what one of them earned
PEOPLE_MIN = 5
#: pay of an hour is shown in steps of so much: the one in the middle is somebody's
HOURLY_STEP = 10


class Moved(Struct, frozen=True):
    """What the books moved in a month, in one currency."""

    currency: str
    #: people whom clients paid, those whom the co-op itself paid, and those who got a top-up
    paid: int
    coop_paid: int
    topped_up: int
    pay_minor: int
    coop_minor: int
    topup_minor: int
    social_minor: int
    ai_minor: int
    fee_minor: int


class Hours(Struct, frozen=True):
    """What the pay slips of the periods that ended in a month say, in one currency."""

    currency: str
    contributors: int
    #: of them, those that are programs
    simulated: int
    #: people with agreed time; programs, where there are only these
    timed: int
    #: pay of an hour, of the one in the middle of them; None: nobody has time
    hourly_minor: int | None

    @property
    def people(self) -> int:
        """Those that are no programs."""
        return self.contributors - self.simulated


class Figures(Struct, frozen=True):
    """What is shown of a month in one currency."""

    #: with a pay slip of a period that ended in it
    contributors: int
    #: of them, those that are programs made to try Canut out
    simulated: int
    #: pay of an hour, of the contributor in the middle, to the nearest `HOURLY_STEP`; None: too few
    #: have agreed time
    hourly_minor: int | None
    #: from clients to contributors, top-ups among it
    pay_minor: int
    #: from the co-op to contributors, besides; None: too few got any
    coop_minor: int | None
    #: of both, what brought pay up to the floor; None: too few got any
    topup_minor: int | None
    #: from clients
    social_minor: int
    ai_minor: int
    fee_minor: int

    @property
    def clients_minor(self) -> int:
        """What clients paid for work."""
        return self.pay_minor + self.social_minor + self.ai_minor + self.fee_minor

    @property
    def share(self) -> float | None:
        """The contributors' part of what clients paid; None: they paid nothing."""
        return self.pay_minor / self.clients_minor if self.clients_minor > 0 else None


class Share(Struct, frozen=True):
    """A currency of a month."""

    currency: str
    #: None: too few people to be shown
    figures: Figures | None


class OpenMonth(Struct, frozen=True):
    """A month as it was published, `from_ms` in it and `until_ms` not."""

    from_ms: int
    until_ms: int
    published_ms: int
    shares: list[Share]

    @property
    def name(self) -> str:
        """As addresses have it: "2026-11"."""
        return f"{_utc(self.from_ms):%Y-%m}"


def month_of(at_ms: int) -> tuple[int, int]:
    """The month of a moment, UTC: when it begins, and when the next one does."""
    at = _utc(at_ms)
    first = datetime(at.year, at.month, 1, tzinfo=UTC)
    after = datetime(at.year + at.month // 12, at.month % 12 + 1, 1, tzinfo=UTC)
    return _ms(first), _ms(after)


def shown(moved: list[Moved], hours: list[Hours]) -> list[Share]:
    """What of a month may be shown, by currency."""
    by_currency = {one.currency: one for one in hours}
    return [_share(one, by_currency.get(one.currency)) for one in moved]


def _share(moved: Moved, hours: Hours | None) -> Share:
    if hours is None or _few(hours.people) or _few(moved.paid):
        return Share(moved.currency, None)
    hourly = hours.hourly_minor
    if hourly is not None:
        hourly = (hourly + HOURLY_STEP // 2) // HOURLY_STEP * HOURLY_STEP
    return Share(
        moved.currency,
        Figures(
            contributors=hours.contributors,
            simulated=hours.simulated,
            hourly_minor=hourly if hours.timed >= PEOPLE_MIN else None,
            pay_minor=moved.pay_minor,
            coop_minor=None if _few(moved.coop_paid) else moved.coop_minor,
            topup_minor=None if _few(moved.topped_up) else moved.topup_minor,
            social_minor=moved.social_minor,
            ai_minor=moved.ai_minor,
            fee_minor=moved.fee_minor,
        ),
    )


def _few(people: int) -> bool:
    """Programs earn no secret: where there is nobody, nobody is told of."""
    return 0 < people < PEOPLE_MIN


def _utc(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
