"""eduID's remote-creation calls, as Studielink calls them today."""

from typing import TYPE_CHECKING, Any

import pytest
from tests.chain.test_chain_oidc import Played, eduid

from wissel.chain.people import People

if TYPE_CHECKING:
    from litestar.testing import AsyncTestClient

__all__ = ["eduid"]
API = "/api/remote-creation"
USER = ("studielink", "pw")
NEW = {
    "email": "new.person@example.org",
    "chosenName": "Nova",
    "firstName": "Test",
    "lastNamePrefix": "van",
    "lastName": "New",
    "dateOfBirth": "2006-01-01",
    "identifier": "studielink-1",
    "verification": "Geverifieerd",
    "brinCodes": [],
}


async def create(eduid: Played, **other: Any) -> Any:
    return await eduid.client.post(f"{API}/eduid-create", json=NEW | other, auth=USER)


async def test_an_account_is_made_once_per_address(eduid: Played) -> None:
    made = await create(eduid)
    assert made.status_code == 201
    assert made.json() == NEW | {"eduIDValue": made.json()["eduIDValue"]}
    again = await create(eduid)
    assert (again.status_code, again.json()["message"]) == (409, "Email already in use")
    assert set(again.json()) == {"timestamp", "status", "error", "message", "path"}


async def test_who_is_in_eduid_already_is_found_by_her_address(eduid: Played) -> None:
    email = People().get("everything-fine").email
    found = await eduid.client.get(f"{API}/email-eduid-exists", params={"email": email}, auth=USER)
    again = await eduid.client.get(f"{API}/email-eduid-exists", params={"email": email.upper()}, auth=USER)
    assert found.json()["status"] == 200
    assert (await create(eduid, email=email)).status_code == 409
    there = await eduid.client.get(f"{API}/eduid-exists", params={"eduID": found.json()["eduIDValue"]}, auth=USER)
    assert (there.status_code, there.json()) == (200, {"status": 200})
    assert again.json() == found.json()


async def test_an_institution_gets_one_pseudonym_for_good_that_is_not_the_portals(eduid: Played) -> None:
    made = (await create(eduid)).json()["eduIDValue"]
    body = {"brinCode": "99AA", "eduID": made}
    one = await eduid.client.post(f"{API}/eduid-institution-pseudonym", json=body, auth=USER)
    two = await eduid.client.post(f"{API}/eduid-institution-pseudonym", json=body, auth=USER)
    assert one.status_code == 200
    assert one.json() == two.json() != {"value": made}
    unknown = await eduid.client.post(f"{API}/eduid-institution-pseudonym", json=body | {"brinCode": "00XX"}, auth=USER)
    assert unknown.status_code == 404


async def test_a_batch_answers_each_question_by_itself(eduid: Played) -> None:
    made = (await create(eduid)).json()["eduIDValue"]
    asked = [
        {"brinCode": "99AA", "eduID": made},
        {"brinCode": "00XX", "eduID": made},
        {"brinCode": "99AA", "eduID": "nobody"},
    ]
    answer = await eduid.client.post(f"{API}/eduid-institution-pseudonym-batch", json=asked, auth=USER)
    assert [(each["value"] is not None, each["error"]) for each in answer.json()] == [
        (True, None),
        (False, "Unknown brinCode"),
        (False, "Unknown eduID"),
    ]


async def test_an_account_is_updated_and_only_the_callers_pseudonym_is_deleted(eduid: Played) -> None:
    made = (await create(eduid)).json()
    updated = await eduid.client.put(f"{API}/eduid-update", json=made | {"brinCodes": ["99AA"]}, auth=USER)
    assert (updated.status_code, updated.json()["brinCodes"]) == (201, ["99AA"])
    gone = await eduid.client.delete(f"{API}/eduid-delete/{made['eduIDValue']}", auth=USER)
    assert gone.status_code == 204
    after = await eduid.client.put(f"{API}/eduid-update", json=made, auth=USER)
    assert after.status_code == 404
    assert made["eduIDValue"] not in after.text
    assert (await create(eduid)).status_code == 409  # the account itself stays


@pytest.mark.parametrize(
    "other",
    [{"chosenName": ""}, {"lastName": " "}, {"verification": "Zeker"}, {"firstName": None}, {"dateOfBirth": ""}],
)
async def test_what_is_incomplete_is_refused_in_eduids_own_shape(eduid: Played, other: dict[str, Any]) -> None:
    answer = await create(eduid, **other)
    assert answer.status_code == 400
    assert answer.json()["path"] == f"{API}/eduid-create"


async def test_an_unverified_account_needs_no_birth_date(eduid: Played) -> None:
    answer = await create(eduid, verification="Ongeverifieerd", dateOfBirth=None, firstName=None)
    assert answer.status_code == 201


@pytest.mark.parametrize("auth", [None, ("studielink", "wrong"), ("nobody", "pw"), ("studielink", "")])
async def test_only_a_known_api_user_may_call(eduid: Played, auth: tuple[str, str] | None) -> None:
    client: AsyncTestClient[Any] = eduid.client
    answer = await client.get(f"{API}/eduid-exists", params={"eduID": "x"}, auth=auth)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic")
