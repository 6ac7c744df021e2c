"""Files that messages name: fetched and checked before a message is taken in, kept sealed, and ended on their day.

A row is committed before its file is written and goes after it is removed: no crash leaves a file without an end.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from wissel.client.errors import AnswerInvalid, Refusal
from wissel.core.moments import to_ms
from wissel.infra.http.ports import Unreachable
from wissel.infra.sql.ports import Statement
from wissel.institution.connector import store
from wissel.institution.connector.check import Unsound
from wissel.institution.connector.house import Served, end_ms
from wissel.institution.connector.rules import HELD
from wissel.institution.connector.words import Case, Heard
from wissel.institution.errors import NoSuchFile
from wissel.messages.files import SCAN_KEPT, SCAN_KEPT_MAX, FileRef, misfit, named_in
from wissel.messages.verify import Refused, open_jwe

SUFFIX: Final = ".jwe"
ENDED: Final = 410
PER_SWEEP: Final = 500


async def fetch(served: Served, heard: Heard) -> list[FileRef]:
    """Have every file that a message names; return those that are here now. What has ended meanwhile is done without.

    Raises Unsound: "later" while a file cannot be had, "rejected" for one that is not what the message says.
    """
    named = [each.ref for each in named_in(heard.data)]
    return [ref for ref in named if await _have(served, heard, ref)]


async def _have(served: Served, heard: Heard, ref: FileRef) -> bool:
    if served.files.read(ref.sealed + SUFFIX) is not None:
        return True
    try:
        jwe = await served.client.download(ref.sealed)
    except Refusal as error:
        if error.problem.status == ENDED:
            served.note("file.ended", process=heard.envelope.process, kind=ref.kind)
            return False
        raise Unsound("file-missing", error.sentence, "later") from error
    except (Unreachable, AnswerInvalid) as error:
        raise Unsound("file-missing", error.sentence, "later") from error
    _check(served, ref, jwe)
    until = end_ms(heard.envelope.enddate)
    if ref.special:
        until = min(until, to_ms(served.clock.now() + SCAN_KEPT_MAX))
    await served.book.commit([store.keep_file(heard.envelope.process, ref, until)])
    served.files.add(ref.sealed + SUFFIX, jwe)
    served.note("file.kept", process=heard.envelope.process, kind=ref.kind, bytes=ref.size)
    return True


def _check(served: Served, ref: FileRef, jwe: bytes) -> None:
    """Hold a file to what the message says of it. Raises Unsound."""
    try:
        why = misfit(ref, open_jwe(jwe.decode("ascii", "replace"), served.seal.private_jwk))
    except Refused as refused:
        raise Unsound("file-sealed", refused.sentence, "rejected") from None
    if why:
        raise Unsound(why, "A file is not the one that its message names.", "rejected")


def verified(served: Served, case: Case) -> list[Statement]:
    """Return what ends the scans of her identity document a day from now, when it is known who she is."""
    if case.identity != "verified" and case.gates.get("identity") not in HELD:
        return []
    return [store.end_scans(case.process, to_ms(served.clock.now() + SCAN_KEPT))]


def let_go(served: Served, files: Sequence[FileRef]) -> list[Statement]:
    """Return what ends files at once: the message that brought them was rejected."""
    return [store.end_files([ref.sealed for ref in files], to_ms(served.clock.now()))] if files else []


async def sweep(served: Served, now: datetime) -> int:
    """Destroy files whose end has come; return how many."""
    ended = await store.ended_files(served.book, to_ms(now), PER_SWEEP)
    for digest in ended:
        served.files.remove(digest + SUFFIX)
        await served.book.commit([store.forget_file(digest)])
    if ended:
        served.note("files.ended", count=len(ended))
    return len(ended)


async def opened(served: Served, digest: str) -> tuple[store.KeptFile, bytes]:
    """Return a file and its bytes, for the institution's own people. Raises NoSuchFile."""
    found = await store.file(served.book, digest)
    jwe = served.files.read(digest + SUFFIX) if found else None
    if found is None or jwe is None:
        raise NoSuchFile("There is no such file here, or it has ended.")
    try:
        return found, open_jwe(jwe.decode("ascii", "replace"), served.seal.private_jwk)
    except Refused as refused:
        raise NoSuchFile(f"The file does not open: {refused.sentence}") from None
