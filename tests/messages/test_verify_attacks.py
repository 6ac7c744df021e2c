"""An auditor who trusts nobody: a lie that is signed and proven like the truth meets the check that is meant for it."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.messages.evidence import (
    DUO,
    ORIGIN,
    PLATFORM,
    SCHOOL,
    START,
    SUBJECT,
    TRUTHS,
    Case,
    Chance,
    Form,
    Tree,
    keys,
    truth,
    urn,
)

from wissel.core.moments import rfc3339
from wissel.core.tree import inclusion_path, leaf_hash, list_reader
from wissel.messages import notes
from wissel.messages.jose import SigningKey
from wissel.messages.verify import Refused, Trust, b64, parse, read_revocations, read_trust, unb64, verify

TRUST: Final = keys().trust
KIDS: Final = {role: key.kid for role, key in keys().signing.items()}
STRANGER: Final = urn(99, "stranger")
LATE: Final = rfc3339(START + timedelta(days=3))
EARLY: Final = rfc3339(START - timedelta(days=3))
ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def code(document: bytes, trust: Trust = TRUST, revoked: Mapping[str, str] | None = None) -> str:
    """Return why a document is refused; it must be."""
    verdict = verify(document, trust, revoked)
    assert not verdict.ok, "a lie passed"
    assert verdict.reason
    return verdict.code


LIES: Final[Mapping[str, tuple[str, Case]]] = {
    # who signs
    "somebody else signs for the source": ("sender", Case(by={"sender": "stranger"})),
    "the platform signs for the source": ("sender", Case(by={"sender": "platform"})),
    "another portal carries a learner's word": ("sender", Case(form="id_token", by={"sender": "stranger"})),
    "the platform is the portal": (
        "sender",
        Case(form="id_token", by={"sender": "platform"}, sender={"portal": PLATFORM}),
    ),
    "a portal logs the learner in by itself": ("key", Case(form="id_token", by={"token": "portal"})),
    "a portal's second key makes the id_token": (
        "authentication",
        Case(form="id_token", cards={"eduid": {"holder": urn(2, "portal")}}),
    ),
    "the platform makes the id_token": ("authentication", Case(form="id_token", cards={"eduid": {"holder": PLATFORM}})),
    "somebody else states what the platform saw": (
        "authentication",
        Case(form="statement", by={"statement": "stranger"}),
    ),
    "the portal states what the platform saw": ("authentication", Case(form="statement", by={"statement": "portal"})),
    "somebody else signs the receipt": ("receipt", Case(form="id_token", by={"final": "stranger"})),
    "the platform signs the receipt": ("receipt", Case(form="id_token", by={"final": "platform"})),
    "the platform signs the learner's receipt": ("receipt", Case(by={"final": "platform"})),
    "the sender signs the learner's receipt": ("receipt", Case(by={"final": "school"})),
    "the receiver says that nothing came": ("receipt", Case(delivered=False, by={"final": "school"})),
    "a provider signs for a partner": ("receipt", Case(envelope={"recipient": DUO}, by={"final": "vaults"})),
    # what a key may do
    "a sealing key signs": ("key", Case(cards={"school": {"use": "seal"}})),
    "a login key signs": ("key", Case(cards={"school": {"use": "id_token"}})),
    "a signing key logs in": ("key", Case(form="id_token", cards={"eduid": {"use": "sign"}})),
    "a sealing key acknowledges": ("key", Case(cards={"platform": {"use": "seal"}})),
    "a sealing key signs the receipt": ("key", Case(cards={"vaults": {"use": "seal"}})),
    "the sender's key is out of date": ("key", Case(cards={"school": {"until": EARLY}})),
    "the sender's key ends at that very moment": (
        "key",
        Case(cards={"school": {"until": rfc3339(START + timedelta(seconds=2))}}),
    ),
    "the sender's key is not valid yet": ("key", Case(cards={"school": {"since": LATE}})),
    "the sender's key was published afterwards": ("key", Case(cards={"school": {"time": LATE}})),
    "the receiver's key is out of date": ("key", Case(cards={"vaults": {"until": EARLY}})),
    "the platform's key is out of date": ("key", Case(cards={"platform": {"until": EARLY}})),
    "the provider's key is out of date": ("key", Case(form="id_token", cards={"eduid": {"until": EARLY}})),
    "a key without dates": ("keys", Case(cards={"school": {"since": "0", "until": "9"}})),
    "the key of a mandated supplier signs for the school": (
        "sender",
        Case(cards={"school": {"holder": STRANGER, "note": f"mandate of {SCHOOL}"}}),
    ),
    "the leaf is of another event": ("keys", Case(cards={"school": {"event": "key.revoked"}})),
    "the leaf names another kid": ("keys", Case(cards={"school": {"kid": KIDS["stranger"]}})),
    "the leaf of the signer is missing": ("key", Case(missing=["school"])),
    "a key that signed nothing comes along": ("keys", Case(spare=["stranger"])),
    "a key comes twice": ("keys", Case(spare=["school"])),
    # what the acknowledgement says
    "another commitment": ("commitment", Case(said={"acknowledgement": {"commitment": b64(bytes(32))}})),
    "another proof of the sender": ("commitment", Case(said={"acknowledgement": {"sender": b64(bytes(32))}})),
    "a decision to refuse": ("commitment", Case(said={"acknowledgement": {"decision": "rejected"}})),
    "another log": ("commitment", Case(said={"acknowledgement": {"log": "wissel.example/test"}})),
    "no word on the sender's key": ("keys", Case(said={"acknowledgement": {"keys": {KIDS["platform"]: 8}}})),
    "no word on the provider's key": (
        "keys",
        Case(form="id_token", said={"acknowledgement": {"keys": {KIDS["portal"]: 8, KIDS["platform"]: 8}}}),
    ),
    "a word that is no tree size": ("keys", Case(said={"acknowledgement": {"keys": {KIDS["school"]: "8"}}})),
    "one fact more": ("record", Case(said={"acknowledgement": {"more": "x"}})),
    "one fact less": ("record", Case(said={"acknowledgement": {"ruleset": None}})),
    "received at another time than the log says": ("leaf", Case(said={"acknowledgement": {"received": EARLY}})),
    "a receipt instead": ("record", Case(header={"acknowledgement": {"typ": "wissel-receipt"}})),
    # how the learner authenticated
    "an id_token for another message": ("authentication", Case(form="id_token", said={"token": {"nonce": "x"}})),
    "an id_token without a nonce": ("authentication", Case(form="id_token", said={"token": {"nonce": None}})),
    "a statement about another message": ("authentication", Case(form="statement", said={"statement": {"nonce": "x"}})),
    "a statement of another kind": (
        "record",
        Case(form="statement", header={"statement": {"typ": "wissel-header+jws"}}),
    ),
    "a statement with one fact more": ("record", Case(form="statement", said={"statement": {"more": "x"}})),
    "another hash of the token": ("authentication", Case(form="id_token", sender={"tokenhash": b64(bytes(32))})),
    "a learner's word under another subject": (
        "sender",
        Case(form="id_token", envelope={"subject": SUBJECT[:-1] + "e"}),
    ),
    "a participant's word as a learner's": (
        "sender",
        Case(form="id_token", envelope={"source": SCHOOL, "recipient": SUBJECT}),
    ),
    # how it ended
    "an outcome that is not final": ("receipt", Case(said={"final": {"outcome": "later"}})),
    "an outcome that does not exist": ("receipt", Case(said={"final": {"outcome": "perhaps"}})),
    "delivered after all": ("receipt", Case(delivered=False, said={"final": {"outcome": "accepted"}})),
    "a receipt that says undelivered": ("receipt", Case(said={"final": {"outcome": "undelivered"}})),
    "a receipt for another message": ("receipt", Case(said={"final": {"acknowledgement": b64(bytes(32))}})),
    "a receipt long before the message": ("receipt-time", Case(said={"final": {"time": EARLY}})),
    "a receipt from the future": ("receipt-time", Case(said={"final": {"time": LATE}})),
    "a receipt without a real day": ("form", Case(said={"final": {"time": "2026-02-31T00:00:00.000Z"}})),
    "a receipt of another kind": ("record", Case(header={"final": {"typ": "wissel-undelivered"}})),
    "an undelivered of another kind": ("record", Case(delivered=False, header={"final": {"typ": "wissel-receipt"}})),
    "a receipt with one fact more": ("record", Case(said={"final": {"more": "x"}})),
    # what the log says
    "the log holds another acknowledgement": ("leaf", Case(leaves={"accepted": {"acknowledgement": b64(bytes(32))}})),
    "the log holds another commitment": ("leaf", Case(leaves={"accepted": {"commitment": b64(bytes(32))}})),
    "the log names another source": ("leaf", Case(leaves={"accepted": {"source": STRANGER}})),
    "the log names another recipient": ("leaf", Case(leaves={"accepted": {"recipient": STRANGER}})),
    "the log names another learner": ("leaf", Case(leaves={"accepted": {"subject": SUBJECT[:-1] + "e"}})),
    "the log names another process": ("leaf", Case(leaves={"ended": {"process": "x"}})),
    "the log names another type": ("leaf", Case(leaves={"accepted": {"type": "nl.wissel.fee.stated.v1"}})),
    "the log names another message": ("leaf", Case(leaves={"ended": {"message": "x"}})),
    "the log names another grant": ("leaf", Case(leaves={"accepted": {"grant": b64(bytes(32))}})),
    "the log names another activity": ("leaf", Case(leaves={"accepted": {"activity": "urn:wissel:activity:other"}})),
    "the log names another number": ("leaf", Case(leaves={"accepted": {"sequence": "4"}})),
    "the log knows other rules": ("leaf", Case(leaves={"accepted": {"ruleset": "2025-26"}})),
    "the log holds another receipt": ("leaf", Case(leaves={"ended": {"receipt": b64(bytes(32))}})),
    "the log holds another outcome": ("leaf", Case(leaves={"ended": {"outcome": "rejected"}})),
    "the log says undelivered": ("leaf", Case(leaves={"ended": {"event": "message.undelivered"}})),
    "the end came before the beginning": (
        "receipt-time",
        Case(leaves={"ended": {"time": rfc3339(START)}}, said={"final": {"time": rfc3339(START)}}),
    ),
    "an entry without a time": ("form", Case(leaves={"ended": {"time": None}})),
    "an entry with another clock": ("leaf", Case(leaves={"ended": {"time": "2026-04-15T09:00:04+02:00"}})),
    "a log that is not trusted": ("log", Case(origin="wissel.example/test")),
}


@pytest.mark.parametrize("name", LIES)
def test_a_lie_meets_its_check(name: str) -> None:
    expected, case = LIES[name]
    assert code(case.build()) == expected


def test_a_rejection_is_an_outcome_like_any_other() -> None:
    said = {"final": {"outcome": "rejected", "reason": "onbekend"}}
    assert verify(Case(said=said).build(), TRUST).ok


def test_a_note_on_a_key_cannot_steer_a_terminal() -> None:
    cards = {"school": {"note": "adapter\x1b[2K\r\n for x\u202e"}}
    assert verify(Case(cards=cards).build(), TRUST).notes == ("adapter[2K for x",)


# --- parts that change places ------------------------------------------------------------------------------


def walk(found: dict[str, Any]) -> list[tuple[str, ...]]:
    """Return the paths of what may change places between two documents."""
    return [(name,) for name in sorted(found)] + [("sender", name) for name in sorted(found["sender"])]


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_parts_of_two_afschriften_never_make_a_third(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(TRUTHS)))
    case = TRUTHS[name]
    twin = replace(case, payload={"text": "een ander bericht", "title": "x"})
    other = data.draw(st.sampled_from([replace(twin, seed="twin"), *TRUTHS.values(), replace(case, seed="again")]))
    mine, theirs = case.parts(), other.parts()
    before = Case.write(mine), Case.write(theirs)
    for path in data.draw(st.lists(st.sampled_from(walk(mine)), min_size=1, max_size=5, unique=True)):
        here, there = mine, theirs
        for step in path[:-1]:
            here, there = here[step], there[step]
        if path[-1] in there:
            here[path[-1]] = there[path[-1]]
    changed = Case.write(mine)
    if changed not in before:
        verdict = verify(changed, TRUST)
        assert not verdict.ok
        assert verdict.reason


@pytest.mark.parametrize("change", [lambda x: x[::-1], lambda x: x[:1], lambda x: x * 2, lambda x: []])
def test_leaves_stand_in_their_order_and_number(change: Callable[[list[Any]], list[Any]]) -> None:
    parts = Case().parts()
    parts["leaves"] = change(parts["leaves"])
    assert code(Case.write(parts)) in {"form", "leaf"}


@pytest.mark.parametrize("form", ["id_token", "statement"])
def test_a_learner_is_seen_in_one_way_only(form: Form) -> None:
    """A statement beside a token would be checked by nobody, so it may not come along."""
    other = Case(form="statement" if form == "id_token" else "id_token").parts()["sender"]
    parts = Case(form=form).parts()
    parts["sender"] = {**other, **parts["sender"]}
    assert code(Case.write(parts)) == "sender"


@pytest.mark.parametrize("more", ["portal", "tokenhash", "token", "statement", "more"])
def test_a_participants_proof_has_nothing_beside_it(more: str) -> None:
    parts = Case().parts()
    parts["sender"][more] = ""
    assert code(Case.write(parts)) in {"sender", "commitment"}


# --- signatures have one form ------------------------------------------------------------------------------


def mirrored(compact: str) -> str:
    """Return the other signature that fits as well: s becomes n - s."""
    first, body, signature = compact.split(".")
    raw = unb64(signature)
    return f"{first}.{body}.{b64(raw[:32] + (ORDER - int.from_bytes(raw[32:])).to_bytes(32))}"


@pytest.mark.parametrize(
    ("form", "path", "expected"),
    [
        ("signature", "sender/jws", "commitment"),
        ("id_token", "sender/token", "authentication"),
        ("statement", "sender/statement", "authentication"),
        ("signature", "acknowledgement", "leaf"),
        ("signature", "receipt", "leaf"),
    ],
)
def test_the_mirrored_signature_is_another_document(form: Form, path: str, expected: str) -> None:
    parts = Case(form=form).parts()
    *outer, name = path.split("/")
    holder = parts[outer[0]] if outer else parts
    holder[name] = mirrored(holder[name])
    assert code(Case.write(parts)) == expected


def test_our_own_signatures_are_the_lower_of_the_two() -> None:
    for number in range(40):
        compact = SigningKey.new(Chance(f"key{number}")).sign(b"x")
        assert int.from_bytes(unb64(compact.split(".")[2])[32:]) <= ORDER // 2


# --- the log -----------------------------------------------------------------------------------------------


def with_proof(change: Callable[[str], str], *, every: bool = True) -> bytes:
    """Return a truth whose proofs were edited."""
    parts = Case().parts()
    for item in parts["leaves"] + (parts["keys"] if every else []):
        item["proof"] = change(item["proof"])
    return Case.write(parts)


def spare_node(proof: str) -> str:
    """Lengthen a path beyond the root."""
    head, note = proof.split("\n\n", 1)
    return f"{head}\n{base64.b64encode(bytes(32)).decode()}\n\n{note}"


def next_index(proof: str, by: int) -> str:
    """Move a leaf to another place."""
    first, index, rest = proof.split("\n", 2)
    return f"{first}\nindex {int(index[6:]) + by}\n{rest}"


def line(note: str, number: int) -> str:
    """Return a line of the signature block."""
    return note.rpartition("\n\n")[2].split("\n")[number] + "\n"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (spare_node, "inclusion"),
        (lambda proof: next_index(proof, 1), "inclusion"),
        (lambda proof: next_index(proof, 2**20), "inclusion"),
        (lambda proof: proof.replace("index ", "index 0"), "proof"),
        (lambda proof: proof.replace("index ", "index +"), "proof"),
        (lambda proof: proof.replace("@v1", "@v2"), "proof"),
        (lambda proof: proof.replace("\n", "\r\n"), "form"),
        (lambda proof: proof + line(proof, 1), "note-signature"),
        (lambda proof: proof + line(proof, 0), "note-signature"),
        (lambda proof: proof.replace(line(proof, 0), ""), "note-signature"),
        (lambda proof: proof.rstrip("\n"), "note"),
        (lambda proof: proof + "\n", "note"),
        (lambda proof: proof.replace(ORIGIN, ORIGIN + "/2"), "log"),
    ],
)
def test_a_proof_has_one_form(change: Callable[[str], str], expected: str) -> None:
    assert code(with_proof(change)) == expected


def test_a_document_leans_on_one_tree_only() -> None:
    """Keys under one checkpoint and leaves under another could be two different stories of one log."""
    dropped = with_proof(lambda proof: proof.replace(line(proof, 2), ""), every=False)
    assert code(dropped) == "checkpoint"


def test_without_cosignatures_it_is_not_witnessed_and_that_is_all() -> None:
    document = with_proof(lambda proof: proof.replace(line(proof, 1), "").replace(line(proof, 2), ""))
    verdict = verify(document, TRUST)
    assert verdict.ok
    assert not verdict.witnessed


@pytest.mark.parametrize(("quorum", "witnessed"), [(-1, False), (0, False), (1, True), (2, True), (3, False)])
def test_a_quorum_is_a_number_of_witnesses_and_never_nothing(quorum: int, *, witnessed: bool) -> None:
    assert verify(truth("signed by a participant"), replace(TRUST, quorum=quorum)).witnessed is witnessed
    assert not verify(truth("not witnessed"), replace(TRUST, quorum=quorum)).witnessed


def test_an_index_beyond_a_tree_of_one_is_refused() -> None:
    """In a tree of one leaf every index leads to the root, so the size must bound it."""
    tree = Tree(keys(), 2)
    tree.add(b"{}")
    parts = Case().parts()
    proof = tree.prove(0).proof.replace("index 0", "index 5")
    parts["keys"][0] = {"entry": b64(b"{}"), "proof": proof}
    assert code(Case.write(parts)) == "inclusion"


def test_a_log_that_was_reopened_is_the_same_platforms() -> None:
    """Keys that were published before a restore are proven in the closed log, the message in its successor."""
    old, new = keys(), keys(origin=f"{ORIGIN}/2")
    parts, both = Case(origin=f"{ORIGIN}/2").parts(), {**old.trust.logs, **new.trust.logs}
    tree = Tree(old, 2)
    for item in parts["keys"]:
        tree.add(unb64(item["entry"]))
    parts["keys"] = [{"entry": b64(one), "proof": tree.prove(i).proof} for i, one in enumerate(tree.entries)]
    assert verify(Case.write(parts), replace(TRUST, logs=both)).witnessed
    assert code(Case.write(parts), new.trust) == "log"


def test_another_platforms_log_publishes_no_keys_here() -> None:
    mine, other = keys(), keys(origin="wissel.example/test")
    parts, tree = Case().parts(), Tree(other, 2)
    for item in parts["keys"]:
        tree.add(unb64(item["entry"]))
    parts["keys"] = [{"entry": b64(one), "proof": tree.prove(i).proof} for i, one in enumerate(tree.entries)]
    assert code(Case.write(parts), replace(TRUST, logs={**mine.trust.logs, **other.trust.logs})) == "log"


def test_a_forged_tree_is_not_the_logs() -> None:
    """The forger signs the checkpoint with a key of her own, under the log's name."""
    assert code(Case(keys_seed="forger").build()) == "note-signature"


