"""Outpatient sessions of hospitals, their slots and places, who booked them, and who waits for one.

A place is a row: who takes it writes its `appointment_id` by one conditional statement. A session has a local date
(Asia/Shanghai) of its own, and every slot lies on it.
"""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model


class Schedule(Model):
    """A session (HL7 Schedule): one department, perhaps one doctor, one half-day. `key` is the hospital's own.

    status: open, stopped (by the hospital) or closed (over; no-shows are marked). `version` counts what changed for
    those who book; `body_hash` is the SHA-256 of the last publication that was taken.
    """

    id = fields.UUIDField(primary_key=True)
    hospital_id = fields.UUIDField()
    key = fields.CharField(max_length=64)
    department_code = fields.CharField(max_length=64)
    department_name = fields.CharField(max_length=64)
    doctor_code = fields.CharField(max_length=64, null=True)
    doctor_name = fields.CharField(max_length=64, null=True)
    doctor_title = fields.CharField(max_length=64, null=True)
    clinic = fields.CharField(max_length=10)
    room = fields.CharField(max_length=64)
    date = fields.DateField()
    period = fields.CharField(max_length=10)
    fee_fen = fields.IntField()
    opens_at = fields.DatetimeField()
    cancel_until = fields.DatetimeField()
    min_age = fields.SmallIntField(null=True)
    max_age = fields.SmallIntField(null=True)
    sex = fields.CharField(max_length=6, null=True)
    status = fields.CharField(max_length=10)
    version = fields.IntField()
    body_hash = fields.BinaryField()
    last_end = fields.DatetimeField()
    created_at = fields.DatetimeField()
    changed_at = fields.DatetimeField()

    class Meta:
        table = "schedules"
        unique_together = (("hospital_id", "key"),)


class Slot(Model):
    """A stretch of a session's time (HL7 Slot). What it is searched by is repeated here from its session.

    `dropped`: a later publication left it out; it stays for the appointments that it had.
    """

    id = fields.UUIDField(primary_key=True)
    schedule_id = fields.UUIDField()
    hospital_id = fields.UUIDField()
    department_code = fields.CharField(max_length=64)
    doctor_code = fields.CharField(max_length=64, null=True)
    key = fields.CharField(max_length=64)
    date = fields.DateField()
    start = fields.DatetimeField()
    ends = fields.DatetimeField()
    capacity = fields.IntField()
    stopped = fields.BooleanField(default=False)
    dropped = fields.BooleanField(default=False)

    class Meta:
        table = "slots"
        unique_together = (("schedule_id", "key"),)
        indexes = (
            Index(fields=("start", "id")),
            Index(fields=("hospital_id", "start", "id")),
            Index(fields=("hospital_id", "department_code", "start", "id")),
            Index(fields=("hospital_id", "doctor_code", "start", "id")),
        )


class Place(Model):
    """One place of a slot, with its number (号序) in the session. Free while `appointment_id` is NULL."""

    id = fields.UUIDField(primary_key=True)
    schedule_id = fields.UUIDField()
    slot_id = fields.UUIDField()
    number = fields.IntField()
    appointment_id = fields.UUIDField(null=True)

    class Meta:
        table = "places"
        unique_together = (("schedule_id", "number"),)


class Appointment(Model):
    """Who booked a place.

    booked -> arrived -> fulfilled; booked, arrived -> cancelled; booked -> noshow.

    `turn` orders those who arrived: their number, or for the late the time of arrival, which is far beyond any number.
    `ended_at`: when it was cancelled, missed or fulfilled.
    """

    id = fields.UUIDField(primary_key=True)
    schedule_id = fields.UUIDField()
    slot_id = fields.UUIDField()
    hospital_id = fields.UUIDField()
    person_id = fields.UUIDField()
    card_id = fields.UUIDField()
    number = fields.IntField()
    date = fields.DateField()
    start = fields.DatetimeField()
    ends = fields.DatetimeField()
    status = fields.CharField(max_length=10)
    booked_by = fields.CharField(max_length=10)
    at = fields.DatetimeField()
    arrived_at = fields.DatetimeField(null=True)
    late = fields.BooleanField(default=False)
    turn = fields.FloatField(null=True)
    cancelled_by = fields.CharField(max_length=10, null=True)
    reason = fields.CharField(max_length=200, null=True)
    ended_at = fields.DatetimeField(null=True)

    class Meta:
        table = "appointments"
        indexes = (Index(fields=("person_id", "at", "id")), Index(fields=("schedule_id", "number")))


class Waiting(Model):
    """Who waits (候补) for a place of a session, or of one slot of it. `seq` is the order of the line.

    `eligible`: the session's limits of age and sex allow the person (a publication that changes them tells anew).
    `until`: two hours before the last start that it may be given.
    """

    id = fields.UUIDField(primary_key=True)
    seq = fields.BigIntField()
    schedule_id = fields.UUIDField()
    slot_id = fields.UUIDField(null=True)
    person_id = fields.UUIDField()
    card_id = fields.UUIDField()
    eligible = fields.BooleanField()
    status = fields.CharField(max_length=10)
    until = fields.DatetimeField()
    at = fields.DatetimeField()
    appointment_id = fields.UUIDField(null=True)

    class Meta:
        table = "waitings"
        indexes = (Index(fields=("person_id", "at", "id")),)


class Change(Model):
    """What a hospital's system polls: each change of an appointment, in the order of (xid, id).

    `xid` is the transaction that wrote it: what is below the oldest one still running is complete.
    """

    id = fields.BigIntField(primary_key=True)
    hospital_id = fields.UUIDField()
    xid = fields.BigIntField()
    kind = fields.CharField(max_length=10)
    ref = fields.UUIDField()
    at = fields.DatetimeField()

    class Meta:
        table = "changes"
