// Finding, second half: doctor and date, then the times of that choice, page by page.
import { button, h } from "./dom.js";
import { choice, notice, screen } from "./form.js";
import { largeType } from "./frame.js";
import { clock, t } from "./language.js";
import * as api from "./booking-api.js";
import { chosen } from "./booking-chosen.js";
import { pages, whose } from "./booking-parts.js";
import {
  clinicWords,
  dateParts,
  dateWords,
  doctorWords,
  feeWords,
  limitWords,
  momentWords,
  nextDates,
} from "./booking-words.js";
import { hospitalsView } from "./view-find.js";

const WAIT_BEFORE = 2 * 3_600_000; // ms; later nobody is given a place by waiting

export function slotsView(app) {
  if (!chosen.department) return hospitalsView(app);
  const { department, hospital } = chosen;
  const title = t("slots.title");
  const when = h("h2", { class: "large-only", tabindex: "-1" });
  const list = pages(app, {
    ask,
    item: (slot) => slotRow(app, slot),
    heading: (slot) => (chosen.date ? "" : dateWords(slot.date)),
    none: () => notice("calm", { title: t("slots.none.title"), todo: t("slots.none.todo") }),
    more: t("slots.more"),
  });
  const choose = h(
    "section",
    { class: "part part-now panel stack" },
    doctors(department, reload),
    dates(() => {
      reload();
      if (largeType()) turn(1);
    }),
    button("primary", t("slots.show"), () => turn(1), { class: "button button-primary large-only" }),
  );
  const found = h(
    "section",
    { class: "part stack" },
    when,
    button("quiet", t("slots.change"), () => turn(0), { class: "button button-quiet large-only", icon: "previous" }),
    h("p", { class: "soft" }, t("slots.hint")),
    list.node,
  );
  const parts = [choose, found];

  function turn(to) {
    parts.forEach((each, index) => each.classList.toggle("part-now", index === to));
    scrollTo(0, 0);
    if (to) when.focus({ preventScroll: true });
  }

  function reload() {
    when.textContent = chosen.date ? dateWords(chosen.date) : t("date.any.long");
    list.reload();
  }

  reload();
  const node = screen(
    title,
    app.back,
    h("div", { class: "panel" }, whose(app), h("p", null, department.name), h("p", { class: "soft" }, hospital.name)),
    ...parts,
  );
  return { node, title, tab: "booking" };
}

/** What is over is left out; an empty page of it leads on to the next. */
async function ask(cursor) {
  const all = nextDates();
  const asked = {
    hospital_id: chosen.hospital.hospital_id,
    department: chosen.department.code,
    doctor: chosen.doctor,
    from: chosen.date || all[0],
    to: chosen.date || all.at(-1),
  };
  for (;;) {
    const page = await api.slots({ ...asked, cursor });
    const items = page.slots.filter((slot) => slot.status !== "past");
    cursor = page.next_cursor;
    if (items.length || !cursor) return { items, next: cursor };
  }
}

function doctors(department, changed) {
  if (!department.doctors.length) return null;
  const options = department.doctors.map((doctor) => [doctor.code, doctorWords(doctor)]);
  const all = [["", t("slots.doctor.any")], ...options];
  const picked = choice("doctor", t("slots.doctor"), all, { value: chosen.doctor });
  picked.input.addEventListener("change", () => {
    chosen.doctor = picked.value;
    changed();
  });
  return picked.node;
}

/** The strip of the next two weeks, and any of them. */
function dates(changed) {
  const cell = (date, words) =>
    h(
      "button",
      {
        type: "button",
        class: "date",
        role: "radio",
        "data-date": date,
        "aria-checked": String(date === chosen.date),
        onclick: pick,
      },
      words,
    );
  const day = (date) => {
    const { day, weekday } = dateParts(date);
    return cell(date, [h("span", null, weekday), h("strong", null, day)]);
  };
  const cells = [cell("", h("strong", null, t("date.any"))), ...nextDates().map(day)];

  function pick({ currentTarget: picked }) {
    chosen.date = picked.dataset.date;
    for (const each of cells) each.setAttribute("aria-checked", String(each === picked));
    changed();
  }

  return h(
    "div",
    null,
    h("p", { class: "field-label" }, t("date.choose")),
    h("div", { class: "dates", role: "radiogroup", "aria-label": t("date.choose") }, cells),
  );
}

/** What can be done about a slot, and what is said of it: in a word, or at length in `note`. */
function stateOf(slot) {
  if (slot.status === "stopped") return { words: t("slot.stopped"), kind: "again" };
  if (Date.parse(slot.opens_at) > Date.now()) return { note: t("slot.opens", { when: momentWords(slot.opens_at) }) };
  if (slot.status === "free") {
    return { words: t("slot.free", { count: slot.free }), kind: "free", to: "book", act: t("slot.book") };
  }
  const late = Date.parse(slot.start) - Date.now() <= WAIT_BEFORE;
  return { words: t("slot.full"), kind: "off", ...(!late && { to: "wait", act: t("slot.wait") }) };
}

function slotRow(app, slot) {
  const state = stateOf(slot);
  const limits = limitWords(slot);
  const open = () => {
    chosen.slot = slot;
    app.go(state.to);
  };
  const words = [
    h(
      "span",
      { class: "slot-time" },
      h("strong", null, clock(slot.start)),
      h("span", { class: "soft" }, `–${clock(slot.end)}`),
    ),
    h(
      "span",
      { class: "row-words" },
      h("strong", null, doctorWords(slot.doctor) || slot.department.name),
      h("span", { class: "soft" }, [clinicWords(slot.clinic), slot.room].filter(Boolean).join(" · ")),
      limits && h("span", { class: "slot-limits" }, limits),
      state.note && h("span", { class: "slot-limits" }, state.note),
    ),
    h(
      "span",
      { class: "slot-side" },
      h("span", null, feeWords(slot.fee_fen)),
      state.words && h("span", { class: `slot-${state.kind}` }, state.words),
      state.act && h("span", { class: "slot-act" }, state.act),
    ),
  ];
  if (!state.to) return h("div", { class: "row slot slot-shut" }, words);
  return h("button", { type: "button", class: "row slot", onclick: open }, words);
}
