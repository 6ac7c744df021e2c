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
_TOKENS: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[{]|[\]}]', re.DOTALL)
_SUSPECT: Final = re.compile(rb"\d{16}|\\u[dD]")  # a large number, or an escaped surrogate
_PATH: Final = re.compile(r" - at `(?:key in )?\$([^`]*)`$")
_SAFE: Final = re.compile(
    r"Expected `[^`]*`(?: [<>=]+ [\d.]+| of length [<>=]+ \d+| matching regex '[^']*')?(?:, got `[^`]*`)?"
    r"|Object missing required field `[^`]*`"
    r"|Object contains unknown field"
    r"|Invalid enum value"
)


def check_json(body: bytes, *, depth_max: int = DEPTH_MAX) -> Any:
    """Return the value of `body`. Raises Unreadable."""
    if _depth(body) > depth_max:
        raise Unreadable(f"The JSON is nested deeper than {depth_max} levels.")
    try:
        value = parse_json(body)
    except Refused as error:
        raise Unreadable(error.sentence) from None
    if _SUSPECT.search(body):
        _look_closer(value)
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


def _depth(body: bytes) -> int:
    deepest = depth = 0
    for token in _TOKENS.finditer(body):
        first = token.group()[0]
        if first in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif first in b"]}":
            depth -= 1
    return deepest


def _look_closer(value: Any) -> None:
    """Look at every text and number: only where the bytes give a reason to."""
    if isinstance(value, dict):
        for name, item in value.items():
            _look_closer(name)
            _look_closer(item)
    elif isinstance(value, list):
        for item in value:
            _look_closer(item)
    elif isinstance(value, str) and not _encodable(value):
        raise Unreadable("A text holds half of a surrogate pair.")
    elif isinstance(value, int) and abs(value) > INTEGER_MAX:
        raise Unreadable("A number is too large; write it as a string.")


def _encodable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
