"""Question types: what a step asks, and the shape, agreement and aggregation of its answers.

`base` is the contract, `registry` finds the types that are installed, `conformance` tests one.
"""
