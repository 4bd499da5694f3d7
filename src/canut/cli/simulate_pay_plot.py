"""A picture of a simulated crowd's hourly pay, as SVG."""

from collections.abc import Sequence
from xml.sax.saxutils import escape

from canut.pay.ledger.currency import DIGITS, written
from canut.pay.simulation import Outcome

WIDTH, ROW, LEFT, RIGHT = 640, 130, 46, 14
#: units of the currency an hour: up to here, in bins of this width; what is beyond is in the last
UP_TO, BIN = 30, 1
INK, QUIET, BELOW, ABOVE = "#221d24", "#5d5560", "#c2543d", "#4f7d8c"
_STYLE = 'font-family="sans-serif" font-size="11"'


def plotted(one: Outcome, currency: str) -> str:
    """Hourly pay of each contributor and week, in three rows: by the median time, by the price of
    the formula, and with the top-up."""
    rows = (
        ("Price of the median time, no top-up", one.median.hourly, one.median.below_periods),
        ("Price of the formula, no top-up", one.no_topup.hourly, one.no_topup.below_periods),
        ("Price of the formula and top-up", one.paid.hourly, one.paid.below_periods),
    )
    height = ROW * len(rows) + 34
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img"'
        f' {_STYLE} fill="{INK}">',
        f"<title>Hourly pay of each contributor and week, {one.periods} in all</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
    ]
    unit = 10 ** DIGITS[currency]
    for n, (name, hourly, below) in enumerate(rows):
        said = f"{name}: {below} of {one.periods} weeks below the floor"
        parts += _row(ROW * n, said, [minor / unit for minor in hourly], one.floor_minor / unit)
    floor = written(one.floor_minor, currency)
    parts.append(
        f'<text x="{WIDTH - RIGHT}" y="{height - 6}" text-anchor="end" fill="{QUIET}">'
        f"{currency} an hour; dashed: the floor, {floor}; the last bar is all above</text>"
    )
    return "\n".join([*parts, "</svg>\n"])


def _row(top: int, name: str, hourly: Sequence[float], floor: float) -> list[str]:
    bins = [0] * (UP_TO // BIN + 1)
    for value in hourly:
        bins[min(int(value // BIN), len(bins) - 1)] += 1
    base, most = top + ROW - 18, max([*bins, 1])
    wide = (WIDTH - LEFT - RIGHT) / len(bins)
    found = [f'<text x="{LEFT}" y="{top + 16}" font-weight="600">{escape(name)}</text>']
    for n, count in enumerate(bins):
        tall = (ROW - 48) * count / most
        colour = BELOW if (n + 1) * BIN <= floor else ABOVE
        found.append(
            f'<rect x="{LEFT + n * wide:.1f}" y="{base - tall:.1f}" width="{wide - 1:.1f}"'
            f' height="{tall:.1f}" fill="{colour}"/>'
        )
    for value in range(0, UP_TO + 1, 5):
        x = LEFT + value / BIN * wide
        found.append(
            f'<text x="{x:.1f}" y="{base + 13}" text-anchor="middle" fill="{QUIET}">{value}</text>'
        )
    x = LEFT + floor / BIN * wide
    found += [
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{base}" y2="{base}" stroke="{QUIET}"/>',
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top + 24}" y2="{base}" stroke="{INK}"'
        ' stroke-dasharray="4 3"/>',
        f'<text x="{LEFT - 6}" y="{top + 34}" text-anchor="end" fill="{QUIET}">{most}</text>',
    ]
    return found
