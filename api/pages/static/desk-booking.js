// Booking at the window: the panel under an accepted verdict, for one resolution, until the next scan.
import { h, icon, show } from "./dom.js";
import { notice } from "./form.js";
import { attemptName, passing } from "./http.js";
import { t } from "./language.js";
import { bigNumber, named, ofToday } from "./desk-arrival.js";
import { liveUntil } from "./desk-live.js";
import { AppointmentsView } from "./desk-mine.js";
import { SlotsView } from "./desk-slots.js";
import { isLive, sentence } from "./desk-words.js";
import * as api from "./scanner-api.js";

const BEAT = 10_000; // ms between two looks at how many are ahead
const ENDS = new Set(["resolution-expired", "card-revoked", "card-frozen", "service-not-granted", "unauthenticated"]);
const SLOT_CHANGED = new Set(["slot-full", "slot-past", "session-stopped", "slot-not-open", "not-found"]);
const KEYS = new Set(["F9", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"]);

/**
 * Fills `place` for one resolution. `wish`: what this window looks for, kept from patient to patient;
 * `today(appointments, now)` hears of today's; `ended(code)` that nothing more can be done with this resolution;
 * `more`: tabs that lead elsewhere.
 */
export function openDesk({ resolution, wish, place, today, ended, more: elsewhere }) {
  const id = resolution.resolution_id;
  const resolvedAt = Date.parse(resolution.resolved_at);
  const behind = Date.now() - resolvedAt; // the clock of a window's computer may be wrong
  const now = () => Date.now() - behind;
  const closing = new AbortController();
  const { signal } = closing;
  const live = liveUntil(signal, ENDS, end);
  const attempts = new Map(); // by slot: the same wish sent twice books once
  let given = { appointments: null, more: false, error: null };
  let cursor = null;
  let tab = null;
  let working = false;

  const slots = new SlotsView({
    now,
    wish,
    load: (query) => live(api.slots(query, signal)),
    departments: () => live(api.departments(signal)),
    book,
  });
  const mine = new AppointmentsView({ now, act: { cancel, fulfil, more, again: refresh } });
  const said = h("div", { class: "desk-said" });
  const tabs = h("div", { class: "desk-tabs", role: "tablist", "aria-label": t("desk.title") });
  const body = h("div", { class: "desk-body", role: "tabpanel" });

  function end(code) {
    close();
    ended(code);
  }

  function turn(to) {
    tab = to;
    if (tab === "slots") slots.open();
    drawTabs();
    show(body, tab === "slots" ? slots.node : mine.node);
    body.scrollTop = 0;
  }

  function drawTabs() {
    const count = given.appointments?.filter(isLive).length ?? 0;
    const one = (name, picture, words) =>
      h(
        "button",
        {
          type: "button",
          class: "desk-tab",
          role: "tab",
          "aria-selected": String(tab === name),
          onclick: () => turn(name),
        },
        icon(picture),
        h("span", null, words),
      );
    show(
      tabs,
      one("slots", "booking", t("desk.slots")),
      one("mine", "records", count ? t("desk.mine-many", { count }) : t("desk.mine")),
      elsewhere,
    );
  }

  /** Takes what is known now: shown in the panel, and today's in the verdict. */
  function take(changes) {
    given = { ...given, ...changes };
    mine.show(given);
    if (given.appointments) today(ofToday(given.appointments, now()), now());
    drawTabs();
  }

  /** These in front, the others behind them, each once. */
  function put(fresh, changes = {}) {
    const ids = new Set(fresh.map((one) => one.appointment_id));
    const others = (given.appointments ?? []).filter((one) => !ids.has(one.appointment_id));
    take({ appointments: [...fresh, ...others], ...changes });
  }

  async function refresh() {
    try {
      const first = given.appointments === null;
      const page = await live(api.appointments(id, null, signal));
      if (first) cursor = page.next_cursor;
      put(page.appointments, { error: null, more: Boolean(cursor) });
      if (first && tab === null) turn(ofToday(page.appointments, now()).length ? "mine" : "slots");
    } catch (error) {
      take({ error });
      if (tab === null) turn("mine");
    }
  }

  async function more() {
    try {
      const page = await live(api.appointments(id, cursor, signal));
      cursor = page.next_cursor;
      take({ appointments: [...given.appointments, ...page.appointments], more: Boolean(cursor), error: null });
    } catch (error) {
      take({ error });
    }
  }

  /** Asks again while it matters: somebody waits today, or the last answer did not come. */
  function look() {
    const waits = given.error || ofToday(given.appointments ?? [], now()).length;
    if (waits && !working && !document.hidden) refresh();
  }

  async function book(slot) {
    if (working) return;
    const attempt = attempts.get(slot.slot_id) ?? attemptName();
    attempts.set(slot.slot_id, attempt);
    slots.wait(slot);
    const one = await during(() => api.book(id, slot.slot_id, attempt));
    slots.wait(null);
    if (one instanceof Error) {
      if (!passing(one) && one.code !== "idempotency-in-progress") attempts.delete(slot.slot_id);
      if (one.code === "already-booked") refresh();
      if (SLOT_CHANGED.has(one.code)) slots.fetch();
      return;
    }
    attempts.delete(slot.slot_id);
    slots.taken(slot);
    say(booked(one, now()));
  }

  async function cancel(one, reason) {
    mine.wait(true);
    const done = await during(() => api.cancelAppointment(id, one.appointment_id, reason));
    mine.wait(false);
    if (done instanceof Error) return refresh();
    mine.ask(null);
    body.scrollTop = 0;
    say(notice("calm", { title: t("desk.cancelled", { what: named(one, now()) }) }));
    if (slots.state !== "new") slots.fetch(); // its place may be free again
  }

  async function fulfil(one) {
    mine.wait(true);
    const done = await during(() => api.fulfil(id, one.appointment_id));
    mine.wait(false);
    if (done instanceof Error) return refresh();
    say(notice("calm", { title: t("desk.fulfilled", { what: named(one, now()) }) }));
  }

  /** Says what came of an act, also where the panel was scrolled. */
  function say(words) {
    show(said, words);
    said.scrollIntoView({ block: "nearest" });
  }

  /** Does one thing at a time. The appointment as it is afterwards; or, having said why not, the error. */
  async function during(work) {
    working = true;
    show(said);
    try {
      const one = await live(work());
      put([one]);
      return one;
    } catch (error) {
      say(refused(sentence(error)));
      return error;
    } finally {
      working = false;
    }
  }

  function close() {
    closing.abort();
    clearInterval(beat);
    clearTimeout(expiry);
    show(place);
  }

  const beat = setInterval(look, BEAT);
  const expiry = setTimeout(() => end("resolution-expired"), Date.parse(resolution.expires_at) - resolvedAt);
  drawTabs();
  mine.show(given);
  show(body, mine.node);
  show(place, h("header", { class: "desk-head" }, h("h3", null, t("desk.title")), tabs), said, body);
  refresh();

  return {
    /** True if the key was for the panel. */
    press(key) {
      if (!KEYS.has(key)) return false;
      if (tab === "slots") return slots.press(key);
      if (key === "F9") turn("slots");
      return key === "F9";
    },
    close,
  };
}

/** What was booked, its number read across the counter. */
function booked(one, now) {
  return h(
    "div",
    { class: "desk-booked", role: "status" },
    h("p", { class: "desk-booked-number" }, bigNumber(one)),
    h("div", null, h("p", { class: "desk-booked-title" }, t("desk.booked")), h("p", null, named(one, now))),
  );
}

function refused(words) {
  return h(
    "div",
    { class: "notice notice-again", role: "alert" },
    icon("say"),
    h(
      "div",
      { class: "notice-words" },
      h("p", null, t("verdict.say")),
      h("p", { class: "notice-title counter" }, words),
    ),
  );
}
