// A ring that empties as the code's life runs out, with the seconds in the middle.
import { h, svg } from "./dom.js";

const RADIUS = 18;
const AROUND = 2 * Math.PI * RADIUS;

/** `.node` and `.set(left, life)` in seconds. */
export function makeRing() {
  const hand = svg("circle", { class: "ring-hand", cx: 22, cy: 22, r: RADIUS, "stroke-dasharray": AROUND });
  const seconds = h("span", { class: "ring-seconds" });
  const picture = svg(
    "svg",
    { viewBox: "0 0 44 44", focusable: "false" },
    svg("circle", { class: "ring-track", cx: 22, cy: 22, r: RADIUS }),
    hand,
  );
  return {
    node: h("span", { class: "ring", "aria-hidden": "true" }, picture, seconds),
    set(left, life) {
      hand.setAttribute("stroke-dashoffset", String(AROUND * (1 - left / life)));
      seconds.textContent = String(Math.ceil(left));
    },
  };
}