def test_another_trust_is_another_answer() -> None:
    stranger = keys("stranger").trust
    document = truth("signed by a participant")
    assert code(document, Trust({}, TRUST.witnesses, 2)) == "log"
    assert code(document, replace(TRUST, logs=stranger.logs)) == "note-signature"
    assert code(document, replace(TRUST, witnesses=stranger.witnesses)) == "note-signature"
    assert code(document, replace(TRUST, witnesses=TRUST.witnesses[:1])) == "note-signature"


# --- revocation --------------------------------------------------------------------------------------------

USED: Final = [
    ("signed by a participant", "school"),
    ("signed by a participant", "platform"),
    ("signed by a participant", "vaults"),
    ("learner by id_token, ES256", "portal"),
    ("learner by id_token, ES256", "eduid"),
]


@pytest.mark.parametrize(("name", "role"), USED)
def test_a_key_counts_until_it_is_revoked(name: str, role: str) -> None:
    before, after = rfc3339(START + timedelta(seconds=2)), rfc3339(START + timedelta(seconds=5))
    assert code(truth(name), TRUST, {KIDS[role]: before}) == "revoked"
    assert verify(truth(name), TRUST, {KIDS[role]: after}).ok


def test_a_receipt_cannot_be_backdated_with_a_stolen_key() -> None:
    """What counts is when the log took the receipt, not what the receipt says of itself."""
    stolen = rfc3339(START + timedelta(seconds=3, milliseconds=500))
    assert code(truth("signed by a participant"), TRUST, {KIDS["vaults"]: stolen}) == "revoked"


