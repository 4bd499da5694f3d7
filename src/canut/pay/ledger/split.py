"""Splitting an amount without losing a cent: largest remainder (Hamilton's method)."""

from collections.abc import Sequence

from canut.errors import Invalid


def split(amount: int, weights: Sequence[int]) -> list[int]:
    """`amount` minor units (0 or more) in proportion to whole weights (0 or more, not all 0): each
    part is its exact share rounded down or up, and the parts sum to `amount`. Of equal remainders
    the first get the cent. Raises `Invalid`."""
    total = sum(weights)
    if amount < 0 or total <= 0 or min(weights) < 0:
        raise Invalid(
            "An amount of 0 or more is split by weights of 0 or more that are not all 0.",
            mend="check the amount and the weights",
        )
    parts = [amount * weight // total for weight in weights]
    left = amount - sum(parts)
    # most of a cent first; sorting is stable, so equal ones stay in order
    order = sorted(range(len(weights)), key=lambda n: -(amount * weights[n] % total))
    for n in order[:left]:
        parts[n] += 1
    return parts
