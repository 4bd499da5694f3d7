"""The agent type `llm`: one for each model of the operator's file."""

from collections.abc import Callable, Sequence

from canut.agents.llm.agent import CODE, NAME, LanguageModel
from canut.agents.llm.books import Books, MemoryBooks
from canut.agents.llm.budget import Budget, Pace
from canut.agents.llm.models import Model
from canut.agents.llm.prompt import Locale, brief_of
from canut.agents.model import Step
from canut.errors import Invalid
from canut.questions.base import Localised


class LanguageModelType:
    """The agent type of one configured model (`canut.agents.protocol.AgentType`)."""

    name = NAME
    code = CODE
    repeatable = False

    def __init__(
        self,
        model: Model,
        books: Callable[[str], Books] | None = None,
        *,
        locale: Locale | None = None,
        process: Localised = "",
        fields: Sequence[str] = (),
    ):
        """`books` gives those of a version (its hash); without, all versions share some that live
        as long as this. `locale` is the language of the process, by its instructions if None, and
        `process` its title; `fields` are those to send, all that may be sent if empty."""
        self.model = model
        self.process, self.fields, self.locale = process, fields, locale
        own = MemoryBooks(
            Budget(model.budgets.ever),
            Pace(model.limits.requests_per_minute, model.limits.tokens_per_minute),
        )
        self.books = books or (lambda version: own)

    def load(self, step: Step, state: bytes | None) -> LanguageModel:
        """The model as an agent of this step. Raises `Invalid` where a field may not be sent, or
        the state does not fit."""
        locale = self.locale or _spoken(step)
        brief = brief_of(step, locale, process=self.process, fields=self.fields)
        return LanguageModel(step, self.model, brief, state, self.books)


def _spoken(step: Step) -> Locale:
    """English, unless the instructions are written in French only."""
    written = step.definition.instructions
    return "fr" if "fr" in written and "en" not in written else "en"


class _NoModel:
    """What is registered as `llm`: an agent with a language model needs to know which."""

    name = NAME
    code = CODE
    repeatable = False

    def load(self, step: Step, state: bytes | None) -> LanguageModel:
        """Raises `Invalid`: there is no model that every installation has."""
        raise Invalid(
            "An agent with a language model needs its name.",
            mend="name one of the file of models, such as canut agent add llm --model NAME",
        )

    def of(self, model: Model, books: Callable[[str], Books]) -> LanguageModelType:
        """The agent type of this model."""
        return LanguageModelType(model, books)


LLM = _NoModel()
