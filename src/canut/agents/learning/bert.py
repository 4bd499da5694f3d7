"""Sentence models of the BERT family, read from a folder and run by numpy alone.

A folder as `sentence-transformers` writes it: `config.json`, `vocab.txt`, `model.safetensors`, and
optionally `1_Pooling/config.json`. Nothing is executed or unpickled: the weights are plain numbers.
One text at a time, so that a text has the same vector whatever texts come with it.

Source: Devlin, Chang, Lee & Toutanova, "BERT", NAACL 2019; Reimers & Gurevych, "Sentence-BERT",
EMNLP 2019; Wu et al., "Google's neural machine translation system", 2016, for word pieces.
"""

import hashlib
import struct
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct
from scipy.special import erf

from canut.agents.learning.linear import Float32
from canut.errors import Unavailable

#: tokens of a text that are read
TOKENS_MAX = 256
#: a longer word is one unknown token, as in the models' own training
WORD_MAX = 100
_HEADER_MAX = 100_000_000


class _Config(Struct):
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    max_position_embeddings: int
    hidden_act: str = "gelu"
    layer_norm_eps: float = 1e-12


class _Layer(Struct):
    """Matrices of one layer, each to be multiplied from the right, with its offset."""

    ask: tuple[Float32, Float32]
    join: tuple[Float32, Float32]
    widen: tuple[Float32, Float32]
    narrow: tuple[Float32, Float32]
    even: tuple[tuple[Float32, Float32], tuple[Float32, Float32]]


