// The bills of a card, newest first; what is still to be paid stands out.
import { h, icon } from "./dom.js";
import { screen } from "./form.js";
import { t } from "./language.js";
import { itemsWords, momentWords, statusChip, yuan } from "./bill-words.js";
import * as api from "./bills-api.js";
import { empty, pagesOf, refusalOf, whoseOf } from "./parts.js";

export function billsView(app) {
  const title = t("bills.title");
  const card = app.card.card_id;
  const list = pagesOf({
    ask: async (cursor) => {
      const page = await api.bills(card, cursor);
      return { items: page.bills, next: page.next_cursor };
    },
    item: (bill) => billRow(app, bill),
    none: () => empty("payment", t("bills.none")),
    more: t("list.more"),
    refused: refusalOf(app),
  });
  list.reload();
  const found = h("div", { "aria-live": "polite" }, list.node);
  const node = screen(title, app.back, whoseOf(app, t("bills.whose")), found);
  return { node, title, tab: "me", told: list.reload, wake: () => list.reload() };
}

function billRow(app, bill) {
  const { bill_id: id, hospital, status } = bill;
  const due = status === "due";
  return h(
    "button",
    { type: "button", class: due ? "row bill bill-due" : "row bill", onclick: () => app.go("bill", { id }) },
    h(
      "span",
      { class: "row-words" },
      h("span", { class: "bill-head" }, h("strong", { class: "row-name" }, hospital.name), statusChip(bill)),
      h("span", null, itemsWords(bill)),
      h("span", { class: "soft" }, momentWords(bill.at)),
    ),
    h(
      "span",
      { class: "bill-side" },
      h("span", { class: "soft" }, t(due ? "bill.cash.short" : "bill.total")),
      h("strong", { class: "bill-sum" }, yuan(due ? bill.cash_fen : bill.total_fen)),
      due && h("span", { class: "bill-go" }, t("bill.go")),
    ),
    icon("next"),
  );
}
