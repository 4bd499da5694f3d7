"""Blind evidence about contributors and decisions.

`licences` says who may decide alone, `drift` when that ends, `certificates` what is proved about
delivered decisions, `wording` the same in words. All four are pure; `store` holds the SQL of what
steps know of their contributors.
"""
