"""The picture: version 7, level M, digits alone; readers that nobody here wrote get the code back from each form."""

import base64
import io
import re
import xml.etree.ElementTree as ET
from typing import Final

import numpy as np
import pytest
import qrcode
import zxingcpp
from PIL import Image, ImageDraw

from codes.issue import issue
from codes.picture import Matrix, matrix, png, read_luma, svg, terminal

from .support import KEY, NOW

PLAIN = issue(KEY, handle=1, now=NOW, life=60, services=None, nonce=b"1234").text
WITH_SERVICES = issue(KEY, handle=1, now=NOW, life=60, services=3, nonce=b"1234").text
CODES = pytest.mark.parametrize("text", [PLAIN, WITH_SERVICES], ids=["274 digits", "289 digits"])
MODE_NUMERIC: Final = 1


def pixels(symbol: Matrix, scale: int = 4, quiet: int = 4) -> np.ndarray:
    modules = np.array([[0 if module == "1" else 255 for module in row] for row in symbol.rows()], dtype=np.uint8)
    return np.pad(modules, quiet, constant_values=255).repeat(scale, 0).repeat(scale, 1)


def read(image: np.ndarray) -> zxingcpp.Barcode:
    return zxingcpp.read_barcodes(np.ascontiguousarray(image))[0]


@CODES
def test_it_is_version_7_level_m_digits_without_eci(text: str) -> None:
    symbol = matrix(text)
    barcode = read(pixels(symbol))
    assert symbol.size == 17 + 4 * 7
    assert barcode.text == text
    assert barcode.ec_level == "M"
    assert barcode.symbology_identifier == "]Q1"  # ]Q2 would be with ECI
    assert barcode.content_type == zxingcpp.ContentType.Text


@CODES
def test_its_first_segment_is_numeric_and_holds_all(text: str) -> None:
    """One segment: mode 0001 and a count of 10 bits, read from the modules' own data bits by another library."""
    ours = matrix(text)
    other = qrcode.QRCode(version=7, error_correction=qrcode.constants.ERROR_CORRECT_M, border=0)
    other.add_data(qrcode.util.QRData(text, mode=MODE_NUMERIC))
    matches = []
    for mask in range(8):
        other.mask_pattern = mask
        other.makeImpl(False, mask)
        matches.append(["".join("1" if dark else "0" for dark in row) for row in other.modules] == ours.rows())
    assert matches.count(True) == 1


def test_the_bits_are_those_that_the_api_promises() -> None:
    symbol = matrix(PLAIN)
    data = base64.b64decode(symbol.base64)
    assert len(data) == (45 * 45 + 7) // 8
    bits = "".join(f"{byte:08b}" for byte in data)
    assert "".join(symbol.rows()) == bits[: 45 * 45]
    assert set(bits[45 * 45 :]) <= {"0"}
    assert symbol.rows()[0].startswith("11111110")  # a finder pattern, at the very edge


@pytest.mark.parametrize("text", ["", "ABC", "8601 5", "８６０１", "1" * 9000])
def test_only_a_codes_text_is_drawn(text: str) -> None:
    with pytest.raises(ValueError):
        matrix(text)


@CODES
def test_svg_is_one_sharp_path_that_reads_back(text: str) -> None:
    picture = svg(matrix(text), title="<医保码 & more>")
    root = ET.fromstring(picture)
    title, light, dark = root
    assert root.attrib["viewBox"] == "0 0 53 53"
    assert (root.attrib["role"], root.attrib["shape-rendering"]) == ("img", "crispEdges")
    assert title.text == "<医保码 & more>"
    assert (light.attrib["fill"], dark.attrib["fill"]) == ("#fff", "#000")
    image = Image.new("L", (53, 53), 255)
    draw = ImageDraw.Draw(image)
    for x, y, width, back in re.findall(r"M(\d+) (\d+)h(\d+)v1h-(\d+)z", dark.attrib["d"]):
        assert width == back
        draw.rectangle((int(x), int(y), int(x) + int(width) - 1, int(y)), fill=0)
    assert read(np.asarray(image).repeat(4, 0).repeat(4, 1)).text == text


@CODES
@pytest.mark.parametrize("scale", [1, 3, 8])
def test_png_is_one_bit_grey_that_reads_back(text: str, scale: int) -> None:
    symbol = matrix(text)
    data = png(symbol, scale)
    image = Image.open(io.BytesIO(data))
    assert (image.format, image.mode, image.size) == ("PNG", "1", (53 * scale, 53 * scale))
    assert np.array_equal(np.asarray(image.convert("L")), pixels(symbol, scale))
    assert len(data) < 2000


@pytest.mark.parametrize("scale", [0, -1, 65, 10**9])
def test_no_picture_without_measure(scale: int) -> None:
    with pytest.raises(ValueError):
        png(matrix(PLAIN), scale)


@CODES
def test_the_terminal_shows_black_on_white_whatever_its_colours(text: str) -> None:
    lines = terminal(matrix(text)).split("\n")
    assert len(lines) == 27
    rows: list[list[int]] = []
    for line in lines:
        shape = re.fullmatch("\x1b\\[30;107m([ ▀▄█]{53})\x1b\\[0m", line)
        assert shape
        rows += [
            [0 if block in "▀█" else 255 for block in shape[1]],
            [0 if block in "▄█" else 255 for block in shape[1]],
        ]
    assert read(np.array(rows, dtype=np.uint8).repeat(4, 0).repeat(4, 1)).text == text


@CODES
def test_a_scanners_frame_is_read(text: str) -> None:
    frame = np.full((480, 640), 200, dtype=np.uint8)
    symbol = pixels(matrix(text), scale=6)
    frame[60 : 60 + symbol.shape[0], 150 : 150 + symbol.shape[1]] = symbol
    for seen in (frame, np.rot90(frame), 255 - frame):
        height, width = seen.shape
        assert read_luma(np.ascontiguousarray(seen).tobytes(), width, height) == text


def test_our_code_goes_before_another_in_the_same_frame() -> None:
    other = pixels(matrix("123456789" * 30), scale=4)
    both = np.hstack([other, pixels(matrix(PLAIN), scale=4)])
    assert read_luma(both.tobytes(), both.shape[1], both.shape[0]) == PLAIN


def test_a_frame_without_a_code_is_none() -> None:
    assert read_luma(bytes(640 * 480), 640, 480) is None
    assert read_luma(np.random.default_rng(1).bytes(64 * 64), 64, 64) is None
    assert read_luma(b"\0", 1, 1) is None


@pytest.mark.parametrize(
    ("size", "width", "height"), [(0, 0, 0), (100, 10, 11), (100, -10, -10), (4097, 4097, 1), (10, 10, 0)]
)
def test_a_frame_is_as_large_as_it_says(size: int, width: int, height: int) -> None:
    with pytest.raises(ValueError):
        read_luma(bytes(size), width, height)
