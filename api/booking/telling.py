"""What people are told of their appointments, in the commit that makes it true (zh and en)."""

from datetime import datetime
from uuid import UUID, uuid4

from api.booking.shown import SHANGHAI
from codes.names import mask_name
from models.appointments import AppointmentRow, Message
from models.cards import CardRow, PersonData, cards_told, people
from models.database import Connection
from models.messages import enqueue, tell
from models.slots import SlotRow
from models.vault import Vault

Text = dict[str, str]


def _when(start: datetime, ends: datetime) -> tuple[str, str]:
    """A slot's local date and time, in Chinese and English."""
    begin, end = start.astimezone(SHANGHAI), ends.astimezone(SHANGHAI)
    hours = f"{begin:%H:%M}–{end:%H:%M}"
    return f"{begin.month}月{begin.day}日 {hours}", f"{begin:%Y-%m-%d} {hours}"


def _where(row: SlotRow | AppointmentRow) -> tuple[str, str]:
    """Hospital, department and doctor, in Chinese and English."""
    doctor = row.doctor_name or ""
    return (
        f"{row.hospital_name}{row.department_name}{doctor}",
        ", ".join(filter(None, (row.hospital_name, row.department_name, doctor))),
    )


def _said(row: SlotRow | AppointmentRow) -> tuple[str, str]:
    (zh_when, en_when), (zh_where, en_where) = _when(row.start, row.ends), _where(row)
    return f"{zh_where}，{zh_when}", f"{en_where}, {en_when}"


def booked_message(vault: Vault, slot: SlotRow, person: PersonData) -> Message:
    """The sealed message of a booking, for the statement that makes it. The page shows the number beside it."""
    name, (zh, en) = mask_name(person.name), _said(slot)
    message_id = uuid4()
    text = {
        "zh": f"{name}已预约：{zh}。到院后出示一码即为报到。",
        "en": f"{name} has an appointment: {en}. Show the code at the hospital to check in.",
    }
    return Message(message_id, vault.seal(text, "messages", "sealed", message_id))


async def tell_filled(vault: Vault, given: list[AppointmentRow], *, using: Connection) -> None:
    """Who waited and was given a place is told."""
    for row, cards in await _with_cards(vault, given, using=using):
        for card in (one for one in cards if one.card_id == row.card_id):
            name, (zh, en) = mask_name(card.person.name), _said(row)
            text = {
                "zh": f"候补成功：{name}已约上{zh}，{row.number}号。不需要请尽快取消，让给后面的人。",
                "en": f"A place was found for {name}: {en}, number {row.number}. If it is not needed, please cancel it.",
            }
            await _tell(vault, card, "waiting-booked", text, row, using=using)


async def tell_stopped(vault: Vault, cancelled: list[AppointmentRow], *, using: Connection) -> None:
    """Whose session was stopped is told by message and by text message."""
    found = await people(vault, [row.person_id for row in cancelled], using=using)
    for row, cards in await _with_cards(vault, cancelled, using=using):
        person = found[row.person_id]
        name, (zh, en) = mask_name(person.name), _said(row)
        why = f"（{row.reason}）" if row.reason else ""
        text = {
            "zh": f"停诊通知：{name}预约的{zh}已停诊{why}，预约已取消，不计爽约。请打开一码改约其他时间。",
            "en": f"The hospital stopped this session: {en}. The appointment of {name} is cancelled without penalty; please book another time.",
        }
        for card in cards:
            await _tell(vault, card, "session-stopped", text, row, using=using)
        await enqueue(vault, "text", {"phone": person.phone, "text": f"【一码】{text['zh']}"}, using=using)


async def tell_paused(vault: Vault, missed: list[tuple[AppointmentRow, datetime]], *, using: Connection) -> None:
    """Who missed a third appointment within 90 days may not book for 90 days, and is told."""
    until = {row.appointment_id: at for row, at in missed}
    for row, cards in await _with_cards(vault, [row for row, _ in missed], using=using):
        day = until[row.appointment_id].astimezone(SHANGHAI)
        for card in cards:
            name = mask_name(card.person.name)
            text = {
                "zh": f"{name}90天内3次预约未到，网上预约暂停至{day.year}年{day.month}月{day.day}日。要看病请到医院现场挂号，急症请去急诊。",
                "en": f"{name} missed three appointments within 90 days: booking is paused until {day:%Y-%m-%d}. To see a doctor, register at the hospital; in an emergency, go to the emergency room.",
            }
            await _tell(vault, card, "booking-paused", text, row, using=using)


async def _with_cards(
    vault: Vault, found: list[AppointmentRow], *, using: Connection
) -> list[tuple[AppointmentRow, list[CardRow]]]:
    """Each appointment with the cards whose accounts are told: the one it was booked with, and the person's own."""
    ids, persons = [row.card_id for row in found], [row.person_id for row in found]
    by_person: dict[UUID, list[CardRow]] = {}
    for card in await cards_told(vault, ids, persons, using=using):
        by_person.setdefault(card.person_id, []).append(card)
    return [
        (
            row,
            [
                card
                for card in by_person.get(row.person_id, [])
                if card.card_id == row.card_id or card.relation == "self"
            ],
        )
        for row in found
    ]


async def _tell(vault: Vault, card: CardRow, kind: str, text: Text, row: AppointmentRow, *, using: Connection) -> None:
    await tell(vault, card.account_id, kind, text, card_id=card.card_id, ref=str(row.appointment_id), using=using)
