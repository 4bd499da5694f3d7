"""Which language models there are: a TOML file of the operator, and keys in the environment.

    [[model]]
    name = "small"                        # what we call it
    url = "https://api.example.org/v1"    # base address
    model = "small-2025-09"               # what the server calls it
    key_env = "EXAMPLE_KEY"               # environment variable that holds the key

Every other key has a default: `dialect`, `samples`, `temperature`, `examples`, `max_tokens`,
`max_tokens_field`, `logprobs`, `price_in`, `price_out`, `price_kept`, `currency`, `budget`,
`budget_day`, `budget_month`, `budget_batch`, `concurrency`, `requests_per_minute`,
`tokens_per_minute`, `timeout_s`, `tries`, `shutdown`, `successor`.
docs/language-models.md says what they mean.
Money is written in units of the currency: prices per million tokens, `budget` for the life of an
agent, the others for a day, a month, a batch. The key itself is never in the file.
"""

import math
import tomllib
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from canut.agents.llm.budget import Prices
from canut.agents.llm.client import Limits
from canut.agents.llm.wire import Dialect, Endpoint, Secret
from canut.agents.model import MICRO
from canut.errors import Invalid, NotFound, Problem

#: temperature at which several samples differ where the model is not sure
_SAMPLING = 0.7


class Budgets(Struct, frozen=True):
    """What an agent may spend, in micro-units; None for no limit."""

    ever: int | None = None
    #: a day and a month of UTC
    day: int | None = None
    month: int | None = None
    #: on one batch
    batch: int | None = None


class Model(Struct, frozen=True):
    """A language model that can be asked, and how."""

    #: what we call it
    name: str
    endpoint: Endpoint
    prices: Prices = Prices()
    limits: Limits = Limits()
    currency: str = "EUR"
    budgets: Budgets = Budgets()
    #: times an item is asked about
    samples: int = 1
    #: None leaves it to the server
    temperature: float | None = 0.0
    #: precedents shown with each item
    examples: int = 4
    #: longest reply, in tokens
    max_tokens: int = 1024
    #: day from which its maker no longer serves it
    shutdown: date | None = None
    #: name of the model that is to follow it
    successor: str = ""


class _Row(Struct, forbid_unknown_fields=True):
    """A `[[model]]` table as it is written."""

    name: str
    url: str
    model: str
    key_env: str = ""
    dialect: Dialect = "openai"
    samples: int = 1
    temperature: float | Literal["server"] | None = None
    examples: int = 4
    max_tokens: int = 1024
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    logprobs: bool = False
    price_in: Decimal = Decimal(0)
    price_out: Decimal = Decimal(0)
    price_kept: Decimal | None = None
    currency: str = "EUR"
    budget: Decimal | None = None
    budget_day: Decimal | None = None
    budget_month: Decimal | None = None
    budget_batch: Decimal | None = None
    concurrency: int = 8
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    timeout_s: float = 60.0
    tries: int = 5
    shutdown: date | None = None
    successor: str = ""


#: smallest and largest value of each number
_BOUNDS: dict[str, tuple[float, float]] = {
    "samples": (1, 20),
    "temperature": (0, 2),
    "examples": (0, 50),
    "max_tokens": (1, 100_000),
    "price_in": (0, 1_000_000),
    "price_out": (0, 1_000_000),
    "price_kept": (0, 1_000_000),
    "budget": (0, 1_000_000_000),
    "budget_day": (0, 1_000_000_000),
    "budget_month": (0, 1_000_000_000),
    "budget_batch": (0, 1_000_000_000),
    "concurrency": (1, 256),
    "requests_per_minute": (1, 10**7),
    "tokens_per_minute": (1, 10**10),
    "timeout_s": (0.01, 3600),
    "tries": (1, 20),
}


