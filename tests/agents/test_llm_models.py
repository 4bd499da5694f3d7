"""The file of models, and the calendar of their ends."""

import re
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canut.agents.llm.budget import Prices
from canut.agents.llm.calendar import Due, due
from canut.agents.llm.models import Budgets, Model, load_models, read_models
from canut.agents.llm.models_file import ModelsFile
from canut.errors import Invalid, NotFound

FILE = """
[[model]]
name = "hosted"
url = "https://api.models.example/v1/"
model = "weaver-1"
key_env = "WEAVER_KEY"
price_in = 2.50
price_out = 10
price_kept = 0.3
budget = 0.5
budget_day = 0.02
samples = 3
shutdown = 2026-09-30

[[model]]
name = "local"
url = "http://127.0.0.1:8080/v1"
model = "small"
temperature = "server"
timeout_s = 300
"""


def test_a_file_of_models_is_read(tmp_path: Path) -> None:
    """Money is exact, the key comes from the environment and shows nowhere."""
    path = tmp_path / "models.toml"
    path.write_text(FILE)
    models = load_models(path, {"WEAVER_KEY": " sk-1 \n"})
    hosted, local = models["hosted"], models["local"]
    assert hosted.prices == Prices(2_500_000, 10_000_000, 300_000)
    assert hosted.budgets == Budgets(ever=500_000, day=20_000)
    assert hosted.endpoint.key.reveal() == "sk-1"
    assert "sk-1" not in repr(models)
    assert hosted.endpoint.address == "https://api.models.example/v1/chat/completions"
    assert hosted.temperature == 0.7
    assert hosted.shutdown == date(2026, 9, 30)
    assert (local.temperature, local.budgets.ever, local.limits.timeout_s) == (None, None, 300.0)
    with pytest.raises(NotFound):
        load_models(tmp_path / "none.toml", {})


@pytest.mark.parametrize(
    ("changed", "fields"),
    [
        ({"key_env": "NO_SUCH"}, ["key_env"]),
        ({"url": "https://user:pass@api.models.example/v1"}, ["url"]),
        ({"url": "https://api.models.example/v1?key=1"}, ["url"]),
        ({"url": "api.models.example"}, ["url"]),
        ({"url": "http://[bad/v1"}, ["url"]),
        ({"key": "sk-1"}, ["key"]),
        ({"samples": 0, "tries": 99, "price_in": Decimal(-1)}, ["samples", "tries", "price_in"]),
        ({"dialect": "telepathy", "logprobs": "yes"}, ["dialect", "logprobs"]),
        ({"name": "", "model": None}, ["name", "model"]),
        ({"samples": True, "timeout_s": Decimal("NaN")}, ["samples", "timeout_s"]),
    ],
)
def test_a_model_that_cannot_be_used_names_its_fields(
    changed: dict[str, Any], fields: list[str]
) -> None:
    """Every wrong field at once, and no secret repeated."""
    good = {"name": "one", "url": "https://api.models.example/v1", "model": "weaver-1"}
    table = {key: value for key, value in (good | changed).items() if value is not None}
    with pytest.raises(Invalid) as raised:
        read_models({"model": [good | {"name": "zero"}, table]}, {}, "models.toml")
    found = [problem.field for problem in raised.value.problems]
    assert found == [f"model[2].{field}" for field in fields]
    assert "sk-1" not in str(raised.value)
    assert "pass" not in str(raised.value)


def test_two_models_of_one_name_are_told() -> None:
    """Names are what steps refer to."""
    one = {"name": "one", "url": "http://x.example/v1", "model": "m"}
    with pytest.raises(Invalid, match="twice"):
        read_models({"model": [one, one]}, {})


TODAY = date(2026, 3, 1)


def test_the_calendar_tells_which_steps_need_a_challenger_and_when() -> None:
    """Sixty days before the end a run must begin, thirty days before that it is called for."""
    ends = {"soon": TODAY + timedelta(80), "gone": TODAY, "far": TODAY + timedelta(200)}
    ends["close"] = TODAY + timedelta(59)
    steps = {"a": "far", "b": "soon", "c": "gone", "d": "kept", "e": "close", "f": "soon"}
    found = due(ends, steps, TODAY)
    told = [(one.step, one.state) for one in found]
    assert told == [("c", "gone"), ("e", "late"), ("b", "now"), ("f", "now"), ("a", "later")]
    assert found[2] == Due("b", "soon", ends["soon"], TODAY + timedelta(20), "now")
    with pytest.raises(ValueError, match="negative"):
        due(ends, steps, TODAY, lead_days=-1)


@given(st.integers(-50, 400), st.integers(0, 200), st.integers(0, 100))
def test_a_model_is_called_for_once_in_time(days: int, lead: int, notice: int) -> None:
    """Day by day the state only grows more pressing, and "now" comes before "late"."""
    order = ["later", "now", "late", "gone"]
    end = TODAY + timedelta(days)
    states = [
        due({"m": end}, {"s": "m"}, TODAY + timedelta(day), lead_days=lead, notice_days=notice)[
            0
        ].state
        for day in range(0, 460, 7)
    ]
    assert states == sorted(states, key=order.index)
    on_time = due({"m": end}, {"s": "m"}, end - timedelta(lead), lead_days=lead)
    assert on_time[0].state == ("gone" if lead == 0 else "now")


def test_the_page_describes_every_key_of_a_model() -> None:
    """docs/language-models.md has a row for each, and no other."""
    page = Path(__file__).parents[2] / "docs" / "language-models.md"
    head = page.read_text("utf-8").partition("## What is sent")[0]
    cells = [line.split("|")[1] for line in head.splitlines() if line.startswith("| `")]
    described = {key for cell in cells for key in re.findall(r"`([a-z_]+)`", cell)}
    with pytest.raises(Invalid) as raised:
        read_models({"model": [{key: [] for key in described}]}, {})
    told = {problem.field.partition(".")[2]: problem for problem in raised.value.problems}
    assert set(told) == described
    assert not [key for key, problem in told.items() if "not known" in problem.message]
    assert described == set(Model.__struct_fields__) - {
        "endpoint",
        "prices",
        "limits",
        "budgets",
    } | {
        *("url", "key_env", "dialect", "max_tokens_field", "logprobs", "price_in", "price_out"),
        *("price_kept", "concurrency", "requests_per_minute", "tokens_per_minute"),
        *("timeout_s", "tries", "model"),
        *("budget", "budget_day", "budget_month", "budget_batch"),
    }


def test_a_file_that_was_changed_is_read_again(tmp_path: Path) -> None:
    """A budget that is raised counts without a restart; a file that is broken or gone says so."""
    path = tmp_path / "models.toml"
    models = ModelsFile(path, {})
    with pytest.raises(NotFound, match="There is no file"):
        models.get("local")
    local = FILE[FILE.index("[[model]]", 20) :]
    path.write_text(local)
    assert models.get("local") is models.get("local")
    with pytest.raises(NotFound, match="hosted"):
        models.get("hosted")
    path.write_text(local + "budget = 3\n")
    assert models.get("local").budgets.ever == 3_000_000
    path.write_text(local + "budget = -3\n")
    with pytest.raises(Invalid):
        models.get("local")
