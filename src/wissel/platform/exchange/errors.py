"""Why the exchange says no. Every sentence names the field and what to do, never the value."""

from typing import ClassVar

from wissel.core.errors import WisselError


class SubmissionMalformed(WisselError):
    """What came in is not a submission."""

    code: ClassVar[str] = "submission-malformed"
    status: ClassVar[int] = 400


class EnvelopeRefused(WisselError):
    """An attribute of the envelope does not fit the message type or this platform."""

    code: ClassVar[str] = "envelope-refused"
    status: ClassVar[int] = 422


class SenderUnproven(WisselError):
    """The proof of the sender does not hold."""

    code: ClassVar[str] = "sender-unproven"
    status: ClassVar[int] = 403


class NotGranted(WisselError):
    """There is no live grant for this message."""

    code: ClassVar[str] = "not-granted"
    status: ClassVar[int] = 403


class ProcessMismatch(WisselError):
    """The message does not belong in the process that it names."""

    code: ClassVar[str] = "process-mismatch"
    status: ClassVar[int] = 409


class IdTaken(WisselError):
    """The id was used before, for other bytes."""

    code: ClassVar[str] = "id-taken"
    status: ClassVar[int] = 409


class SequenceBroken(WisselError):
    """A message before this one is missing, or this number was used."""

    code: ClassVar[str] = "sequence-broken"
    status: ClassVar[int] = 409


class TooBusy(WisselError):
    """The platform takes no new processes, or this receiver no plain messages, for a moment. Try again later."""

    code: ClassVar[str] = "too-busy"
    status: ClassVar[int] = 503
    retry_after_s: ClassVar[int] = 60


class ReceiptRefused(WisselError):
    """A receipt is not the receiver's signed statement about what it was handed."""

    code: ClassVar[str] = "receipt-refused"
    status: ClassVar[int] = 422


class NotOffered(WisselError):
    """Nothing of that id waits for this receiver."""

    code: ClassVar[str] = "not-offered"
    status: ClassVar[int] = 404


class ProcessUnknown(WisselError):
    """There is no such process here, or it is not this caller's to see."""

    code: ClassVar[str] = "process-unknown"
    status: ClassVar[int] = 404


class FileRefused(WisselError):
    """What came in is not a file that was sealed as files are."""

    code: ClassVar[str] = "file-refused"
    status: ClassVar[int] = 422


class FileTaken(WisselError):
    """These bytes are here already, of another sender, for another recipient or another use."""

    code: ClassVar[str] = "file-taken"
    status: ClassVar[int] = 409


class FilesWaiting(WisselError):
    """So many files of this sender wait for their messages that no more are taken for a moment."""

    code: ClassVar[str] = "files-waiting"
    status: ClassVar[int] = 429
    retry_after_s: ClassVar[int] = 60


class FileUnknown(WisselError):
    """A message names a file that its sender did not upload for that party in this process, or not like that."""

    code: ClassVar[str] = "file-unknown"
    status: ClassVar[int] = 422


class FileMissing(WisselError):
    """There is no such file for this caller: never, not yet or no more."""

    code: ClassVar[str] = "file-missing"
    status: ClassVar[int] = 404


class FileEnded(WisselError):
    """The file ended before its message: a scan of an identity document, a day after she was verified."""

    code: ClassVar[str] = "file-ended"
    status: ClassVar[int] = 410
