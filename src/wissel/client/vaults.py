"""What keeps things for a learner, a vault or a place for downloads, says so when its owner withdrew (docs/vault.md).

A platform that hears this destroys what waits for her, for good. So it believes no bare status, which any proxy on the
way may give for a minute, but only a problem document with the code that belongs to the status.
"""

from collections.abc import Mapping
from typing import ClassVar, Final

from wissel.core.errors import WisselError
from wissel.infra.http.ports import Response
from wissel.infra.http.problem import MEDIA_TYPE, read_problem


class NoGrant(WisselError):
    """No token, or one that this vault never gave out."""

    code: ClassVar[str] = "vault-no-grant"
    status: ClassVar[int] = 401


class NotGranted(WisselError):
    """The grant exists but is not for this."""

    code: ClassVar[str] = "vault-not-granted"
    status: ClassVar[int] = 403


class NoSuchVault(WisselError):
    """There is no vault with this id, or no place for downloads any more."""

    code: ClassVar[str] = "vault-unknown"
    status: ClassVar[int] = 404


class Withdrawn(WisselError):
    """The grant was revoked or its end date has passed. Stop; do not try again."""

    code: ClassVar[str] = "vault-withdrawn"
    status: ClassVar[int] = 410


WITHDRAWN: Final[Mapping[int, str]] = {kind.status: kind.code for kind in (NoGrant, NotGranted, NoSuchVault, Withdrawn)}
"""The closed set: what each status must say to be believed."""


def withdrew(response: Response, *, said_before: bool) -> bool:
    """Tell whether an answer is to be believed as its owner's word that she withdrew.

    410 is believed at once: it needs a grant that was there. The others, which a vault that is being restored may
    give too, only after an attempt that did not succeed either (`said_before`).
    """
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    code = WITHDRAWN.get(response.status)
    if code is None or kind != MEDIA_TYPE or read_problem(response.status, response.body).code != code:
        return False
    return said_before or response.status == Withdrawn.status
