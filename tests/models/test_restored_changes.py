"""A database that was dumped and restored into another cluster counts its transactions anew; a polling HIS misses nothing."""

from models.appointments import go_on_counting
from tests.support.booking import new_booker, new_clinic
from tests.support.service import Service


async def test_changes_after_a_restore_come_behind_those_before(own_service: Service) -> None:
    clinic, booker = await new_clinic(own_service), await new_booker(own_service)
    _, _, slots = await clinic.session(clinic.day(), [2])
    before = await booker.booked(slots[0])
    await own_service.sql("UPDATE changes SET xid = xid + 1000000000")  # as of a cluster that had counted further
    await go_on_counting()
    assert (await booker.cancel(before)).status_code == 204
    assert await clinic.changes() == [("booked", before["appointment_id"]), ("cancelled", before["appointment_id"])]


async def test_where_nothing_was_restored_nothing_is_written(own_service: Service) -> None:
    clinic, booker = await new_clinic(own_service), await new_booker(own_service)
    _, _, slots = await clinic.session(clinic.day(), [1])
    await booker.booked(slots[0])
    await go_on_counting()
    assert await own_service.value("SELECT ahead FROM change_clock") == 0
