// What is given back of a bill: all, some items, or an amount where no insurer paid; and why.
import { button, h, show } from "./dom.js";
import { chips, field } from "./form.js";
import { t } from "./language.js";
import { fenOf, leftOf, quantityOf, scaled } from "./desk-bill-numbers.js";
import { focusOn } from "./desk-focus.js";
import { yuan } from "./bill-words.js";

const REASONS = ["changed", "undone", "returned", "mistaken"];

/** `send(pressed, body)` asks for it, `leave()` goes back. `{node, begin()}`. */
export function refundForm(bill, { send, leave }) {
  const insured = bill.fund_fen + bill.account_fen + bill.hospital_fen > 0 || bill.setl_id !== null;
  const scopes = [["items", t("drefund.items")], ["all", t("drefund.all")], ...(insured ? [] : [["amount", t("drefund.amount")]])];
  const place = h("div", { class: "stack" });
  const rows = bill.items.filter((item) => scaled(leftOf(item)) > 0n).map(itemField);
  const amount = field("amount", t("drefund.yuan"), { "data-typing": true, inputmode: "decimal", placeholder: "25.00" });
  const reason = field("reason", t("refund.reason"), { "data-typing": true, maxlength: 400 });
  const scope = chips(t("drefund.what"), scopes, "items", draw);
  const go = button("primary", t("drefund.go"), null, { type: "submit", icon: "check" });
  const wrong = h("p", { class: "field-hint field-wrong", role: "alert" });

  function draw() {
    wrong.textContent = "";
    const all = h("p", null, t("drefund.all.words", { amount: yuan(bill.cash_fen) }));
    show(place, scope.value === "items" ? h("ul", { class: "drefund-items" }, rows.map(({ node }) => node)) : scope.value === "all" ? all : amount.node);
  }

  /** What is asked for, or null with the first wrong field told. */
  function asked() {
    if (scope.value === "all") return { all: true };
    if (scope.value === "amount") {
      const fen = fenOf(amount.value);
      amount.complain(fen ? "" : t("dbill.price.wrong"));
      if (!fen) amount.input.focus();
      return fen && { amount_fen: fen };
    }
    const bad = rows.find((row) => !row.good());
    if (bad) return bad.field.input.focus(), null;
    const items = rows.map((row) => row.asked()).filter(Boolean);
    wrong.textContent = items.length ? "" : t("drefund.none");
    return items.length ? { items } : null;
  }

  function submit(event) {
    event.preventDefault();
    const what = asked();
    const why = reason.value.trim();
    reason.complain(why ? "" : t("form.needed"));
    if (what && !why) reason.input.focus();
    if (what && why && !go.disabled) send(go, { ...what, reason: why });
  }

  const pick = (key) => h("button", { type: "button", class: "pick", onclick: () => (reason.value = t(`drefund.reason.${key}`)) }, t(`drefund.reason.${key}`));
  const escape = (event) => event.key === "Escape" && (event.stopPropagation(), leave());
  const node = h(
    "form",
    { class: "desk-question drefund stack", novalidate: true, "aria-label": t("dbill.refund"), onsubmit: submit, onkeydown: escape },
    scope.node,
    place,
    wrong,
    reason.node,
    h("div", { class: "dbill-acts" }, REASONS.map(pick)),
    h("div", { class: "desk-acts" }, button("quiet", t("dbill.leave"), leave), go),
  );
  draw();
  return {
    node,
    begin() {
      focusOn(rows[0]?.field.input ?? reason.input);
      node.scrollIntoView({ block: "nearest" });
    },
  };
}

/** How much of an item: empty is none of it; no more than is left. */
function itemField(item) {
  const left = leftOf(item);
  const made = field("quantity", item.name, { "data-typing": true, inputmode: "decimal", hint: t("drefund.left", { left, price: yuan(item.price_fen) }) });
  const all = button("plain", t("drefund.whole"), () => (made.value = left));
  return {
    field: made,
    node: h("li", null, made.node, all),
    good() {
      const text = made.value.trim();
      const fits = !text || (quantityOf(text) && scaled(text) <= scaled(left));
      made.complain(fits ? "" : t("drefund.left.wrong", { left }));
      return fits;
    },
    asked: () => made.value.trim() && { item_id: item.item_id, quantity: quantityOf(made.value) },
  };
}
