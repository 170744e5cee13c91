// The records of a card: newest first, by kind, and the ways to what can be done with them.
import { button, h, icon } from "./dom.js";
import { chips, screen } from "./form.js";
import { t } from "./language.js";
import { empty, pagesOf, refusalOf, whoseOf } from "./parts.js";
import * as api from "./records-api.js";
import { remember } from "./record-book.js";
import { KINDS, kindWords, marks, momentWords, monthWords } from "./records-words.js";

let kind = ""; // the filter stays while one looks into records and comes back

export function recordsView(app) {
  const title = t("records.title");
  const card = app.card.card_id;
  const list = pagesOf({
    ask: async (cursor) => {
      const page = await api.records(card, { kind, cursor });
      remember(page.records);
      return { items: page.records, next: page.next_cursor };
    },
    item: (record) => recordRow(app, record),
    heading: (record) => monthWords(record.occurred_at),
    none: () => empty("records", t(kind ? "records.none.kind" : "records.none")),
    more: t("list.more"),
    refused: refusalOf(app),
  });
  const options = [["", t("kind.all")], ...KINDS.map((each) => [each, t(`kind.short.${each}`)])];
  const filter = chips(t("records.filter"), options, kind, (chosen) => {
    kind = chosen;
    list.reload();
  });
  const way = (name, text, to) =>
    h(
      "button",
      { type: "button", class: "row", onclick: () => app.go(to) },
      icon(name),
      h("span", { class: "row-words" }, text),
      icon("next"),
    );
  const ways = [way("trend", t("trends.title"), "trends"), way("shield", t("consents.title"), "consents")];
  filter.node.classList.add("kinds");
  list.reload();
  const found = h("div", { "aria-live": "polite" }, list.node);
  const node = screen(
    title,
    app.back,
    whoseOf(app, t("records.whose")),
    h("div", { class: "rows" }, ways),
    filter.node,
    found,
    button("quiet", t("data.take"), () => app.go("data"), { icon: "out" }),
  );
  return { node, title, tab: "me", wake: () => found.querySelector(".notice") && list.reload() };
}

/** One record of a list: what, where, when, and what must not be overlooked. */
export function recordRow(app, record) {
  const { record_id: id, title, kind: of, hospital, occurred_at: at } = record;
  return h(
    "button",
    { type: "button", class: "row record", onclick: () => app.go("record", { id }) },
    h(
      "span",
      { class: "row-words" },
      h("span", { class: "record-head" }, h("strong", { class: "row-name" }, title), ...marks(record)),
      h("span", null, hospital.name),
      h("span", { class: "soft" }, `${momentWords(at)} · ${kindWords(of)}`),
    ),
    icon("next"),
  );
}
