"""A new process to start from: a folder that passes the check before a word is changed."""

from pathlib import Path

from canut.errors import Conflict, Invalid
from canut.processes.reading import SLUG
from canut.processes.shipped import FILE

_TOML = """\
slug = "{slug}"
title = {{ en = "{name}", fr = "{name}" }}

[description]
en = "Say in a sentence what is handed over and what comes back."
fr = "Dites en une phrase ce qui est confié et ce qui revient."

# The item: what a row of the client's file holds, beside its reference.
# type: text, number, url, image, boolean. Also: required, personal, show, length_max.
[item]

[[item.field]]
name = "text"
title = {{ en = "Text", fr = "Texte" }}
required = true

# One step or more. Question types: choice, choices, scale, number, text, record.
[[step]]
slug = "answer"
title = {{ en = "Answer the question", fr = "Répondre à la question" }}
min_answers = 2
max_answers = 5
target_confidence = 0.9

[step.question]
type = "choice"
title = {{ en = "Is this a question?", fr = "Est-ce une question ?" }}
options = [
  {{ value = "yes", label = {{ en = "Yes", fr = "Oui" }} }},
  {{ value = "no", label = {{ en = "No", fr = "Non" }} }},
]
"""

_INSTRUCTIONS = {
    "en": """\
# Answer the question

Say what to look at, and in which order.

## Examples

- Good: "Where is my parcel?" is a question: **yes**.
- Bad: "I wonder who cares." is an exclamation: **no**.

## In doubt

Say how to decide, and when to return the task.
""",
    "fr": """\
# Répondre à la question

Dites quoi regarder, et dans quel ordre.

## Exemples

- Bien : « Où est mon colis ? » est une question : **oui**.
- Mal : « Peu importe, au fond. » n'en est pas une : **non**.

## En cas de doute

Dites comment décider, et quand rendre la tâche.
""",
}

_SAMPLE = """\
reference,text
A1,Where is my parcel?
A2,Thank you for the quick reply.
A3,Pouvez-vous changer la couleur ?
"""

_GOLD = """\
reference,answer
A1,yes
A2,no
A3,yes
"""


def write_scaffold(slug: str, folder: Path) -> list[Path]:
    """Write the files of a new process; raises `Conflict` rather than overwrite one, `Invalid`
    for a slug that is none."""
    if not all(SLUG.fullmatch(part) for part in slug.split("/")):
        raise Invalid(f"{slug!r} is no process name.", mend='for example "catalogue/categorise"')
    name = slug.rpartition("/")[2].replace("-", " ").capitalize()
    texts = {
        FILE: _TOML.format(slug=slug, name=name),
        **{f"instructions.{locale}.md": text for locale, text in _INSTRUCTIONS.items()},
        "sample.csv": _SAMPLE,
        "gold.csv": _GOLD,
    }
    there = sorted(name for name in texts if (folder / name).exists())
    if there:
        raise Conflict(f"{folder} has {', '.join(there)} already.", mend="choose another folder")
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in texts]
