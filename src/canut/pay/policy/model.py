"""Rules of pay and what holds of them on one day. Pure.

Shares are whole hundredths of a percent (1500 = 15%), so that whoever recomputes a pay slip gets
the same cents; floors are minor units of a currency an hour.
"""

from typing import Literal, TypeAlias, get_args

from msgspec import Struct

from canut.errors import Invalid, NotFound, Problem
from canut.pay.ledger.currency import DIGITS

RuleName: TypeAlias = Literal[
    "floor", "fee", "social", "reserve", "accept_days", "period_days", "home"
]
NAMES: tuple[RuleName, ...] = get_args(RuleName)

#: shares are of so many parts
WHOLE = 10_000
DAY_MS = 86_400_000
#: most that a rule may say
MOST: dict[str, int] = {
    "floor": 10_000_000,
    "fee": 5_000,
    "social": WHOLE,
    "reserve": WHOLE,
    "accept_days": 30,
    "period_days": 7,
    "home": 1,
}
#: least: contributors are paid in time, and something
LEAST: dict[str, int] = {"floor": 1, "accept_days": 0, "period_days": 1, "home": 1}
#: rules that each jurisdiction has of its own; floors are of a currency too
PLACED: frozenset[str] = frozenset({"floor", "social", "home"})


class Rule(Struct, frozen=True):
    """A rule, from a day on."""

    id: int
    name: RuleName
    #: country of ISO 3166, or a part of one ("FR", "US-CA"); empty: everywhere
    jurisdiction: str
    #: ISO 4217; of floors
    currency: str
    value: int
    from_ms: int
    #: the resolution that decided it; None: a founding rule
    resolution: str | None
    made_ms: int


class Policy(Struct, frozen=True):
    """The rules in force at a moment."""

    at_ms: int
    #: jurisdiction of whoever has no other
    home: str
    #: (jurisdiction, currency) -> minor units an hour
    floors: dict[tuple[str, str], int]
    #: jurisdiction -> share of pay
    social: dict[str, int]
    fee: int
    reserve: int
    accept_days: int
    period_days: int

    @property
    def accept_ms(self) -> int:
        """After so long, silence is acceptance."""
        return self.accept_days * DAY_MS

    @property
    def period_ms(self) -> int:
        """The longest pay period."""
        return self.period_days * DAY_MS

    def floor(self, jurisdiction: str | None, currency: str) -> int:
        """Minor units of an hour; None: at home. Raises `NotFound`: nobody is paid where no floor
        was decided."""
        place = jurisdiction or self.home
        found = self.floors.get((place, currency))
        if found is None:
            raise NotFound(
                f"There is no floor for {place} in {currency}.",
                mend=f"decide one: canut pay policy --set floor --in {place} --currency {currency}",
            )
        return found

    def social_share(self, jurisdiction: str | None) -> int:
        """Contributions on pay; 0 where nothing was decided."""
        return self.social.get(jurisdiction or self.home, 0)

    @property
    def social_most(self) -> int:
        """The highest share of any jurisdiction: what an answer of anybody may cost."""
        return max(self.social.values(), default=0)


def in_force(rules: list[Rule], at_ms: int) -> Policy:
    """The last rule of each name, jurisdiction and currency that had begun at `at_ms`."""
    last: dict[tuple[str, str, str], Rule] = {}
    for rule in sorted(rules, key=lambda one: (one.from_ms, one.id)):
        if rule.from_ms <= at_ms:
            # a name of its own for all homes: the newest is the home
            place = "" if rule.name == "home" else rule.jurisdiction
            last[rule.name, place, rule.currency] = rule

    def plain(name: RuleName) -> int:
        return last[name, "", ""].value

    return Policy(
        at_ms=at_ms,
        home=last["home", "", ""].jurisdiction,
        floors={(r.jurisdiction, r.currency): r.value for r in last.values() if r.name == "floor"},
        social={r.jurisdiction: r.value for r in last.values() if r.name == "social"},
        fee=plain("fee"),
        reserve=plain("reserve"),
        accept_days=plain("accept_days"),
        period_days=plain("period_days"),
    )


def share_of(amount: int, share: int) -> int:
    """ceil(amount x share), in minor units: what is owed on an amount is never rounded away."""
    return -(-amount * share // WHOLE)


def check_rule(
    name: str, value: int, jurisdiction: str, currency: str, from_ms: int, now_ms: int
) -> None:
    """Raises `Invalid` with everything that is wrong."""
    found: list[Problem] = []
    if name not in NAMES:
        raise Invalid(f"{name!r} is no rule.", mend=f"use one of {', '.join(NAMES)}")
    least, most = LEAST.get(name, 0), MOST[name]
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        mend = f"give a whole number from {least} to {most:,}"
        found.append(Problem(f"{value!r} cannot be", mend, field="value"))
    if (name in PLACED) != bool(jurisdiction):
        text = "needs a jurisdiction" if name in PLACED else "is the same everywhere"
        found.append(Problem(f"{name} {text}", field="jurisdiction"))
    elif jurisdiction and not is_jurisdiction(jurisdiction):
        mend = 'write it as "FR" or "US-CA"'
        found.append(Problem(f"{jurisdiction!r} is no jurisdiction", mend, field="jurisdiction"))
    if (name == "floor") != bool(currency) or (currency and currency not in DIGITS):
        text = "a floor has a currency of ISO 4217, other rules have none"
        found.append(Problem(text, field="currency"))
    if from_ms < now_ms:
        found.append(Problem("the past is what it was", "name a day to come", field="from"))
    if found:
        raise Invalid(f"This cannot be the rule {name}.", problems=found)


def is_jurisdiction(text: str) -> bool:
    """Whether this is a country of ISO 3166-1, or a part of one as ISO 3166-2 writes it."""
    country, dash, part = text.partition("-")
    plain = country.isascii() and country.isalpha() and country.isupper() and len(country) == 2
    inside = (part.isascii() and part.isalnum() and part.isupper()) or part.isdigit()
    return plain and (not dash or (inside and 1 <= len(part) <= 3))
