"""Many people with cards, made through the models: by HTTP each takes a dozen calls."""

from collections.abc import Iterable
from typing import Final, NamedTuple
from uuid import UUID, uuid4

from api.sandbox.people import Person
from codes.ring import Purpose
from codes.tokens import Token, make_token
from models.accounts import WeChatIdentity, sign_in
from models.cards import PersonData, add_card, upsert_person
from models.database import transaction
from models.vault import Vault
from tests.support.people import new_person

NEVER: Final = 2**32 - 1  # a token's expiry that no test reaches
Headers = dict[str, str]


class Held(NamedTuple):
    """A card in an account; `headers` carry a session of the account."""

    account_id: UUID
    card_id: UUID
    headers: Headers


class Member(NamedTuple):
    """A person, and the cards of them: the first is their own, the others are relatives' accounts'."""

    person: Person
    person_id: UUID
    held: list[Held]

    @property
    def own(self) -> Held:
        """Their own card."""
        return self.held[0]


async def crowd(vault: Vault, people: Iterable[Person], *, accounts: int = 1) -> list[Member]:
    """These people, each with a card in so many accounts."""
    return [await _member(vault, person, accounts) for person in people]


async def _member(vault: Vault, person: Person, accounts: int) -> Member:
    birthday = person.birthday.isoformat() if person.birthday else None
    data = PersonData(person.name, person.id_type, person.id_number, person.phone, person.gender, birthday)
    async with transaction() as tx:
        person_id = await upsert_person(vault, data, using=tx)
    made = Member(person, person_id, [])
    for n in range(accounts):
        signed = await sign_in(vault, WeChatIdentity(f"{person.openid}_{n}" if n else person.openid, None, ""))
        await add(vault, made, signed.account_id)
    return made


async def add(vault: Vault, member: Member, account_id: UUID) -> Held:
    """A card of a person in one more account; the first is their own."""
    relation = "other" if member.held else "self"
    async with transaction() as tx:
        card_id = await add_card(vault, account_id, member.person_id, relation, using=tx)
    held = Held(account_id, card_id, patient(vault, account_id))
    member.held.append(held)
    return held


async def strangers(vault: Vault, count: int, *, accounts: int = 1) -> list[Member]:
    """So many new people."""
    return await crowd(vault, [new_person() for _ in range(count)], accounts=accounts)


def patient(vault: Vault, account_id: UUID) -> Headers:
    """A session of an account that does not expire."""
    return _bearer(vault, Token("patient", account_id.bytes, uuid4().bytes, 1, 0, NEVER))


def hospital(vault: Vault, client_id: str, scopes: int) -> Headers:
    """A token of a hospital's client that does not expire."""
    return _bearer(vault, Token("hospital", UUID(client_id).bytes, bytes(16), 1, scopes, NEVER))


def _bearer(vault: Vault, token: Token) -> Headers:
    return {"Authorization": f"Bearer {make_token(vault.ring.symmetric(Purpose.TOKEN), token)}"}
