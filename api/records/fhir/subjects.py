"""Whose a record is: every subject in it, contained and bundled ones too, is this person or is not there."""

import re
from typing import Any, Final

from api.records.fhir.facts import Fault, SubjectMismatch, Who
from api.records.fhir.links import reference_allowed
from api.records.fhir.shape import Holder, Inside, Referred
from api.records.fhir.strict import FAULTS
from codes.errors import InvalidValue
from codes.identity import IdType, parse_document

_LINK: Final = ("引用只能是相对地址、#、urn: 或 https", "a reference is relative, #, urn: or https")
_DANGLING: Final = ("所引用的部分不在此资源中", "the part referred to is not in this resource")
_VERSION: Final = re.compile(r"/_history/[A-Za-z0-9.-]{1,64}$")
_PATIENT: Final = re.compile(r"(^|/)Patient(/|$|\?)", re.IGNORECASE)
_TYPES: Final = ("Patient", "http://hl7.org/fhir/StructureDefinition/Patient")
_PEOPLE: Final = ("Patient", "Person")
_RESIDENT_IDS: Final = ("urn:oid:2.16.156.10011.1.3", "2.16.156.10011.1.3")  # 居民身份证号码, as WS 364 numbers it
_SEXES: Final = ("male", "female")


class People:
    """Decides whom a Reference or a resource names."""

    def __init__(self, who: Who, inside: list[Inside]) -> None:
        own = {who.health_card_id, who.id_number.upper()}
        names = {who.health_card_id}
        if who.patient_number:
            own.add(who.patient_number)
            names.add(who.patient_number)
        self._values = own - {""}
        self._names = names - {""}
        self._id_number = who.id_number.upper()
        self._birthday, self._gender = who.birthday, who.gender
        self._bundled: dict[str, dict[str, Any]] = {}
        for part in inside:
            if not part.contained:
                self._index(part)

    def _index(self, part: Inside) -> None:
        if part.address:
            self._bundled[part.address] = part.resource
        if part.resource.get("id"):
            self._bundled[f"{part.resource['resourceType']}/{part.resource['id']}"] = part.resource
        if part.address and part.address.lower().startswith("http"):
            self._bundled.setdefault("/".join(part.address.split("/")[-2:]), part.resource)

    def resolved(self, reference: str, holder: Holder) -> dict[str, Any] | None:
        """The resource inside that a reference leads to."""
        if reference.startswith("#"):
            return holder.contained.get(reference[1:]) if len(reference) > 1 else holder.resource
        return self._bundled.get(_VERSION.sub("", reference))

    def same(self, value: Any) -> bool:
        """Whether an identifier's value is one of this person's."""
        return isinstance(value, str) and (value in self._values or value.upper() == self._id_number != "")

    def is_subject(self, referred: Referred) -> bool:
        """A reference of an element that says whose the resource is: nobody, or this person."""
        value = referred.value
        reference, identifier = value.get("reference"), value.get("identifier")
        if value.get("type", "Patient") not in _TYPES:
            return False
        if identifier is not None and (not self.same(identifier.get("value")) or self._of_another(identifier)):
            return False
        return reference is None or self._leads_here(reference, referred.holder)

    def _leads_here(self, reference: str, holder: Holder) -> bool:
        found = self.resolved(reference, holder)
        if found is not None:
            return bool(found["resourceType"] == "Patient")  # which is itself this person, or refused
        return reference.startswith("Patient/") and reference.removeprefix("Patient/") in self._names

    def is_nobody_else(self, referred: Referred) -> bool:
        """Any other reference: if it leads to a patient, then to this one."""
        value = referred.value
        reference = value.get("reference")
        if reference is None:
            return value.get("type") not in _TYPES or self.is_subject(referred)
        if value.get("type") in _TYPES or _PATIENT.search(reference):
            return self._leads_here(reference, referred.holder)
        return True

    def is_this_person(self, resource: dict[str, Any]) -> bool:
        """A Patient or Person resource: by its id or an identifier, and by nothing that is another's."""
        identifiers = resource.get("identifier", [])
        if any(self._of_another(one) for one in identifiers) or self._born_otherwise(resource):
            return False
        return resource.get("id") in self._names or any(self.same(one.get("value")) for one in identifiers)

    def _of_another(self, identifier: dict[str, Any]) -> bool:
        """Whether it is a resident id number, by its look or its system, and not this person's."""
        value = identifier.get("value")
        if not isinstance(value, str):
            return False
        if identifier.get("system") in _RESIDENT_IDS:
            return value.upper() != self._id_number
        return _is_resident_id(value) and not self.same(value)

    def _born_otherwise(self, resource: dict[str, Any]) -> bool:
        """Whether its date of birth (perhaps a year or month alone) or its sex contradicts what is known of the person."""
        born, gender = resource.get("birthDate"), resource.get("gender")
        if born and self._birthday and not self._birthday.startswith(born):
            return True
        return gender in _SEXES and self._gender in _SEXES and gender != self._gender


def reference_faults(referred: list[Referred]) -> list[Fault]:
    """References that lead where none may, and `#id` of nothing contained."""
    faults = []
    for one in referred:
        reference = one.value.get("reference")
        if reference is None:
            continue
        if not reference_allowed(reference):
            faults.append(Fault(f"{one.pointer}/reference", *_LINK))
        elif reference.startswith("#") and len(reference) > 1 and reference[1:] not in one.holder.contained:
            faults.append(Fault(f"{one.pointer}/reference", *_DANGLING))
    return faults[:FAULTS]


def check_people(people: People, inside: list[Inside], referred: list[Referred]) -> None:
    """Raises SubjectMismatch at the first place that is about somebody else."""
    for part in inside:
        if part.resource["resourceType"] in _PEOPLE and not people.is_this_person(part.resource):
            raise SubjectMismatch(part.pointer)
    for one in referred:
        if not (people.is_subject(one) if one.patient else people.is_nobody_else(one)):
            raise SubjectMismatch(one.pointer)


def _is_resident_id(value: str) -> bool:
    try:
        parse_document(IdType.RESIDENT_ID, value)
    except InvalidValue:
        return False
    return True
