"""What was registered at the insurer for nothing is undone: of bills that were not made, cancelled or settled anew."""

from api.payment.chain import Chain, institution_of, patient_of
from api.payment.held import Held
from api.upstream.outcomes import CallEnded
from models import bills, registrations
from models.clients import hospital


async def undo(held: Held) -> bool:
    """2205 and 2202; a bill whose making was broken off is failed. No money moves."""
    found = await bills.unfinished(held.vault, held.bill_id)
    registration = await registrations.registration(held.work.ref)
    if found is not None and found.data.insured is not None:
        place = await hospital(found.hospital_id)
        if place is None:
            raise LookupError("a bill without a hospital")
        institution = institution_of(place["code"], place["name"], place["area"])
        try:
            chain = Chain(held, institution, patient_of(found.data.insured))
            await chain.undo(registration.registration_id, found.data.visit_number)
        except CallEnded:
            return await held.later()
    async with held.deciding() as tx:
        await registrations.undone(registration.registration_id, using=tx)
        if found is not None and found.status == "making":
            await bills.becomes(held.bill_id, "failed", using=tx)
        await held.finish(using=tx)
    return False
