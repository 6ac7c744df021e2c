"""The root of the error tree. Each room has its own branch, with sentences a person can act on."""

from typing import ClassVar


class WisselError(Exception):
    """An error that says what is wrong, where, and what to do.

    `code` is stable and documented in `docs/errors.md`; `status` is the HTTP status a door answers with;
    `field` is the JSON pointer or setting at fault, or empty.
    """

    code: ClassVar[str] = "wissel"
    status: ClassVar[int] = 500

    def __init__(self, sentence: str, *, field: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field
