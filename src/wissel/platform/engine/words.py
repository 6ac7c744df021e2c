"""What the engine keeps sealed with a process."""

import msgspec


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a process: the story's own JSON, and what the engine itself must remember.

    `sequences` counts the platform's messages per recipient; `position` is the last place given in a lane;
    `open` names the gates still open.
    """

    story: msgspec.Raw
    sequences: dict[str, int] = {}
    position: int = 0
    open: tuple[str, ...] = ()
