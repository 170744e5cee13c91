"""Today's document breaks no client of the kept one; and the comparer finds every break that is planted."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from api.app import openapi_document
from tests.contract.compare import breaks
from tests.contract.keep import kept_document

Document = dict[str, Any]


def test_today_breaks_no_client() -> None:
    found = breaks(kept_document(), openapi_document())
    assert not found, "\n".join(f"{where} {about}" for where, about in found) + "\nIf it is meant: make openapi"


BASE: Document = {
    "paths": {
        "/things/{id}": {
            "post": {
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "maxLength": 64}},
                    {"name": "limit", "in": "query", "required": False, "schema": {"type": "integer", "maximum": 100}},
                ],
                "security": [{"patient": []}, {"clerk": []}],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Ask"}}},
                },
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}},
                    "201": {
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/Thing"}},
                            "image/png": {"schema": {"type": "string"}},
                        }
                    },
                    "404": {},
                },
            }
        },
        "/open": {"get": {"responses": {"204": {}}}},
    },
    "components": {
        "schemas": {
            "Ask": {
                "type": "object",
                "required": ["kind"],
                "properties": {
                    "kind": {"enum": ["a", "b"]},
                    "note": {"type": ["string", "null"]},
                    "proof": {"anyOf": [{"$ref": "#/components/schemas/Text"}, {"$ref": "#/components/schemas/Face"}]},
                },
            },
            "Text": {"type": "object", "required": ["type"], "properties": {"type": {"const": "text"}}},
            "Face": {"type": "object", "required": ["type"], "properties": {"type": {"const": "face"}}},
            "Thing": {
                "type": "object",
                "required": ["id", "state"],
                "properties": {
                    "id": {"type": "string"},
                    "state": {"enum": ["on", "off"]},
                    "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}},
                },
            },
        },
        "securitySchemes": {"patient": {"type": "http", "scheme": "bearer"}, "clerk": {"type": "apiKey", "name": "c"}},
    },
}


def operation(document: Document) -> Document:
    found: Document = document["paths"]["/things/{id}"]["post"]
    return found


def schema(document: Document, name: str) -> Document:
    found: Document = document["components"]["schemas"][name]
    return found


Change = Callable[[Document], object]

PLANTED: dict[str, Change] = {
    "a path is gone": lambda d: d["paths"].pop("/things/{id}"),
    "an operation is gone": lambda d: d["paths"]["/open"].pop("get"),
    "a field of an answer is gone": lambda d: schema(d, "Thing")["properties"].pop("id"),
    "an optional field of an answer is gone": lambda d: schema(d, "Thing")["properties"].pop("parts"),
    "a field of an answer may be absent": lambda d: schema(d, "Thing")["required"].remove("state"),
    "a field of an answer may be null": lambda d: schema(d, "Thing")["properties"]["id"].update(
        type=["string", "null"]
    ),
    "a field of an answer has another type": lambda d: schema(d, "Thing")["properties"]["id"].update(type="integer"),
    "a request asks for a new field": lambda d: schema(d, "Ask")["required"].append("note"),
    "a request takes a field no more": lambda d: schema(d, "Ask")["properties"].pop("note"),
    "a request takes fewer values": lambda d: schema(d, "Ask")["properties"]["kind"].update(enum=["a"]),
    "a request takes no null any more": lambda d: schema(d, "Ask")["properties"]["note"].update(type="string"),
    "a request takes a list of values only": lambda d: schema(d, "Ask")["properties"]["note"].update(enum=["x"]),
    "a request takes one alternative no more": lambda d: schema(d, "Ask")["properties"]["proof"]["anyOf"].pop(),
    "a request takes shorter text": lambda d: schema(d, "Ask")["properties"]["note"].update(maxLength=10),
    "a request takes longer text only": lambda d: schema(d, "Ask")["properties"]["note"].update(minLength=2),
    "a request has a pattern": lambda d: schema(d, "Ask")["properties"]["note"].update(pattern="^x"),
    "a request takes no other fields": lambda d: schema(d, "Ask").update(additionalProperties=False),
    "a new required parameter": lambda d: operation(d)["parameters"].append(
        {"name": "new", "in": "query", "required": True, "schema": {}}
    ),
    "a parameter became required": lambda d: operation(d)["parameters"][1].update(required=True),
    "a parameter is taken no more": lambda d: operation(d)["parameters"].pop(),
    "a parameter takes less": lambda d: operation(d)["parameters"][1]["schema"].update(maximum=50),
    "a success status is gone": lambda d: operation(d)["responses"].pop("200"),
    "a media type of an answer is gone": lambda d: operation(d)["responses"]["201"]["content"].pop("image/png"),
    "a media type of a body is gone": lambda d: operation(d)["requestBody"].update(content={"text/plain": {}}),
    "an open operation asks for a token": lambda d: d["paths"]["/open"]["get"].update(security=[{"patient": []}]),
    "a way to sign in is gone": lambda d: operation(d)["security"].pop(),
    "a way to sign in is another": lambda d: d["components"]["securitySchemes"]["clerk"].update(name="other"),
    "a body became required": lambda d: d["paths"]["/open"]["get"].update(
        requestBody={"required": True, "content": {}}
    ),
}
ADDED: dict[str, Change] = {
    "nothing": lambda d: None,
    "a path": lambda d: d["paths"].update({"/more": {"get": {"responses": {"200": {}}}}}),
    "a field of an answer": lambda d: schema(d, "Thing")["properties"].update(more={"type": "string"}),
    "a value in an answer": lambda d: schema(d, "Thing")["properties"]["state"]["enum"].append("broken"),
    "an optional field of a request": lambda d: schema(d, "Ask")["properties"].update(more={"type": "string"}),
    "a value of a request": lambda d: schema(d, "Ask")["properties"]["kind"]["enum"].append("c"),
    "an alternative of a request": lambda d: schema(d, "Ask")["properties"]["proof"]["anyOf"].append(
        {"type": "object", "properties": {"type": {"const": "third"}}}
    ),
    "a field that need not be sent": lambda d: schema(d, "Ask")["required"].remove("kind"),
    "an optional parameter": lambda d: operation(d)["parameters"].append({"name": "new", "in": "query", "schema": {}}),
    "a wider limit": lambda d: operation(d)["parameters"][1]["schema"].update(maximum=200),
    "a problem's status": lambda d: operation(d)["responses"].update({"409": {}}),
    "a problem's status less": lambda d: operation(d)["responses"].pop("404"),
    "a way to sign in": lambda d: operation(d)["security"].append({"admin": []}),
    "a renamed schema": lambda d: (
        d["components"]["schemas"].update(Thing2=schema(d, "Thing")),
        operation(d)["responses"]["200"]["content"]["application/json"].update(
            schema={"$ref": "#/components/schemas/Thing2"}
        ),
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_break_is_found(name: str) -> None:
    changed = copy.deepcopy(BASE)
    PLANTED[name](changed)
    assert breaks(BASE, changed)


@pytest.mark.parametrize("name", ADDED)
def test_an_addition_is_no_break(name: str) -> None:
    changed = copy.deepcopy(BASE)
    ADDED[name](changed)
    assert breaks(BASE, changed) == []
