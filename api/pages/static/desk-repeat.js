// Is there one I need not repeat? Results of other hospitals that are recognised here, by item and age.
import { button, h, show } from "./dom.js";
import { field, filled } from "./form.js";
import { t } from "./language.js";
import { failed, pick, waiting } from "./desk-record-list.js";
import { choose, recordRow } from "./desk-record-row.js";

const AGES = [7, 14, 30, 90]; // days

/** `ask.records(query)`; `open(record, item)`; `items()`: what is marked on records seen already. */
export class RepeatView {
  constructor({ ask, open, items }) {
    Object.assign(this, { ask, found: open, items });
    this.within = 14;
    this.field = field("item", t("need.item"), { "data-typing": true, spellcheck: "false", hint: t("need.item.hint") });
    this.known = h("div", { class: "rec-picks" });
    this.ages = h("div", { class: "rec-picks", role: "radiogroup", "aria-label": t("need.within") });
    this.body = h("div", { class: "rec-list" });
    const go = button("primary", t("need.go"), null, { type: "submit" });
    const form = h(
      "form",
      { class: "rec-repeat", novalidate: true, onsubmit: (event) => (event.preventDefault(), this.search()) },
      h("div", { class: "rec-dates" }, this.field.node, go),
      this.known,
      this.ages,
    );
    this.node = h("div", { class: "rec-lists" }, h("p", { class: "soft" }, t("need.lead")), form, this.body);
    this.clear();
  }

  clear() {
    this.run = (this.run ?? 0) + 1;
    this.records = [];
    this.chosen = null;
    this.cursor = null;
    this.state = "new"; // loading, ready, failed
    this.draw();
  }

  open() {
    const fill = ({ code }) => {
      this.field.value = code;
      this.search();
    };
    const one = (item) => h("button", { type: "button", class: "pick", onclick: () => fill(item) }, `${item.name} ${item.code}`);
    show(this.known, this.items().map(one));
    this.drawAges();
  }

  drawAges() {
    const set = (days) => {
      this.within = days;
      this.drawAges();
      if (this.state !== "new") this.search();
    };
    show(this.ages, AGES.map((days) => pick(t("need.days", { days }), days === this.within, () => set(days))));
  }

  search() {
    if (!filled([this.field])) return;
    this.clear();
    this.item = this.field.value.trim();
    this.more();
  }

  async more() {
    const run = ++this.run;
    this.state = "loading";
    this.draw();
    try {
      const { item, within, cursor } = this;
      const page = await this.ask.records({ recognised: "true", item, within, cursor });
      if (run !== this.run) return;
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

  toRecord(record) {
    this.found(record, this.item);
  }

  press(key) {
    return choose(this, key);
  }

  draw() {
    const { records, state, cursor } = this;
    const rows = records.map((each) => recordRow(each, { open: (one) => this.toRecord(one), chosen: each === this.chosen }));
    show(
      this.body,
      rows.length ? h("p", { role: "status" }, h("strong", null, t("need.found"))) : null,
      rows.length ? h("ol", null, rows) : null,
      state === "ready" && !rows.length ? h("p", { class: "desk-empty", role: "status" }, t("need.none")) : null,
      state === "loading" ? waiting() : null,
      state === "failed" ? failed(this.error, () => this.more()) : null,
      state === "ready" && cursor ? button("plain", t("rec.more"), () => this.more(), { icon: "next" }) : null,
    );
  }
}
