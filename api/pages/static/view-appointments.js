// My appointments, newest first; and one of them, with its place in the queue and the way out.
import { button, h, show } from "./dom.js";
import { notice, screen } from "./form.js";
import { known, t } from "./language.js";
import { appointmentRow, keepRows, statusChip } from "./appointment-row.js";
import * as api from "./booking-api.js";
import { chosen } from "./booking-chosen.js";
import { empty, facts, keepFresh, pages, queue, refresh, refusal, tried, troubled, when, whose } from "./booking-parts.js";
import {
  cancelEnd,
  cancelWords,
  clinicWords,
  doctorWords,
  feeWords,
  isLive,
  isToday,
  momentWords,
} from "./booking-words.js";

export function appointmentsView(app) {
  const title = t("appointments.title");
  let rows = [];
  const list = pages(app, {
    ask: async (cursor) => {
      const page = await api.appointments(app.card.card_id, cursor);
      if (!cursor) rows = [];
      return { items: page.appointments, next: page.next_cursor };
    },
    item: (each) => {
      const row = appointmentRow(app, each);
      rows.push(row);
      return row.node;
    },
    none: () => empty("booking", t("appointments.none")),
    more: t("appointments.more"),
  });
  const node = screen(title, app.back, h("div", { class: "panel" }, whose(app)), list.node);
  const beat = keepRows(node, () => rows);
  list.reload();
  return { node, title, tab: "booking", told: list.reload, wake: () => (rows.length ? beat() : list.reload()) };
}

/** `id`: of the appointment; without, the one that was looked at before. */
export function appointmentView(app, given = {}) {
  if (given.id) Object.assign(chosen, { id: given.id, of: app.card.card_id });
  // The browser's forward button may lead here with another card chosen: nobody's visit stands under another's name.
  if (!chosen.id || chosen.of !== app.card.card_id) return appointmentsView(app);
  const { id } = chosen;
  const title = t("appointment.title");
  const place = h("div", { class: "stack" });
  const said = h("div", { class: "stack", "aria-live": "polite" });
  const node = screen(title, app.back, h("div", { class: "panel" }, whose(app)), said, place);
  let now = null;
  let line = null;

  async function load() {
    if (!now) show(place, h("p", { class: "soft", role: "status" }, t("loading")));
    try {
      draw(await api.appointment(id));
    } catch (error) {
      if (!now) troubled(app, place, error, load, { without: ["other"] });
    }
  }

  function draw(found) {
    now = found;
    line = queue(now);
    show(place, head(now, line), ending(app, now), details(now), acts(now));
  }

  async function fresh() {
    if (!now) return load();
    if (!isToday(now)) return null;
    const found = await refresh(() => api.appointment(id), line);
    // The rest is drawn anew only at a change: a tap on the way must not be lost.
    if (found && found.status !== now.status) draw(found);
    return null;
  }

  function acts(appointment) {
    const part = h("div", { class: "stack" });
    if (!isLive(appointment)) return part;
    const code =
      appointment.status === "booked" &&
      button("primary", t("appointment.code"), () => app.go("code"), { icon: "scan" });
    show(part, code, cancelling(appointment));
    return part;
  }

  function cancelling(appointment) {
    const end = cancelEnd(appointment);
    if (end <= Date.now()) return h("p", { class: "soft" }, t("appointment.cancel.over", { when: momentWords(end) }));
    const part = h("div", { class: "stack" });
    const ask = button("quiet", t("appointment.cancel"), asked, { icon: "cross" });
    const warning = notice("again", { title: t("appointment.cancel.does"), todo: cancelWords(appointment) });
    const sure = button("primary", t("appointment.cancel.sure"), () => tried(sure, said, cancel, refused));
    const keep = button("quiet", t("appointment.cancel.keep"), () => show(part, ask));
    function asked() {
      show(part, warning, sure, keep);
      keep.scrollIntoView({ block: "nearest" });
    }
    return show(part, ask);
  }

  async function cancel() {
    await api.cancel(id);
    await load();
    show(said, notice("calm", { title: t("appointment.cancel.done") }));
  }

  function refused(error) {
    if (error.status === 409) load();
    return refusal(app, error);
  }

  load();
  const beat = keepFresh(node, fresh);
  return { node, title, tab: "booking", told: load, wake: beat };
}

function head(appointment, line) {
  const { status, room } = appointment;
  const wait = status === "arrived" && isToday(appointment) ? t("ahead.wait", { room }) : "";
  const code = status === "booked" ? t("booked.code") : "";
  return h(
    "div",
    { class: "panel stack appointment-now" },
    h("p", { class: "appointment-head" }, h("strong", null, when(appointment)), statusChip(appointment)),
    status === "cancelled" ? null : line.node,
    wait && h("p", null, wait),
    code && h("p", null, code),
  );
}

/** What is said of one that did not come about. */
function ending(app, { status, cancelled_by: by, reason }) {
  const another = () => button("quiet", t("booking.find"), () => app.go("hospitals"), { icon: "booking" });
  if (status === "cancelled" && by === "hospital") {
    const why = reason && h("p", null, t("appointment.stopped.reason", { reason }));
    const todo = h("p", null, t("appointment.stopped.todo"));
    return notice("again", { title: t("appointment.stopped.title") }, why, todo, another());
  }
  if (status !== "noshow") return null;
  return notice("again", { title: t("appointment.noshow.title"), todo: t("appointment.noshow.todo") }, another());
}

function details(appointment) {
  return h(
    "div",
    { class: "panel" },
    facts([
      [t("fact.hospital"), appointment.hospital.name],
      [t("fact.department"), appointment.department.name],
      [t("fact.doctor"), doctorWords(appointment.doctor)],
      [t("fact.clinic"), appointment.clinic && clinicWords(appointment.clinic)],
      [t("fact.room"), appointment.room],
      [t("fact.fee"), Number.isInteger(appointment.fee_fen) && feeWords(appointment.fee_fen)],
      [t("fact.by"), known(`appointment.by.${appointment.booked_by}`, null)],
    ]),
  );
}
