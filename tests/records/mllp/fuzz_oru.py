"""atheris over what a laboratory sends, from bytes to the resource that is kept (`make fuzz`).

    python -m tests.records.mllp.fuzz_oru [folder of findings] [-max_total_time=300]

Whatever the bytes, a message is read or refused, its answer is a message, and what is read is JSON that the reading
of posted records takes or refuses. Nothing else may be raised, and no refusal may quote the message.
"""

import json
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["hl7", "api.records.mllp"]):
    from api.records.mllp.acks import acknowledge
    from api.records.mllp.charset import CODECS, decode
    from api.records.mllp.framing import Framer
    from api.records.mllp.header import check, read_header
    from api.records.mllp.parsing import id_numbers, parse, patient_numbers
    from api.records.mllp.refused import Refused
    from api.records.mllp.reports import Sender, earlier, reports

from api.records.fhir import KindUnsupported, Malformed, RecordInvalid, SubjectMismatch, Who, read_resource
from tests.records.mllp.messages import acked, msh, obr, obx, oru, pid, segment

WHO = Who("P001", "a" * 64, "430102199001011234")
NOW = datetime(2026, 11, 25, tzinfo=UTC)
CHARSETS = tuple(CODECS)


def one_input(data: bytes) -> None:
    """The first byte chooses the charset; the rest is a stream."""
    charset = CHARSETS[data[0] % 2] if data else CHARSETS[0]
    framer = Framer(64 * 1024)
    for block in framer.feed(data[1:]):
        one_block(block.data, charset)


def one_block(block: bytes, charset: str) -> None:
    """Read a block as the server does, without a database."""
    header, refused = read_header(block, charset), None
    try:
        if header is not None:
            check(header)
            message = parse(decode(block, charset, header.part(18)), header, charset)
            patient_numbers(message.pid)
            id_numbers(message.pid)
            for made in reports(message, Sender("P001", "H1", charset, header.part(7))):
                json.loads(made.raw)
                kept = earlier(made.raw)
                assert kept.sent == made.sent
                assert kept.codes <= made.codes
                try:
                    read_resource(made.raw, WHO, NOW)
                except (RecordInvalid, SubjectMismatch):
                    pass
                except (KindUnsupported, Malformed) as broken:
                    raise AssertionError("a report was made that is none") from broken
    except Refused as caught:
        refused = caught
    assert refused is None or "SECRET" not in refused.said
    said = acknowledge(header, charset, refused, own_id="x", at=NOW)
    if header is not None and header.delimiters.field == "|":
        fields = acked(said, CODECS[charset])
        assert fields["MSA-1"] == (refused.code if refused else "AA")
        assert fields["MSA-2"] == header.control_id


def seeds() -> list[bytes]:
    """Messages of the tests, in both charsets."""
    spm = segment("SPM", f1="1", f4="BLD^全血^HL70487", f17="20261119070000")
    messages = [
        oru(),
        oru(pid(), obr(f15="SER&血清&L"), "NTE|1||标本\\.br\\溶血", obx(), "NTE|1||\\XE6B5\\\\X8B\\", spm),
        oru(
            pid(),
            obr(),
            *(obx(f2=kind, f5=value) for kind, value in (("SN", "<^0.5"), ("ED", "^application^pdf^Base64^JVBE"))),
        ),
        oru(pid(), obr(), *(obx(f2=kind, f5="20261119") for kind in ("DT", "TS", "TM", "CE", "CWE", "RP", "FT"))),
        oru(pid("SECRET~P2^^^^NI"), obr(f25="C"), obx(f11="D"), obx(f11="W"), obx(f8="↑~H", f7="<5", f6="10^9/L")),
        oru(header=msh(f12="2.3", f18="UNICODE UTF-8")).replace("^~\\&", "@*!$"),
    ]
    framed = [b"\x0b" + one.encode(codec) + b"\x1c\r" for one in messages for codec in CODECS.values()]
    return [bytes([n % 2]) + one for n, one in enumerate(framed)]


def main() -> None:
    """Run until something is found or the time is over."""
    folder = Path(next((one for one in sys.argv[1:] if not one.startswith("-")), tempfile.mkdtemp(prefix="yima-fuzz-")))
    folder.mkdir(exist_ok=True)
    for n, seed in enumerate(seeds()):
        (folder / f"seed-{n}").write_bytes(seed)
    options = [one for one in sys.argv[1:] if one.startswith("-")]
    atheris.Setup(
        [sys.argv[0], str(folder), f"-artifact_prefix={folder}/", "-max_len=8192", "-timeout=20", *options], one_input
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
