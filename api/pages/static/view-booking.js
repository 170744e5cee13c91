// Where booking begins: whose, what comes up with its place in the queue, and the ways on.
import { button, h, icon, show } from "./dom.js";
import { screen } from "./form.js";
import { t } from "./language.js";
import { appointmentRow, keepRows } from "./appointment-row.js";
import * as api from "./booking-api.js";
import { empty, troubled, whoseOf } from "./booking-parts.js";
import { isLive } from "./booking-words.js";

export function bookingView(app) {
  const title = t("booking.title");
  const place = h("div", { class: "stack", "aria-live": "polite" });
  const way = (name, text, to) =>
    h(
      "button",
      { type: "button", class: "row", onclick: () => app.go(to) },
      icon(name),
      h("span", { class: "row-words" }, text),
      icon("next"),
    );
  const node = screen(
    title,
    app.back,
    whoseOf(app, t("booking.whose")),
    button("primary", t("booking.find"), () => app.go("hospitals"), { icon: "plus" }),
    h(
      "div",
      { class: "rows" },
      way("booking", t("appointments.title"), "appointments"),
      way("clock", t("waitings.title"), "waitings"),
    ),
    h("h2", null, t("booking.live")),
    place,
  );
  let rows = [];
  const beat = keepRows(node, () => rows);

  async function load() {
    if (!rows.length) show(place, h("p", { class: "soft", role: "status" }, t("loading")));
    try {
      const { appointments } = await api.appointments(app.card.card_id);
      const coming = appointments.filter(isLive).sort((one, other) => one.start.localeCompare(other.start));
      rows = coming.map((each) => appointmentRow(app, each));
      show(place, rows.length ? h("div", { class: "rows" }, rows.map((row) => row.node)) : nothing());
    } catch (error) {
      if (!rows.length) troubled(app, place, error, load);
    }
  }

  load();
  return { node, title, tab: "booking", told: load, wake: () => (rows.length ? beat() : load()) };
}

function nothing() {
  return empty("booking", h("span", null, t("booking.live.none"), h("br"), t("booking.live.none.todo")));
}
