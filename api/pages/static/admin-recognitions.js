// Mutual recognition by item, for auditors: how often a result stood for a new test, and why not.
import * as api from "./admin-records-api.js";
import { button, h, show } from "./dom.js";
import { chips } from "./form.js";
import { explain } from "./http.js";
import { known, t } from "./language.js";

const DAY = 86_400_000; // ms
const ZONE = 8 * 3_600_000; // ms that Asia/Shanghai is ahead of UTC
const PERIODS = [30, 90, 365]; // days

const dateOf = (at) => new Date(at + ZONE).toISOString().slice(0, 10);

export function recognitionsPart() {
  const place = h("div", { class: "stack" });
  const options = PERIODS.map((days) => [days, t("recognised.days", { days })]);
  const period = chips(t("recognised.period"), options, PERIODS[0], () => load());
  const title = h("h2", { id: "recognised" }, t("recognised.title"));
  const node = h("section", { class: "panel", "aria-labelledby": "recognised" }, title, period.node, place);
  let run = 0;

  async function load() {
    const mine = ++run;
    try {
      const now = Date.now();
      const items = await api.recognitions(dateOf(now - (period.value - 1) * DAY), dateOf(now));
      if (mine === run) show(place, items.length ? table(items) : h("p", { class: "soft" }, t("recognised.none")));
    } catch (error) {
      const again = button("plain", t("again"), load, { icon: "refresh" });
      if (mine === run) show(place, h("p", { class: "soft" }, explain(error).title), again);
    }
  }
  return { node, begin: load };
}

function table(items) {
  const head = ["item", "accepted", "repeated"].map((each) => h("th", { scope: "col" }, t(`recognised.${each}`)));
  return h("table", { class: "counts" }, h("thead", null, h("tr", null, head)), h("tbody", null, items.map(row)));
}

function row({ item, name, accepted, repeated, reasons }) {
  const why = Object.entries(reasons)
    .sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${known(`reason.${reason}`, null) ?? reason} ${count}`);
  const share = Math.round((100 * accepted) / (accepted + repeated || 1));
  return h(
    "tr",
    null,
    h("th", { scope: "row" }, name, h("code", { class: "counts-code soft" }, item)),
    h("td", null, h("strong", null, accepted), h("span", { class: "soft" }, ` ${share}%`)),
    h("td", null, h("strong", null, repeated), h("span", { class: "counts-why soft" }, why.join(" · "))),
  );
}
