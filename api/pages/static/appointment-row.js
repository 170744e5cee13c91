// One appointment in a list: when, where, its number and, on the day, who is before.
import { h, icon } from "./dom.js";
import { known, t } from "./language.js";
import * as api from "./booking-api.js";
import { chip, keepFresh, queue, refresh, when } from "./booking-parts.js";
import { doctorWords, isToday } from "./booking-words.js";

const KINDS = { cancelled: "chip-off", noshow: "chip-again", arrived: "chip-accepted" };

/** The status as a chip; what the hospital cancelled stands out. */
export function statusChip({ status, cancelled_by: by }) {
  const kind = by === "hospital" ? "chip-again" : (KINDS[status] ?? "");
  return chip(known(`appointment.status.${status}`, "appointment.status.other"), kind);
}

/** `.node`, a button that leads to the appointment, and `.refresh()` for today's. */
export function appointmentRow(app, appointment) {
  const line = queue(appointment);
  const status = h("span", { class: "appointment-status" }, statusChip(appointment));
  const open = () => app.go("appointment", { id: appointment.appointment_id });
  const stopped = appointment.cancelled_by === "hospital";
  const node = h(
    "button",
    { type: "button", class: "row appointment", onclick: open },
    h(
      "span",
      { class: "row-words" },
      h("span", { class: "appointment-head" }, h("strong", null, when(appointment)), status),
      h("span", null, [appointment.department.name, doctorWords(appointment.doctor)].filter(Boolean).join(" · ")),
      h("span", { class: "soft" }, [appointment.hospital.name, appointment.room].filter(Boolean).join(" · ")),
      appointment.status === "cancelled" ? null : line.node,
      stopped && h("span", { class: "appointment-reason" }, stoppedWords(appointment)),
    ),
    icon("next"),
  );
  let now = appointment;
  return {
    node,
    async refresh() {
      if (!isToday(now)) return;
      const found = await refresh(() => api.appointment(now.appointment_id), line);
      if (!found) return;
      now = found;
      status.replaceChildren(statusChip(now));
    },
  };
}

/** That the hospital cancelled it, and why. */
export function stoppedWords({ reason }) {
  const title = t("appointment.stopped.title");
  return reason ? t("booking.pair", { first: title, second: t("appointment.stopped.reason", { reason }) }) : title;
}

/** Keeps today's rows true while they are on the screen; gives what asks at once. */
export const keepRows = (node, rows) => keepFresh(node, () => Promise.all(rows().map((row) => row.refresh())));