class SentenceBert:
    """A sentence model in a folder: an `Encoder`."""

    def __init__(self, folder: Path):
        self._folder = folder

    @cached_property
    def name(self) -> str:
        """The folder's name, and what its weights and words hash to."""
        told = hashlib.sha256()
        for part in ("config.json", "vocab.txt", "model.safetensors"):
            told.update(hashlib.sha256(self._bytes(part)).digest())
        return f"{self._folder.name}-{told.hexdigest()[:16]}"

    @property
    def width(self) -> int:
        """Numbers in a vector."""
        return self._config.hidden_size

    def encode(self, texts: Sequence[str]) -> Float32:
        """Vectors of length 1, float32 (len(texts), width)."""
        vectors = np.zeros((len(texts), self.width), np.float32)
        for i, text in enumerate(texts):
            vectors[i] = self._one(text)
        return vectors

    def pieces(self, text: str) -> list[int]:
        """The word pieces of a text, by their places in the vocabulary, between two marks."""
        known = self._vocabulary
        most = min(TOKENS_MAX, self._config.max_position_embeddings) - 2
        told: list[int] = []
        for word in words_of(text):
            told += _pieces(word, known)
            if len(told) >= most:
                break
        return [known["[CLS]"], *told[:most], known["[SEP]"]]

    def _one(self, text: str) -> Float32:
        pieces = self.pieces(text)
        table, places, even = self._begin
        x = _even(table[pieces] + places[: len(pieces)], even, self._config.layer_norm_eps)
        for layer in self._layers:
            x = self._through(layer, x)
        vector = x[0] if self._first else x.mean(axis=0)
        unit: Float32 = vector / max(float(np.linalg.norm(vector)), 1e-12)
        return unit

    def _through(self, layer: _Layer, x: Float32) -> Float32:
        n, width = x.shape
        heads, eps = self._config.num_attention_heads, self._config.layer_norm_eps
        asked = _times(x, layer.ask).reshape(n, 3, heads, width // heads)
        query, key, value = asked.transpose(1, 2, 0, 3)
        look = query @ key.transpose(0, 2, 1) * np.float32((width // heads) ** -0.5)
        look = np.exp(look - look.max(axis=-1, keepdims=True))
        look /= look.sum(axis=-1, keepdims=True)
        seen = (look @ value).transpose(1, 0, 2).reshape(n, width)
        x = _even(_times(seen, layer.join) + x, layer.even[0], eps)
        wide = _times(x, layer.widen)
        # the Gaussian error linear unit (Hendrycks & Gimpel, 2016)
        wide *= np.float32(0.5) * (1 + erf(wide * np.float32(0.5**0.5)))
        return _even(_times(wide, layer.narrow) + x, layer.even[1], eps)

    @cached_property
    def _config(self) -> _Config:
        try:
            config = msgspec.json.decode(self._bytes("config.json"), type=_Config)
        except msgspec.DecodeError as error:
            raise self._refused(f"config.json: {error}") from error
        if config.hidden_act != "gelu":
            raise self._refused(f"it needs {config.hidden_act!r}, which is not known here")
        return config

    @cached_property
    def _first(self) -> bool:
        """Whether the first mark speaks for the text; else it is the mean of all pieces."""
        if not (self._folder / "1_Pooling" / "config.json").exists():
            return False
        pooling = msgspec.json.decode(self._bytes("1_Pooling/config.json"))
        return bool(pooling.get("pooling_mode_cls_token"))

    @cached_property
    def _vocabulary(self) -> Mapping[str, int]:
        lines = self._bytes("vocab.txt").decode().splitlines()
        known = {word: place for place, word in enumerate(lines)}
        if not {"[CLS]", "[SEP]", "[UNK]"} <= known.keys():
            raise self._refused("vocab.txt lacks its marks")
        return known

    @cached_property
    def _weights(self) -> dict[str, Float32]:
        raw = self._bytes("model.safetensors")
        size = struct.unpack("<Q", raw[:8])[0] if len(raw) >= 8 else _HEADER_MAX
        if size >= min(len(raw), _HEADER_MAX):
            raise self._refused("model.safetensors is cut")
        try:
            return dict(_tensors(msgspec.json.decode(raw[8 : 8 + size]), raw[8 + size :]))
        except (ValueError, KeyError, TypeError) as error:
            raise self._refused(f"model.safetensors: {error}") from error

    @cached_property
    def _begin(self) -> tuple[Float32, Float32, tuple[Float32, Float32]]:
        weights = self._weights
        kind = weights["embeddings.token_type_embeddings.weight"][0]
        places = weights["embeddings.position_embeddings.weight"] + kind
        even = (weights["embeddings.LayerNorm.weight"], weights["embeddings.LayerNorm.bias"])
        return weights["embeddings.word_embeddings.weight"], places, even

    @cached_property
    def _layers(self) -> list[_Layer]:
        try:
            return [_layer(self._weights, i) for i in range(self._config.num_hidden_layers)]
        except KeyError as error:
            raise self._refused(f"model.safetensors lacks {error}") from error

    def _bytes(self, part: str) -> bytes:
        try:
            return (self._folder / part).read_bytes()
        except OSError as error:
            raise self._refused(str(error)) from error

    def _refused(self, why: str) -> Unavailable:
        return Unavailable(f"The sentence model in {self._folder} cannot be used: {why}")


def words_of(text: str) -> list[str]:
    """Words, and each punctuation mark for itself, in lower case and without accents."""
    parts: list[str] = []
    for sign in unicodedata.normalize("NFD", text.lower()):
        kind = unicodedata.category(sign)
        if kind == "Mn" or (kind[0] == "C" and not sign.isspace()):
            continue
        alone = kind[0] == "P" or (sign.isascii() and kind[0] == "S") or _is_ideograph(ord(sign))
        parts.append(f" {sign} " if alone else sign)
    return "".join(parts).split()


def _is_ideograph(code: int) -> bool:
    return 0x4E00 <= code <= 0x9FFF or 0x3400 <= code <= 0x4DBF or 0x20000 <= code <= 0x2FA1F


def _pieces(word: str, known: Mapping[str, int]) -> list[int]:
    """The longest piece that is known, and so on from where it ends."""
    told: list[int] = []
    start = 0
    while start < len(word) <= WORD_MAX:
        mark = "##" if start else ""
        ends = range(len(word), start, -1)
        end = next((end for end in ends if mark + word[start:end] in known), None)
        if end is None:
            return [known["[UNK]"]]
        told.append(known[mark + word[start:end]])
        start = end
    return told or [known["[UNK]"]]


def _tensors(header: dict[str, Any], body: bytes) -> Mapping[str, Float32]:
    told = {}
    for name, about in header.items():
        if name == "__metadata__" or about["dtype"] != "F32":
            continue
        start, end = about["data_offsets"]
        told[name.removeprefix("bert.")] = np.frombuffer(body[start:end], "<f4").reshape(
            about["shape"]
        )
    return told


def _layer(weights: Mapping[str, Float32], place: int) -> _Layer:
    def part(*names: str) -> tuple[Float32, Float32]:
        full = [f"encoder.layer.{place}.{name}" for name in names]
        matrix = np.concatenate([weights[f"{name}.weight"] for name in full])
        offset = np.concatenate([weights[f"{name}.bias"] for name in full])
        return np.ascontiguousarray(matrix.T), offset

    asked = [f"attention.self.{name}" for name in ("query", "key", "value")]
    return _Layer(
        part(*asked),
        part("attention.output.dense"),
        part("intermediate.dense"),
        part("output.dense"),
        (part("attention.output.LayerNorm"), part("output.LayerNorm")),
    )


def _times(x: Float32, part: tuple[Float32, Float32]) -> Float32:
    told: Float32 = x @ part[0] + part[1]
    return told


def _even(x: Float32, part: tuple[Float32, Float32], eps: float) -> Float32:
    """Each row made even: mean 0, spread 1; then scaled and shifted as was learned."""
    centred = x - x.mean(axis=1, keepdims=True)
    spread = np.sqrt((centred * centred).mean(axis=1, keepdims=True) + np.float32(eps))
    told: Float32 = centred / spread * part[0] + part[1]
    return told
