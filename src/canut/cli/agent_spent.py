"""`canut agent show`: what the calls of a language model have cost, and what is left."""

import click

from canut.agents.llm.models import Budgets
from canut.agents.llm.models_file import ModelsFile
from canut.agents.model import MICRO
from canut.agents.standing import Standing
from canut.errors import CanutError


def tell_spent(found: Standing, models: ModelsFile) -> None:
    """A line for each of ever, this month and today; nothing where nothing was spent."""
    if not found.spent:
        return
    try:
        model = models.get(str(found.agent.settings.get("model", "")))
        limits = model.budgets
    except CanutError:
        # what was spent is known whatever became of the file
        limits = Budgets()
    for one in found.spent:
        limit = getattr(limits, one.kind)
        of = "" if limit is None else f" of {limit / MICRO:.2f}"
        click.echo(
            f"  {one.of or one.kind}: {one.cost_micro / MICRO:.6f}{of} {one.currency}, "
            f"{one.calls} calls, {one.cached} saved"
        )
