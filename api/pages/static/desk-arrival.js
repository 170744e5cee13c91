// The one next step of somebody who has an appointment today: the number, how many are ahead, where and when.
import { h, icon } from "./dom.js";
import { clock, t } from "./language.js";
import { arrivesFrom, dateOf, dayName, isLive, marksArrival, span, whereOf } from "./desk-words.js";
import { stepName } from "./visit.js";

const TO_ARRIVE = "0101012";

/** Those of today that still count: who arrived first, then by the time of day. */
export function ofToday(appointments, now) {
  const today = dateOf(now);
  const rank = (one) => (one.status === "arrived" ? 0 : 1);
  return appointments
    .filter((one) => one.date === today && isLive(one))
    .sort((a, b) => rank(a) - rank(b) || Date.parse(a.start) - Date.parse(b.start));
}

/** The next step as nodes: the first of `appointments` large, the others a line each. */
export function arrivalStep([first, ...others], { step, now }) {
  return [
    h("p", { class: "verdict-label" }, t(first.status === "arrived" ? "desk.arrived" : "desk.not-arrived")),
    first.late ? h("p", { class: "arrival-late" }, icon("clock"), t("desk.late")) : null,
    h(
      "div",
      { class: "arrival" },
      h("p", { class: "arrival-number" }, bigNumber(first)),
      h(
        "div",
        { class: "arrival-facts" },
        first.ahead !== null && h("p", { class: "arrival-ahead" }, aheadOf(first)),
        h("p", null, span(first)),
        h("p", null, whereOf(first)),
      ),
    ),
    h("p", { class: "verdict-words" }, whatToDo(first, step, now)),
    others.map((one) =>
      h(
        "p",
        { class: "arrival-other" },
        t("desk.also", { time: span(one), where: whereOf(one), number: one.number }),
        " · ",
        t(`desk.status.${one.status}`),
      ),
    ),
  ];
}

/** An appointment's number, its digits to be set larger than the words around them. */
export const bigNumber = ({ number }) =>
  t("desk.number", { number: "#" })
    .split("#")
    .flatMap((words, at) => [at ? h("strong", null, number) : null, words]);

/** How many go in before, in words. */
export const aheadOf = ({ ahead }) => (ahead ? t("desk.ahead", { ahead }) : t("desk.ahead-none"));

/** The same in one breath, for who cannot see it. */
export const arrivalSpoken = (one) =>
  [
    t(one.status === "arrived" ? "desk.arrived" : "desk.not-arrived"),
    t("desk.number", { number: one.number }),
    one.ahead !== null && aheadOf(one),
    one.late && t("desk.late"),
  ]
    .filter(Boolean)
    .join(t("desk.and"));

function whatToDo(one, step, now) {
  if (one.status === "arrived") {
    return t("desk.go", { place: one.room || one.department.name, number: one.number });
  }
  const from = arrivesFrom(one);
  if (now < from) return t("desk.too-early", { time: clock(from) });
  return marksArrival(step) ? t("desk.scan-again") : t("desk.other-step", { step: stepName(TO_ARRIVE) });
}

/** Day and time of an appointment. */
export const whenOf = (one, now) => `${dayName(one.date, now)} ${span(one)}`;

/** Day, time and place of an appointment in a line. */
export const named = (one, now) => `${whenOf(one, now)} · ${whereOf(one)}`;
