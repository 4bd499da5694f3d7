"""How fast items are checked against the shape of a process: `python -m bench.shape`.

Rows as a CSV reader hands them over (values are strings), half of them with accents, three
columns, and the same with a number, a boolean and an image. Last line: one JSON object, times in
microseconds a row, the best of `--rounds`.
"""

import argparse
import json
import time

from canut.errors import Problem
from canut.processes.model import ItemField, ItemShape
from canut.processes.shape import compile_shape

TEXTS = ItemShape(
    (
        ItemField("title", "Title", required=True),
        ItemField("description", "Description"),
        ItemField("brand", "Brand"),
    )
)
MIXED = ItemShape(
    (
        *TEXTS.fields,
        ItemField("price", "Price", type="number"),
        ItemField("verified", "Verified", type="boolean"),
        ItemField("photo", "Photo", type="image"),
    )
)


def text_rows(count: int) -> list[dict[str, str]]:
    """Rows of about 300 bytes."""
    described = (
        "Forged aluminium body, cool handle. " * 7,
        "Poêle forgée, manche détachable. " * 7,
    )
    return [
        {"title": f"Frying pan {i} cm", "description": described[i % 2], "brand": "Kelmoor"}
        for i in range(count)
    ]


def mixed_rows(count: int) -> list[dict[str, str]]:
    """The same with values to be parsed."""
    extra = {"verified": "yes", "photo": "https://shop.example/p.jpg"}
    return [row | extra | {"price": f"{i % 90},50"} for i, row in enumerate(text_rows(count))]


def us_per_row(shape: ItemShape, rows: list[dict[str, str]], rounds: int) -> float:
    """The best of some rounds."""
    check = compile_shape(shape)
    best = float("inf")
    for _ in range(rounds):
        problems: list[Problem] = []
        began = time.perf_counter()
        for number, row in enumerate(rows, 1):
            check(row, number, problems)
        best = min(best, time.perf_counter() - began)
        assert not problems, problems[0]
    return round(best / len(rows) * 1e6, 2)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    texts = us_per_row(TEXTS, text_rows(given.rows), given.rounds)
    mixed = us_per_row(MIXED, mixed_rows(given.rows), given.rounds)
    figures = {"rows": given.rows, "text_us_per_row": texts, "mixed_us_per_row": mixed}
    print(json.dumps(figures | {"text_rows_per_s": round(1e6 / texts)}))


if __name__ == "__main__":
    main()
