"""One block from its bytes to its acknowledgement. Whatever it holds, it is answered."""

import asyncio
import logging
import time
import traceback
from datetime import datetime, timedelta, timezone
from typing import Final, NamedTuple
from uuid import uuid4

from api.records.mllp.acks import acknowledge
from api.records.mllp.charset import decode
from api.records.mllp.framing import Block
from api.records.mllp.header import Header, check, read_header
from api.records.mllp.keeping import Named, keep_once, look, name, owner_of, read
from api.records.mllp.parsing import Message, parse
from api.records.mllp.refused import INTERNAL, SEQUENCE, Place, Refused, error, reject
from api.records.mllp.reports import Sender, reports
from api.records.mllp.senders import Peer, Senders, charset_of, choose
from models import database
from models.systems import System
from models.vault import Vault

REPEATED: Final = "repeated"
KEPT: Final = "kept"
_SHANGHAI: Final = timezone(timedelta(hours=8))
_log = logging.getLogger("yima.mllp")


class Answer(NamedTuple):
    """An acknowledgement; `ends`: the connection is closed behind it."""

    message: bytes
    ends: bool


class _Read(NamedTuple):
    """A message whose text was read."""

    system: System
    header: Header
    charset: str
    text: str
    named: Named


class Receiver:
    """Keeps messages and says what became of each, with a log line that says nothing of its content."""

    def __init__(self, vault: Vault, senders: Senders) -> None:
        self._vault = vault
        self._senders = senders

    async def answer(self, block: Block, peer: Peer) -> Answer:
        """The acknowledgement of a block: AA once what it holds is committed, or was before."""
        began, own_id = time.monotonic(), _own_id()
        charset, header, refused, outcome = "UTF-8", None, None, "AA"
        try:
            candidates = await self._senders.of(peer)
            charset = charset_of(candidates)
            header = read_header(block.data, charset)
            system, header = choose(candidates, peer, block.data)
            charset = str(system.config["charset"])
            outcome = f"AA {await self._keep(system, header, charset, block)}"
        except Refused as caught:
            refused = caught
        except database.Unavailable as caught:
            refused = error(INTERNAL, "the database is not available: send again")
            _failed(own_id, caught)
        except Exception as caught:
            refused = error(INTERNAL, "an internal error: send again")
            _failed(own_id, caught)
        if refused:
            outcome = refused.code
        extra = {"request_id": own_id, "outcome": outcome, "ms": round((time.monotonic() - began) * 1000, 1)}
        _log.info("message", extra={**extra, **({"errcode": refused.condition} if refused else {})})
        said = acknowledge(header, charset, refused, own_id=own_id, at=datetime.now(_SHANGHAI))
        return Answer(said, refused is not None and refused.ends)

    async def _keep(self, system: System, header: Header | None, charset: str, block: Block) -> str:
        """Keep a block's message. Raises Refused."""
        if block.fault is not None:
            raise reject(SEQUENCE, str(block.fault))
        if header is None:
            raise reject(SEQUENCE, "there is no MSH that can be read", Place("MSH"))
        check(header)
        text = decode(block.data, charset, header.part(18))
        one = _Read(system, header, charset, text, name(self._vault, system, header, text))
        seen = await look(system, one.named)
        if seen.kept:
            return REPEATED
        message = await asyncio.to_thread(parse, text, header, charset)
        return await self._keep_new(one, message, seen.now)

    async def _keep_new(self, one: _Read, message: Message, now: datetime) -> str:
        owner = await owner_of(self._vault, one.system, message)
        sender = Sender(owner.patient_number, one.system.hospital_code, one.charset, one.header.part(7))
        made = await asyncio.to_thread(reports, message, sender)
        facts = await asyncio.to_thread(read, made, owner, now)
        return KEPT if await keep_once(self._vault, one.system, one.named, owner, made, facts) else REPEATED


def _own_id() -> str:
    """A control id of ours, by which the log is searched; no run of digits in it is long enough to be redacted."""
    text = uuid4().hex
    return f"{text[:8]}-{text[8:16]}"


def _failed(own_id: str, caught: BaseException) -> None:
    """An exception by its type and the places it went through; its text may quote data."""
    frames = traceback.extract_tb(caught.__traceback__)[-6:]
    places = " < ".join(f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in reversed(frames))
    _log.error("failed", extra={"request_id": own_id, "error": type(caught).__name__, "where": places})
