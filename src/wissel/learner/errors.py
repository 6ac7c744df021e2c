"""What a vault refuses, and what the caller can do about it."""

from typing import ClassVar

from wissel.core.errors import WisselError


class VaultError(WisselError):
    """The branch of everything a vault refuses."""

    code: ClassVar[str] = "vault"
    status: ClassVar[int] = 500


class NoSuchVault(VaultError):
    """There is no vault with this id."""

    code: ClassVar[str] = "vault-unknown"
    status: ClassVar[int] = 404


class NoSuchCopy(VaultError):
    """There is no such copy, message or grant in this vault."""

    code: ClassVar[str] = "vault-item-unknown"
    status: ClassVar[int] = 404


class NoGrant(VaultError):
    """No token, or one that this vault never gave out."""

    code: ClassVar[str] = "vault-no-grant"
    status: ClassVar[int] = 401


class NotGranted(VaultError):
    """The grant exists but is not for this."""

    code: ClassVar[str] = "vault-not-granted"
    status: ClassVar[int] = 403


class Withdrawn(VaultError):
    """The grant was revoked or its end date has passed. Stop; do not try again."""

    code: ClassVar[str] = "vault-withdrawn"
    status: ClassVar[int] = 410


class Unfit(VaultError):
    """What was sent does not have the form it must have; nothing of it was stored."""

    code: ClassVar[str] = "vault-unfit"
    status: ClassVar[int] = 422


class Taken(VaultError):
    """The name is taken, or the same id came before with other bytes."""

    code: ClassVar[str] = "vault-taken"
    status: ClassVar[int] = 409


class Changed(VaultError):
    """The profile was changed by another since it was read. Read it again."""

    code: ClassVar[str] = "vault-changed"
    status: ClassVar[int] = 412


class Full(VaultError):
    """A limit is reached."""

    code: ClassVar[str] = "vault-full"
    status: ClassVar[int] = 507
