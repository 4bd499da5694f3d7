"""The life of an item: intake, claim, submit, decide, deliver."""
