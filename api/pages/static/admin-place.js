// Where a person is on a page that is drawn anew: what has the focus and what is open, found again by `data-key`.
import { show } from "./dom.js";

/** Remembers where the focus is; gives a function that brings it back, or as near as is left. */
export function holdPlace() {
  const from = document.activeElement;
  const near = [];
  for (let at = from; at; at = at.parentElement) {
    if (at.dataset.key) near.push(`[data-key="${CSS.escape(at.dataset.key)}"]`);
    if (at.hasAttribute("aria-labelledby")) near.push(`#${at.getAttribute("aria-labelledby")}`); // the part's heading
  }
  return () => {
    if (document.activeElement === from) return;
    const left = from.isConnected ? from : near.map((each) => document.querySelector(each)).find(Boolean);
    (left?.tagName === "DETAILS" ? left.querySelector("summary") : left)?.focus({ preventScroll: true });
  };
}

/** A part of the page that is drawn anew when what it shows has changed, without moving anybody. */
export function livePart(node) {
  let shown = "";
  return {
    node,
    /** Draws `build()` if `seen` is not what was drawn last, and nothing in it is being pressed. */
    draw(seen, build) {
      const now = JSON.stringify(seen);
      if (now === shown || node.matches(":active")) return;
      shown = now;
      const open = new Set([...node.querySelectorAll("details[open]")].map((each) => each.dataset.key));
      const back = node.contains(document.activeElement) ? holdPlace() : () => null;
      show(node, ...build());
      for (const each of node.querySelectorAll("details")) if (open.has(each.dataset.key)) each.open = true;
      back();
    },
  };
}
