// A new bill: what was done, how often and at what price. Typed with the keyboard alone; sums stand beside the rows.
import { button, h, iconButton, show } from "./dom.js";
import { field } from "./form.js";
import { t } from "./language.js";
import { fenOf, lineFen, quantityOf } from "./desk-bill-numbers.js";
import { focusOn } from "./desk-focus.js";
import { trying } from "./desk-bill-wrong.js";
import { yuan } from "./bill-words.js";

const MOST = 200; // rows
const ROOM = 400; // characters: a scan that lands in a field goes on whole to where it belongs
const CATEGORIES = "诊查费 检查费 化验费 治疗费 手术费 西药费 中成药费 中草药费 材料费 护理费 其他".split(" "); // as bills name them
const CELLS = ["name", "code", "category", "quantity", "price"];

/** `make(body)` makes the bill; `leave()` goes back without one. */
export class BillForm {
  constructor({ make, leave }) {
    Object.assign(this, { make, leave });
    this.visit = field("visit_number", t("dbill.visit"), { "data-typing": true, maxlength: ROOM });
    this.selfPaid = h("input", { type: "checkbox", class: "check", name: "self_paid", "data-typing": true });
    this.rows = [];
    this.list = h("ol", { class: "dbill-rows" });
    this.sum = h("strong", { class: "dbill-sum" });
    this.place = h("div", { class: "stack" });
    this.go = button("primary", t("dbill.make"), null, { type: "submit", icon: "check" });
    this.node = h(
      "form",
      { class: "dbill-form stack", novalidate: true, "aria-label": t("dbill.new"), onsubmit: (event) => this.submit(event), onkeydown: (event) => this.key(event) },
      h("datalist", { id: "dbill-categories" }, CATEGORIES.map((each) => h("option", { value: each }))),
      h("div", { class: "dbill-top" }, this.visit.node, h("label", { class: "consent" }, this.selfPaid, h("span", null, t("dbill.self-paid")))),
      this.list,
      button("plain", t("dbill.add"), () => this.add(), { icon: "plus" }),
      this.place,
      h("p", { class: "dbill-foot" }, h("span", null, t("bill.total"), " ", this.sum), h("span", { class: "soft" }, t("dbill.keys"))),
      this.go,
    );
    this.add();
  }

  begin() {
    focusOn(this.visit.input);
  }

  add() {
    if (this.rows.length >= MOST) return;
    const cell = (name, more) =>
      field(name, t(`dbill.${name}`), { "data-typing": true, maxlength: ROOM, oninput: () => this.count(), ...more });
    const row = {
      name: cell("name"),
      code: cell("code", { spellcheck: "false" }),
      category: cell("category", { list: "dbill-categories", value: this.rows.at(-1)?.category.value }),
      quantity: cell("quantity", { inputmode: "decimal", value: "1" }),
      price: cell("price", { inputmode: "decimal", placeholder: "25.00" }),
    };
    const drop = iconButton("cross", t("dbill.drop"), () => this.drop(row));
    row.node = h("li", { class: "dbill-line" }, CELLS.map((name) => row[name].node), drop);
    this.rows.push(row);
    this.list.append(row.node);
    this.count();
    if (this.rows.length > 1) focusOn(row.name.input);
  }

  drop(row) {
    if (this.rows.length === 1) return;
    this.rows = this.rows.filter((each) => each !== row);
    row.node.remove();
    this.count();
    focusOn(this.rows.at(-1).name.input);
  }

  count() {
    const fen = this.rows.map(({ quantity, price }) => (fenOf(price.value) ? lineFen(quantity.value, fenOf(price.value)) : 0));
    this.sum.textContent = yuan(fen.reduce((one, other) => one + other, 0));
  }

  /** F9 adds a row, Escape goes back; Enter makes the bill. */
  key(event) {
    if (!this.press(event.key)) return;
    event.preventDefault();
    event.stopPropagation(); // the window would hear it as well
  }

  /** Says at each field what is wrong with it; true if nothing is. */
  good() {
    let first = null;
    const check = (each, words) => {
      each.complain(words);
      if (words) first ??= each;
    };
    check(this.visit, this.visit.value.trim() ? "" : t("form.needed"));
    for (const row of this.rows) {
      for (const name of ["name", "code", "category"]) check(row[name], row[name].value.trim() ? "" : t("form.needed"));
      check(row.quantity, quantityOf(row.quantity.value) ? "" : t("dbill.quantity.wrong"));
      check(row.price, fenOf(row.price.value) ? "" : t("dbill.price.wrong"));
    }
    first?.input.focus();
    return first === null;
  }

  async submit(event) {
    event.preventDefault();
    show(this.place);
    if (this.go.disabled || !this.good()) return;
    const items = this.rows.map(({ name, code, category, quantity, price }) => ({
      code: code.value.trim(),
      name: name.value.trim(),
      category: category.value.trim(),
      quantity: quantityOf(quantity.value),
      price_fen: fenOf(price.value),
    }));
    await trying(this.go, this.place, () => this.make({ items, visit_number: this.visit.value.trim(), self_paid: this.selfPaid.checked }));
  }

  press(key) {
    if (key === "F9") this.add();
    else if (key === "Escape") this.leave();
    return key === "F9" || key === "Escape";
  }
}
