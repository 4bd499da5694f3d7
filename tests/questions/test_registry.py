"""Finding question types, and saying what is wrong with a question that names none."""

from importlib.metadata import EntryPoint
from typing import Any

import pytest

from canut.errors import Invalid, Unavailable
from canut.questions import registry
from canut.questions.registry import load_question, question_type, question_types

OURS = {"choice", "choices", "scale", "number", "text", "record"}


def test_our_types_are_registered():
    """Protects the entry points of the package."""
    assert set(question_types()) >= OURS
    assert all(question_type(name).name == name for name in OURS)


def test_an_unknown_type_names_the_known_ones():
    """Protects whoever misspells a type."""
    with pytest.raises(Invalid) as caught:
        load_question({"type": "chioce", "title": "Which?"})
    (problem,) = caught.value.problems
    assert problem.field == "question.type"
    assert "did you mean 'choice'?" in problem.mend
    assert all(name in problem.mend for name in OURS)


@pytest.mark.parametrize("definition", [{}, {"type": 3}, [], None])
def test_a_definition_without_a_type_is_refused(definition: Any):
    """Protects from a traceback for an empty table."""
    with pytest.raises(Invalid) as caught:
        load_question(definition)
    assert caught.value.problems[0].field == "question.type"


def test_a_broken_package_harms_only_its_own_type(monkeypatch: pytest.MonkeyPatch):
    """Protects from a plug-in that cannot be imported: others load, it is named."""
    broken = EntryPoint("broken-type", "no_such_module:TYPE", registry.GROUP)
    known = registry._installed() | {"broken-type": broken}
    monkeypatch.setattr(registry, "_installed", lambda: known)
    assert load_question({"type": "text", "title": "Which?"}).title == "Which?"
    with pytest.raises(Unavailable, match=r"broken-type.*no_such_module"):
        load_question({"type": "broken-type", "title": "Which?"})


def test_a_plug_in_does_not_replace_our_types(monkeypatch: pytest.MonkeyPatch):
    """Protects running processes from a package that takes the name of a type they use."""
    ours = EntryPoint("choice", "canut.questions.choice:CHOICE", registry.GROUP)
    before = EntryPoint("choice", "aaa.choice:CHOICE", registry.GROUP)
    after = EntryPoint("choice", "zzz.choice:CHOICE", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [after, ours, before])
    assert registry._installed.__wrapped__() == {"choice": ours}
