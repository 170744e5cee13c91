// A refund as the patient sees it: how much of what, by which way it goes back, and whether it has arrived.
import { h } from "./dom.js";
import { t } from "./language.js";
import { momentWords, paidBy, partsTable, refundChip, refundWords } from "./bill-words.js";
import { facts } from "./parts.js";

export function refundPanel(refund, bill) {
  const late = refund.kind === "late";
  return h(
    "div",
    { class: "panel stack refund" },
    h("p", { class: "bill-head" }, h("strong", { class: "row-name" }, t("refund.title")), refundChip(refund)),
    refund.cash_fen > 0 && h("p", null, wayWords(refund, bill)),
    partsTable(refund, { total: t("refund.total"), cash: t("refund.cash") }),
    facts([
      [t("refund.what"), refundWords(refund, bill)],
      [t("refund.reason"), late ? "" : refund.reason],
      [t("refund.at"), momentWords(refund.at)],
    ]),
  );
}

/** Which way the cash goes, and whether it is there. */
function wayWords({ status, kind }, bill) {
  const way = kind === "late" ? "wechat" : (paidBy(bill)?.method ?? "wechat");
  if (status === "succeeded") return t(way === "wechat" ? "refund.back.wechat" : "refund.back.window");
  return t(way === "wechat" ? "refund.wait.wechat" : "refund.wait.window");
}
