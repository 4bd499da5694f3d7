"""The bulk lane: catalogues of tens of millions of references, most of them decided by agents
before they ever reach the database.

    run = prepare(...)             # what is fixed about a run, kept in its folder
    plan = make_plan(...)          # its parts
    for done in score_parts(...):  # Daft, on this machine or on a Ray cluster
        ...
    hand_over(...)                 # what people are needed for becomes a batch
    merge(...)                     # both parts as one result, in the order of the input

It reads files and hands batches over, as its room does, with the agents of a room below.
"""
