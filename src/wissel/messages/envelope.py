"""The envelope: CloudEvents 1.0 (NL GOV profile) attributes and Wissel's own, without personal data.

Wire names are lower case without signs, as CloudEvents asks, and so are the fields here.
"""

from typing import Annotated, Final, Literal

import msgspec

DataClass = Literal["none", "personal", "special"]

LEARNER: Final = "urn:wissel:learner:"
URN: Final = r"^urn:(nld:oin:[0-9A-Z]{20}:systeem:[a-z0-9-]{1,40}|wissel:learner:[0-9a-f-]{36})$(?!\n)"
UUID: Final = r"^[0-9a-f]{8}-[0-9a-f]{4}-[78][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$(?!\n)"

Urn = Annotated[str, msgspec.Meta(pattern=URN)]
Id = Annotated[str, msgspec.Meta(pattern=UUID)]
Line = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Moment = Annotated[
    str, msgspec.Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$(?!\n)")
]
Day = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$(?!\n)")]


class Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who says what kind of thing to whom, for what purpose, on what ground, until when.

    `subject` is the learner in this process: `urn:wissel:learner:<random uuid>`, the same for all parties
    of one process and used in no other. `enddate` is the last Dutch day on which the message may exist.
    """

    id: Id
    type: Annotated[str, msgspec.Meta(pattern=r"^nl\.wissel\.[a-z]+(\.[a-z]+)+\.v[0-9]+$(?!\n)", max_length=100)]
    source: Urn
    recipient: Urn
    subject: Annotated[str, msgspec.Meta(pattern=r"^urn:wissel:learner:[0-9a-f-]{36}$(?!\n)")]
    time: Moment
    process: Id
    sequence: Annotated[str, msgspec.Meta(pattern=r"^[1-9][0-9]{0,9}$(?!\n)")]
    purpose: Line
    legalground: Line
    controller: Urn
    processingactivity: Line
    grant: Line
    dataclass: DataClass
    enddate: Day
    log: Line
    specversion: Literal["1.0"] = "1.0"
    sequencetype: Literal["Integer"] = "Integer"
    datacontenttype: Literal["application/json"] = "application/json"


class SenderProof(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """How the sender stands for the commitment.

    A participant signs: `kind` "signature", `jws` its detached ES256 JWS. A learner signs by authenticating:
    `kind` "authentication", `token` the identity provider's id_token whose nonce is SHA-256(commitment), and
    `jws` the signature of the `portal` that carried it. `tokenhash` is base64url SHA-256 of the token; it
    stands alone in copies that must not hold a lasting subject.
    """

    kind: Literal["signature", "authentication"]
    jws: Annotated[str, msgspec.Meta(max_length=4000)]
    portal: str = ""
    token: Annotated[str, msgspec.Meta(max_length=8000)] = ""
    tokenhash: str = ""
    statement: str = ""


class Addressee(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the learner's portal hands over beside the first message: where her copies go.

    `vault` is an https (demo: loopback http) address, `key` her public sealing JWK (P-256), `token` what the
    vault asks of those who deliver in this process, `capability` the token for the recipient's later messages,
    `pseudonym` her eduID pseudonym at the recipient. Never logged, sealed at once.
    """

    vault: Annotated[str, msgspec.Meta(max_length=500)]
    key: dict[str, str]
    token: Annotated[str, msgspec.Meta(max_length=200)]
    provider: Urn
    capability: Annotated[str, msgspec.Meta(max_length=200)] = ""
    pseudonym: Annotated[str, msgspec.Meta(max_length=200)] = ""


class Submission(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What a sender posts: the envelope, the payload (any JSON object), the nonce and the proof.

    `nonce` is 32 bytes, base64url without padding. Only the first message of a learner has an `addressee`;
    only a message after the process was forgotten has a `capability` (a JWE that the platform made for its sender).
    """

    envelope: Envelope
    data: msgspec.Raw
    nonce: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{43}$(?!\n)")]
    sender: SenderProof
    addressee: Addressee | None = None
    capability: Annotated[str, msgspec.Meta(max_length=4000)] = ""


class Offered(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What a receiver is handed: the submission as it was sent, and the platform's acknowledgement.

    `header` is the delivery header: a JWE to the receiver that holds her pseudonym in its own books.
    """

    envelope: Envelope
    data: msgspec.Raw
    nonce: str
    sender: SenderProof
    acknowledgement: str
    header: str = ""


Outcome = Literal["accepted", "rejected", "later"]
