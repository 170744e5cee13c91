// One bill at the window: its parts, the cash part large; taking it, cancelling, and refunding.
import { button, chip, h, show } from "./dom.js";
import { notice } from "./form.js";
import { t } from "./language.js";
import { refundForm } from "./desk-bill-refund.js";
import { focusOn } from "./desk-focus.js";
import { trying } from "./desk-bill-wrong.js";
import { isPaid, itemRow, momentWords, paidBy, partsTable, refundChip, refundWords, refundsOf, statusChip, underWay, yuan } from "./bill-words.js";

const LOOK = 3000; // ms between two looks at what is under way
const UNSETTLED = ["settling", "checking"];

/** `ask`: calls; `act(name, body, work)` does one thing once; `say(...nodes)` above the bill; `back()`. */
export class BillView {
  constructor({ bill, ask, act, say, back }) {
    Object.assign(this, { bill, ask, act, say, back });
    this.node = h("div", { class: "dbill" });
    this.acts = h("div", { class: "stack" });
    this.place = h("div", { class: "stack" });
    this.draw();
  }

  begin() {
    this.timer = setInterval(() => this.look(), LOOK);
  }

  close() {
    clearInterval(this.timer);
  }

  /** Looks again while somebody pays, or an upstream has yet to say what it did; also at one that is due. */
  async look() {
    const refunding = this.bill.refunds.some(({ status }) => ["pending", "checking"].includes(status));
    if (this.busy || this.asked || document.hidden) return;
    if (UNSETTLED.includes(this.bill.status) || this.bill.status === "due" || refunding) await this.fresh();
  }

  async fresh() {
    const found = await this.ask.bill(this.bill.bill_id).catch(() => null);
    if (!found || JSON.stringify(found) === JSON.stringify(this.bill)) return;
    this.bill = found;
    this.draw();
  }

  draw() {
    const { bill } = this;
    this.asked = false;
    show(this.place);
    show(
      this.node,
      this.head(),
      partsTable(bill, { total: t("bill.total"), cash: t(isPaid(bill) ? "dbill.cash.paid" : "dbill.cash") }),
      this.place,
      this.acts,
      this.refunds(),
      h("ul", { class: "bill-items" }, bill.items.map(itemRow)),
      isPaid(bill) && h("p", { class: "soft" }, this.receipt()),
    );
    this.offer();
  }

  head() {
    const { at, visit_number: visit, self_paid: own } = this.bill;
    return h(
      "p",
      { class: "dbill-head" },
      button("plain", t("dbill.list"), this.back, { icon: "previous" }),
      h("span", { class: "soft" }, `${momentWords(at)} · ${visit}`),
      own && chip(t("dbill.self-paid.short")),
      statusChip(this.bill),
    );
  }

  /** What can be done with it now. */
  offer() {
    const { status, cash_fen: cash } = this.bill;
    this.asked = false;
    this.first = null; // what F9 does
    if (status === "due") {
      const words = cash ? t("dbill.take", { amount: yuan(cash) }) : t("dbill.settle");
      const take = button("primary", `${words} F9`, () => this.taking(), { icon: "payment" });
      const drop = button("quiet", t("dbill.cancel"), () => this.dropping(), { icon: "cross" });
      this.first = () => this.taking();
      show(this.acts, h("div", { class: "dbill-acts" }, take, drop));
    } else if (UNSETTLED.includes(status)) {
      const way = status === "checking" || !underWay(this.bill) ? "checking" : underWay(this.bill).method;
      show(this.acts, notice("again", { title: t(`dbill.wait.${way}`), todo: t(`dbill.wait.${way}.todo`) }));
    } else if (isPaid(this.bill) && status !== "refunded") {
      this.first = () => this.refunding();
      show(this.acts, h("div", { class: "dbill-acts" }, button("quiet", `${t("dbill.refund")} F9`, () => this.refunding(), { icon: "refresh" })));
    } else {
      show(this.acts);
    }
  }

  /** Asked once: the money is in the clerk's hand. */
  taking() {
    const { cash_fen: cash, bill_id: id } = this.bill;
    const take = async () => {
      const paid = await this.act("take", [id, cash], (attempt) => this.ask.take(id, cash, attempt));
      this.bill = await this.ask.bill(id);
      this.say(paid.status === "succeeded" && notice("calm", { title: t("dbill.taken", { amount: yuan(cash) }), todo: t("dbill.taken.todo") }));
      this.draw();
    };
    const words = cash ? t("dbill.take.sure", { amount: yuan(cash) }) : t("dbill.settle.sure");
    this.question(words, t(cash ? "dbill.taken.yes" : "dbill.settle.yes"), take);
  }

  dropping() {
    const { bill_id: id } = this.bill;
    const drop = async () => {
      this.bill = await this.act("cancel", id, (attempt) => this.ask.cancel(id, attempt));
      this.say(notice("calm", { title: t("dbill.cancelled") }));
      this.draw();
    };
    this.question(t("dbill.cancel.sure"), t("dbill.cancel.yes"), drop);
  }

  question(words, label, work) {
    this.asked = true;
    const sure = button("primary", label, () => this.run(sure, work), { icon: "check" });
    const keep = button("quiet", t("dbill.leave"), () => this.offer());
    show(this.acts, h("div", { class: "desk-question", role: "group", "aria-label": words }, h("p", null, h("strong", null, words)), h("div", { class: "desk-acts" }, keep, sure)));
    focusOn(sure);
    this.acts.scrollIntoView({ block: "nearest" });
  }

  refunding() {
    this.asked = true;
    const send = async (body) => {
      const { bill_id: id } = this.bill;
      await this.act("refund", [id, body], (attempt) => this.ask.refund(id, body, attempt));
      this.bill = await this.ask.bill(id);
      this.say(notice("calm", { title: t("dbill.refunded"), todo: t(`dbill.refunded.${paidBy(this.bill)?.method ?? "window"}`) }));
      this.draw();
    };
    const form = refundForm(this.bill, { send: (pressed, body) => this.run(pressed, () => send(body)), leave: () => this.offer() });
    show(this.acts, form.node);
    form.begin();
  }

  /** After a refusal the bill is looked at again: somebody else may have changed it. */
  async run(pressed, work) {
    if (this.busy) return;
    this.busy = true;
    await trying(pressed, this.place, work, (error) => this.refused(error));
    this.busy = false;
  }

  async refused(error) {
    if (!["bill-changed", "bill-not-payable", "refund-exceeds"].includes(error.code)) return;
    const words = [...this.place.children];
    await this.fresh();
    this.offer();
    show(this.place, ...words);
  }

  refunds() {
    const row = (refund) => {
      const what = refundWords(refund, this.bill);
      const words = t("dbill.refund.row", { what, total: yuan(refund.total_fen), cash: yuan(refund.cash_fen) });
      const why = refund.kind !== "late" && h("span", { class: "soft" }, refund.reason);
      return h("li", { class: "dbill-refund" }, h("span", null, words), " ", refundChip(refund), why);
    };
    return h("ul", null, refundsOf(this.bill).map(row));
  }

  receipt() {
    const { paid_at: at, setl_id: setl } = this.bill;
    const method = paidBy(this.bill)?.amount_fen ? paidBy(this.bill).method : "none";
    return [at && momentWords(at), t(`dbill.way.${method}`), setl && t("dbill.settlement", { setl })].filter(Boolean).join(" · ");
  }

  press(key) {
    if (key === "Escape" && this.asked) this.offer();
    else if (key === "Escape") this.back();
    else if (key === "F9" && !this.asked) this.first?.();
    return key === "Escape" || key === "F9";
  }
}
