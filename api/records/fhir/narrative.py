"""Narrative: the XHTML that FHIR allows (txt-1, txt-2 of Narrative), read by a real XML parser, nothing that runs."""

import re
from typing import Final
from xml.parsers import expat  # no DTD is let through, so no entity can be declared, expanded or fetched

from api.records.fhir.links import reference_allowed

_XHTML: Final = "http://www.w3.org/1999/xhtml"
_XML: Final = "http://www.w3.org/XML/1998/namespace"
_ELEMENTS_LISTED: Final = (
    "a abbr acronym b big blockquote br caption cite code col colgroup dd dfn div dl dt em h1 h2 h3 h4 h5 h6 hr i img "
    "li ol p pre q samp small span strong sub sup table tbody td tfoot th thead tr tt ul var"
)
_ATTRIBUTES_LISTED: Final = (
    "abbr accesskey align alt axis bgcolor border cellhalign cellpadding cellspacing cellvalign char charoff charset "
    "cite class colspan compact coords dir frame headers height href hreflang hspace id lang longdesc name nowrap rel "
    "rev rowspan rules scope shape span src start style summary tabindex title type valign value vspace width"
)
_ELEMENTS: Final = frozenset(_ELEMENTS_LISTED.split())
_ATTRIBUTES: Final = frozenset(_ATTRIBUTES_LISTED.split()) | {f"{_XML} lang", f"{_XML} space"}
_FOLLOWED: Final = frozenset({"href", "cite", "longdesc"})
# `url(`, `@import`, `expression(`, `behavior:`, `-moz-binding:` load or run; a backslash or comment could spell them.
_LOADS: Final = re.compile(r"url|@|expression|behavior|binding|image|\\|/\*|<", re.IGNORECASE)


class _Refused(Exception):
    pass


def _start(name: str, attributes: dict[str, str]) -> None:
    namespace, _, local = name.rpartition(" ")
    if namespace != _XHTML or local not in _ELEMENTS:
        raise _Refused
    for attribute, value in attributes.items():
        if attribute not in _ATTRIBUTES:
            raise _Refused
        if attribute in _FOLLOWED and not reference_allowed(value):
            raise _Refused
        if attribute == "src" and (":" in value or not reference_allowed(value)):
            raise _Refused
        if attribute == "style" and _LOADS.search(value):
            raise _Refused


def _refuse(*_: object) -> None:
    raise _Refused


def narrative_allowed(text: str) -> bool:
    """Whether `text` is one XHTML div of the elements and attributes FHIR allows, without script or outside parts."""
    if not text.lstrip().startswith("<div"):
        return False
    parser = expat.ParserCreate("utf-8", namespace_separator=" ")
    parser.StartElementHandler = _start
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.ProcessingInstructionHandler = _refuse
    try:
        parser.Parse(text.encode(), True)
    except (expat.ExpatError, _Refused, UnicodeEncodeError):
        return False
    return True
