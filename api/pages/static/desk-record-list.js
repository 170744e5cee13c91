// What may be read of a person, newest first: by kind and time, more by page; arrows choose, F9 opens.
import { button, h, iconButton, show } from "./dom.js";
import { dateOf } from "./desk-words.js";
import { field, notice } from "./form.js";
import { explain, passing } from "./http.js";
import { t } from "./language.js";
import { choose, recordRow } from "./desk-record-row.js";
import { KINDS } from "./records-words.js";

const DAY = 86_400_000; // ms
const AGAIN = 5000; // ms
const PERIODS = [0, 7, 30, 365]; // days; 0: all there is
const DATE = /^\d{4}-\d{2}-\d{2}$/;

/** When that date begins in the hospitals' zone, or so much later (ms). */
const midnight = (date, more = 0) => date && new Date(Date.parse(`${date}T00:00:00+08:00`) + more).toISOString();

/** `ask.records(query)`; `open(record)`; `glass()` asks for break-glass, `broken()` says whether it is on. */
export class ListView {
  constructor({ now, ask, open, glass, broken }) {
    Object.assign(this, { now, ask, toRecord: open, glass, broken });
    this.kind = "";
    this.days = 0;
    this.dates = { from: "", to: "" };
    this.history = false;
    this.choosing = false;
    this.run = 0;
    this.clear();
    const date = (name) => field(name, t(`rec.${name}`), { "data-typing": true, placeholder: "2026-01-31" });
    this.fields = { from: date("from"), to: date("to") };
    this.filter = h("div", { class: "rec-filter" });
    this.body = h("div", { class: "rec-list" });
    this.node = h("div", { class: "rec-lists" }, this.filter, this.body);
  }

  /** Nothing is known any more; opening it asks anew. */
  clear() {
    this.records = [];
    this.cursor = null;
    this.chosen = null;
    this.state = "new"; // loading, ready, failed
    this.run += 1;
  }

  open() {
    this.choosing = false;
    this.drawFilter();
    if (this.state === "new") this.fetch();
    else this.draw();
  }

  fetch() {
    this.clear();
    return this.more();
  }

  async more() {
    const { cursor, kind, history } = this;
    const run = ++this.run;
    this.state = "loading";
    this.draw();
    try {
      const from = midnight(this.days ? dateOf(this.now() - this.days * DAY) : this.dates.from);
      const to = midnight(this.dates.to, DAY); // the last day is meant to be among them
      const page = await this.ask.records({ kind, from, to, history: history && "true", cursor });
      if (run !== this.run) return; // it looks for something else by now
      this.records = [...this.records, ...page.records];
      this.cursor = page.next_cursor;
      this.state = "ready";
    } catch (error) {
      if (run !== this.run) return;
      this.error = error;
      this.state = "failed";
    }
    this.draw();
  }

  /** The record of that id, as far as it is known here. */
  find(id) {
    return this.records.find((each) => each.record_id === id) ?? { record_id: id };
  }

  /** Items that results seen here are marked for: `{code, name}`, each once. */
  items() {
    const all = this.records.flatMap(({ recognition }) => recognition?.items ?? []);
    return [...new Map(all.map((item) => [item.code, item])).values()];
  }

  press(key) {
    return choose(this, key);
  }

  drawFilter() {
    const kinds = ["", ...KINDS].map((kind) => pick(t(kind ? `kind.short.${kind}` : "kind.all"), kind === this.kind, () => this.set({ kind })));
    const when = this.days ? t("rec.days", { days: this.days }) : this.dated() || t("rec.always");
    show(
      this.filter,
      h("div", { class: "rec-picks", role: "radiogroup", "aria-label": t("rec.kind") }, kinds),
      h(
        "div",
        { class: "desk-filter" },
        button("quiet", t("rec.when", { when }), () => this.turn(), { icon: "clock", "aria-expanded": String(this.choosing) }),
        h("p", { class: "desk-keys soft" }, t("rec.keys")),
        iconButton("refresh", t("rec.refresh"), () => this.fetch()),
      ),
      this.choosing && this.choice(),
    );
  }

  dated() {
    const { from, to } = this.dates;
    return from || to ? `${from || "…"} – ${to || "…"}` : "";
  }

  turn() {
    this.choosing = !this.choosing;
    this.drawFilter();
  }

  choice() {
    const periods = PERIODS.map((days) =>
      pick(days ? t("rec.days", { days }) : t("rec.always"), days === this.days && !this.dated(), () => this.during(days)),
    );
    const old = h(
      "button",
      { type: "button", class: "pick", "aria-pressed": String(this.history), onclick: () => this.set({ history: !this.history }) },
      t("rec.history"),
    );
    const go = button("quiet", t("rec.look"), null, { type: "submit" });
    return h(
      "div",
      { class: "rec-choice" },
      h("div", { class: "rec-picks", role: "radiogroup", "aria-label": t("rec.period") }, periods),
      h(
        "form",
        { class: "rec-dates", novalidate: true, onsubmit: (event) => this.between(event) },
        this.fields.from.node,
        this.fields.to.node,
        go,
      ),
      h("div", { class: "rec-picks" }, old),
    );
  }

  during(days) {
    for (const each of Object.values(this.fields)) each.value = "";
    this.set({ days, dates: { from: "", to: "" }, choosing: false });
  }

  between(event) {
    event.preventDefault();
    const dates = {};
    let wrong = null;
    for (const [name, each] of Object.entries(this.fields)) {
      dates[name] = each.value.trim();
      const good = !dates[name] || (DATE.test(dates[name]) && !Number.isNaN(Date.parse(dates[name])));
      each.complain(good ? "" : t("rec.date.wrong"));
      if (!good) wrong ??= each;
    }
    if (wrong) return wrong.input.focus();
    this.set({ days: 0, dates, choosing: false });
  }

  set(changes) {
    Object.assign(this, changes);
    this.drawFilter();
    this.fetch();
  }

  draw() {
    const { records, state, cursor } = this;
    const rows = records.map((each) => recordRow(each, { open: this.toRecord, chosen: each === this.chosen }));
    show(
      this.body,
      records.length ? h("ol", null, rows) : null,
      state === "ready" && !records.length ? h("p", { class: "desk-empty", role: "status" }, t("rec.none")) : null,
      state === "loading" ? waiting() : null,
      state === "failed" ? failed(this.error, () => this.more()) : null,
      state === "ready" && cursor ? button("plain", t("rec.more"), () => this.more(), { icon: "next" }) : null,
      this.broken() || state === "loading" ? null : this.toGlass(),
    );
  }

  /** The way to break-glass is there whether or not there is anything behind it. */
  toGlass() {
    return h("p", { class: "rec-glass-way" }, button("plain", t("rec.glass.open"), this.glass, { icon: "look" }));
  }
}

export const waiting = () =>
  h("p", { class: "desk-empty", "aria-busy": "true" }, h("span", { class: "spinner" }), t("loading"));

/** Why it could not be had, or `title`; where waiting may help it is asked for again by itself. */
export function failed(error, again, title = null) {
  const said = explain(error);
  const words = notice("again", title ? { ...said, title } : said, button("plain", t("again"), again, { icon: "refresh" }));
  if (passing(error)) setTimeout(() => words.isConnected && again(), AGAIN);
  return words;
}

/** One of several that exclude each other. */
export const pick = (words, on, onclick) =>
  h("button", { type: "button", class: "pick", role: "radio", "aria-checked": String(on), onclick }, words);
