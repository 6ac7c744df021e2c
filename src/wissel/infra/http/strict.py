"""Reads JSON that comes from outside: strictly, within limits, and whole or not at all.

Refused: what is not UTF-8, a name that stands twice in one object, numbers that are not whole or exceed 2**53 - 1
(RFC 8785 has no exact form for them here), half surrogates, and nesting beyond a depth.
"""

import re
from typing import Any, Final, TypeVar

import msgspec

from wissel.infra.http.errors import Unreadable
from wissel.messages.verify import INTEGER_MAX, Refused, parse_json

DEPTH_MAX: Final = 16

_T = TypeVar("_T")
_PATH: Final = re.compile(r" - at `(?:key in )?\$([^`]*)`$")
_SAFE: Final = re.compile(
    r"Expected `[^`]*`(?: [<>=]+ [\d.]+| of length [<>=]+ \d+| matching regex '[^']*')?(?:, got `[^`]*`)?"
    r"|Object missing required field `[^`]*`"
    r"|Object contains unknown field"
    r"|Invalid enum value"
)


def check_json(body: bytes, *, depth_max: int = DEPTH_MAX) -> Any:
    """Return the value of `body`. Raises Unreadable. The time it takes grows with the size, and no faster."""
    try:
        value = parse_json(body)
    except Refused as error:
        raise Unreadable(error.sentence) from None
    _look(value, depth_max, depth_max)
    return value


def read_json(body: bytes, shape: type[_T], *, depth_max: int = DEPTH_MAX) -> _T:
    """Return `body` as a `shape`. Raises Unreadable with the JSON pointer at fault; no value stands in the sentence."""
    check_json(body, depth_max=depth_max)
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.MsgspecError as error:
        sentence, pointer = explain(str(error))
        raise Unreadable(sentence, field=pointer) from None


def explain(reason: str) -> tuple[str, str]:
    """Turn msgspec's reason into a sentence that holds no value of the sender, and a JSON pointer."""
    path = _PATH.search(reason)
    pointer = path.group(1).replace("[...]", "/*").replace("[", "/").replace("]", "").replace(".", "/") if path else ""
    safe = _SAFE.match(reason)
    return f"{safe.group() if safe else 'This has another form than the API asks'}.", pointer


def _look(value: Any, left: int, depth_max: int) -> None:
    """Look at every text, number and level; `left` is how many levels there may be below."""
    kind = type(value)
    if kind is str:
        if not (value.isascii() or _encodable(value)):
            raise Unreadable("A text holds half of a surrogate pair.")
    elif kind is int:
        if abs(value) > INTEGER_MAX:
            raise Unreadable("A number is too large; write it as a string.")
    elif kind is dict or kind is list:
        if left == 0:
            raise Unreadable(f"The JSON is nested deeper than {depth_max} levels.")
        if kind is dict:
            for name in value:
                _look(name, left - 1, depth_max)
        for item in value.values() if kind is dict else value:
            _look(item, left - 1, depth_max)


def _encodable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
