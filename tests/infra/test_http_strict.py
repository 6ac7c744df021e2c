import json
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wissel.infra.http.errors import Unreadable
from wissel.infra.http.strict import check_json, explain, read_json


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    kind: Annotated[str, msgspec.Meta(pattern="^[a-z]+$", max_length=5)]
    count: int = 0


class Outer(msgspec.Struct, forbid_unknown_fields=True):
    inner: tuple[Inner, ...]


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=20,
)


def depth_of(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max((depth_of(each) for each in value.values()), default=0)
    if isinstance(value, list):
        return 1 + max((depth_of(each) for each in value), default=0)
    return 0


@given(value=values, ascii_only=st.booleans())
def test_plain_json_within_the_limits_is_read_as_it_is(value: Any, *, ascii_only: bool) -> None:
    body = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    if depth_of(value) > 16:
        with pytest.raises(Unreadable):
            check_json(body)
    else:
        assert check_json(body) == value


@given(st.integers(0, 40), st.sampled_from(["[", '{"a":']))
def test_depth_is_counted_exactly(depth: int, opening: str) -> None:
    closing = "]" if opening == "[" else "}"
    body = (opening * depth + "0" + closing * depth).encode()
    if depth <= 16:
        check_json(body)
    else:
        with pytest.raises(Unreadable, match="deeper than 16"):
            check_json(body)


def test_brackets_in_texts_do_not_count_as_depth() -> None:
    assert check_json(json.dumps({"a": "[" * 100, '{"\\': '\\"[[['}).encode())


@given(st.dictionaries(st.text(), st.integers(0, 9), min_size=1, max_size=4))
def test_a_name_that_stands_twice_is_refused(value: dict[str, int]) -> None:
    members = [f"{json.dumps(name)}:{number}" for name, number in value.items()]
    body = "{" + ",".join([*members, members[0]]) + "}"
    with pytest.raises(Unreadable, match="twice"):
        check_json(body.encode())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nul",
        b'{"a":1} {"b":2}',
        b'{"a":1.5}',
        b'{"a":1e3}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":9007199254740992}',
        b'{"a":' + b"9" * 5000 + b"}",
        b'{"a":"\xff"}',
        b'"\xed\xa0\x80"',
        rb'"\ud800"',
        rb'{"\uDC00":1}',
        b"\xef\xbb\xbf{}",
        b"[" * 100_000,
        b'"unterminated \\',
    ],
)
def test_what_is_not_strict_json_is_refused(body: bytes) -> None:
    with pytest.raises(Unreadable):
        check_json(body)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_and_nothing_else(body: bytes) -> None:
    try:
        check_json(body)
    except Unreadable:
        return


@given(st.text(alphabet='{}[]",:\\u0d8 1ea', max_size=60))
def test_anything_like_json_is_read_or_refused_and_nothing_else(text: str) -> None:
    try:
        value = check_json(text.encode())
    except Unreadable:
        return
    assert value == json.loads(text)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"inner":[{"kind":"abc"},{"kind":7}]}', "/inner/1/kind"),
        (b'{"inner":[{"kind":"SECRET"}]}', "/inner/0/kind"),
        (b'{"inner":[{"count":1}]}', "/inner/0"),
        (b'{"inner":[{"kind":"abc","SECRET":1}]}', "/inner/0"),
        (b'{"inner":1}', "/inner"),
        (b"[]", ""),
    ],
)
def test_a_refusal_names_the_field_and_never_the_value(body: bytes, field: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read_json(body, Outer)
    assert caught.value.field == field
    assert "SECRET" not in caught.value.sentence


def test_a_reason_that_holds_a_value_is_replaced() -> None:
    assert explain("Invalid enum value 'SECRET' - at `$.kind`") == ("Invalid enum value.", "/kind")
    assert "SECRET" not in explain("SECRET - at `$.a[0].b`")[0]
    assert explain("Expected `int`, got `str` - at `$.a[0].b`") == ("Expected `int`, got `str`.", "/a/0/b")


@pytest.mark.parametrize(
    "body",
    [
        b'"' + b'\\"' * 500_000,
        b'"' * 1_000_000,
        b"[" * 1_000_000,
        b'{"a":' * 200_000,
        b"9" * 1_000_000,
    ],
)
def test_the_worst_megabyte_is_refused(body: bytes) -> None:
    with pytest.raises(Unreadable):
        check_json(body)


@pytest.mark.parametrize("body", [b"[" + b"[]," * 330_000 + b"[]]", b'"' + b"\\ud83d\\ude00" * 80_000 + b'"'])
def test_a_large_body_that_is_flat_is_read(body: bytes) -> None:
    check_json(body)
