// Pieces of the booking screens: whose they are, facts, refusals with the way on, pages of a list, what stays fresh.
import { button, h, icon, show } from "./dom.js";
import { chips, notice } from "./form.js";
import { NoAnswer, explain, passing } from "./http.js";
import { clock, known, t } from "./language.js";
import { aheadWords, dateWords, localDate, momentWords, numberWords, spanWords } from "./booking-words.js";

const FRESH = 5000; // ms

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

/** Whose appointment it is, written large. */
export function whose(app) {
  const relation = known(`relation.${app.card.relation}`, "relation.other");
  return h("p", { class: "whose" }, h("strong", null, app.card.name), h("span", { class: "chip" }, relation));
}

/** The same with the choice among the family's cards, if there are several. */
export function whoseOf(app) {
  if (app.cards.length < 2) return h("div", { class: "panel" }, whose(app));
  const label = (card) => `${card.name} ${known(`relation.${card.relation}`, "relation.other")}`;
  const options = app.cards.map((card, index) => [index, label(card)]);
  const pick = (index) => {
    app.pick(index);
    app.draw(app.view.name);
  };
  const people = chips(t("booking.whose"), options, app.at, pick);
  return h("div", { class: "panel stack" }, whose(app), people.node);
}

/** A list of `[label, value]`; what has no value is left out. */
export function facts(pairs) {
  const fact = ([label, value]) => h("div", { class: "fact" }, h("dt", null, label), h("dd", null, value));
  return h("dl", { class: "facts" }, pairs.filter(([, value]) => value).map(fact));
}

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
export function troubled(app, place, error, again, options) {
  const words = refusal(app, error, options);
  show(place, words, button("quiet", t("again"), again, { icon: "refresh" }));
  if (passing(error)) setTimeout(() => words.isConnected && again(), FRESH);
}

/** Whether another way is offered, so that asking for the same again is not. */
export const leadsOn = (error) => error.code in WAYS;

/** A refusal in words; a pause with the day on which it ends. */
function said(error) {
  const words = explain(error);
  if (error.code !== "booking-paused" || !error.until) return words;
  const when = error.until.length === 10 ? dateWords(error.until) : momentWords(error.until);
  return { ...words, title: t("said.booking-paused.until", { when }) };
}

/** Runs `work` while the button waits; `refused(error)` gives what is said in `place`. True if it went well. */
export async function tried(pressed, place, work, refused) {
  show(place);
  pressed.disabled = true;
  pressed.setAttribute("aria-busy", "true");
  try {
    await work();
    return true;
  } catch (error) {
    show(place, refused(error));
    return false;
  } finally {
    pressed.disabled = false;
    pressed.removeAttribute("aria-busy");
  }
}

/**
 * Pages of a list. `ask(cursor)` gives `{items, next}`; `item(each)` a node; `heading(each)` the words above those that
 * share them; `none()` what stands there without any. `reload()` begins anew.
 */
export function pages(app, { ask, item, heading = () => "", none, more }) {
  const list = h("div", { class: "stack" });
  const foot = h("div", { class: "stack" });
  const further = button("quiet", more, () => load(next), { icon: "refresh" });
  let next = null;
  let above = null;
  let run = 0;

  async function load(cursor) {
    const mine = ++run;
    show(foot, h("p", { class: "soft", role: "status" }, t("loading")));
    try {
      const page = await ask(cursor);
      if (mine !== run) return;
      if (!cursor) above = null;
      if (!cursor) show(list);
      page.items.forEach(add);
      next = page.next;
      if (!list.childElementCount) show(list, none());
      show(foot, next && further);
    } catch (error) {
      if (mine === run) troubled(app, foot, error, () => load(cursor));
    }
  }

  function add(each) {
    if (heading(each) !== above) {
      above = heading(each);
      const title = above && h("h2", { class: "timeline-day" }, above);
      list.append(h("div", { class: "stack" }, title, h("ul", { class: "rows" })));
    }
    list.lastElementChild.lastElementChild.append(h("li", null, item(each)));
  }

  return { node: h("div", { class: "stack" }, list, foot), reload: () => load(null) };
}

/** Calls `work` every five seconds while `node` is on the screen; gives what calls it at once. False ends it. */
export function keepFresh(node, work) {
  let busy = false;
  const beat = async () => {
    if (!node.isConnected) return clearInterval(timer);
    if (document.hidden || busy) return;
    busy = true;
    try {
      if ((await work()) === false) clearInterval(timer);
    } finally {
      busy = false;
    }
  };
  const timer = setInterval(beat, FRESH);
  return beat;
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

export const chip = (text, kind = "") => h("span", { class: `chip ${kind}` }, text);

export const empty = (name, text) => h("p", { class: "empty" }, icon(name), text);
