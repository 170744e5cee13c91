"""Previews of an imaging study, from the PACS of the hospital whose record it is, through us.

Only the study that the record names is asked for, and only at the address that the hospital registered: no address
inside the resource is looked at. Who may see is decided as for the record itself, at each call. The PACS must name the
record's patient with each picture: by the number in the record, or else the one that the hospital gave the person.
"""

import asyncio
from typing import Any, Final, NamedTuple

import msgspec
from sanic.response import HTTPResponse

from api.problems import NOT_FOUND, UPSTREAM_FAILED, UPSTREAM_TIMEOUT, Problem
from api.records.imaging.listings import Asked, Listings
from api.records.imaging.study import named_in
from api.records.patients import own_record
from api.records.posting import RESOLUTION
from api.records.reading import ReadRecord, readable
from api.records.shown import DOWNLOAD
from api.upstream.dicom_json import Instance
from api.upstream.dicomweb import JPEG, Archive, Registered
from api.web.answers import Answer
from api.web.calls import Call
from api.web.routes import Caller, Media, Subject
from models.imaging import number_at
from models.systems import system_of

subject = Subject("Records")
_UPSTREAM: Final = (UPSTREAM_FAILED, UPSTREAM_TIMEOUT)
_PREVIEW: Final = Media(JPEG, "The picture, streamed")


class Image(msgspec.Struct):
    """A picture of a study: its place, from 1 on, and the UIDs of its series and instance."""

    n: int
    series: str
    instance: str


class ImageList(msgspec.Struct):
    """A study's pictures by series and instance number, at most 500; empty where there is no study, PACS or patient number."""

    images: list[Image]


class _Source(NamedTuple):
    """Where a record's pictures are."""

    archive: Archive
    asked: Asked


async def _source(call: Call[Any], record: ReadRecord) -> _Source | None:
    """None where the record names no study, its hospital has no PACS, or no number of the person there is known."""
    if record.study is None:
        return None
    vault = call.services.vault
    system = await system_of(vault, record.hospital_id, "dicomweb")
    if system is None:
        return None
    number = named_in(record.raw) or await number_at(vault, record.hospital_id, record.summary.person_id)
    if number is None:
        return None
    try:
        archive = call.services.pacs.archive(msgspec.convert(system.config, Registered))
    except ValueError:  # an address that was registered by other rules
        raise Problem(UPSTREAM_FAILED) from None
    return _Source(archive, Asked(record.hospital_id, system.version, record.study, number))


async def _list(call: Call[Any], record: ReadRecord) -> Answer:
    source = await _source(call, record)
    found = await _ask(call.services.listings, source, fresh=True) if source else []
    return Answer(200, ImageList([Image(n, one.series, one.uid) for n, one in enumerate(found, 1)]))


async def _ask(listings: Listings, source: _Source, *, fresh: bool) -> list[Instance]:
    asked = source.asked

    async def ask() -> list[Instance]:
        return await source.archive.instances(asked.study, asked.number)

    return await (listings.fresh if fresh else listings.recent)(asked, ask)


async def _show(call: Call[Any], record: ReadRecord) -> HTTPResponse:
    source, place = await _source(call, record), call.request.match_info["n"]
    found = await _ask(call.services.listings, source, fresh=False) if source else []
    if source is None or not place.isascii() or not place.isdigit() or place.startswith("0") or len(place) > 4:
        raise Problem(NOT_FOUND)
    if int(place) > len(found):
        raise Problem(NOT_FOUND)
    return await _stream(call, source, found[int(place) - 1])


async def _stream(call: Call[Any], source: _Source, instance: Instance) -> HTTPResponse:
    """Give the picture on as it comes; where it breaks off, so does the connection, or it would pass for whole."""
    async with source.archive.picture(source.asked.study, instance) as picture:
        headers = {**DOWNLOAD, "X-Request-Id": call.request_id}
        if picture.length is not None:
            headers["Content-Length"] = str(picture.length)
        if call.request.method == "HEAD":
            return HTTPResponse(None, headers=headers, content_type=JPEG)
        response: HTTPResponse = await call.request.respond(headers=headers, content_type=JPEG)
        try:
            async for chunk in picture.chunks:
                await response.send(chunk)
            await response.send(end_stream=True)
        except Exception as broken:
            call.request.transport.abort()  # type: ignore[attr-defined]  # of an open socket, it has it
            if not isinstance(broken, Problem):
                raise
            call.services.metrics.problem(call.route.name, broken.kind.code)
        return response


@subject.route(
    "GET",
    "/v1/hospital/resolutions/<resolution_id:str>/records/<record_id:str>/images",
    Caller.HOSPITAL,
    "The pictures of an imaging study that may be read",
    answers={200: ImageList},
    problems=(*RESOLUTION, *_UPSTREAM),
    limit="hospital",
)
async def list_resolution_images(call: Call[None]) -> Answer:
    """As the PACS of the record's hospital lists them now."""
    return await _list(call, await readable(call))


@subject.route(
    "GET",
    "/v1/hospital/resolutions/<resolution_id:str>/records/<record_id:str>/images/<n:str>",
    Caller.HOSPITAL,
    "A picture of an imaging study that may be read",
    answers={200: _PREVIEW},
    problems=(*RESOLUTION, *_UPSTREAM),
    limit="hospital",
    commits=False,
)
async def show_resolution_image(call: Call[None]) -> HTTPResponse:
    """A preview, not for diagnosis: streamed, at most 8 MiB; leaving ends the call to the PACS."""
    return await _show(call, await asyncio.shield(readable(call)))


@subject.route(
    "GET",
    "/v1/patient/records/<record_id:str>/images",
    Caller.PATIENT,
    "The pictures of one's own imaging study",
    answers={200: ImageList},
    problems=(NOT_FOUND, *_UPSTREAM),
    limit="patient",
)
async def list_own_images(call: Call[None]) -> Answer:
    """As the PACS of the record's hospital lists them now."""
    return await _list(call, await own_record(call))


@subject.route(
    "GET",
    "/v1/patient/records/<record_id:str>/images/<n:str>",
    Caller.PATIENT,
    "A picture of one's own imaging study",
    answers={200: _PREVIEW},
    problems=(NOT_FOUND, *_UPSTREAM),
    limit="patient",
    commits=False,
)
async def show_own_image(call: Call[None]) -> HTTPResponse:
    """A preview, not for diagnosis: streamed, at most 8 MiB; leaving ends the call to the PACS."""
    return await _show(call, await asyncio.shield(own_record(call)))
