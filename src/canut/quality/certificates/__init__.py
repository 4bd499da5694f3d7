"""What audits prove of delivered decisions, in a form that anybody can check."""
