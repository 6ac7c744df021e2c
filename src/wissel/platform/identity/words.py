"""Values that cross the threshold of identity."""

from datetime import timedelta
from typing import Final, NamedTuple

HEADER: Final = "Learner-Token"
CLIENTS: Final = "logins"  # the setting on a portal's card that lists its log-in clients at the identity provider
INDEX: Final = "learners"  # the purpose under which the index key is derived from a day key

LIFE_MAX: Final = timedelta(hours=1)
SKEW_MAX: Final = timedelta(seconds=60)


class Learner(NamedTuple):
    """A learner who is logged in at `portal`: her pairwise pseudonym there, and with which assurance she logged in."""

    issuer: str
    portal: str
    pseudonym: str
    acr: str
