// Breaking the glass: all records without consent, for an hour. Slow on purpose; what follows from it is said before.
import { button, h, icon, show } from "./dom.js";
import { complain, during, labelled } from "./form.js";
import { attemptName } from "./http.js";
import { known, t } from "./language.js";
import { pick } from "./desk-record-list.js";
import { operatorName } from "./visit.js";

const REASONS = ["life-threatening", "cannot-consent", "public-health"];
const POINTS = ["told", "marked", "reviewed"];
const [LEAST, MOST] = [10, 500]; // characters of the statement
const READING = 5; // seconds before it can be confirmed

/** `ask.breakGlass(body)`; `back()` without it; `broken(answer)` once it is. */
export class GlassView {
  constructor({ session, ask, back, broken }) {
    Object.assign(this, { session, ask, back, broken });
    this.reason = "";
    this.attempt = attemptName();
    this.reading = READING;
    this.reasons = h("div", { class: "rec-picks", role: "radiogroup", "aria-label": t("glass.reason") });
    this.reasonWords = h("p", { class: "field-hint" });
    this.statement = labelled("statement", t("glass.statement"), t("glass.statement.hint"), (id, spoken) =>
      h("textarea", { id, name: "statement", class: "input", rows: 3, "data-typing": true, oninput: () => this.statement.complain(""), ...spoken }),
    );
    this.read = h("input", { type: "checkbox", class: "check", name: "read", onchange: () => this.ready() });
    this.place = h("div", { class: "stack" });
    this.go = button("primary", "", null, { type: "submit", class: "button button-refused", icon: "look" });
    this.node = this.form();
    this.drawReasons();
    this.ready();
    this.beat = setInterval(() => this.tick(), 1000);
  }

  tick() {
    this.reading -= 1;
    if (this.reading < 1) clearInterval(this.beat);
    this.ready();
  }

  /** Whether it can be confirmed yet: read for some seconds, and said so. */
  ready() {
    const ready = this.read.checked ? t("glass.go") : t("glass.go.tick");
    this.go.querySelector("span").textContent = this.reading > 0 ? t("glass.go.wait", { seconds: this.reading }) : ready;
    this.go.disabled = this.reading > 0 || !this.read.checked;
  }

  form() {
    const { operator, terminal } = this.session;
    const who = t("glass.operator", { name: operatorName(operator), id: operator.id, terminal });
    const points = POINTS.map((each) => h("li", null, icon("look"), h("span", null, known(`glass.${each}`, null))));
    return h(
      "form",
      { class: "glass stack", novalidate: true, "aria-label": t("glass.title"), onsubmit: (event) => this.submit(event) },
      h("h4", { class: "glass-title" }, icon("look"), t("glass.title")),
      h("p", null, t("glass.lead")),
      h("ul", { class: "points" }, points),
      h("div", { class: "field" }, h("p", { class: "field-label" }, t("glass.reason")), this.reasons, this.reasonWords),
      this.statement.node,
      h("p", { class: "glass-who" }, icon("user"), h("span", null, who)),
      h("label", { class: "consent" }, this.read, h("span", null, t("glass.read"))),
      h(
        "div",
        { class: "glass-foot" },
        this.place,
        h("div", { class: "glass-acts" }, button("quiet", t("glass.leave"), this.back, { icon: "previous" }), this.go),
      ),
    );
  }

  drawReasons() {
    const one = (each) =>
      pick(known(`glass.reason.${each}`, null), each === this.reason, () => {
        this.reason = each;
        this.wrongReason("");
        this.drawReasons();
      });
    show(this.reasons, REASONS.map(one));
  }

  wrongReason(words) {
    this.reasonWords.textContent = words;
    this.reasonWords.classList.toggle("field-wrong", Boolean(words));
    this.reasons.toggleAttribute("data-wrong", Boolean(words));
    if (words) this.reasons.scrollIntoView({ block: "nearest" });
    return true;
  }

  /** Whether reason and statement are there; says what is missing at its field. */
  filled() {
    const length = [...this.statement.value.trim()].length;
    const good = length >= LEAST && length <= MOST;
    this.wrongReason(this.reason ? "" : t("glass.reason.needed"));
    this.statement.complain(good ? "" : t("glass.statement.wrong", { length }));
    if (this.reason && !good) this.statement.input.focus();
    return good && this.reason;
  }

  async submit(event) {
    event.preventDefault();
    if (this.go.disabled || !this.filled()) return;
    const { id, name } = this.session.operator;
    const body = { reason: this.reason, statement: this.statement.value.trim(), operator: { id, name } };
    let made = null;
    const work = async () => (made = await this.ask.breakGlass(body, this.attempt));
    const fields = { reason: { complain: (words) => this.wrongReason(words), input: this.statement.input }, statement: this.statement };
    await during(this.go, this.place, () => work().catch((error) => this.refused(error, fields)), fields);
    if (made) this.broken(made);
    else this.ready();
  }

  /** A refusal that names no field of its own is about the reason. */
  refused(error, fields) {
    if (error.code) this.attempt = attemptName();
    if (error.code !== "break-glass-reason-required") throw error;
    const named = error.fields.filter(({ field }) => fields[field.split("/").pop()]);
    if (named.length) return complain(error, this.place, fields);
    this.wrongReason(error.detail || t("glass.reason.needed"));
  }

  press() {
    return false;
  }

  close() {
    clearInterval(this.beat);
  }
}
