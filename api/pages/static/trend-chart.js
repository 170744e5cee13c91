// A chart of one test over time, drawn as SVG: the reference band, the line, its points, the axes in words.
import { h, svg } from "./dom.js";
import { english, t } from "./language.js";

const ZONE = "Asia/Shanghai";
const TICKS = 4;
const DIGITS = 8; // of an axis's values after the point, and noughts before it
const LONG = 16; // letters of a value; beyond, the chart says it short, and the list beside it in full
const NARROW = 12; // letters; below it the dates need the room under the values too
const MANY = 40; // points from which on they are drawn small
const DAY_LONG = 86_400_000; // ms
const MONTHS_LONG = 300 * DAY_LONG;
const locale = english ? "en-GB" : "zh-CN";
const form = (options) => new Intl.DateTimeFormat(locale, { timeZone: ZONE, ...options });
const DAY = form({ month: english ? "short" : "long", day: "numeric" });
const MONTH = form({ year: "numeric", month: english ? "short" : "long" });
const HOUR = form({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

/** `points`: of one unit, oldest first, `{at, value, low, high, off}` with numbers and ms; `said`: title and summary. */
export function trendChart(points, { title, summary }) {
  const frame = h("div", { class: "chart" });
  const watch = new ResizeObserver(() => {
    if (!frame.isConnected) return watch.disconnect();
    const { clientWidth: width, clientHeight: height } = frame;
    if (width && height) frame.replaceChildren(drawn(points, width, height, { title, summary }));
    return null;
  });
  watch.observe(frame);
  return frame;
}

function drawn(points, width, height, { title, summary }) {
  const type = parseFloat(getComputedStyle(document.documentElement).fontSize);
  const values = ticks(points);
  const left = Math.max(...values.map((each) => each.length)) * type * 0.62 + type * 0.5;
  const box = { left, right: width - type * 0.75, top: type * 1.6, bottom: height - type * 1.9 };
  const x = scale(points[0].at, points.at(-1).at, box.left + type * 0.75, box.right);
  const y = scale(Number(values[0]), Number(values.at(-1)), box.bottom, box.top);
  return svg(
    "svg",
    { class: "chart-picture", width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": title },
    svg("title", null, title),
    svg("desc", null, summary),
    bands(points, x, y, box),
    values.map((each) => grid(each, y(Number(each)), box, type)),
    points.length > 1 &&
      svg("polyline", { class: "chart-line", points: points.map((p) => `${x(p.at)},${y(p.value)}`).join(" ") }),
    points.map((point) => dot(point, x, y, points.length > MANY ? 2.5 : 5)),
    spoken(points, x, y, box, type),
    dates(points, box, height - type * 0.5, type),
  );
}

/** From a span of values to a span of pixels; a span of nothing lies in the middle. */
function scale(from, to, low, high) {
  if (from === to) return () => (low + high) / 2;
  return (value) => low + ((value - from) / (to - from)) * (high - low);
}

/** Round values that hold all points and, where they are near, their ranges. As texts, lowest first. */
function ticks(points) {
  const values = points.map(({ value }) => value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const reach = Math.max(2 * (high - low), Math.abs(high) / 2);
  const near = (bound) => bound !== null && bound > low - reach && bound < high + reach;
  const all = [low, high, ...points.flatMap((point) => [point.low, point.high]).filter(near)];
  const [least, most] = [Math.min(...all), Math.max(...all)];
  const room = (most - least || Math.abs(most) || 1) * 0.08;
  const bottom = least >= 0 ? Math.max(0, least - room) : least - room;
  const rough = (most + room - bottom) / TICKS;
  const power = Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((each) => each * 10 ** power >= rough) * 10 ** power;
  const first = Math.floor(bottom / step);
  const count = Math.ceil((most + room) / step) - first;
  return Array.from({ length: count + 1 }, (_, index) => written((first + index) * step, power));
}

/** A value of an axis with the digits that its steps need: in full, or as a power of ten where that would be long. */
function written(value, power) {
  if (Math.abs(power) <= DIGITS) return value.toFixed(Math.max(0, -power));
  return value ? Number(value.toPrecision(15)).toExponential() : "0";
}

/** The reference range where it held: between the middles of neighbouring points, open ends to the edge. */
function bands(points, x, y, box) {
  const found = [];
  points.forEach(({ at, low, high }, index) => {
    if (low === null && high === null) return;
    const from = index ? (x(points[index - 1].at) + x(at)) / 2 : box.left;
    const to = index < points.length - 1 ? (x(at) + x(points[index + 1].at)) / 2 : box.right;
    const last = found.at(-1);
    if (last && last.low === low && last.high === high && last.to === from) last.to = to;
    else found.push({ low, high, from, to });
  });
  const within = (bound, edge) => (bound === null ? edge : Math.min(box.bottom, Math.max(box.top, y(bound))));
  return found.map(({ low, high, from, to }) => {
    const [above, below] = [within(high, box.top), within(low, box.bottom)];
    const size = { x: from, y: above, width: to - from, height: Math.max(0, below - above) };
    return svg("rect", { class: "chart-band", ...size });
  });
}

function grid(value, at, box, type) {
  return svg(
    "g",
    null,
    svg("line", { class: "chart-grid", x1: box.left, x2: box.right, y1: at, y2: at }),
    svg("text", { class: "chart-words", x: box.left - type * 0.4, y: at + type * 0.35, "text-anchor": "end" }, value),
  );
}

/** A point; one outside its range is a square, so that it stands out without colour. */
function dot({ at, value, off }, x, y, size) {
  const [across, down] = [x(at), y(value)];
  if (!off) return svg("circle", { class: "chart-dot", cx: across, cy: down, r: size });
  return svg("rect", { class: "chart-off", x: across - size, y: down - size, width: 2 * size, height: 2 * size });
}

/** The newest value, in words beside its point, on the side where the line does not come from. */
function spoken(points, x, y, box, type) {
  const { at, value, text } = points.at(-1);
  const fell = points.length > 1 && points.at(-2).value > value;
  const below = (fell || y(value) - type * 1.6 < box.top) && y(value) + type * 1.6 < box.bottom;
  const [across, down] = [x(at), y(value) + (below ? type * 1.5 : -type * 0.7)];
  const middle = across + type * 1.5 < box.right;
  return svg(
    "text",
    { class: "chart-now", x: middle ? across : box.right, y: down, "text-anchor": middle ? "middle" : "end" },
    text.length > LONG ? String(Number(text)) : text,
  );
}

function dates(points, box, at, type) {
  const [first, last] = [points[0].at, points.at(-1).at];
  const [from, to] = [axisWords(first, last, first), axisWords(first, last, last)];
  if (first === last)
    return svg("text", { class: "chart-words", x: (box.left + box.right) / 2, y: at, "text-anchor": "middle" }, from);
  const left = box.right - box.left < type * NARROW ? 0 : box.left;
  return [
    svg("text", { class: "chart-words", x: left, y: at }, from),
    from !== to && svg("text", { class: "chart-words", x: box.right, y: at, "text-anchor": "end" }, to),
  ];
}

/** An end of the axis: its month where most of a year lies between, its day, or its time within one day. */
function axisWords(first, last, at) {
  if (last - first < DAY_LONG && last > first) return HOUR.format(at);
  return (last - first < MONTHS_LONG ? DAY : MONTH).format(at);
}

/** What a chart shows, for those who do not see it. */
export function summaryOf(points, unit) {
  const [first, last] = [points[0], points.at(-1)];
  if (points.length === 1) return t("trend.summary.one", { value: first.text, unit });
  const sorted = [...points].sort((one, other) => one.value - other.value);
  const least = sorted[0].text;
  const most = sorted.at(-1).text;
  return t("trend.summary", { count: points.length, first: first.text, last: last.text, least, most, unit });
}
