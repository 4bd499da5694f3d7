"""The calls of agents at work; see `canut.sdk.calls`."""

from canut.sdk import values as v
from canut.sdk.call import Call, get, post


def agents() -> Call[v.AgentsAtWork]:
    """All agents at work, by step, in the order in which they are asked (operators)."""
    return get("agents", v.AgentsAtWork)


def agent(agent: int) -> Call[v.AgentDetail]:
    """Everything about one (operators)."""
    return get(f"agents/{agent}", v.AgentDetail)


def pause(agent: int) -> Call[v.AgentAtWork]:
    """No work for it from now on; what it decided stands (operators)."""
    return post(f"agents/{agent}/pause", v.AgentAtWork)


def resume(agent: int) -> Call[v.AgentAtWork]:
    """Work for it again (operators)."""
    return post(f"agents/{agent}/resume", v.AgentAtWork)


def teach(agent: int) -> Call[v.AgentAtWork]:
    """Ask the engine to teach it as soon as it can (operators)."""
    return post(f"agents/{agent}/teach", v.AgentAtWork)


def end(agent: int, reason: str) -> Call[v.AgentAtWork]:
    """Pause it for good, and end its licence, for a reason (operators)."""
    body = v.EndAgent(reason)
    return post(f"agents/{agent}/end", v.AgentAtWork, body)
