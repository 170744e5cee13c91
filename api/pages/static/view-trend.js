// How the results of one test changed: which tests there are, the chart, and the same in a list.
import { button, h, icon, show } from "./dom.js";
import { notice, screen } from "./form.js";
import { t } from "./language.js";
import { empty, refusalOf, stuck, whose, whoseOf } from "./parts.js";
import * as api from "./records-api.js";
import { choose } from "./record-chosen.js";
import { flagChip, flagWords, momentWords, rangeWords, valueWords } from "./records-words.js";
import { summaryOf, trendChart } from "./trend-chart.js";

const LISTED = 20; // results in the list; the older ones come by a tap
const DRAWN = 1000; // points of a chart, the newest
const LARGEST = 1e100; // number of a chart

export function trendsView(app) {
  const title = t("trends.title");
  const place = h("div", { class: "stack", "aria-live": "polite" });
  const load = fetching(
    app,
    place,
    () => api.codes(app.card.card_id),
    (codes) => {
      if (!codes.length) return show(place, empty("trend", t("trends.none")));
      return show(place, h("div", { class: "rows" }, codes.map(test)));
    },
  );

  function test({ code, name, count, last_at: at }) {
    const open = () => app.go("trend", { code, name });
    const words = [
      h("strong", { class: "row-name" }, name || code),
      h("span", { class: "soft" }, t("trends.count", { count, when: momentWords(at) })),
    ];
    return h(
      "button",
      { type: "button", class: "row", onclick: open },
      h("span", { class: "row-words" }, words),
      icon("next"),
    );
  }

  load();
  return { node: screen(title, app.back, whoseOf(app, t("records.whose")), place), title, tab: "me", wake: load };
}

/** `code`, `name`: of the test; without, the one that was looked at before. */
export function trendView(app, given) {
  const chosen = choose(app, "test", given);
  if (!chosen) return trendsView(app);
  const { code, name } = chosen;
  const title = name || code;
  const place = h("div", { class: "stack" });
  const load = fetching(
    app,
    place,
    () => api.points(app.card.card_id, code),
    (points) => {
      if (!points.length) return show(place, empty("trend", t("trend.none")));
      return show(place, charts(title, points), listed(app, points));
    },
  );
  load();
  return {
    node: screen(title, app.back, h("div", { class: "panel" }, whose(app)), place),
    title,
    tab: "me",
    wake: load,
  };
}

/** Asks and draws once; says why that failed. Gives what asks. */
function fetching(app, place, ask, draw) {
  let there = false;
  return async function load() {
    if (there) return;
    show(place, h("p", { class: "soft", role: "status" }, t("loading")));
    try {
      const found = await ask();
      there = true;
      draw(found);
    } catch (error) {
      stuck(place, error, refusalOf(app)(error), load);
    }
  };
}

/** A chart for each unit: values of different units never share a line. */
function charts(title, points) {
  const numbers = points.map(numeric).filter(Boolean).slice(-DRAWN);
  const units = [...new Set(numbers.map(({ unit }) => unit))];
  const one = (unit) => {
    const drawn = numbers.filter((point) => point.unit === unit);
    const named = unit || t("trend.no-unit");
    const chart = trendChart(drawn, {
      title: t("trend.picture", { title, unit: named }),
      summary: summaryOf(drawn, unit),
    });
    const band = drawn.some(({ low, high }) => low !== null || high !== null);
    const off = drawn.some((each) => each.off);
    const legend = h(
      "p",
      { class: "legend" },
      band && h("span", { class: "legend-band" }, t("trend.band")),
      off && h("span", { class: "legend-off" }, t("trend.off")),
    );
    return h("section", { class: "panel stack" }, h("h2", null, t("trend.unit", { unit: named })), chart, legend);
  };
  const apart = units.length > 1 && notice("calm", { title: t("trend.units.title"), todo: t("trend.units.todo") });
  const words = numbers.length < points.length && points.length <= DRAWN && h("p", { class: "soft" }, t("trend.words"));
  return [apart, ...units.map(one), words];
}

function numeric({ at, value, unit, low, high, flag }) {
  const number = drawable(value);
  if (number === null) return null;
  const range = { low: drawable(low), high: drawable(high) };
  const words = flagWords({ flag: flag ?? "", word: "", value, low, high });
  return { at: Date.parse(at), value: number, text: value, unit: unit ?? "", off: Boolean(words?.off), ...range };
}

/** The number of a text, or null where there is none that a chart could hold; what is all but nothing is 0. */
function drawable(text) {
  const number = String(text ?? "").trim() ? Number(text) : NaN;
  if (!(Math.abs(number) <= LARGEST)) return null;
  return Math.abs(number) < 1 / LARGEST ? 0 : number;
}

/** The same results in words, newest first, each with the way to its record. */
function listed(app, points) {
  const all = [...points].reverse();
  const list = h("ul", { class: "results" });
  const line = ({ at, value, unit, low, high, flag, record_id: id }) => {
    const row = { value, unit, low, high, flag: flag ?? "", word: "" };
    const words = h(
      "span",
      { class: "row-words" },
      h("span", { class: "soft" }, momentWords(at)),
      h("span", { class: "result-line" }, valueWords(row), flagChip(flagWords(row))),
      h("span", { class: "soft" }, rangeWords(row)),
    );
    const hint = h("span", { class: "visually-hidden" }, t("trend.record"));
    const open = () => app.go("record", { id });
    return h("li", null, h("button", { type: "button", class: "result", onclick: open }, words, hint, icon("next")));
  };
  const more = button("quiet", t("trend.all", { count: all.length }), () => {
    list.append(...all.slice(LISTED).map(line));
    more.remove();
  });
  show(list, all.slice(0, LISTED).map(line));
  return h("section", { class: "panel stack" }, h("h2", null, t("trend.list")), list, all.length > LISTED && more);
}
