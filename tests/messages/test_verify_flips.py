"""Whoever changes a byte of an afschrift, opened or sealed, gets a no with a reason."""

from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.messages.evidence import TRUTHS, Case, Chance, keys, truth

from wissel.messages.jose import Sealer
from wissel.messages.verify import Refused, Trust, Verdict, open_copy, parse, verify

TRUST: Final = keys().trust
EVERY: Final = sorted(TRUTHS)


def refused(document: bytes, trust: Trust = TRUST) -> Verdict:
    """Return the verdict on a document that must not pass."""
    verdict = verify(document, trust)
    assert not verdict.ok
    assert verdict.code
    assert verdict.reason
    return verdict


def flipped(data: bytes, place: int, mask: int) -> bytes:
    """Return the data with one byte changed."""
    return data[:place] + bytes([data[place] ^ mask]) + data[place + 1 :]


def sealed(name: str) -> bytes:
    """Return a copy as it lies in a vault."""
    return Sealer.new(keys().sealing["learner"].public_jwk, Chance("s")).seal(truth(name), Chance("iv")).encode()


def opened(file: bytes) -> Verdict:
    """Return what the command says of a file."""
    try:
        return verify(open_copy(file, keys().sealing["learner"].private_jwk), TRUST)
    except Refused as error:
        return Verdict(ok=False, reason=error.sentence, code=error.code)


@pytest.mark.parametrize("name", EVERY)
def test_every_form_passes_unchanged_opened_and_sealed(name: str) -> None:
    witnessed, seen = TRUTHS[name].witnesses == 2, {"signature": ""}.get(TRUTHS[name].form, TRUTHS[name].form)
    notes = ("adapter for duo",) if "adapter" in name else ()
    assert verify(truth(name), TRUST) == Verdict(ok=True, witnessed=witnessed, seen=seen, notes=notes)
    assert opened(sealed(name)).ok


@pytest.mark.parametrize("name", EVERY)
def test_each_byte_of_an_opened_afschrift_counts(name: str) -> None:
    """Every position, each with another mask; the property below draws the rest of the masks."""
    document = truth(name)
    for place in range(len(document)):
        refused(flipped(document, place, place * 37 % 255 + 1))


@settings(max_examples=600, deadline=None)
@given(st.data())
def test_no_change_of_a_byte_passes(data: st.DataObject) -> None:
    document = truth(data.draw(st.sampled_from(EVERY)))
    refused(flipped(document, data.draw(st.integers(0, len(document) - 1)), data.draw(st.integers(1, 255))))


@pytest.mark.parametrize("name", ["signed by a participant", "learner by the platform's statement"])
def test_each_byte_of_a_sealed_file_counts(name: str) -> None:
    file = sealed(name)
    for place in range(len(file)):
        verdict = opened(flipped(file, place, place * 91 % 255 + 1))
        assert not verdict.ok
        assert verdict.code
        assert verdict.reason


@settings(max_examples=600, deadline=None)
@given(st.data())
def test_no_change_of_a_sealed_byte_passes(data: st.DataObject) -> None:
    file = sealed(data.draw(st.sampled_from(EVERY)))
    verdict = opened(flipped(file, data.draw(st.integers(0, len(file) - 1)), data.draw(st.integers(1, 255))))
    assert not verdict.ok
    assert verdict.code
    assert verdict.reason


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_cut_repeated_or_foreign_bytes_do_not_pass(data: st.DataObject) -> None:
    document = truth(data.draw(st.sampled_from(EVERY)))
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(document))] * 2)))
    change = data.draw(st.sampled_from(["cut", "repeat", "insert"]))
    middle = {"cut": b"", "repeat": document[start:end] * 2, "insert": document[start:end] + b" "}[change]
    changed = document[:start] + middle + document[end:]
    if changed != document:
        refused(changed)


@pytest.mark.parametrize("more", [b"\n", b"\r\n", b" ", b"\0", b"{}", b"="])
def test_nothing_stands_after_the_end(more: bytes) -> None:
    document, file = truth(EVERY[0]), sealed(EVERY[0])
    refused(document + more)
    assert not opened(file + more).ok


@pytest.mark.parametrize("document", [b"", b"{}", b"[]", b"null", b"1", b'"x"', b"{" * 100_000, b"\xff", b"{}" * 9])
def test_what_is_no_afschrift_is_refused_and_never_an_exception(document: bytes) -> None:
    refused(document)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def places(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return the path of every value inside a value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for name, inner in inside for found in places(inner, (*path, name)))]


@settings(max_examples=500, deadline=None)
@given(st.data())
def test_any_json_in_any_place_is_refused_with_a_reason(data: st.DataObject) -> None:
    """Well formed and canonical, but one value is another: not a spelling mistake, a lie."""
    found = parse(truth(data.draw(st.sampled_from(EVERY))))
    path = data.draw(st.sampled_from(places(found)[1:]))
    holder = found
    for step in path[:-1]:
        holder = holder[step]
    value = data.draw(json_values)
    if holder[path[-1]] == value and type(holder[path[-1]]) is type(value):
        return
    holder[path[-1]] = value
    refused(Case.write(found))
