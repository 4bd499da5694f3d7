"""The agent that asks a language model: its prompt, the wire, what it costs and may cost."""