def load_models(path: Path, environ: Mapping[str, str]) -> dict[str, Model]:
    """The models of a file, by name. Raises `NotFound`, and `Invalid` with every problem."""
    try:
        written = path.read_text("utf-8")
    except OSError:
        raise NotFound(f"There is no file {path}.", mend="write one [[model]] for each") from None
    try:
        found = tomllib.loads(written, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise Invalid(f"{path} is not valid TOML: {error}") from error
    return read_models(found, environ, str(path))


def read_models(
    found: Mapping[str, Any], environ: Mapping[str, str], file: str = ""
) -> dict[str, Model]:
    """The models of a parsed file; numbers with a point may come as `Decimal`."""
    problems = [
        Problem("is not known here", "write [[model]]", file, 0, str(key))
        for key in found
        if key != "model"
    ]
    rows = found.get("model", [])
    models: dict[str, Model] = {}
    for number, table in enumerate(rows if isinstance(rows, list) else [rows], 1):
        before = len(problems)
        row = _row(table, f"model[{number}]", file, problems)
        secret = _key(row, environ, f"model[{number}]", file, problems) if row else Secret("")
        if row and row.name in models:
            where = f"model[{number}].name"
            problems.append(Problem(f"{row.name!r} is there twice", "rename one", file, 0, where))
        if row and len(problems) == before:
            models[row.name] = _model(row, secret)
    if not problems:
        problems += _successors(models, file)
    if problems:
        raise Invalid("The language models are not described rightly.", problems=problems)
    return models


def _successors(models: Mapping[str, Model], file: str) -> list[Problem]:
    found = []
    for number, model in enumerate(models.values(), 1):
        if model.successor and (model.successor not in models or model.successor == model.name):
            where = f"model[{number}].successor"
            mend = "name another model of this file"
            message = f"there is no other model {model.successor!r}"
            found.append(Problem(message, mend, file, 0, where))
    return found


def _row(table: Any, path: str, file: str, problems: list[Problem]) -> _Row | None:
    if not isinstance(table, Mapping):
        problems.append(Problem("must be a table", "write [[model]]", file, 0, path))
        return None
    before = len(problems)

    def fault(key: str, message: str, mend: str = "") -> None:
        problems.append(Problem(message, mend, file, 0, f"{path}.{key}"))

    known = _Row.__struct_fields__
    plain = {"name": "-", "url": "http://x", "model": "-"}
    for key, value in table.items():
        if key not in known:
            near = get_close_matches(key, known, n=1)
            fault(key, "is not known here", f"did you mean {near[0]}?" if near else "")
            continue
        if isinstance(value, Decimal | int | float) and not isinstance(value, bool):
            low, high = _BOUNDS.get(key, (-math.inf, math.inf))
            if not (math.isfinite(value) and low <= value <= high):
                fault(key, f"must be between {low:g} and {high:g}")
                continue
        try:
            _convert(plain | {key: value})
        except msgspec.ValidationError as error:
            fault(key, str(error).partition(" - at")[0])
    for key in ("name", "url", "model"):
        if not table.get(key):
            fault(key, "is missing")
    url = table.get("url")
    if isinstance(url, str) and url:
        _check_url(url, fault)
    return _convert(dict(table)) if len(problems) == before else None


def _convert(table: dict[str, Any]) -> _Row:
    numbers = {
        key: float(value) if key in ("temperature", "timeout_s") else value
        for key, value in table.items()
        if isinstance(value, Decimal)
    }
    return msgspec.convert(table | numbers, _Row, strict=True)


def _check_url(url: str, fault: Any) -> None:
    # An address ends up in errors and versions: whatever is secret must not be a part of it.
    try:
        parts = urlsplit(url)
        wrong = parts.scheme not in ("http", "https") or not parts.hostname
        secret = bool(parts.username or parts.password or parts.query or parts.fragment)
    except ValueError:
        wrong, secret = True, False
    if wrong:
        fault("url", "is no web address", "write it in full, from https:// on")
    elif secret:
        fault("url", "holds a key or a query", "put the key into the variable that key_env names")


def _key(
    row: _Row, environ: Mapping[str, str], path: str, file: str, problems: list[Problem]
) -> Secret:
    if not row.key_env:
        return Secret("")
    key = environ.get(row.key_env, "").strip()
    if not key:
        mend = f"put the key into the environment variable {row.key_env}"
        problems.append(Problem("there is no such variable", mend, file, 0, f"{path}.key_env"))
    elif not (key.isascii() and key.isprintable()):
        mend = "copy it again"
        problems.append(Problem("does not hold a key", mend, file, 0, f"{path}.key_env"))
    return Secret(key)


def _model(row: _Row, key: Secret) -> Model:
    temperature = row.temperature
    if temperature is None:
        temperature = 0.0 if row.samples == 1 else _SAMPLING
    return Model(
        name=row.name,
        endpoint=Endpoint(
            row.url.rstrip("/"), row.model, key, row.dialect, row.max_tokens_field, row.logprobs
        ),
        prices=Prices(
            _micro(row.price_in),
            _micro(row.price_out),
            None if row.price_kept is None else _micro(row.price_kept),
        ),
        limits=Limits(
            concurrency=row.concurrency,
            requests_per_minute=row.requests_per_minute,
            tokens_per_minute=row.tokens_per_minute,
            timeout_s=row.timeout_s,
            tries=row.tries,
        ),
        currency=row.currency,
        budgets=Budgets(
            _limit(row.budget),
            _limit(row.budget_day),
            _limit(row.budget_month),
            _limit(row.budget_batch),
        ),
        samples=row.samples,
        temperature=None if temperature == "server" else float(temperature),
        examples=row.examples,
        max_tokens=row.max_tokens,
        shutdown=row.shutdown,
        successor=row.successor,
    )


def _limit(units: Decimal | None) -> int | None:
    return None if units is None else _micro(units)


def _micro(units: Decimal) -> int:
    return int((units * MICRO).to_integral_value())
