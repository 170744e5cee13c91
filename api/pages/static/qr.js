// The code's picture from the service's matrix: no QR library, black on white in both schemes.
import { svg } from "./dom.js";

const QUIET = 4; // modules, ISO/IEC 18004 §6.3.8

/** Draws `{size, bits}`: base64 of size × size bits, row by row, 1 dark, without quiet zone. */
export function drawMatrix({ size, bits }, label) {
  const bytes = Uint8Array.from(atob(bits), (character) => character.charCodeAt(0));
  const side = size + 2 * QUIET;
  return svg(
    "svg",
    { class: "qr", viewBox: `0 0 ${side} ${side}`, role: "img", "aria-label": label, "shape-rendering": "crispEdges" },
    svg("rect", { class: "qr-paper", width: side, height: side }),
    svg("path", { class: "qr-ink", d: darkRuns(bytes, size) }),
  );
}

function darkRuns(bytes, size) {
  const dark = (index) => (bytes[index >> 3] >> (7 - (index & 7))) & 1;
  const runs = [];
  for (let y = 0; y < size; y += 1) {
    for (let x = 0; x < size; x += 1) {
      if (!dark(y * size + x)) continue;
      const from = x;
      while (x + 1 < size && dark(y * size + x + 1)) x += 1;
      const width = x - from + 1;
      runs.push(`M${from + QUIET} ${y + QUIET}h${width}v1h-${width}z`);
    }
  }
  return runs.join("");
}
