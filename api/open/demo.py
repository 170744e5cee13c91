"""What only `yima demo` serves: its fictional people, so that the patient's page can stand for WeChat on a phone."""

from sanic import Blueprint
from sanic.request import Request
from sanic.response import HTTPResponse, raw

from api.sandbox.people import demo_people_json
from api.web.answers import encode


def demo_blueprint() -> Blueprint:
    """`/demo/people.json`."""
    blueprint = Blueprint("demo")
    people_json = demo_people_json()
    phones = [person["js_code"] for person in people_json]
    for place, person in enumerate(people_json):
        first = phones.index(person["js_code"])  # a child is shown on the phone of a parent
        person["child_of"] = None if first == place else first
    body = encode({"people": people_json})

    async def people(_: Request) -> HTTPResponse:
        return raw(body, content_type="application/json", headers={"X-Content-Type-Options": "nosniff"})

    blueprint.add_route(people, "/demo/people.json", methods=("GET", "HEAD"))
    return blueprint