def revocations(body: str, key: notes.NoteKey | None = None) -> str:
    return notes.note(body, [(key or keys().log).sign(body)])


def test_the_list_of_revoked_keys_is_read_when_its_log_signed_it() -> None:
    listed = {KIDS["school"]: START, KIDS["duo"]: START + timedelta(days=1)}
    body = notes.revocations_body(ORIGIN, START, listed)
    assert read_revocations(revocations(body), TRUST) == {kid: rfc3339(at) for kid, at in listed.items()}
    assert read_revocations(revocations(notes.revocations_body(ORIGIN, START, {})), TRUST) == {}


BODY: Final = notes.revocations_body(ORIGIN, START, {KIDS["school"]: START})


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        (revocations(BODY, keys("forger").log), "note-signature"),
        (revocations(BODY).replace(KIDS["school"], KIDS["duo"]), "note-signature"),
        (revocations(BODY.replace(ORIGIN, "x")), "revocations"),
        (revocations(notes.checkpoint_body(ORIGIN, 1, bytes(32))), "revocations"),
        (revocations(BODY + "half a line\n"), "revocations"),
        (revocations(BODY + BODY.split("\n")[3] + "\n"), "revocations"),
        (revocations(BODY + f"{KIDS['duo']} tomorrow\n"), "revocations"),
        ("", "note"),
        ("\n\n\u2014 x eA==\n", "revocations"),
    ],
)
def test_a_list_that_is_not_the_logs_is_refused(listed: str, expected: str) -> None:
    with pytest.raises(Refused) as refused:
        read_revocations(listed, TRUST)
    assert refused.value.code == expected


