"""Text in the charset that a system was registered with, or none: mojibake is never kept."""

import pytest

from api.records.mllp.charset import decode
from api.records.mllp.refused import Refused

RESULT = "MSH|^~\\&|LIS\rPID|||P1||林^知夏\rOBX|1|ST|血型||A型 Rh阳性|μmol/L"


def refused(block: bytes, charset: str, declared: str = "") -> str:
    with pytest.raises(Refused) as caught:
        decode(block, charset, declared)
    assert caught.value.code == "AE"
    return caught.value.text


@pytest.mark.parametrize(("charset", "codec"), [("UTF-8", "utf-8"), ("GB18030", "gb18030"), ("GB18030", "gb2312")])
def test_chinese_is_read_as_it_was_written(charset: str, codec: str) -> None:
    text = RESULT.replace("μ", "u")
    assert decode(text.encode(codec), charset, "") == text


def test_rare_names_outside_the_basic_plane_are_read() -> None:
    assert decode("王𬱖 李㛃".encode("gb18030"), "GB18030", "") == "王𬱖 李㛃"


def test_a_second_byte_that_looks_like_a_delimiter_is_part_of_its_character() -> None:
    text = "|".join(("亅", "俓", "倈", "丷"))  # second bytes 0x7C, 0x5E, 0x7E, 0x5C of GBK
    assert decode(text.encode("gb18030"), "GB18030", "") == text


def test_gb18030_sent_as_utf8_is_refused() -> None:
    assert refused(RESULT.encode("gb18030"), "UTF-8").startswith("charset")


@pytest.mark.parametrize("text", ["血", "血 血", "OBX|1|ST|血|A"])
def test_gb18030_whose_bytes_can_be_read_as_utf8_is_refused(text: str) -> None:
    assert text.encode("gb18030").decode()  # Ѫ: nothing but what the bytes would mean shows it
    assert refused(text.encode("gb18030"), "UTF-8").startswith("charset")


@pytest.mark.parametrize("text", ["血 Ѫ", "Ѫ μmol/L", "36.8 °C", "plain", "Ѫ ≥", "ئۇيغۇر"])
def test_true_utf8_is_not_taken_for_gb18030(text: str) -> None:
    assert decode(text.encode(), "UTF-8", "") == text


@pytest.mark.parametrize("text", [RESULT, "OBX|1|NM|K||4.1|μmol/L", "OBX|1|NM|T||36.8|°C", "王𬱖"])
def test_utf8_sent_as_gb18030_is_refused_where_it_shows(text: str) -> None:
    assert refused(text.encode(), "GB18030").startswith("charset")


@pytest.mark.parametrize("text", ["联通", "林知夏", "欧阳明远", "ABC", "血常规 阴性", "鲁班"])
def test_true_gb18030_is_not_taken_for_utf8(text: str) -> None:
    assert decode(text.encode("gb18030"), "GB18030", "") == text


@pytest.mark.parametrize("block", [b"a\xffb", b"\xc3(", b"\xed\xa0\x80", b"a\x00b", b"a\x07b", "a�b".encode()])
def test_bytes_that_are_no_text_are_refused(block: bytes) -> None:
    assert refused(block, "UTF-8").startswith("charset")


@pytest.mark.parametrize(
    ("declared", "charset", "agrees"),
    [
        ("", "UTF-8", True),
        ("UNICODE UTF-8", "UTF-8", True),
        ("utf-8", "UTF-8", True),
        ("ASCII", "GB18030", True),
        ("GB 18030-2000", "GB18030", True),
        ("GBK", "GB18030", True),
        ("UNICODE UTF-8", "GB18030", False),
        ("GB18030", "UTF-8", False),
        ("ISO IR87", "UTF-8", False),
    ],
)
def test_msh_18_must_agree_with_what_was_registered(declared: str, charset: str, agrees: bool) -> None:
    if agrees:
        assert decode(b"MSH", charset, declared) == "MSH"
    else:
        assert "MSH-18" in refused(b"MSH", charset, declared)
