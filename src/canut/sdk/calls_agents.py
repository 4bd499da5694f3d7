"""The calls of agents at work; see `canut.sdk.calls`."""

from canut.sdk import values as v
from canut.sdk.call import Call


def agents() -> Call[v.AgentsAtWork]:
    """All agents at work, by step, in the order in which they are asked (operators)."""
    return Call(method="GET", path="agents", reply=v.AgentsAtWork)


def get(agent: int) -> Call[v.AgentDetail]:
    """Everything about one (operators)."""
    return Call(method="GET", path=f"agents/{agent}", reply=v.AgentDetail)


def pause(agent: int) -> Call[v.AgentAtWork]:
    """No work for it from now on; what it decided stands (operators)."""
    return Call(method="POST", path=f"agents/{agent}/pause", reply=v.AgentAtWork)


def resume(agent: int) -> Call[v.AgentAtWork]:
    """Work for it again (operators)."""
    return Call(method="POST", path=f"agents/{agent}/resume", reply=v.AgentAtWork)


def teach(agent: int) -> Call[v.AgentAtWork]:
    """Ask the engine to teach it as soon as it can (operators)."""
    return Call(method="POST", path=f"agents/{agent}/teach", reply=v.AgentAtWork)


def end(agent: int, reason: str) -> Call[v.AgentAtWork]:
    """Pause it for good, and end its licence, for a reason (operators)."""
    body = v.EndAgent(reason)
    return Call(method="POST", path=f"agents/{agent}/end", body=body, reply=v.AgentAtWork)
