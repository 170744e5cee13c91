"""The outside, simulated: WeChat and its payments, the ID registry, an SMS gateway and the insurance platform over real HTTP.

For the demo and for tests. Everybody in it is fictional, its levers need no password, and it listens on loopback.
"""

from api.sandbox.app import create_sandbox
from api.sandbox.config import SandboxSecrets
from api.sandbox.people import PEOPLE, Person, demo_people_json

__all__ = ["PEOPLE", "Person", "SandboxSecrets", "create_sandbox", "demo_people_json"]
