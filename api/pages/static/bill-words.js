// Bills in words, on the phone and at the window: amounts, parts, states, quantities.
import { chip, h } from "./dom.js";
import { clock, day, known, t } from "./language.js";
import { yuan } from "./money-words.js";

export { yuan };

export const PARTS = ["fund", "account", "hospital", "cash"];
const KINDS = { due: "chip-again", settling: "chip-again", checking: "chip-again", cancelled: "chip-off", refunded: "chip-off" };
const REFUNDS = { succeeded: "chip-accepted", failed: "chip-off" };
const GIVEN_BACK = ["pending", "checking", "succeeded"];

/** An instant with its day and time. */
export const momentWords = (at) => `${day(at)} ${clock(at)}`;

export const statusChip = ({ status }) => chip(known(`bill.status.${status}`, "bill.status.other"), KINDS[status] ?? "chip-accepted");

/** The state of a refund. */
export const refundChip = ({ status }) => chip(known(`refund.status.${status}`, "refund.status.other"), REFUNDS[status] ?? "chip-again");

/** Whether it is paid, be some of it refunded. */
export const isPaid = ({ status }) => ["paid", "partly-refunded", "refunded"].includes(status);

/** The payment that stands, or null. */
export const paidBy = ({ payments }) => payments.find(({ status }) => status === "succeeded") ?? null;

/** The payment that is under way, or null. */
export const underWay = ({ payments }) => payments.find(({ status }) => status === "pending" || status === "checking") ?? null;

/** The refunds that patient and window need to see: one that failed changed nothing. */
export const refundsOf = ({ refunds }) => refunds.filter(({ status }) => GIVEN_BACK.includes(status));

/** The parts of a bill or refund that are not 0; `total` and `cash` in these words, the cash last and largest. */
export function partsTable(of, { cash, total }) {
  const row = (name, words, fen) =>
    h("div", { class: `amount amount-${name}` }, h("dt", null, words), h("dd", null, yuan(fen)));
  const others = PARTS.slice(0, 3).filter((part) => of[`${part}_fen`] > 0);
  return h(
    "dl",
    { class: "amounts" },
    row("total", total, of.total_fen),
    others.map((part) => row(part, t(`bill.part.${part}`), of[`${part}_fen`])),
    row("cash", cash, of.cash_fen),
  );
}

/** What is billed: name, quantity × price, amount; what was given back of it. */
export function itemRow(item) {
  const times = t("bill.times", { quantity: item.quantity, price: yuan(item.price_fen) });
  const back = item.refunded_quantity !== "0" && chip(t("bill.item.back", { quantity: item.refunded_quantity }), "chip-off");
  return h(
    "li",
    { class: "bill-item" },
    h("span", { class: "bill-item-words" }, h("span", { class: "bill-item-name" }, item.name), h("span", { class: "soft" }, times), back),
    h("span", { class: "bill-item-amount" }, yuan(item.amount_fen)),
  );
}

/** The first item, and how many more. */
export function itemsWords({ items: [first, ...more] }) {
  return more.length ? t("bill.items.more", { name: first.name, count: more.length + 1 }) : first.name;
}

/** What a refund was for: items by name and quantity, all, or an amount. */
export function refundWords({ kind, items }, bill) {
  const one = ({ item_id: id, quantity }) => {
    const item = bill.items.find((each) => each.item_id === id);
    return item && t("refund.item", { name: item.name, quantity });
  };
  return kind === "items" ? items.map(one).filter(Boolean).join(t("refund.and")) : known(`refund.kind.${kind}`, "refund.kind.amount");
}
