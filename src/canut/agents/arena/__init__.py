"""Who is asked first, challengers against champions, and work that changes under an agent."""
