"""Records that hospitals posted, who may read them by the person's choice, and what was read or decided on them.

A record's bytes are sealed with their row as associated data; what lists show is a small sealed summary beside them.
Columns that Tortoise has no field for (arrays of hashes) are added in sql/record_tables.sql.
"""

from tortoise import fields
from tortoise.models import Model


class Record(Model):
    """A posted FHIR resource with its parts. It is never changed: a correction is a new one that supersedes it.

    `live`: neither superseded nor entered in error. `source_key`: what a later message of the same source corrects
    (an order, a study). `level` and `area`: of its recognition mark.
    """

    id = fields.UUIDField(primary_key=True)
    person_id = fields.UUIDField()
    hospital_id = fields.UUIDField()
    card_id = fields.UUIDField(null=True)
    resolution_id = fields.UUIDField(null=True)
    kind = fields.CharField(max_length=12)
    status = fields.CharField(max_length=20)
    occurred_at = fields.DatetimeField()
    sampled_at = fields.DatetimeField()
    posted_at = fields.DatetimeField()
    replaces = fields.UUIDField(null=True)
    superseded_by = fields.UUIDField(null=True)
    live = fields.BooleanField()
    level = fields.CharField(max_length=10, null=True)
    area = fields.CharField(max_length=6, null=True)
    source = fields.CharField(max_length=10)
    source_key = fields.BinaryField(null=True)
    size = fields.IntField()
    sha256 = fields.BinaryField()
    summary = fields.BinaryField()
    observed = fields.BinaryField(null=True)
    sealed = fields.BinaryField()

    class Meta:
        table = "records"


class RecordConsent(Model):
    """One version of a person's choice (HL7 Consent) of who may read their records; the last one is in force."""

    id = fields.UUIDField(primary_key=True)
    person_id = fields.UUIDField()
    version = fields.IntField()
    account_id = fields.UUIDField()
    card_id = fields.UUIDField()
    at = fields.DatetimeField()

    class Meta:
        table = "record_consents"
        unique_together = (("person_id", "version"),)


class RecordConsentRule(Model):
    """A rule of a version. No hospital: any that reads; no kind: all kinds. effect: permit or deny."""

    id = fields.UUIDField(primary_key=True)
    consent_id = fields.UUIDField()
    position = fields.SmallIntField()
    hospital_id = fields.UUIDField(null=True)
    kind = fields.CharField(max_length=12, null=True)
    effect = fields.CharField(max_length=6)
    valid_from = fields.DatetimeField(null=True)
    valid_until = fields.DatetimeField(null=True)

    class Meta:
        table = "record_consent_rules"
        indexes = (("consent_id",),)


class BreakGlass(Model):
    """An opening of all records under one resolution against or without consent, until `expires_at`.

    `sealed` holds the statement, `review_sealed` the auditor's note. verdict: justified, unjustified.
    """

    id = fields.UUIDField(primary_key=True)
    resolution_id = fields.UUIDField()
    card_id = fields.UUIDField()
    person_id = fields.UUIDField()
    hospital_id = fields.UUIDField()
    client_id = fields.UUIDField()
    terminal = fields.CharField(max_length=64)
    department = fields.CharField(max_length=64, null=True)
    operator_id = fields.CharField(max_length=64)
    operator_name = fields.CharField(max_length=64)
    reason = fields.CharField(max_length=20)
    sealed = fields.BinaryField()
    at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    verdict = fields.CharField(max_length=12, null=True)
    review_sealed = fields.BinaryField(null=True)
    reviewed_by = fields.UUIDField(null=True)
    reviewed_at = fields.DatetimeField(null=True)

    class Meta:
        table = "break_glasses"
        indexes = (("resolution_id",), ("person_id", "at"))


class RecognitionDecision(Model):
    """A doctor's decision on a recognised record (检查检验结果互认), the last of its resolution and item, which is sealed."""

    id = fields.UUIDField(primary_key=True)
    record_id = fields.UUIDField()
    person_id = fields.UUIDField()
    hospital_id = fields.UUIDField()
    resolution_id = fields.UUIDField()
    decision = fields.CharField(max_length=10)
    reason = fields.CharField(max_length=20, null=True)
    item_index = fields.BinaryField()
    sealed = fields.BinaryField()
    at = fields.DatetimeField()

    class Meta:
        table = "recognition_decisions"
        indexes = (("record_id", "at"),)


class RecognitionCount(Model):
    """How often a day's decisions on an item were of a kind, of no person in particular. reason: "" if accepted."""

    id = fields.BigIntField(primary_key=True)
    day = fields.DateField()
    item = fields.CharField(max_length=64)
    name = fields.CharField(max_length=100)
    decision = fields.CharField(max_length=10)
    reason = fields.CharField(max_length=20)
    count = fields.IntField()

    class Meta:
        table = "recognition_counts"
        unique_together = (("day", "item", "decision", "reason"),)


class LabMessage(Model):
    """An HL7 v2 message that was kept: `key` hashes its sender and control id (MSH-10), `digest` its content."""

    id = fields.BigIntField(primary_key=True)
    hospital_id = fields.UUIDField()
    key = fields.BinaryField()
    digest = fields.BinaryField()
    at = fields.DatetimeField()

    class Meta:
        table = "lab_messages"


class ConnectedSystem(Model):
    """A hospital's laboratory (kind mllp) or imaging (dicomweb) system: its configuration, sealed whole."""

    id = fields.UUIDField(primary_key=True)
    hospital_id = fields.UUIDField()
    kind = fields.CharField(max_length=10)
    sealed = fields.BinaryField()
    version = fields.IntField()
    changed_at = fields.DatetimeField()

    class Meta:
        table = "connected_systems"
        unique_together = (("hospital_id", "kind"),)
