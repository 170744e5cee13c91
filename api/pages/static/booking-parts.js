// Pieces of the booking screens: whose they are, refusals with the way on, the place in the queue.
import { button, h } from "./dom.js";
import { notice } from "./form.js";
import { NoAnswer, explain } from "./http.js";
import { clock, t } from "./language.js";
import { aheadWords, dateWords, localDate, momentWords, numberWords, spanWords } from "./booking-words.js";
import { pagesOf, stuck } from "./parts.js";

export { chip, empty, facts, keepFresh, tried, whose, whoseOf } from "./parts.js";

/** Where a refusal leads; the others are said alone. */
const WAYS = {
  "slot-full": ["wait", "other"],
  "slot-past": ["other"],
  "slot-not-open": ["other"],
  "session-stopped": ["other"],
  "slot-not-eligible": ["other"],
  "not-found": ["other"],
  "already-booked": ["appointments", "other"],
  "time-conflict": ["appointments", "other"],
  "daily-limit": ["appointments", "other"],
  "booking-paused": ["appointments"],
  "card-frozen": ["unfreeze"],
  "slot-free": ["book"],
  "already-waiting": ["waitings"],
  "waiting-limit": ["waitings"],
};

/** What was refused and what to do next. `words`: other `{title, todo}`; `without`: ways that lead nowhere here. */
export function refusal(app, error, { words, without = [] } = {}) {
  if (error.status === 401) app.mustLookAgain(error);
  const instead = (name) => app.go(name, undefined, { replace: true });
  const act = {
    wait: () => button("primary", t("slot.wait"), () => instead("wait"), { icon: "clock" }),
    book: () => button("primary", t("go.book"), () => instead("book"), { icon: "booking" }),
    other: () => button("quiet", t("go.other"), app.back),
    appointments: () => button("quiet", t("appointments.title"), () => app.go("appointments")),
    waitings: () => button("quiet", t("waitings.title"), () => app.go("waitings")),
    unfreeze: () => button("quiet", t("go.unfreeze"), () => app.go("code")),
  };
  const ways = (WAYS[error.code] ?? []).filter((way) => !without.includes(way));
  return notice("again", words ?? said(error), ...ways.map((way) => act[way]()));
}

/** Says in `place` why nothing could be had; `again` is offered and, where waiting may help, comes by itself. */
export const troubled = (app, place, error, again, options) => stuck(place, error, refusal(app, error, options), again);

/** Pages of a list (parts.js), with the refusals of booking. */
export const pages = (app, list) => pagesOf({ ...list, refused: (error) => refusal(app, error) });

/** Whether another way is offered, so that asking for the same again is not. */
export const leadsOn = (error) => error.code in WAYS;

/** A refusal in words; a pause with the day on which it ends. */
function said(error) {
  const words = explain(error);
  if (error.code !== "booking-paused" || !error.until) return words;
  const when = error.until.length === 10 ? dateWords(error.until) : momentWords(error.until);
  return { ...words, title: t("said.booking-paused.until", { when }) };
}

/** Number and place in the queue of one appointment; `update(it)` and `stale()` keep it true. */
export function queue(appointment) {
  const number = h("span", { class: "queue-number" });
  const ahead = h("span", { class: "queue-ahead", role: "status" });
  const late = h("span", { class: "queue-late" });
  const stale = h("span", { class: "queue-late" });
  let seen = Date.now();

  function update(now) {
    seen = Date.now();
    number.textContent = numberWords(now.number);
    const words = aheadWords(now);
    if (ahead.textContent !== words) ahead.textContent = words;
    late.textContent = now.late && now.status === "arrived" && now.date === localDate() ? t("ahead.late") : "";
    stale.textContent = "";
  }

  update(appointment);
  return {
    node: h("span", { class: "queue" }, number, ahead, late, stale),
    update,
    stale: () => (stale.textContent = t("ahead.stale", { time: clock(seen) })),
  };
}

/** Asks for one appointment and shows it, or says how old it is. Gives it, or null. */
export async function refresh(ask, shown) {
  try {
    const now = await ask();
    shown.update(now);
    return now;
  } catch (error) {
    if (error instanceof NoAnswer) shown.stale();
    return null;
  }
}

/** Date and time, which is not broken over two lines; `instead` stands for the time where there is no slot. */
export const when = (each, instead) => [
  dateWords(each.date),
  " ",
  instead ?? h("span", { class: "whole" }, spanWords(each)),
];
