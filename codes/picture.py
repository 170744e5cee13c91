"""The QR picture of a code, and reading one back.

A code is one numeric segment at level M without ECI (an ECI makes many scanners type `\\000026` in front), so
that 274 to 289 digits are version 7: 45 by 45 modules.
"""

import base64
import math
import re
import struct
import zlib
from typing import Final, NamedTuple
from xml.sax.saxutils import escape

import zxingcpp

from codes.digits import SCHEME

QUIET: Final = 4  # modules of light around it, ISO/IEC 18004 §6.3.8
MAX_SIDE: Final = 4096  # pixels of a frame's side
MAX_SCALE: Final = 64  # pixels of a module's side

_QR: Final = zxingcpp.barcode_formats_from_str("QRCode")
_BLACK: Final = 0  # luminance in the writer's image
_TO_BINARY: Final = bytes(ord("1") if luminance == _BLACK else ord("0") for luminance in range(256))
_DARK_RUN: Final = re.compile("1+")
_PNG_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_PNG_GRAYSCALE_1_BIT: Final = (1, 0, 0, 0, 0)  # bit depth, colour type, compression, filter, interlace
_PNG_NO_FILTER: Final = b"\x00"  # in front of each line
_ANSI_BLACK_ON_WHITE: Final = "\x1b[30;107m"  # said outright: the same on a dark and on a light terminal
_ANSI_RESET: Final = "\x1b[0m"
_HALF_BLOCKS: Final = {"00": " ", "10": "▀", "01": "▄", "11": "█"}


class Matrix(NamedTuple):
    """A symbol without its quiet zone: size x size bits, row by row, 1 dark, most significant bit first.

    Zeros fill the last byte.
    """

    size: int
    bits: bytes

    @property
    def base64(self) -> str:
        """The bits as the API sends them."""
        return base64.b64encode(self.bits).decode()

    def rows(self) -> list[str]:
        """Each row as a text of "1" (dark) and "0"."""
        modules = f"{int.from_bytes(self.bits, 'big'):0{len(self.bits) * 8}b}"
        return [modules[row * self.size : (row + 1) * self.size] for row in range(self.size)]


def matrix(text: str) -> Matrix:
    """The symbol of a code's text. Raises ValueError for text that is not all digits, or too long for a symbol."""
    if not (text.isascii() and text.isdigit()):
        raise ValueError("a code is all digits")
    symbol = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    # A buffer by its C interface, which the type checker does not see before Python 3.12.
    image = memoryview(symbol.to_image(scale=1, add_quiet_zones=False))  # type: ignore[arg-type]
    modules = image.tobytes().translate(_TO_BINARY).decode()
    return Matrix(math.isqrt(len(modules)), _packed(modules))


def svg(symbol: Matrix, quiet: int = QUIET, title: str = "一码健康码 Yima health code") -> str:
    """The picture as SVG: black on white in every colour scheme, one path, sharp edges, `title` for those who listen."""
    side = symbol.size + 2 * quiet
    path = "".join(
        f"M{quiet + run.start()} {quiet + y}h{run.end() - run.start()}v1h-{run.end() - run.start()}z"
        for y, row in enumerate(symbol.rows())
        for run in _DARK_RUN.finditer(row)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" role="img" shape-rendering="crispEdges">'
        f'<title>{escape(title)}</title><path fill="#fff" d="M0 0h{side}v{side}H0z"/><path fill="#000" d="{path}"/></svg>'
    )


def png(symbol: Matrix, scale: int, quiet: int = QUIET) -> bytes:
    """The picture as PNG (ISO/IEC 15948), one bit a pixel, `scale` pixels a module. Raises ValueError for no scale."""
    if not 0 < scale <= MAX_SCALE or quiet < 0:
        raise ValueError(f"1 to {MAX_SCALE} pixels a module")
    side = (symbol.size + 2 * quiet) * scale
    light = _png_line("1" * side)
    lines = [_png_line(_widened(row, scale, quiet)) * scale for row in symbol.rows()]
    margin = light * (quiet * scale)
    data = zlib.compress(margin + b"".join(lines) + margin, 6)
    header = struct.pack(">II5B", side, side, *_PNG_GRAYSCALE_1_BIT)
    return _PNG_SIGNATURE + _png_chunk(b"IHDR", header) + _png_chunk(b"IDAT", data) + _png_chunk(b"IEND", b"")


def terminal(symbol: Matrix, quiet: int = QUIET) -> str:
    """The picture in half blocks, two rows a line, for dark and light terminals alike."""
    side = symbol.size + 2 * quiet
    blank = ["0" * side] * quiet
    rows = [*blank, *("0" * quiet + row + "0" * quiet for row in symbol.rows()), *blank]
    if len(rows) % 2:
        rows.append("0" * side)
    lines = (
        "".join(_HALF_BLOCKS[upper + lower] for upper, lower in zip(*pair, strict=True))
        for pair in zip(rows[::2], rows[1::2], strict=True)
    )
    return "\n".join(f"{_ANSI_BLACK_ON_WHITE}{line}{_ANSI_RESET}" for line in lines)


def read_luma(data: bytes, width: int, height: int) -> str | None:
    """The text of the QR code in a frame of width x height bytes of luminance; one of ours goes first.

    Raises ValueError where the size is not the data's.
    """
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE) or len(data) != width * height:
        raise ValueError("a frame is width x height bytes of luminance")
    frame = memoryview(data).cast("B", (height, width))
    found = zxingcpp.read_barcodes(frame, formats=_QR, text_mode=zxingcpp.TextMode.Plain)
    texts = sorted((symbol.text for symbol in found), key=lambda text: not text.startswith(SCHEME))
    return texts[0] if texts else None


def _packed(bits: str) -> bytes:
    """A text of "1" and "0" as bytes, most significant bit first, the last one filled with zeros."""
    fill = -len(bits) % 8
    return (int(bits, 2) << fill).to_bytes((len(bits) + fill) // 8, "big")


def _widened(row: str, scale: int, quiet: int) -> str:
    """A row of modules as pixels, in which 1 is light."""
    margin = "1" * (quiet * scale)
    return margin + "".join(("0" if module == "1" else "1") * scale for module in row) + margin


def _png_line(pixels: str) -> bytes:
    return _PNG_NO_FILTER + _packed(pixels)


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
