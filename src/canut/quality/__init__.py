"""Blind evidence about contributors and decisions.

`licences` says who may decide alone, `drift` when that ends, `certificates` what is proved about
delivered decisions, `wording` the same in words, `frames` and `panels` how it is audited. All of these
are pure; `store` holds the SQL of what steps know of their contributors.

What was delivered: `audits` closes lists, draws and hears panels, `rounds` is what the engine does
about them, `statements` what is proved now or was, `standing` where the promises of a batch stand,
`disputes` how a client contests a decision, `corrections` whose record that puts right.
"""
