"""AI contributors: how they answer, what they may send, what they cost, and what is checked."""
