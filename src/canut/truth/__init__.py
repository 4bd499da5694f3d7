"""From noisy answers to beliefs: numpy and scipy, no database, no clock, seeds as arguments.

`votes` holds the values that estimators exchange. Labels: `methods` names every estimator of
`voting`, `confusion`, `bayes`, `difficulty` and `pool` (the one we decide with, calibrated on
gold), all over a `grid`; `online` follows answers as they come; `categorical` decides task by
task where classes are too many for that. `calibration` says how far confidences can be
believed, `clones` whose votes are not independent. `several` is for picks of several labels,
`ordinal` for scales, `numbers` for numbers, `central` for texts, `rover` for transcripts that
`alignment` lays side by side, `boxes` for boxes; `distance` is the edit distance. `stopping` says
when to stop asking, `routing` whom to ask; `bounds` and `designs` what audits prove.
"""
