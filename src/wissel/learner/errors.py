"""What a vault refuses, and what the caller can do about it. What means "withdrawn" is in `client/vaults`."""

from typing import ClassVar

from wissel.core.errors import WisselError


class VaultError(WisselError):
    """The branch of everything a vault refuses."""

    code: ClassVar[str] = "vault"
    status: ClassVar[int] = 500


class NoSuchCopy(VaultError):
    """There is no such copy, message or grant in this vault."""

    code: ClassVar[str] = "vault-item-unknown"
    status: ClassVar[int] = 404


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