# --- the trust file ----------------------------------------------------------------------------------------


def test_a_trust_file_is_read_back() -> None:
    trust = read_trust(notes.trust_file(TRUST.logs, TRUST.witnesses, 2))
    assert trust == replace(TRUST, witnesses=tuple(sorted(TRUST.witnesses)))
    assert read_trust(notes.trust_file(TRUST.logs, [], 0)).quorum == 0


LOG, NOORD = keys().log.vkey, keys().witnesses[0].vkey


@pytest.mark.parametrize(
    "data",
    [
        b"{}",
        b"[]",
        b"1",
        b"null",
        notes.trust_file({ORIGIN: NOORD}, [], 1),
        notes.trust_file({ORIGIN: LOG}, [LOG], 1),
        notes.trust_file({ORIGIN: LOG}, [NOORD, NOORD], 1),
        notes.trust_file({"other": LOG}, [NOORD], 1),
        notes.trust_file({ORIGIN: LOG[:-2] + "A="}, [NOORD], 1),
        notes.trust_file({ORIGIN: LOG}, [NOORD], -1),
        notes.trust_file({ORIGIN: LOG}, [NOORD], 1).replace(b'"quorum":1', b'"quorum":"1"'),
        notes.trust_file({ORIGIN: LOG}, [NOORD], 1).replace(b'"quorum":1', b'"quorum":true'),
        notes.trust_file({ORIGIN: LOG}, [NOORD], 1).replace(b'["', b'[1,"'),
    ],
)
def test_a_trust_file_that_could_be_misread_is_refused(data: bytes) -> None:
    with pytest.raises(Refused):
        read_trust(data)


def test_a_tree_of_many_proves_each_of_its_leaves() -> None:
    """The verifier's own arithmetic against core.tree, through the door: filler leaves change every path."""
    tree = Tree(keys(), 2)
    parts = Case().parts()
    for number in range(37):
        tree.add(b"{}" if number % 5 else b"[]")
    places = {item["entry"]: tree.add(unb64(item["entry"])) for item in parts["keys"] + parts["leaves"]}
    for number in range(20):
        tree.add(str(number).encode())
    note = tree.checkpoint(len(tree.entries))
    read = list_reader([leaf_hash(one) for one in tree.entries])
    for item in parts["keys"] + parts["leaves"]:
        index = places[item["entry"]]
        item["proof"] = notes.tlog_proof(index, inclusion_path(index, len(tree.entries), read), note)
    assert verify(Case.write(parts), TRUST).witnessed
    assert parse(Case.write(parts))["keys"]
