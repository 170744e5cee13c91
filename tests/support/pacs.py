"""A real PACS for tests: Debian's Orthanc with its DICOMweb plugin, on loopback, fed by `storescu` as a CT feeds one."""

import asyncio
import itertools
import json
import os
import shutil
import socket
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import httpx
import pytest

PROGRAMS: Final = ("Orthanc", "storescu", "dump2dcm")
PLUGIN: Final = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
ROOT: Final = f"1.2.826.0.1.3680043.10.1473.{os.getpid()}.{time.time_ns()}"  # of the UIDs of this run
SIDE: Final = 64  # pixels
SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
_PATHS: Final = f"{os.environ.get('PATH', '')}:/usr/sbin"
_serial: Final = itertools.count(1)

_DUMP: Final = """
(0008,0005) CS [ISO_IR 192]
(0008,0016) UI [1.2.840.10008.5.1.4.1.1.2]
(0008,0018) UI [{instance}]
(0008,0020) DA [{at:%Y%m%d}]
(0008,0030) TM [{at:%H%M%S}]
(0008,0050) SH [{accession}]
(0008,0060) CS [{modality}]
(0008,1030) LO [{description}]
(0008,103e) LO [{series_description}]
(0010,0010) PN [{name}]
(0010,0020) LO [{patient_number}]
(0020,000d) UI [{study}]
(0020,000e) UI [{series}]
(0020,0011) IS [{series_number}]
(0020,0013) IS [{number}]
(0028,0002) US 1
(0028,0004) CS [MONOCHROME2]
(0028,0010) US {side}
(0028,0011) US {side}
(0028,0100) US 16
(0028,0101) US 16
(0028,0102) US 15
(0028,0103) US 0
(7fe0,0010) OW ={pixels}
"""


def missing_programs() -> list[str]:
    """What of the test peer is not installed here."""
    found = [name for name in PROGRAMS if shutil.which(name, path=_PATHS) is None]
    return found if PLUGIN.exists() else [*found, PLUGIN.name]


def new_uid() -> str:
    """A UID that nothing else has."""
    return f"{ROOT}.{next(_serial)}"


async def _run(*command: str) -> None:
    """Run a program of dcmtk to its end; what it says is shown if it fails."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0, f"{command[0]}: {said.decode(errors='replace')}"


async def make_ct(folder: Path, patient_number: str, name: str = "林^知夏", **other: Any) -> Path:
    """A CT slice as a DICOM file in `folder`. `other`: study, series, instance (UIDs), at, description, modality, …"""
    told = {
        "study": new_uid(),
        "series": new_uid(),
        "instance": new_uid(),
        "at": datetime.now(SHANGHAI),
        "accession": f"A{next(_serial)}",
        "modality": "CT",
        "description": "胸部CT平扫",
        "series_description": "肺窗",
        "series_number": 1,
        "number": 1,
        **other,
    }
    pixels, dump, made = (folder / f"{told['instance']}{end}" for end in (".raw", ".dump", ".dcm"))
    step = int(told["number"])
    pixels.write_bytes(b"".join((x * step % SIDE + y).to_bytes(2, "little") for x in range(SIDE) for y in range(SIDE)))
    dump.write_text(_DUMP.format(name=name, patient_number=patient_number, side=SIDE, pixels=pixels, **told), "utf-8")
    await _run("dump2dcm", "--write-xfer-little", str(dump), str(made))
    return made


@dataclass(frozen=True)
class Orthanc:
    """A running Orthanc. `dicomweb`: the address to register, with its user and password."""

    dicomweb: str
    user: str
    password: str
    folder: Path
    dicom_port: int

    async def send(self, *files: Path) -> None:
        """Send files as a modality does (C-STORE)."""
        peer = ("-aet", "CT1", "-aec", "PACS", "127.0.0.1", str(self.dicom_port))
        await _run("storescu", *peer, *map(str, files))

    async def send_ct(self, patient_number: str, name: str = "林^知夏", **other: Any) -> None:
        """Make a slice (`make_ct`) and send it."""
        await self.send(await make_ct(self.folder, patient_number, name, **other))

    async def delete(self, study: str) -> None:
        """Take a study away, as somebody at the PACS does."""
        address = self.dicomweb.removesuffix("/dicom-web")
        async with httpx.AsyncClient(trust_env=False, auth=(self.user, self.password)) as http:
            query = {"Level": "Study", "Query": {"StudyInstanceUID": study}}
            (found,) = (await http.post(f"{address}/tools/find", json=query)).json()
            assert (await http.delete(f"{address}/studies/{found}")).status_code == 200

    @property
    def registration(self) -> dict[str, str]:
        """The body of PUT /v1/admin/hospitals/{id}/dicomweb."""
        return {"address": self.dicomweb, "username": self.user, "password": self.password}


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as two:
        for sock in (one, two):
            sock.bind(("127.0.0.1", 0))
        return one.getsockname()[1], two.getsockname()[1]


@asynccontextmanager
async def running_orthanc() -> AsyncIterator[Orthanc]:
    """An Orthanc with an empty store, until the context ends. Skips the test plainly where it is not installed."""
    if missing := missing_programs():
        pytest.skip(f"not installed: {', '.join(missing)} (Debian: orthanc orthanc-dicomweb dcmtk)")
    folder = Path(tempfile.mkdtemp(prefix="yima-orthanc-"))
    http_port, dicom_port = _free_ports()
    user, password = "yima", "口令-of-the-PACS"
    config = {
        "Name": "test",
        "HttpPort": http_port,
        "DicomPort": dicom_port,
        "DicomAet": "PACS",
        "DefaultEncoding": "Utf8",  # else Chinese comes back empty
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": True,
        "RegisteredUsers": {user: password},
        "DicomModalities": {"ct": ["CT1", "127.0.0.1", 104]},
        "DicomCheckModalityHost": True,
        "OrthancExplorerEnabled": False,
        "StorageDirectory": str(folder),
        "IndexDirectory": str(folder),
        "Plugins": [str(PLUGIN)],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }
    (folder / "orthanc.json").write_text(json.dumps(config), "utf-8")
    binary = shutil.which("Orthanc", path=_PATHS)
    assert binary is not None
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            binary, str(folder / "orthanc.json"), stdout=log, stderr=log, cwd=folder
        )
    made = Orthanc(f"http://127.0.0.1:{http_port}/dicom-web", user, password, folder, dicom_port)
    try:
        await _ready(made, process)
        yield made
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), 10)
            except TimeoutError:
                process.kill()
                await process.wait()
        shutil.rmtree(folder, ignore_errors=True)


async def _ready(made: Orthanc, process: asyncio.subprocess.Process) -> None:
    async with httpx.AsyncClient(trust_env=False, auth=(made.user, made.password)) as http:
        for _ in range(300):
            assert process.returncode is None, (made.folder / "log").read_text(errors="replace")
            try:
                if (await http.get(f"{made.dicomweb}/studies", params={"limit": "1"})).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.05)
    raise AssertionError((made.folder / "log").read_text(errors="replace"))
