// Building the page: elements from plain values. Text only ever becomes a text node.
import { icons } from "./icons.js";

const SVG = "http://www.w3.org/2000/svg";

/** An element. `props`: class, data-*, aria-*, other attributes, on… handlers; false and null leave one out. */
export function h(tag, props, ...children) {
  return fill(document.createElement(tag), props, children);
}

/** The same for SVG. */
export function svg(tag, props, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}

/** An icon; hidden from screen readers unless it has a label of its own. */
export function icon(name, label) {
  const spoken = label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" };
  return svg(
    "svg",
    { class: "icon", viewBox: "0 0 24 24", focusable: "false", ...spoken },
    svg("path", { d: icons[name] }),
  );
}

/** Puts `children` in place of what the element holds. */
export function show(element, ...children) {
  element.replaceChildren(...nodes(children));
  return element;
}

/** A button that looks like one: `kind` is primary, quiet, plain or icon. */
export function button(kind, label, onclick, props) {
  const { icon: name, ...rest } = props ?? {};
  return h(
    "button",
    { type: "button", class: `button button-${kind}`, onclick, ...rest },
    name && icon(name),
    h("span", null, label),
  );
}

/** A word or two set apart. */
export const chip = (text, kind = "") => h("span", { class: `chip ${kind}` }, text);

/** A button with an icon alone, named for screen readers. */
export function iconButton(name, label, onclick, props) {
  return h(
    "button",
    { type: "button", class: "button button-icon", "aria-label": label, title: label, onclick, ...props },
    icon(name),
  );
}

function fill(element, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...nodes(children));
  return element;
}

function nodes(children) {
  return children.flat(3).filter((child) => child !== null && child !== undefined && child !== false && child !== "");
}
