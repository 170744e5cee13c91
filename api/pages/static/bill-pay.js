// Paying a bill: one button, then WeChat's sheet; whatever that says, only the service says whether it is paid.
import { Attempt } from "./attempt.js";
import { button, h, show } from "./dom.js";
import { notice } from "./form.js";
import { NoAnswer, explain, passing } from "./http.js";
import { minutes, t } from "./language.js";
import { askWeChat, canAsk, closeSheet } from "./bill-sheet.js";
import { underWay, yuan } from "./bill-words.js";
import * as api from "./bills-api.js";
import { tried } from "./parts.js";

const SLOWEST = 10; // seconds between two looks; the first come after 1, 2, 3 …

/**
 * The part of a bill that is not paid: `{node, busy(), wake(), stop()}`. `began()`, `over(payment)`: it ended (null: look again);
 * `changed()`: the insurer settled other parts; `said`: where refusals are said; `signedOut(error)`.
 */
export function payPart({ bill, said, began, over, changed, signedOut }) {
  const node = h("div", { class: "stack pay" });
  const line = h("p", { class: "soft", role: "status" });
  let attempt = new Attempt();
  let payment = null;
  let looks = 0;
  let timer = 0;
  let beat = 0;
  let asking = false;
  let stopped = false;

  function due() {
    const words = bill.cash_fen ? t("pay.wechat", { amount: yuan(bill.cash_fen) }) : t("pay.none");
    const go = button("primary", words, () => tried(go, said, pay, refused), { icon: bill.cash_fen ? "payment" : "check", class: "button button-primary pay-go" });
    show(node, go, h("p", { class: "soft" }, t(bill.cash_fen ? "pay.hint" : "pay.none.hint")));
  }

  async function pay() {
    const made = await api.pay(attempt, bill.bill_id);
    attempt = new Attempt();
    take(made);
    if (payment?.status !== "pending") return;
    began();
    if (payment.jsapi) await sheet();
  }

  /** WeChat's sheet; its word is taken for a reason to look, no more. */
  async function sheet() {
    const word = await askWeChat(payment.jsapi, yuan(payment.amount_fen));
    if (stopped) return;
    if (word !== "ok") show(said, notice("again", { title: t(`sheet.said.${word}`), todo: t(`sheet.said.${word}.todo`) }));
    look();
  }

  function refused(error) {
    if (error.status === 401) signedOut(error);
    if (error.code === "bill-changed") return changed(), "";
    if (error.code === "bill-not-payable") over(null);
    return notice("again", error instanceof NoAnswer ? { title: t("pay.lost"), todo: t("pay.lost.todo") } : explain(error));
  }

  /** What the service says of the payment. */
  function take(found) {
    const before = payment?.status;
    payment = found;
    if (found.status === "succeeded" || found.status === "closed") return stop(), over(found);
    if (found.status !== before) draw();
    if (before === undefined) follow();
    return null;
  }

  function draw() {
    clearInterval(beat);
    if (payment.status === "checking") return show(node, waiting(t("pay.checking"), t("pay.checking.todo")), line);
    const left = h("strong", { class: "pay-left" });
    const count = () => (left.textContent = countdown(payment.expires_at));
    const on = payment.jsapi && canAsk() && button("primary", t("pay.on", { amount: yuan(payment.amount_fen) }), () => sheet(), { icon: "payment" });
    const off = button("quiet", t("pay.cancel"), () => tried(off, said, cancel, refused), { icon: "cross" });
    count();
    beat = setInterval(count, 1000);
    const head = h("p", { class: "bill-head" }, h("span", null, t("pay.pending")), left);
    show(node, h("div", { class: "panel stack" }, head, h("p", { class: "soft" }, t("pay.pending.todo"))), on, off, line);
    return null;
  }

  async function cancel() {
    const found = await api.cancel(payment.payment_id);
    take(found);
  }

  /** Asks after 1, 2, 3 … seconds until it is paid or closed. */
  function follow() {
    clearTimeout(timer);
    looks = Math.min(looks + 1, SLOWEST);
    timer = setTimeout(look, looks * 1000);
  }

  async function look() {
    if (stopped || asking || !payment) return;
    asking = true;
    clearTimeout(timer);
    try {
      const found = await api.payment(payment.payment_id);
      line.textContent = "";
      if (!stopped) take(found);
    } catch (error) {
      if (error.status === 401) signedOut(error);
      line.textContent = passing(error) || error.status === 429 ? t("pay.no-answer") : "";
    } finally {
      asking = false;
    }
    if (!stopped) follow();
  }

  /** A payment that was begun before: ours goes on here, another phone's or the window's does there. */
  async function found() {
    const live = underWay(bill);
    const elsewhere = () => show(node, waiting(t(live?.method === "window" ? "pay.window" : live ? "pay.elsewhere" : "pay.settling"), t("pay.elsewhere.todo")));
    if (live?.method !== "wechat") return elsewhere();
    show(node, waiting(t("pay.looking"), ""));
    try {
      const mine = await api.payment(live.payment_id);
      if (!stopped) take(mine);
    } catch (error) {
      if (error.status === 404) elsewhere();
    }
    return null;
  }

  function stop() {
    stopped = true;
    closeSheet();
    clearTimeout(timer);
    clearInterval(beat);
  }

  if (bill.status === "due") due();
  else found();
  return { node, stop, busy: () => payment !== null && !stopped, wake: () => look() };
}

const waiting = (title, todo) =>
  h("div", { class: "panel pay-check", role: "status" }, h("span", { class: "spinner" }), h("div", null, h("p", { class: "notice-title" }, title), todo && h("p", null, todo)));

/** How long it can still be paid. */
function countdown(at) {
  const left = Math.floor((Date.parse(at) - Date.now()) / 1000);
  return left > 0 ? t("pay.left", { time: minutes(left) }) : t("pay.left.none");
}
