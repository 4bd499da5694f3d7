"""Finding an option of a long list: what is found, in which order, and how fast."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canut.web.fold import fold
from canut.web.option_index import OptionIndex

WORDS = ["Écharpe", "Kettle", "Bread knife", "Garden chair", "Œuf", "Tea towel", "Scarf"]


def option(value: str, label: str, *path: str, synonyms: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"value": value, "label": label, "hint": "", "path": path, "synonyms": list(synonyms)}


INDEX = OptionIndex(
    [
        option("a", "Silk scarf", "Clothes", "Scarves", synonyms=("foulard",)),
        option("b", "Scarf ring", "Clothes", "Scarves"),
        option("c", "Écharpes", "Clothes", "Scarves"),
        option("d", "Kettle", "Kitchen", synonyms=("scarfless",)),
        option("e", "Loose"),
    ]
)


def found(text: str, limit: int = 9) -> str:
    return "".join(INDEX.values[n] for n in INDEX.find(text, limit)[0])


def test_what_begins_with_the_text_comes_first() -> None:
    """Labels that begin with it, words of labels, other names and paths; without accents or case;
    every word must fit; a count of all."""
    assert found("scarf") == "bad"
    assert found("SCAR") == "bacd"
    assert INDEX.find("scar", 1)[1] == 4
    assert found("echarpes") == "c"
    assert found("foul scarv") == "a"
    assert found("clothes kettle") == ""
    assert found("d") == "d"
    assert found("", 2) == "ab"


def test_levels_are_walked_down() -> None:
    """Names and counts of the next level, and what stands at a path itself."""
    assert INDEX.below((), 9) == ([("Clothes", 3), ("Kitchen", 1)], [4])
    assert INDEX.below(("Clothes",), 9) == ([("Scarves", 3)], [])
    assert INDEX.below(("Clothes", "Scarves"), 2) == ([], [0, 1])
    assert INDEX.below(("Nowhere",), 9) == ([], [])


def test_likely_options_share_rare_words_with_the_item() -> None:
    """The item's own words, in singular or plural; nothing where none is shared."""
    likely = [INDEX.values[n] for n in INDEX.likely("A silk scarf, two scarves, hand made", 3)]
    assert likely == ["a", "b"]
    assert INDEX.likely("nothing of the kind", 3) == []


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=12), st.text(max_size=12))
def test_an_option_is_found_by_the_beginning_of_its_words(labels: list[str], noise: str) -> None:
    """The index agrees with looking at every option; no text breaks it."""
    index = OptionIndex([option(str(n), label) for n, label in enumerate(labels)])
    index.find(noise, 5)
    index.likely(noise, 5)
    for text in ("ke", "oe", "t", "ecH", "bread kn", "kn bread"):
        words = fold(text).split()
        wanted = {
            n
            for n, label in enumerate(labels)
            if all(any(part.startswith(word) for part in fold(label).split()) for word in words)
        }
        assert set(index.find(text, 99)[0]) == wanted


@pytest.mark.slow
def test_half_a_million_options_are_found_while_typing() -> None:
    """500,000 labels: every key is answered well within a frame of typing."""
    options = [
        option(
            f"c{n}",
            f"{WORDS[n % 7]} {n}",
            f"Department {n % 40}",
            f"Shelf {n % 4000}",
            synonyms=(f"alias{n % 9999}",),
        )
        for n in range(500_000)
    ]
    begun = time.perf_counter()
    index = OptionIndex(options)
    built = time.perf_counter() - begun
    for text in ("k", "kettle", "kettle 49", "department 8 shelf 3008 ketle", "alias77 scarf"):
        begun = time.perf_counter()
        index.find(text, 50)
        spent = time.perf_counter() - begun
        print(f"{text!r}: {spent * 1000:.1f} ms")
        assert spent < 0.5
    begun = time.perf_counter()
    assert index.likely("A kettle of 1.7 litres, number 4901", 6)
    index.below(("Department 7",), 500)
    print(
        f"built in {built:.1f} s; likely and a level {(time.perf_counter() - begun) * 1000:.1f} ms"
    )
