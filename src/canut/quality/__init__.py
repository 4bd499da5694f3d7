"""Blind evidence about contributors and decisions: what is known of both, and what follows.

- beliefs: `beliefs`, `fitting`, `sweep`, `voices`, `corrections`: what a step knows of its
  contributors, and how far its confidences can be taken at their word
- gold and exams: `gold*`, `exam*`: items whose answer is known, hidden in the work and in exams
- licences: `licences`, `licence_rules`, `drift` (pure), `licensing`, `people_watch`,
  `licence_acts`: who may work, who may decide alone, when that ends
- audits: `frames`, `panels`, `rounds`, `audits`, `disputes`: delivered decisions answered again
- certificates: `certificates`, `wording` (pure), `evidence`, `statements`, `standing`: what the
  audits prove

The SQL of each is in the `store_*` beside it.
"""
