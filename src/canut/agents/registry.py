"""Which agent types are installed: the entry points of the group `canut.agents`.

Only the metadata is read until a type is used, so that a plug-in which cannot be imported harms
nobody who does not use it.
"""

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import cast

from canut.agents.protocol import AgentType
from canut.errors import NotFound, Unavailable

GROUP = "canut.agents"


@cache
def _installed() -> dict[str, EntryPoint]:
    installed: dict[str, EntryPoint] = {}
    for point in sorted(entry_points(group=GROUP)):
        # our own types keep their names: a plug-in adds types, it does not replace them
        if point.name not in installed or point.value.startswith("canut.agents."):
            installed[point.name] = point
    return installed


def agent_types() -> list[str]:
    """Names of the installed agent types, sorted."""
    return list(_installed())


@cache
def agent_type(name: str) -> AgentType:
    """The agent type of this name; raises `NotFound`, and `Unavailable` where its package is
    broken or lacks what it needs."""
    point = _installed().get(name)
    if point is None:
        known = ", ".join(agent_types())
        raise NotFound(f"There is no agent type {name!r}.", mend=f"known are: {known}")
    try:
        return cast(AgentType, point.load())
    except (ImportError, AttributeError) as error:
        package = point.dist.name if point.dist else point.module
        raise Unavailable(
            f"The agent type {name!r} of the package {package} cannot be loaded: {error}",
            mend="reinstall the package, or take it off",
        ) from error
