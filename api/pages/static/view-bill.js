// One bill: what is to be paid, in parts and in words; paying it; and afterwards the receipt with what was refunded.
import { h, show } from "./dom.js";
import { notice, screen } from "./form.js";
import { t } from "./language.js";
import { PARTS, isPaid, itemRow, momentWords, paidBy, partsTable, refundsOf, statusChip, yuan } from "./bill-words.js";
import { payPart } from "./bill-pay.js";
import { refundPanel } from "./bill-refund.js";
import * as api from "./bills-api.js";
import { facts, keepFresh, refusalOf, stuck, whose } from "./parts.js";
import { billsView } from "./view-bills.js";

const REFUNDING = ["pending", "checking"];
const SHORT = 9; // characters that fit in the largest type
const chosen = { id: null, of: null };

/** `id`: of the bill; without, the one that was looked at before. */
export function billView(app, given = {}) {
  if (given.id) Object.assign(chosen, { id: given.id, of: app.card.card_id });
  // The browser's forward button may lead here with another card chosen: nobody's bill stands under another's name.
  if (!chosen.id || chosen.of !== app.card.card_id) return billsView(app);
  const { id } = chosen;
  const title = t("bill.title");
  const place = h("div", { class: "stack" });
  const said = h("div", { class: "stack", "aria-live": "polite" });
  const node = screen(title, app.back, h("div", { class: "panel" }, whose(app)), said, place);
  let now = null;
  let part = null;
  let top = null;

  async function load() {
    if (!now) show(place, h("p", { class: "soft", role: "status" }, t("loading")));
    try {
      draw(await api.bill(id));
    } catch (error) {
      if (!now) stuck(place, error, refusalOf(app)(error), load);
      else if (error.status === 401) app.mustLookAgain(error);
    }
  }

  /** Draws what has changed; a tap on the way must not be lost for nothing. */
  function draw(bill) {
    if (now && JSON.stringify(bill) === JSON.stringify(now)) return;
    now = bill;
    part?.stop();
    part = isPaid(bill) || bill.status === "cancelled" ? null : payPart({ bill, said, began, over, changed, signedOut: app.mustLookAgain });
    top = head(bill);
    show(place, top, part?.node, amounts(bill), refunds(bill), items(bill), receipt(bill));
  }

  /** Looks again and draws all of it; where that fails the next beat tries again. */
  async function anew() {
    const found = await api.bill(id).catch(() => null);
    now = null;
    if (found) draw(found);
  }

  /** A payment waits for the payer: the head says so, the rest stands as it is. */
  async function began() {
    const found = await api.bill(id).catch(() => null);
    if (!found || !part?.busy()) return;
    const fresh = head(found);
    top.replaceWith(fresh);
    top = fresh;
  }

  /** A payment ended: whatever the phone said, the bill says how. */
  async function over(payment) {
    const paid = payment?.status === "succeeded";
    if (payment) show(said, notice("calm", { title: t(paid ? "pay.done" : "pay.closed"), todo: t(paid ? "pay.done.todo" : "pay.closed.todo") }));
    await anew();
    if (payment) scrollTo(0, 0);
  }

  /** The insurer settled other parts: they are shown beside the old ones, and asked about again. */
  async function changed() {
    const before = now;
    await anew();
    const differs = PARTS.filter((each) => before && now && before[`${each}_fen`] !== now[`${each}_fen`]);
    const line = (each) =>
      h("li", null, t("bill.changed.part", { part: t(`bill.part.${each}`), before: yuan(before[`${each}_fen`]), now: yuan(now[`${each}_fen`]) }));
    const words = notice("again", { title: t("bill.changed"), todo: t("bill.changed.todo") }, h("ul", { class: "bill-changes" }, differs.map(line)));
    show(said, words);
    words.scrollIntoView({ block: "nearest" });
  }

  /** Looks again while anything may change, unless a payment from here does so itself. */
  function fresh() {
    if (!now) return load();
    const waits = !["refunded", "cancelled"].includes(now.status) || now.refunds.some(({ status }) => REFUNDING.includes(status));
    return waits && !part?.busy() ? load() : null;
  }

  load();
  const beat = keepFresh(node, fresh);
  return { node, title, tab: "me", told: () => part?.busy() || load(), leave: () => part?.stop(), wake: () => (part?.wake(), beat()) };
}

function head(bill) {
  const due = !isPaid(bill) && bill.status !== "cancelled";
  const amount = yuan(due ? bill.cash_fen : bill.total_fen);
  return h(
    "div",
    { class: "panel bill-top" },
    h("p", { class: "bill-head" }, h("strong", { class: "row-name" }, bill.hospital.name), statusChip(bill)),
    h("p", { class: "soft" }, t(due ? "bill.part.cash" : "bill.total")),
    h("p", { class: amount.length > SHORT ? "bill-amount bill-amount-long" : "bill-amount" }, amount),
    bill.status === "cancelled" && h("p", null, t("bill.cancelled")),
  );
}

function amounts(bill) {
  const cash = t(isPaid(bill) ? "bill.cash.paid" : "bill.part.cash");
  return h("div", { class: "panel" }, h("h2", null, t("bill.parts")), partsTable(bill, { total: t("bill.total"), cash }));
}

function refunds(bill) {
  return refundsOf(bill).map((refund) => refundPanel(refund, bill));
}

function items(bill) {
  return h("div", { class: "panel" }, h("h2", null, t("bill.items")), h("ul", { class: "bill-items" }, bill.items.map(itemRow)));
}

/** What a receipt has: when and how it was paid, and the numbers that hospital and insurer know it by. */
function receipt(bill) {
  const paid = isPaid(bill);
  const way = paid && (paidBy(bill)?.amount_fen ? t(`bill.way.${paidBy(bill).method}`) : t("bill.way.none"));
  return h(
    "div",
    { class: "panel" },
    h("h2", null, t(paid ? "bill.receipt" : "bill.about")),
    facts([
      [t("bill.paid-at"), paid && bill.paid_at && momentWords(bill.paid_at)],
      [t("bill.way"), way],
      [t("bill.visit"), bill.visit_number],
      [t("bill.made-at"), momentWords(bill.at)],
      [t("bill.settlement"), paid && bill.setl_id],
      [t("bill.insurer"), bill.self_paid && t("bill.self-paid")],
      [t("bill.number"), bill.bill_id],
    ]),
  );
}

