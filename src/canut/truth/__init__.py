"""From noisy answers to beliefs: pure numpy, no database, no clock, no randomness.

`votes` holds the values that estimators exchange, `categorical` the estimators for labels,
`several` the one for picks of several labels, `ordinal` the one for scales, `central` the ones
for numbers and texts, `distance` the edit distance, `stopping` the rule that says when to stop
asking. `bounds` says what audits prove about an error rate, `designs` which decisions are audited.
"""
