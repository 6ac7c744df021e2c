"""The Python client that anybody may use: composes, signs, sends, pulls and settles messages.

`compose` (or `draft`, where a learner signs by authenticating) makes a submission, `attach` seals a file that it names,
`Client` talks to the platform, `Outbox` keeps a message until its receiver's receipt is held. docs/api.md shows a first
message in 15 lines.
"""

from wissel.client.actions import Client
from wissel.client.compose import Draft, compose, draft
from wissel.client.errors import AnswerInvalid, NotComposed, Refusal
from wissel.client.files import Attached, SealedFile, attach
from wissel.client.outbox import MemoryOutbox, Outbox, OutboxStore
from wissel.client.words import Accepted, ProcessView, Sent, Settled, Settlement

__all__ = [
    "Accepted",
    "AnswerInvalid",
    "Attached",
    "Client",
    "Draft",
    "MemoryOutbox",
    "NotComposed",
    "Outbox",
    "OutboxStore",
    "ProcessView",
    "Refusal",
    "SealedFile",
    "Sent",
    "Settled",
    "Settlement",
    "attach",
    "compose",
    "draft",
]
