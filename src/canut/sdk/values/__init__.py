"""The values that travel between the API and its clients: one definition for both sides.

Times are integer milliseconds UTC (`_ms`). What the server reads refuses unknown fields; what a
client reads ignores them, so that a newer server can say more.
"""

from canut.sdk.values.batches import (
    Batch,
    BatchStep,
    Cursor,
    Decision,
    NewBatch,
    NewWebhook,
    Priority,
    Received,
    TaxonomyOption,
    Webhook,
    WebhookCreated,
)
from canut.sdk.values.common import ItemField, Page, ProblemAt, ProblemDetails
from canut.sdk.values.people import (
    AuditEntry,
    Client,
    ClientCreated,
    Contributor,
    ContributorCreated,
    ContributorsCreated,
    Me,
    NewClient,
    NewContributors,
)
from canut.sdk.values.processes import Process, ProcessDetail, ProcessStep
from canut.sdk.values.work import (
    Answer,
    Answered,
    Answers,
    Claim,
    Claimed,
    Option,
    Options,
    Outcome,
    StepQuestion,
    Task,
    TaskOutcome,
)

__all__ = [
    "Answer",
    "Answered",
    "Answers",
    "AuditEntry",
    "Batch",
    "BatchStep",
    "Claim",
    "Claimed",
    "Client",
    "ClientCreated",
    "Contributor",
    "ContributorCreated",
    "ContributorsCreated",
    "Cursor",
    "Decision",
    "ItemField",
    "Me",
    "NewBatch",
    "NewClient",
    "NewContributors",
    "NewWebhook",
    "Option",
    "Options",
    "Outcome",
    "Page",
    "Priority",
    "ProblemAt",
    "ProblemDetails",
    "Process",
    "ProcessDetail",
    "ProcessStep",
    "Received",
    "StepQuestion",
    "Task",
    "TaskOutcome",
    "TaxonomyOption",
    "Webhook",
    "WebhookCreated",
]
