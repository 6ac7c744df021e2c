"""One value, one form: RFC 8785 without floats."""

import base64
import json
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wissel.messages.verify import (
    BYTES_MAX,
    DEPTH_MAX,
    INTEGER_MAX,
    Refused,
    b64,
    canonical,
    commit,
    parse,
    parse_json,
    proof_hash,
    sha256,
    unb64,
)

texts = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-INTEGER_MAX, INTEGER_MAX) | texts,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=5),
    max_leaves=20,
)


@given(values)
def test_what_is_written_is_read_back(value: Any) -> None:
    assert parse(canonical(value)) == value


@given(values)
def test_another_json_library_reads_the_same(value: Any) -> None:
    assert msgspec.json.decode(canonical(value)) == value


@given(st.dictionaries(texts, st.integers(0, 9), max_size=8))
def test_names_are_ordered_by_their_utf_16(value: dict[str, int]) -> None:
    names = list(json.loads(canonical(value)))
    assert names == sorted(value, key=lambda name: name.encode("utf-16-be"))


# RFC 8785 section 3.2.3 and appendix: the names in their order, and each sign in its form.
ORDERED: Final = (
    '{"\\r":"CR","1":"One","\u0080":"Control","\u00f6":"O","\u20ac":"Euro","\U0001f600":"Smile","\ufb33":"Dalet"}'
)
SIGNS: Final = r'"€$\u000f\nA\u0007' + "'" + r'B\"\\\\\"/"'


@pytest.mark.parametrize(
    "text",
    [
        ORDERED,
        SIGNS,
        r'"\b\t\n\f\r\u0000\u001f\"\\/"' + "",
        '"\x7f\u0080\u2028\u2029"',
        '{"":[],"a":{},"b":[null,true,false,0,-1,9007199254740991]}',
    ],
)
def test_the_form_of_the_rfc_is_ours(text: str) -> None:
    assert canonical(parse(text.encode())) == text.encode()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"b":1,"a":2}', "json-canonical"),
        ('{"a": 1}', "json-canonical"),
        (' {"a":1}', "json-canonical"),
        ('{"a":1}\n', "json-canonical"),
        ('"\\u0041"', "json-canonical"),
        ('"\\/"', "json-canonical"),
        ('"\\u20AC"', "json-canonical"),
        ('"\\u001F"', "json-canonical"),
        ("-0", "json-canonical"),
        ('{"\U0001f600":1,"\ufb33":2,"\u00f6":3}', "json-canonical"),
        ('{"a":1,"a":1}', "json-duplicate"),
        ('{"a":1,"\\u0061":1}', "json-duplicate"),
        ("1.0", "json-float"),
        ("1e3", "json-float"),
        ("NaN", "json-float"),
        ("-Infinity", "json-float"),
        ("9007199254740992", "json-integer"),
        ("-9007199254740992", "json-integer"),
        ("1" * 5000, "json-integer"),
        ('"\\ud800"', "json-surrogate"),
        ("01", "json"),
        ("'a'", "json"),
        ("", "json"),
        ("{}{}", "json"),
        ('\ufeff{"a":1}', "json"),
        ('"a\nb"', "json"),
        ("[" * 100_000, "json"),
        ("[" * 41 + "]" * 41, "json-depth"),
    ],
)
def test_any_other_form_is_refused(text: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        parse(text.encode())
    assert refused.value.code == code


def test_bytes_that_are_no_utf_8_are_refused() -> None:
    for data in (b'"\xff"', b'"\xed\xa0\x80"', '"a"'.encode("utf-16")):
        with pytest.raises(Refused, match="UTF-8"):
            parse_json(data)


def test_what_is_too_large_is_refused_before_it_is_read() -> None:
    with pytest.raises(Refused) as refused:
        parse_json(b" " * (BYTES_MAX + 1))
    assert refused.value.code == "json-size"


@pytest.mark.parametrize("value", [1.5, b"x", {1: 2}, {"a": {3}}, object(), msgspec.Raw(b"1"), 2**53, -(2**53)])
def test_what_json_cannot_say_is_refused(value: Any) -> None:
    with pytest.raises(Refused):
        canonical(value)


def test_depth_has_a_limit() -> None:
    value: Any = 1
    for _ in range(DEPTH_MAX):
        value = [value]
    assert parse(canonical(value)) == value
    with pytest.raises(Refused, match="nested"):
        canonical([value])


@given(st.binary(max_size=100))
def test_base64url_has_one_form(data: bytes) -> None:
    assert unb64(b64(data)) == data


def candidates(text: str) -> list[bytes]:
    """What a lenient reader might make of it."""
    kept = "".join(sign for sign in text if sign.isalnum() or sign in "-_")
    return [base64.urlsafe_b64decode(kept[:end] + "=" * (-end % 4)) for end in range(len(kept) + 1) if end % 4 != 1]


@settings(max_examples=300)
@given(st.text("AQgw-_+/= \nB", max_size=9))
def test_a_text_is_base64url_when_and_only_when_we_would_write_it(text: str) -> None:
    written = {b64(bytes(data)) for data in candidates(text)}
    if text in written:
        assert b64(unb64(text)) == text
        return
    with pytest.raises(Refused):
        unb64(text)


@pytest.mark.parametrize("text", ["QQ==", "QR", "QUI\n", "Q", "Q+", "Q/", "Q U", "QQ=", "é"])
def test_padding_spare_bits_and_other_alphabets_are_refused(text: str) -> None:
    with pytest.raises(Refused):
        unb64(text)


def test_a_commitment_is_over_nonce_envelope_and_the_hash_of_the_payload() -> None:
    nonce, envelope, payload = bytes(range(32)), {"b": 1, "a": "é"}, b'{"x":1}'
    assert commit(nonce, envelope, payload) == sha256(nonce + '{"a":"é","b":1}'.encode() + sha256(payload))


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_nonce_is_32_bytes(length: int) -> None:
    with pytest.raises(Refused, match="32 bytes"):
        commit(bytes(length), {}, b"")


def test_the_hash_of_a_proof_is_the_same_with_and_without_the_token() -> None:
    proof = {"kind": "authentication", "jws": "a..b", "portal": "urn:p", "token": "t"}
    bare = {**proof, "tokenhash": b64(sha256(b"t")), "statement": "s"}
    del bare["token"]
    assert proof_hash(proof) == proof_hash(bare) == proof_hash({**bare, "token": "t"})
    assert proof_hash({**bare, "tokenhash": b64(sha256(b"u"))}) != proof_hash(bare)
