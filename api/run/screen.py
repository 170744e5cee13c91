"""The demo's start screen: addresses, credentials, the next three steps, and a code to scan."""

from typing import Any

from codes import picture

_LINE = "─" * 72


def start_screen(demo: dict[str, Any], first: tuple[str, str]) -> str:
    """The text for the terminal. `first`: a masked name and a code's digits (empty: the card is frozen)."""
    base, hospital = demo["base_url"], demo["hospital"]
    name, digits = first
    qr = picture.terminal(picture.matrix(digits)) if digits else "(the first person's card is frozen)"
    admins = "\n".join(f"    {admin['role']:<10} {admin['token']}" for admin in demo["admins"])
    return f"""
{_LINE}
  一码 Yima is running: all data is fictional, all of it stays on this machine

    patient   {base}/patient
    scanner   {base}/scanner
    admin     {base}/admin
    API       {base}/docs          health {base}/readyz
    sandbox   {demo["sandbox_url"]}  (text messages that would have been sent)
    mllp      {demo["mllp"]["host"]}:{demo["mllp"]["port"]}  (laboratory results, HL7 v2)

  Hospital client (all scopes)
    client_id      {hospital["client_id"]}
    client_secret  {hospital["client_secret"]}
  Admin tokens
{admins}

  Next three steps
    1. Open {base}/patient, choose a person, show the code.
    2. Open {base}/scanner in another window, sign in with the client above, scan it.
    3. See the patient's page say where it was used; scan again and see it refused.

  A code of {name}, good for one scan within a minute:

{qr}
  Ctrl-C stops everything; the data stays.
{_LINE}
"""
