// Keys on a time line: a bar for each, in the colours of its states; now stands at the same place in all of them.
import { h, svg } from "./dom.js";
import { clock, day, t } from "./language.js";

const NOW = 35; // percent of the width that the past takes
const BAR = 12; // px
const DAY = 86_400_000;

/** The scale of some keys' bars: `{bar(key), scale}`. Past and future are each to scale, so young keys are seen too. */
export function timeLine(keys) {
  const now = Date.now();
  const spans = new Map(keys.map((key) => [key.kid, [...pastOf(key, now), ...plannedOf(key, now)]]));
  const parts = [...spans.values()].flat();
  const begin = Math.min(now - 60_000, ...parts.map((part) => part.from));
  const end = Math.max(now + 60_000, ...parts.map((part) => part.to));
  const x = (at) => (at <= now ? (NOW * (at - begin)) / (now - begin) : NOW + ((100 - NOW) * (at - now)) / (end - now));
  return { bar: (key) => bar(spans.get(key.kid), x), scale: scale(begin, end) };
}

function bar(parts, x) {
  const piece = ({ state, from, to }) =>
    svg("rect", { class: `bar bar-${state}`, x: `${x(from)}%`, y: 3, width: `${Math.max(0.8, x(to) - x(from))}%`, height: BAR, rx: 3 });
  const now = svg("line", { class: "bar-now", x1: `${NOW}%`, x2: `${NOW}%`, y1: 0, y2: "100%" });
  return svg("svg", { class: "time-line", "aria-hidden": "true", focusable: "false" }, ...parts.map(piece), now);
}

function scale(begin, end) {
  const words = (at) => (Math.abs(at - Date.now()) < DAY ? `${day(at)} ${clock(at)}` : day(at));
  return h(
    "p",
    { class: "time-scale soft", "aria-hidden": "true" },
    h("span", null, words(begin)),
    h("span", null, t("keys.now")),
    h("span", null, words(end)),
  );
}

/** From now to the next step that has a time. */
function plannedOf(key, now) {
  const to = Date.parse(key.next?.at ?? "") || 0;
  return to > now ? [{ state: `${key.state} bar-planned`, from: now, to }] : [];
}

const STEPS = [
  ["pending", "created_at"],
  ["active", "activated_at"],
  ["retiring", "retiring_at"],
  ["retired", "retired_at"],
  ["destroyed", "destroyed_at"],
  ["compromised", "compromised_at"],
];
const ENDS = ["destroyed", "compromised"]; // a mark, not a span

function pastOf(key, now) {
  const steps = STEPS.map(([state, name]) => [state, Date.parse(key[name] ?? "")])
    .filter(([, from]) => from <= now)
    .sort((one, other) => one[1] - other[1]);
  return steps.map(([state, from], place) => ({ state, from, to: ENDS.includes(state) ? from : (steps[place + 1]?.[1] ?? now) }));
}
