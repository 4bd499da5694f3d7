"""How work comes and goes: files, object stores, webhooks."""
