"""Signed notes, cosignatures and lists of revoked keys, held to the C2SP words by an independent reading."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from wissel.messages.notes import (
    NoteKey,
    WitnessKey,
    checkpoint_body,
    note,
    revocations_body,
    tlog_proof,
    trust_file,
)
from wissel.messages.verify import Refused, Trust, b64, check_note, parse_checkpoint, read_revocations, read_trust

NOW: Final = datetime(2026, 4, 15, 7, 0, 1, 999_000, tzinfo=UTC)
ORIGIN: Final = "wissel.example/log"


class Chance:
    """Repeatable bytes."""

    def __init__(self, seed: str) -> None:
        self._seed, self._count = seed, 0

    def draw(self, count: int) -> bytes:
        """Return the next bytes; 64 at most."""
        self._count += 1
        return hashlib.sha512(f"{self._seed}/{self._count}".encode()).digest()[:count]


LOG: Final = NoteKey.new(ORIGIN, Chance("log"))
WITNESS: Final = WitnessKey.new("noord.witness", Chance("witness"))
BODY: Final = checkpoint_body(ORIGIN, 20, hashlib.sha256(b"root").digest())


def read_line(line: str, vkey: str) -> tuple[bytes, bytes]:
    """Return (public key, signature) of a signature line, read as C2SP signed-note writes it."""
    assert line.startswith("\N{EM DASH} ")
    assert line.endswith("\n")
    name, _, signature = line[2:-1].partition(" ")
    vname, vid, vdata = vkey.split("+", 2)
    raw, data = base64.b64decode(signature), base64.b64decode(vdata)
    key_id = hashlib.sha256(f"{name}\n".encode() + data).digest()[:4]
    assert (name, key_id.hex(), raw[:4]) == (vname, vid, key_id)
    return data, raw[4:]


def refusal(text: str, vkey: str) -> str:
    """Return the code with which a note is refused."""
    with pytest.raises(Refused) as caught:
        check_note(text, vkey)
    return caught.value.code


def test_a_log_signs_as_c2sp_signed_note_says() -> None:
    """Type 0x01: Ed25519 over the text, its last line end included."""
    data, signature = read_line(LOG.sign(BODY), LOG.vkey)
    assert data[0] == 1
    Ed25519PublicKey.from_public_bytes(data[1:]).verify(signature, BODY.encode())


def test_a_witness_signs_as_c2sp_tlog_cosignature_says() -> None:
    """Type 0x04: eight bytes of seconds, then Ed25519 over a header, those seconds and the text."""
    data, timed = read_line(WITNESS.cosign(BODY, NOW), WITNESS.vkey)
    assert data[0] == 4
    assert int.from_bytes(timed[:8]) == int(NOW.timestamp()) == 1776236401
    key = Ed25519PublicKey.from_public_bytes(data[1:])
    key.verify(timed[8:], f"cosignature/v1\ntime 1776236401\n{BODY}".encode())
    with pytest.raises(InvalidSignature):
        key.verify(timed[8:], BODY.encode())


def test_the_signature_line_is_that_of_the_example_of_go_note() -> None:
    """The example of golang.org/x/mod/sumdb/note: its skey, its vkey and its signature over its text."""
    skey = b"PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
    key = NoteKey.load(skey)
    assert key.vkey == "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
    line = (
        "\N{EM DASH} PeterNeumann "
        "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    )
    assert key.sign(text) == line
    check_note(note(text, [line]), key.vkey)


def test_a_checkpoint_reads_as_what_was_signed() -> None:
    point = parse_checkpoint(note(BODY, [LOG.sign(BODY)]))
    assert (point.origin, point.size, point.body) == (ORIGIN, 20, BODY)
    assert point.root == hashlib.sha256(b"root").digest()


def test_a_note_is_checked_for_the_one_who_is_asked_for() -> None:
    text = note(BODY, [LOG.sign(BODY), WITNESS.cosign(BODY, NOW)])
    check_note(text, LOG.vkey)
    check_note(text, WITNESS.vkey)
    assert refusal(note(BODY, [LOG.sign(BODY)]), WITNESS.vkey) == "note-signature"
    assert refusal(text.replace("\n20\n", "\n21\n"), LOG.vkey) == "note-signature"


def test_a_cosignature_counts_for_its_own_second_only() -> None:
    line = WITNESS.cosign(BODY, NOW)
    raw = bytearray(base64.b64decode(line.split(" ")[2]))
    raw[11] ^= 1
    later = f"\N{EM DASH} {WITNESS.name} {base64.b64encode(raw).decode()}\n"
    assert refusal(note(BODY, [later]), WITNESS.vkey) == "note-signature"


def test_a_log_and_a_witness_of_one_name_and_seed_are_two_keys() -> None:
    seed = bytes(32)
    log, witness = NoteKey("same", seed), WitnessKey("same", seed)
    assert log.id != witness.id
    assert refusal(note(BODY, [log.sign(BODY)]), witness.vkey) == "note-signature"


@pytest.mark.parametrize("key", [LOG, WITNESS])
def test_a_key_read_again_is_the_same_key(key: NoteKey | WitnessKey) -> None:
    again = type(key).load(key.dump())
    assert (again.name, again.vkey, again.dump()) == (key.name, key.vkey, key.dump())


@pytest.mark.parametrize(
    "state", [b"", b"x", WITNESS.dump(), LOG.dump() + b"\n", LOG.dump()[:-4], LOG.dump().replace(b"/log", b"/lag")]
)
def test_a_key_of_another_kind_or_a_damaged_one_is_refused(state: bytes) -> None:
    with pytest.raises(Refused) as caught:
        NoteKey.load(state)
    assert caught.value.code == "note-key"


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb"])
def test_a_name_that_a_note_cannot_bear_is_refused(name: str) -> None:
    with pytest.raises(Refused):
        NoteKey(name, bytes(32))


@pytest.mark.parametrize(
    "body",
    [
        "",
        "origin\n",
        "origin\n5\n",
        f"origin\n05\n{base64.b64encode(bytes(32)).decode()}\n",
        f"origin\n-1\n{base64.b64encode(bytes(32)).decode()}\n",
        f"\n5\n{base64.b64encode(bytes(32)).decode()}\n",
        f"origin\n5\n{base64.b64encode(bytes(31)).decode()}\n",
        f"origin\n5\n{b64(bytes(32))}\n",
        f"origin\n5\n{base64.b64encode(bytes(32)).decode()}\nextension\n",
    ],
)
def test_what_is_no_checkpoint_of_three_lines_is_refused(body: str) -> None:
    with pytest.raises(Refused):
        parse_checkpoint(note(body, [LOG.sign(body)]))


@given(st.text(max_size=200))
def test_whatever_text_comes_is_refused_and_never_an_exception(text: str) -> None:
    for check in (parse_checkpoint, lambda given: check_note(given, LOG.vkey)):
        with pytest.raises(Refused):
            check(text)


def test_a_proof_has_the_lines_of_c2sp_tlog_proof() -> None:
    text = note(BODY, [LOG.sign(BODY)])
    first, second = bytes(32), b"\1" * 32
    lines = tlog_proof(7, [first, second], text).split("\n")
    assert lines[:2] == ["c2sp.org/tlog-proof@v1", "index 7"]
    assert [base64.b64decode(line) for line in lines[2:4]] == [first, second]
    assert "\n".join(lines[4:]) == "\n" + text
    assert tlog_proof(0, [], text) == f"c2sp.org/tlog-proof@v1\nindex 0\n\n{text}"


def test_the_list_of_revoked_keys_is_read_as_it_was_signed() -> None:
    kids = {b64(hashlib.sha256(name).digest()): NOW + timedelta(days=days) for name, days in ((b"a", 1), (b"b", 2))}
    trust = Trust({ORIGIN: LOG.vkey})
    for revoked in ({}, kids):
        body = revocations_body(ORIGIN, NOW, revoked)
        found = read_revocations(note(body, [LOG.sign(body)]), trust)
        assert found == {kid: at.isoformat(timespec="milliseconds")[:-6] + "Z" for kid, at in revoked.items()}


def test_a_list_of_another_log_or_signer_or_kind_is_refused() -> None:
    body = revocations_body(ORIGIN, NOW, {})
    other = NoteKey.new(ORIGIN, Chance("other"))
    for text, logs in (
        (note(body, [other.sign(body)]), {ORIGIN: LOG.vkey}),
        (note(body, [LOG.sign(body)]), {}),
        (note(BODY, [LOG.sign(BODY)]), {ORIGIN: LOG.vkey}),
        (note(body.replace("v1", "v2"), [LOG.sign(body.replace("v1", "v2"))]), {ORIGIN: LOG.vkey}),
    ):
        with pytest.raises(Refused):
            read_revocations(text, Trust(logs))


def test_the_trust_file_is_read_as_it_was_written() -> None:
    data = trust_file({ORIGIN: LOG.vkey}, [WITNESS.vkey], 1)
    assert read_trust(data) == Trust({ORIGIN: LOG.vkey}, (WITNESS.vkey,), 1)


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"logs":{"a":"b"}}', b'{"logs":{},"quorum":"1"}', b"1", b"null"])
def test_what_is_no_trust_file_is_refused(data: bytes) -> None:
    with pytest.raises(Refused):
        read_trust(data)
