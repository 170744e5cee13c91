"""Narrative and links: what could run, load or lead out is refused; what FHIR allows is taken."""

import pytest

from api.records.fhir.links import address_allowed, reference_allowed
from tests.records.fhir.examples import refused_at, report


def _narrative(div: str) -> list[str]:
    return refused_at(report(text={"status": "generated", "div": div}))


def _inside(html: str) -> list[str]:
    return _narrative(f'<div xmlns="http://www.w3.org/1999/xhtml">{html}</div>')


@pytest.mark.parametrize(
    "html",
    [
        "血常规 &lt;正常&gt; &#160; &amp;",
        '<table class="grid" border="1"><tr><td colspan="2" style="color: red; width: 3em">1</td></tr></table>',
        '<a href="#a">a</a><a href="Patient/1">b</a><a href="https://a.example/x">c</a><a href="urn:oid:1.2">d</a>',
        '<a name="x"/><img src="#picture" alt="x"/><img src="Binary/1"/>',
        '<p xml:lang="zh" lang="zh">x</p>',
        "<!-- a remark -->",
        "<p><![CDATA[<script>]]></p>",
    ],
)
def test_what_fhir_allows_is_taken(html: str) -> None:
    assert _inside(html) == []


@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script>",
        "<SCRIPT>alert(1)</SCRIPT>",
        '<p onclick="alert(1)">x</p>',
        '<p ONCLICK="alert(1)">x</p>',
        '<img src="x" onerror="alert(1)"/>',
        '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
        '<x:script xmlns:x="http://www.w3.org/1999/xhtml">alert(1)</x:script>',
        '<p xmlns:x="urn:x" x:onclick="alert(1)">x</p>',
        '<math xmlns="http://www.w3.org/1998/Math/MathML"/>',
        "<object/>",
        "<iframe/>",
        "<form/>",
        "<input/>",
        '<link rel="stylesheet"/>',
        "<meta/>",
        "<base/>",
        "<style>p{}</style>",
        '<a href="javascript:alert(1)">x</a>',
        '<a href=" javascript:alert(1)">x</a>',
        '<a href="java&#9;script:alert(1)">x</a>',
        '<a href="&#106;avascript:alert(1)">x</a>',
        '<a href="data:text/html,x">x</a>',
        '<a href="http://a.example/">x</a>',
        '<a href="//a.example/">x</a>',
        '<a href="/\\a.example/">x</a>',
        '<img src="https://a.example/pixel"/>',
        '<img src="//a.example/pixel"/>',
        '<img src="data:image/svg+xml,x"/>',
        '<blockquote cite="javascript:alert(1)">x</blockquote>',
        '<p style="background: url(https://a.example/)">x</p>',
        '<p style="background: u\\72l(https://a.example/)">x</p>',
        '<p style="width: expression(alert(1))">x</p>',
        '<p style="width: ex/**/pression(alert(1))">x</p>',
        '<p style="-moz-binding: x">x</p>',
        '<p style="background: image-set(x)">x</p>',
        '<p srcset="x">x</p>',
        '<p xml:base="https://a.example/">x</p>',
        "&nbsp;",
        "&undefined;",
        "<?php x ?>",
        "<p>",
        "<p a='1' a='2'/>",
        "</div><div>",
        "\x01",
    ],
)
def test_what_runs_loads_or_leads_out_is_refused(html: str) -> None:
    assert _inside(html) == ["/text/div"]


@pytest.mark.parametrize(
    "div",
    [
        "text",
        "<p>x</p>",
        "<div>without its namespace</div>",
        '<div xmlns="http://www.w3.org/1999/xhtml"/>x',
        '<!DOCTYPE div SYSTEM "https://a.example/"><div xmlns="http://www.w3.org/1999/xhtml"/>',
        '<!DOCTYPE div [<!ENTITY a "b">]><div xmlns="http://www.w3.org/1999/xhtml">&a;</div>',
        '<?xml version="1.0" encoding="utf-16"?><div xmlns="http://www.w3.org/1999/xhtml"/>',
        '<divx xmlns="http://www.w3.org/1999/xhtml"/>',
        "",
    ],
)
def test_a_narrative_is_one_xhtml_div_without_a_document_type(div: str) -> None:
    assert _narrative(div) == ["/text/div"]


@pytest.mark.parametrize(
    ("address", "as_reference", "as_address"),
    [
        ("Observation/1", True, True),
        ("Observation/1/_history/2", True, True),
        ("#part", True, True),
        ("", True, True),
        ("/Binary/1", True, True),
        ("?x=a:b", True, True),
        ("urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0", True, True),
        ("https://a.example/Observation/1", True, True),
        ("HTTPS://a.example/", True, True),
        ("http://a.example/Binary/1", False, True),  # where an attachment is kept; nobody fetches it
        ("javascript:alert(1)", False, False),
        ("JaVaScRiPt:alert(1)", False, False),
        ("data:text/html,x", False, False),
        ("file:///etc/passwd", False, False),
        ("ftp://a.example/", False, False),
        ("mailto:a@a.example", False, False),
        ("x:y", False, False),
        ("//a.example/x", False, False),
        ("\\\\a.example\\x", False, False),
        ("/\\a.example/x", False, False),
        ("https:a.example", False, False),
        ("https:///x", False, False),
        (" https://a.example/", False, False),
        ("https://a.example/\n", False, False),
        ("urn:", False, False),
    ],
)
def test_where_a_reference_and_an_address_may_lead(address: str, as_reference: bool, as_address: bool) -> None:
    assert (reference_allowed(address), address_allowed(address)) == (as_reference, as_address)


def test_references_and_addresses_are_held_to_it_where_they_stand() -> None:
    assert refused_at(report(performer=[{"reference": "http://a.example/Practitioner/1"}])) == [
        "/performer/0/reference"
    ]
    assert refused_at(report(performer=[{"reference": "#dr"}])) == ["/performer/0/reference"]
    assert refused_at(report(presentedForm=[{"url": "javascript:alert(1)"}])) == ["/presentedForm/0/url"]
    assert refused_at(report(implicitRules="data:x")) == ["/implicitRules"]
    assert refused_at(report(meta={"profile": ["http://hl7.org/fhir/StructureDefinition/x|1"]})) == []  # a name
