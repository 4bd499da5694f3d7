"""What the co-op decided about pay, with dates: floors, shares, days."""

from canut.pay.policy.model import Policy, Rule, RuleName
from canut.pay.policy.verbs import decide_rule, list_rules, policy_at, set_jurisdiction

__all__ = [
    "Policy",
    "Rule",
    "RuleName",
    "decide_rule",
    "list_rules",
    "policy_at",
    "set_jurisdiction",
]
