"""A task as the task screen paints it: the whole page, or what a script puts into it."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from litestar import Response
from markupsafe import Markup

from canut.errors import Problem
from canut.questions.base import Question, localise
from canut.web.auth import WebRequest, house, principal
from canut.web.i18n import N_
from canut.web.option_index import OptionIndex
from canut.web.pages.guide import to_html
from canut.web.pages.items import PrivatePictures, Shown, shown_fields
from canut.web.pages.pictures import private_pictures
from canut.web.pages.render import locale_of
from canut.web.pages.view import fragment, now_ms, pool, say, show, told
from canut.work import tasks
from canut.work.model import ClaimedTask, LoadedStep
from canut.work.remarks import NOTE_MAX, REASONS

ANSWER = "answer"
#: tasks of a packet, where the contributor says nothing else, and at most
PACKET = 5
PACKET_MAX = 30
#: without an event for so long, somebody is not at work
IDLE_MS = 30_000
#: options of a list from which on the server searches it
SERVED_FROM = 1000
#: options offered before anything is typed
LIKELY_MAX = 6

#: kind and reason of a remark -> its words
REMARKS: dict[tuple[str, str], str] = {
    ("unsure", "missing"): N_("something that I need is not there"),
    ("unsure", "several"): N_("several answers fit"),
    ("unsure", "knowledge"): N_("it takes knowledge that I do not have"),
    ("unsure", "language"): N_("I do not read this language well enough"),
    ("unsure", "other"): N_("another reason, in my words below"),
    ("fault", "unreadable"): N_("it cannot be read or does not load"),
    ("fault", "options"): N_("the right answer cannot be given"),
    ("fault", "instructions"): N_("the instructions contradict themselves, or do not cover this"),
    ("fault", "personal"): N_("it shows personal data"),
    ("fault", "harmful"): N_("it is distressing or harmful"),
    ("fault", "other"): N_("something else, in my words below"),
}

Form = Mapping[str, Sequence[str]]


async def screen(
    request: WebRequest,
    held: Sequence[ClaimedTask],
    *,
    status: int = 200,
    notice: str = "",
    undo: str = "",
    given: Form | None = None,
    problems: Sequence[Problem] = (),
) -> Response[str]:
    """The page of the first of these tasks; the others are in it, to be painted by the script.

    `undo` names a task whose answer may still be taken back.
    """
    known: set[str] = set()
    values = await _values(request, held[0], given or {}, problems, known)
    later = [await painted(request, task, known) for task in held[1:PACKET_MAX]]
    who = principal(request).contributor()
    more: dict[str, Any] = {"packet": PACKET, "packet_max": PACKET_MAX, "idle_ms": IDLE_MS}
    more["undo_ms"] = round(house(request).settings.undo_s * 1000)
    return show(
        request,
        "work/task.html",
        status=status,
        notice=notice,
        undo=undo,
        later=later,
        me=who,
        now_ms=now_ms(),
        **more,
        **values,
    )


async def painted(request: WebRequest, task: ClaimedTask, known: set[str]) -> dict[str, Any]:
    """A task as `task.js` keeps it. Instructions whose id is in `known` are left out, others are
    added to it: the page has them."""
    values = await _values(request, task, {}, (), known)
    html = fragment(request, "work/fragment.html", **values)
    return {"task": task.name, "deadline_ms": task.deadline_ms, "html": html}


async def _values(
    request: WebRequest,
    task: ClaimedTask,
    given: Form,
    problems: Sequence[Problem],
    known: set[str],
) -> dict[str, Any]:
    step = await house(request).kept.steps.load(pool(request), task.ref.batch_step_id)
    return await step_values(request, step, task, given, problems, known)


async def step_values(
    request: WebRequest,
    step: LoadedStep,
    task: ClaimedTask,
    given: Form,
    problems: Sequence[Problem],
    known: set[str],
    private: PrivatePictures | None = None,
) -> dict[str, Any]:
    """What `work/fragment.html` needs of a task at a step; also of one that is only shown, with
    `private` pictures of its own."""
    locale = locale_of(request)
    widget = step.question.widget(locale, ANSWER)
    said = told(request, problems, ANSWER)
    questions = dict(named_questions(step.question))
    private = private or await private_pictures(request, step.client_id)
    fields = shown_fields(
        step.item.fields, task.item, step.process_slug, locale, private, step.definition.about
    )
    guide_id, guide = _guide(request, step)
    if guide_id in known:
        guide = ""
    known.add(guide_id)
    return {
        "task": task,
        "step_title": localise(step.definition.title, locale),
        "fields": fields,
        "widget": widget.template,
        "data": widget.data,
        "given": given,
        "problems": said,
        "stray": [problem for problem in said if problem.field not in questions],
        "guide_id": guide_id,
        "instructions": Markup(guide),  # noqa: S704 - cleaned by `to_html`
        "likely": await _likely(request, step, questions, widget.data, fields),
        "served_from": SERVED_FROM,
        "remarks": _remarks(request),
        "note_max": NOTE_MAX,
    }


def _guide(request: WebRequest, step: LoadedStep) -> tuple[str, str]:
    """Id and HTML of the instructions of a step; both empty where it has none."""
    instructions, guides = step.definition.instructions, house(request).kept.guides
    markdown = localise(instructions, locale_of(request)) if instructions else ""
    if not markdown:
        return "", ""
    html = guides.get(markdown) or guides.keep(markdown, to_html(markdown))
    digest = hashlib.sha256(markdown.encode()).hexdigest()
    return digest[:12], html


async def _likely(
    request: WebRequest,
    step: LoadedStep,
    questions: Mapping[str, Question],
    data: Mapping[str, Any],
    fields: Sequence[Shown],
) -> dict[str, list[list[str]]]:
    """Of long lists, the options whose words the item has, by form name. From the item alone:
    what agents or other people said of it would lead who answers."""
    text = " ".join(field.value for field in fields if field.kind == "text")
    found = {}
    for name in long_lists(data):
        index = await index_of(request, step.batch_step_id, name, questions[name])
        found[name] = index.rows(index.likely(text, LIKELY_MAX))
    return found


def long_lists(data: Mapping[str, Any]) -> list[str]:
    """Form names of the questions of a widget whose options the server searches."""
    here = [data["name"]] if data.get("count", 0) > SERVED_FROM and data.get("large") else []
    inside = [name for field in data.get("fields", ()) for name in long_lists(field["data"])]
    return here + inside


async def index_of(request: WebRequest, key: int, name: str, question: Any) -> OptionIndex:
    """The index of the options of a question. Made in a thread the first time: of 500,000 it
    takes seconds, and nobody else must wait for it."""
    listed = house(request).kept.option_list(key, name, locale_of(request), question)
    if "search" not in vars(listed):
        return await asyncio.to_thread(lambda: listed.search)
    return listed.search


def _remarks(request: WebRequest) -> list[tuple[str, list[tuple[str, str]]]]:
    """Kinds of remarks, each with the values of its reasons and their words."""
    return [
        (kind, [(f"{kind}:{reason}", say(request, REMARKS[kind, reason])) for reason in reasons])
        for kind, reasons in REASONS.items()
    ]


def named_questions(question: Question, name: str = ANSWER) -> list[tuple[str, Question]]:
    """A question and those it is made of, by the names of their form fields."""
    found = [(name, question)]
    for field in getattr(question, "fields", ()):
        found += named_questions(field.question, f"{name}.{field.name}")
    return found


async def held_tasks(request: WebRequest, contributor: int) -> list[ClaimedTask]:
    """The tasks this contributor holds, the first due first."""
    steps, names = house(request).kept.steps, await house(request).task_names()
    return await tasks.live(pool(request), steps, names, contributor, now_ms())
