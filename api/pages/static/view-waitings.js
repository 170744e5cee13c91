// The waiting list (候补): the place in each line, the way out of it, and what came of it.
import { button, h, show } from "./dom.js";
import { screen } from "./form.js";
import { known, t } from "./language.js";
import * as api from "./booking-api.js";
import { chip, empty, pages, refusal, tried, when, whose } from "./booking-parts.js";
import { doctorWords } from "./booking-words.js";

const KINDS = { booked: "chip-accepted", expired: "chip-again", withdrawn: "chip-off" };

export function waitingsView(app) {
  const title = t("waitings.title");
  const list = pages(app, {
    ask: async (cursor) => {
      const page = await api.waitings(app.card.card_id, cursor);
      return { items: page.waitings, next: page.next_cursor };
    },
    item: (waiting) => waitingItem(app, waiting, list),
    none: () => empty("clock", t("waitings.none")),
    more: t("waitings.more"),
  });
  list.reload();
  const node = screen(title, app.back, h("div", { class: "panel" }, whose(app)), list.node);
  return { node, title, tab: "booking", told: list.reload, wake: list.reload };
}

function waitingItem(app, waiting, list) {
  const { status, start, department, doctor, hospital } = waiting;
  const instead = start ? undefined : t("waiting.session");
  return h(
    "div",
    { class: "panel stack waiting" },
    h(
      "p",
      { class: "appointment-head" },
      h("strong", null, when(waiting, instead)),
      chip(known(`waiting.status.${status}`, "waiting.status.other"), KINDS[status]),
    ),
    h("p", null, [department.name, doctorWords(doctor)].filter(Boolean).join(" · ")),
    h("p", { class: "soft" }, hospital.name),
    outcome(app, waiting, list),
  );
}

/** What stands under one: its place and the way out, or where it led. */
function outcome(app, { status, position, waiting_id: id, appointment_id: appointment }, list) {
  if (status === "waiting") {
    const place = Number.isInteger(position) && h("p", { class: "queue-ahead" }, t("waiting.position", { position }));
    return h("div", { class: "stack" }, place, leaving(app, id, list));
  }
  if (status === "booked" && appointment) {
    const open = () => app.go("appointment", { id: appointment });
    return button("primary", t("appointment.open"), open, { icon: "booking" });
  }
  return status === "expired" ? h("p", null, t("waiting.expired.todo")) : null;
}

function leaving(app, id, list) {
  const said = h("div", { class: "stack", "aria-live": "polite" });
  const part = h("div", { class: "stack" });
  const leave = async () => {
    await api.withdraw(id);
    list.reload();
  };
  const ask = button("quiet", t("waiting.withdraw"), () => show(part, warning, sure, keep), { icon: "cross" });
  const warning = h("p", null, t("waiting.withdraw.does"));
  const refused = (error) => refusal(app, error);
  const sure = button("primary", t("waiting.withdraw.sure"), () => tried(sure, said, leave, refused));
  const keep = button("quiet", t("waiting.withdraw.keep"), () => show(part, ask));
  return h("div", { class: "stack" }, said, show(part, ask));
}
