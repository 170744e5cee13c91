// Booking one place: the confirmation, then its number; or, where all are taken, the place in the line for one.
import { button, h, icon } from "./dom.js";
import { chips, screen } from "./form.js";
import { NoAnswer } from "./http.js";
import { t } from "./language.js";
import * as api from "./booking-api.js";
import { chosen } from "./booking-chosen.js";
import { facts, leadsOn, refusal, tried, when, whose } from "./booking-parts.js";
import {
  cancelWords,
  clinicWords,
  doctorWords,
  feeWords,
  limitWords,
  momentWords,
  numberWords,
  spanWords,
} from "./booking-words.js";
import { bookingView } from "./view-booking.js";
import { hospitalsView } from "./view-find.js";
import { toast } from "./toast.js";

export function bookView(app) {
  const { slot } = chosen;
  if (!slot) return hospitalsView(app);
  const { card } = app;
  const attempt = new api.Attempt();
  const place = h("div", { class: "stack" });
  const sure = button("primary", t("book.act"), () => tried(sure, place, book, refused), { icon: "check" });

  async function book() {
    const appointment = await api.book(attempt, card.card_id, slot.slot_id);
    chosen.booked = { card, appointment };
    app.go("booked", undefined, { replace: true });
  }

  function refused(error) {
    sure.hidden = leadsOn(error);
    return refusal(app, error, { words: unsure(error) ?? opening(error, slot) });
  }

  const title = t("book.title");
  const details = [...factsOf(slot), [t("fact.cancel"), cancelWords({ ...slot, booked_by: "patient" })]];
  const node = screen(
    title,
    app.back,
    h("div", { class: "panel stack" }, h("p", { class: "soft" }, t("booking.for")), whose(app)),
    h("div", { class: "panel" }, facts(details)),
    place,
    sure,
  );
  return { node, title, tab: "booking" };
}

/** Without an answer nobody knows whether it was booked: the same attempt again is safe. */
function unsure(error) {
  return error instanceof NoAnswer ? { title: t("book.unknown.title"), todo: t("book.unknown.todo") } : null;
}

function opening(error, { opens_at: at }) {
  if (error.code !== "slot-not-open" || !at) return null;
  return { title: t("said.slot-not-open.title"), todo: t("slot.opens", { when: momentWords(at) }) };
}

/** What there is to know about a slot before it is taken. */
function factsOf(slot) {
  return [
    [t("fact.when"), when(slot)],
    [t("fact.hospital"), slot.hospital.name],
    [t("fact.department"), slot.department.name],
    [t("fact.doctor"), doctorWords(slot.doctor)],
    [t("fact.clinic"), clinicWords(slot.clinic)],
    [t("fact.room"), slot.room],
    [t("fact.fee"), feeWords(slot.fee_fen)],
    [t("fact.limits"), limitWords(slot)],
  ];
}

export function bookedView(app) {
  // The way back may lead here after another card, or another person, has come: that one is not shown this.
  if (chosen.booked?.card !== app.card) return bookingView(app);
  const { appointment } = chosen.booked;
  const title = t("booked.title");
  const where = [appointment.hospital.name, appointment.department.name, appointment.room].filter(Boolean).join(" · ");
  const node = screen(
    title,
    null,
    h(
      "div",
      { class: "panel stack booked", role: "status" },
      h("p", { class: "booked-head" }, icon("check"), t("booked.number")),
      h("p", { class: "booked-number" }, numberWords(appointment.number)),
      whose(app),
      h("p", { class: "booked-when" }, h("strong", null, when(appointment))),
      h("p", null, where),
      doctorWords(appointment.doctor) && h("p", null, doctorWords(appointment.doctor)),
    ),
    h(
      "ul",
      { class: "points panel" },
      h("li", null, icon("scan"), h("span", null, t("booked.code"))),
      h("li", null, icon("clock"), h("span", null, cancelWords(appointment))),
    ),
    button("primary", t("booked.on"), () => app.go("appointments", undefined, { replace: true })),
    button("quiet", t("booked.more"), () => app.go("hospitals", undefined, { replace: true }), {
      class: "button button-quiet normal-only",
    }),
  );
  return { node, title, tab: "booking" };
}

export function waitView(app) {
  const { slot } = chosen;
  if (!slot) return hospitalsView(app);
  const attempt = new api.Attempt();
  const place = h("div", { class: "stack" });
  const scopes = [
    ["slot", t("wait.scope.slot", { span: spanWords(slot) })],
    ["session", t("wait.scope.session")],
  ];
  const scope = chips(t("wait.scope"), scopes, "slot");
  const sure = button("primary", t("wait.act"), () => tried(sure, place, wait, refused), { icon: "clock" });

  async function wait() {
    const asked = { schedule_id: slot.schedule_id, ...(scope.value === "slot" && { slot_id: slot.slot_id }) };
    await api.wait(attempt, app.card.card_id, asked);
    app.go("waitings", undefined, { replace: true });
    toast(t("wait.done.title"));
  }

  function refused(error) {
    sure.hidden = leadsOn(error);
    const late = { title: t("wait.late.title"), todo: t("wait.late.todo") };
    return refusal(app, error, { words: error.code === "slot-past" ? late : opening(error, slot) });
  }

  const title = t("wait.title");
  const node = screen(
    title,
    app.back,
    h("div", { class: "panel stack" }, h("p", { class: "soft" }, t("booking.for")), whose(app)),
    h("p", { class: "lead" }, t("wait.lead")),
    h("div", { class: "panel" }, facts(factsOf(slot))),
    h("div", { class: "panel stack" }, h("p", { class: "field-label" }, t("wait.scope")), scope.node),
    h(
      "ul",
      { class: "points panel" },
      ["1", "2", "3"].map((point) => h("li", null, icon("check"), h("span", null, t(`wait.point.${point}`)))),
    ),
    place,
    sure,
  );
  return { node, title, tab: "booking" };
}
