from datetime import date
from typing import Any

import msgspec
import pytest
from tests.infra.http_scene import NOON, CountedEntropy

from wissel.client import NotComposed, compose, draft
from wissel.client.compose import commitment_of
from wissel.core.ids import process_id
from wissel.messages.catalogue import CATALOGUE, Malformed, Unknown
from wissel.messages.enrolment import NoticeSent
from wissel.messages.envelope import Submission
from wissel.messages.identity import ResidenceAnswered
from wissel.messages.jose import SigningKey, hash64
from wissel.messages.verify import b64, canonical, check_jws, commit, sha256, unb64

COLLEGE = "urn:nld:oin:00000000000000000001:systeem:college"
IND = "urn:nld:oin:00000000000000000002:systeem:ind"
SUBJECT = "urn:wissel:learner:11111111-1111-4111-8111-111111111111"
PROCESS = "01890a5d-ac96-874b-bcce-b302099a8057"
KEY = SigningKey.new(CountedEntropy("college"))
NOTICE = NoticeSent(title="Sleutel", text="Uw kastje is klaar: é")


def given(**other: Any) -> dict[str, Any]:
    return {
        "source": COLLEGE,
        "recipient": SUBJECT,
        "subject": SUBJECT,
        "grant": "g",
        "log": "log.example",
        "now": NOON,
        "entropy": CountedEntropy(),
        **other,
    }


def test_what_the_table_says_stands_in_the_envelope() -> None:
    made = compose("nl.wissel.notice.sent.v1", NOTICE, key=KEY, **given())
    row, envelope = CATALOGUE["nl.wissel.notice.sent.v1"], made.envelope
    assert (envelope.purpose, envelope.legalground) == (row.purpose, row.ground)
    assert (envelope.processingactivity, envelope.dataclass) == (row.activity, row.dataclass)
    assert envelope.controller == COLLEGE
    assert envelope.enddate == "2026-07-14"
    assert envelope.time == "2026-04-15T12:00:00.000Z"
    assert envelope.process == process_id(COLLEGE, envelope.id)
    assert envelope.sequence == "1"


def test_the_sender_signs_the_commitment_over_canonical_bytes() -> None:
    made = compose("nl.wissel.notice.sent.v1", NOTICE, key=KEY, **given())
    assert bytes(made.data) == canonical(msgspec.to_builtins(NOTICE))
    expected = commit(unb64(made.nonce), msgspec.to_builtins(made.envelope), bytes(made.data))
    assert commitment_of(made) == expected
    check_jws(made.sender.jws, KEY.public_jwk, expected)
    again = msgspec.json.decode(msgspec.json.encode(made), type=Submission)
    assert commitment_of(again) == expected


def test_each_message_has_its_own_id_and_nonce() -> None:
    entropy = CountedEntropy()
    made = [compose("nl.wissel.notice.sent.v1", NOTICE, key=KEY, **given(entropy=entropy)) for _ in range(20)]
    assert len({each.nonce for each in made}) == len({each.envelope.id for each in made}) == 20


def test_a_learner_signs_by_authenticating_for_this_commitment() -> None:
    portal = SigningKey.new(CountedEntropy("portal"))
    unsigned = draft("nl.wissel.notice.sent.v1", NOTICE, **given())
    made = unsigned.authenticated(portal, portal=IND, token="header.claims.signature")
    assert unsigned.login_nonce == b64(sha256(unsigned.commitment))
    assert (made.sender.kind, made.sender.portal) == ("authentication", IND)
    assert made.sender.tokenhash == hash64("header.claims.signature")
    check_jws(made.sender.jws, portal.public_jwk, unsigned.commitment)


def test_a_message_of_a_running_process_names_it_and_its_number() -> None:
    answer = ResidenceAnswered(result="lawful")
    other = {"source": IND, "recipient": COLLEGE, "process": PROCESS, "sequence": 3}
    made = compose("nl.wissel.residence.answered.v1", answer, key=KEY, **given(**other))
    assert (made.envelope.process, made.envelope.sequence) == (PROCESS, "3")
    assert made.envelope.controller == IND


@pytest.mark.parametrize(
    ("kind", "payload", "other", "field"),
    [
        ("nl.wissel.notice.sent.v1", NOTICE, {"process": PROCESS}, "process"),
        ("nl.wissel.residence.answered.v1", ResidenceAnswered(result="no"), {}, "process"),
        ("nl.wissel.notice.sent.v1", NOTICE, {"enddate": date(2026, 7, 15)}, "enddate"),
        ("nl.wissel.notice.sent.v1", NOTICE, {"enddate": date(2026, 4, 14)}, "enddate"),
        ("nl.wissel.notice.sent.v1", NOTICE, {"source": "me"}, "source"),
        ("nl.wissel.notice.sent.v1", NOTICE, {"subject": COLLEGE}, "subject"),
        ("nl.wissel.notice.sent.v1", NOTICE, {"sequence": 0}, "sequence"),
        ("nl.wissel.notice.sent.v1", NOTICE, {"grant": ""}, "grant"),
    ],
)
def test_what_the_platform_would_refuse_is_refused_here_by_name(
    kind: str, payload: Any, other: dict[str, Any], field: str
) -> None:
    with pytest.raises(NotComposed) as caught:
        compose(kind, payload, key=KEY, **given(**other))
    assert caught.value.field == field


def test_an_unknown_type_or_another_payload_is_refused() -> None:
    with pytest.raises(Unknown):
        compose("nl.wissel.nothing.v1", NOTICE, key=KEY, **given())
    with pytest.raises(Malformed):
        compose("nl.wissel.notice.sent.v1", ResidenceAnswered(result="no"), key=KEY, **given())


def test_an_end_date_may_be_sooner_and_may_be_today() -> None:
    made = compose("nl.wissel.notice.sent.v1", NOTICE, key=KEY, **given(enddate=date(2026, 4, 15)))
    assert made.envelope.enddate == "2026-04-15"
