"""Makes `api/records/fhir/r4.json`: what FHIR R4 says of its elements and of the codes they may hold.

    npm pack hl7.fhir.r4.examples@4.0.1 hl7.fhir.r4.expansions@4.0.1    # unpack both
    python -m tests.records.make_bindings <examples>/package <expansions>/package

The first package has the StructureDefinitions, the second the value sets written out. `types` has, by type (a backbone
element by its path), each element with its JSON type or types: "[x]" in a name is a choice, `*` a list, `!` required,
`@` names the patient, `=set` a required binding. `sets` are the codes of a binding, as "system|code" where a
CodeableConcept is bound; `mime` and `language` cannot be listed and are checked by their syntax.
"""

import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

OUT: Final = Path(__file__).parents[2] / "api/records/fhir/r4.json"
VALUE_SETS: Final = "http://hl7.org/fhir/ValueSet/"
SYNTAX: Final = {"mimetypes": "mime", "languages": "language", "all-languages": "language"}
UNLISTED: Final = {VALUE_SETS + "ucum-units", "http://loinc.org/vs/LL379-9"}
NAMES_OF_PATIENT: Final = {"subject", "patient", "for"}
TARGET: Final = "http://hl7.org/fhir/StructureDefinition/"

JSON = dict[str, Any]


def definitions(package: Path) -> dict[str, JSON]:
    """R4's own StructureDefinitions by type, without profiles and without resources that R4B dropped."""
    found = {}
    for file in sorted(package.glob("StructureDefinition-*.json")):
        definition = json.loads(file.read_text())
        kind, name = definition["kind"], definition["type"]
        if kind not in ("resource", "complex-type") or definition.get("derivation") == "constraint":
            continue
        if kind == "complex-type" or importlib.util.find_spec(f"fhir.resources.R4B.{name.lower()}"):
            found[name] = definition
    return found


def concepts(contains: list[JSON]) -> Iterator[tuple[str, str]]:
    """(system, code) of an expansion, nested ones too."""
    for concept in contains:
        if "code" in concept and not concept.get("abstract"):
            yield concept["system"], concept["code"]
        yield from concepts(concept.get("contains", []))


class Maker:
    """Gathers types and the sets they use."""

    def __init__(self, expansions: Path) -> None:
        self.types: dict[str, dict[str, str]] = {}
        self.sets: dict[str, list[str]] = {}
        self.resources: list[str] = []
        self.expanded: dict[str, JSON] = {}
        for file in sorted(expansions.glob("ValueSet-*.json")):
            value_set = json.loads(file.read_text())
            self.expanded[value_set["url"]] = value_set

    def add(self, definition: JSON) -> None:
        """All elements of a type and of its backbone elements."""
        if definition["kind"] == "resource" and not definition.get("abstract"):
            self.resources.append(definition["type"])
        for element in definition["snapshot"]["element"]:
            parent, _, name = element["path"].rpartition(".")
            if parent and element["max"] != "0":
                self.types.setdefault(parent, {})[name] = self.spelled(element, definition)

    def spelled(self, element: JSON, definition: JSON) -> str:
        """An element's entry: "types" and flags."""
        many = "*" if element["max"] != "1" else ""
        required = "!" if element["min"] else ""
        patient = "@" if names_patient(element) else ""
        return types_of(element, definition) + many + required + patient + self.binding(element)

    def binding(self, element: JSON) -> str:
        """`=set` of an element whose codes are bound, remembering the set."""
        bound = element.get("binding", {})
        url: str = bound.get("valueSet", "").split("|")[0]
        types = {t["code"] for t in element.get("type", [])}
        syntax = SYNTAX.get(url.removeprefix(VALUE_SETS))
        if syntax:
            return f"={syntax}" if types == {"code"} else ""
        if bound.get("strength") != "required" or url in UNLISTED:
            return ""
        coded = not types <= {"code"}
        name = url.removeprefix(VALUE_SETS) + ("|" if coded else "")
        if name not in self.sets:
            listed = set(concepts(self.expanded[url]["expansion"]["contains"]))
            self.sets[name] = sorted({f"{s}|{c}" if coded else c for s, c in listed})
        return "=" + name


def types_of(element: JSON, definition: JSON) -> str:
    """The types of an element, by "|"; a backbone element's is its own path, a contentReference's that of another."""
    if "contentReference" in element:
        return str(element["contentReference"].lstrip("#"))
    codes = [str(t["code"]) for t in element["type"]]
    if codes[0].startswith("http://hl7.org/fhirpath/"):
        if definition["kind"] == "resource":
            return "id" if str(element["path"]).count(".") == 1 else "string"
        return "uri" if str(element["path"]) == "Extension.url" else "string"
    if codes[0] in ("BackboneElement", "Element"):
        return str(element["path"])
    return "|".join(dict.fromkeys(codes))


def names_patient(element: JSON) -> bool:
    """Whether a Reference says whose the resource is: to patients alone, or one named so that may be a patient."""
    name = element["path"].rpartition(".")[2].removesuffix("[x]")
    for kind in element.get("type", []):
        if kind["code"] == "Reference":
            targets = {t.removeprefix(TARGET) for t in kind.get("targetProfile", [])}
            open_to_all = not targets or "Resource" in targets
            return targets == {"Patient"} or (name in NAMES_OF_PATIENT and ("Patient" in targets or open_to_all))
    return False


def main(examples: str, expansions: str) -> None:
    """Writes the table, one type or set a line, so that a difference can be read."""
    maker = Maker(Path(expansions))
    for _, definition in sorted(definitions(Path(examples)).items()):
        maker.add(definition)

    def lines(table: dict[str, Any]) -> str:
        return ",\n".join(f"{json.dumps(k)}:{json.dumps(v, separators=(',', ':'))}" for k, v in sorted(table.items()))

    resources = json.dumps(sorted(maker.resources), separators=(",", ":"))
    OUT.write_text(
        f'{{"resources":{resources},\n"sets":{{\n{lines(maker.sets)}}},\n"types":{{\n{lines(maker.types)}}}}}\n'
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
