// This person's appointments at this hospital: number, state, how many are ahead; cancelled or done from here.
import { button, h, show } from "./dom.js";
import { notice } from "./form.js";
import { known, t } from "./language.js";
import { aheadOf, bigNumber, named, whenOf } from "./desk-arrival.js";
import { isLive, trouble } from "./desk-words.js";

const REASONS = ["asked", "mistaken", "other-time", "hospital"];

/** `act.cancel(appointment, reason)`, `act.fulfil(appointment)`, `act.more()`, `act.again()`. */
export class AppointmentsView {
  constructor({ now, act }) {
    Object.assign(this, { now, act });
    this.node = h("div", { class: "desk-mine" });
    this.asking = null; // the id of the appointment that would be cancelled
    this.reason = "";
    this.busy = false;
    this.given = { appointments: null, more: false, error: null };
  }

  /** `appointments`: newest first, null while none came yet. */
  show(given) {
    this.given = given;
    if (!this.node.contains(document.activeElement)) this.draw(); // else it would take the focus from who tabs here
  }

  wait(busy) {
    this.busy = busy;
    this.draw();
  }

  draw() {
    const { appointments, more, error } = this.given;
    if (!appointments) return show(this.node, error ? this.failed(error) : loading());
    const live = appointments.filter(isLive).sort((a, b) => Date.parse(a.start) - Date.parse(b.start));
    const rows = [...live, ...appointments.filter((one) => !isLive(one))];
    show(
      this.node,
      error ? this.failed(error) : null,
      rows.length
        ? h(
            "ol",
            { class: "desk-list" },
            rows.map((one) => this.row(one)),
          )
        : h("p", { class: "desk-empty" }, t("desk.no-appointments")),
      more ? button("plain", t("desk.more"), this.act.more, { icon: "next" }) : null,
    );
  }

  failed(error) {
    return notice("again", { title: trouble(error) }, button("plain", t("again"), this.act.again, { icon: "refresh" }));
  }

  row(one) {
    const live = isLive(one);
    return h(
      "li",
      { class: `desk-row desk-row-${one.status}` },
      h("p", { class: "desk-row-number" }, bigNumber(one)),
      h(
        "div",
        { class: "desk-row-words" },
        h("p", { class: "desk-row-when" }, named(one, this.now())),
        h("p", null, h("span", { class: "chip" }, t(`desk.status.${one.status}`)), " ", detail(one)),
      ),
      live && this.asking !== one.appointment_id ? this.acts(one) : null,
      this.asking === one.appointment_id ? this.question(one) : null,
    );
  }

  acts(one) {
    return h(
      "div",
      { class: "desk-acts" },
      one.status === "arrived"
        ? button("quiet", t("desk.fulfil"), () => this.act.fulfil(one), { icon: "check", disabled: this.busy })
        : null,
      button("quiet", t("desk.cancel"), () => this.ask(one.appointment_id), { icon: "cross", disabled: this.busy }),
    );
  }

  ask(id) {
    this.asking = id;
    this.reason = "";
    this.draw();
    this.node.querySelector(".desk-question")?.scrollIntoView({ block: "nearest" });
  }

  /** Asked once more, with a reason to choose: typing one would take the focus from the scan field. */
  question(one) {
    const reason = (key) => {
      const words = t(`desk.reason.${key}`);
      const pick = () => {
        this.reason = this.reason === words ? "" : words;
        this.draw();
      };
      return h(
        "button",
        { type: "button", class: "pick", "aria-pressed": String(this.reason === words), onclick: pick },
        words,
      );
    };
    return h(
      "div",
      { class: "desk-question", role: "group", "aria-label": t("desk.cancel") },
      h(
        "p",
        null,
        h("strong", null, t("desk.sure", { number: one.number, time: whenOf(one, this.now()) })),
        h("span", null, t("desk.reason")),
      ),
      h("div", { class: "desk-departments" }, REASONS.map(reason)),
      h(
        "div",
        { class: "desk-acts" },
        button("quiet", t("desk.keep"), () => this.ask(null), { disabled: this.busy }),
        button("primary", t("desk.cancel-now"), () => this.act.cancel(one, this.reason), {
          icon: "cross",
          disabled: this.busy,
        }),
      ),
    );
  }
}

const loading = () =>
  h("p", { class: "desk-empty", "aria-busy": "true" }, h("span", { class: "spinner" }), t("loading"));

/** What matters beside the state: how many are ahead, or who cancelled and why. */
function detail(one) {
  if (isLive(one)) return [one.late && t("desk.late"), one.ahead !== null && aheadOf(one)].filter(Boolean).join(" · ");
  if (one.status !== "cancelled") return "";
  return [known(`desk.cancelled-by.${one.cancelled_by}`, null), one.reason].filter(Boolean).join(" · ");
}
