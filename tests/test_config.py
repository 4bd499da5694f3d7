"""Settings: flags over environment over canut.toml over defaults; unknown keys are errors."""

from pathlib import Path

import pytest

from canut.config import Settings, hand_down, load
from canut.errors import Invalid


def test_each_source_beats_the_one_below(tmp_path: Path) -> None:
    """The same key given everywhere: the flag counts, then the environment, then the file."""
    file = tmp_path / "canut.toml"
    file.write_text('port = 1\nhost = "a"\ndata = "f"\n')
    environ = {"CANUT_PORT": "2", "CANUT_HOST": "b", "CANUT_OPERATOR_KEY": "k", "HOME": "/"}
    settings = load({"port": 3, "host": None}, environ, file)
    assert (settings.port, settings.host, settings.data) == (3, "b", "f")
    assert settings.web_workers == Settings().web_workers


def test_every_wrong_key_is_told_with_its_place(tmp_path: Path) -> None:
    """An unknown key is an error with the nearest known one; so is a value of the wrong kind."""
    file = tmp_path / "canut.toml"
    file.write_text('prot = 1\nport = "many"\n')
    with pytest.raises(Invalid) as caught:
        load({}, {"CANUT_POOLSIZE": "4"}, file)
    told = [(p.file, p.field, p.mend) for p in caught.value.problems]
    assert (str(file), "prot", "did you mean port?") in told
    assert ("environment", "poolsize", "did you mean pool_size?") in told
    assert len(told) == 3


def test_a_file_that_is_asked_for_must_be_there(tmp_path: Path) -> None:
    """A wrong --config is an error, a missing ./canut.toml is not."""
    with pytest.raises(Invalid, match="no file"):
        load({}, {}, tmp_path / "none.toml")
    assert load({}, {"CANUT_CONFIG": str(tmp_path / "none.toml")}) == Settings()


def test_a_file_that_is_no_toml_is_told(tmp_path: Path) -> None:
    """The parser's words, with the file."""
    file = tmp_path / "canut.toml"
    file.write_text("port = = 1")
    with pytest.raises(Invalid, match=r"canut\.toml is not valid TOML"):
        load({}, {}, file)


def test_a_child_runs_with_its_parents_settings() -> None:
    """What was handed down stands in the place of file and environment; flags still count."""
    parent = Settings(port=9, database_url="postgresql://x")
    environ = hand_down(parent) | {"CANUT_PORT": "1"}
    assert load({}, environ) == parent
    assert load({"port": 7}, environ).port == 7
