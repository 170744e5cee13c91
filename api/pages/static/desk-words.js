// Days, names, money and refusals of booking, in the words of a window.
import { NoAnswer, Refused, explain, passing } from "./http.js";
import { clock, english, known, t } from "./language.js";

const ZONE = 8 * 3_600_000; // ms that Asia/Shanghai is ahead of UTC, all year
const DAY = 86_400_000; // ms
const EARLY = 2 * 3_600_000; // ms before its start from which a scan marks somebody arrived
const ARRIVAL_STEPS = new Set(["0101011", "0101012", "0101014"]);
const LIVE = new Set(["booked", "arrived"]);

const dayForm = new Intl.DateTimeFormat(english ? "en-GB" : "zh-CN", {
  timeZone: "UTC",
  month: english ? "short" : "long",
  day: "numeric",
  weekday: "short",
});

/** Whether a scan for this step makes today's appointment arrived. */
export const marksArrival = (step) => ARRIVAL_STEPS.has(step);

/** Whether somebody is still expected: booked or arrived. */
export const isLive = ({ status }) => LIVE.has(status);

/** The date in the hospitals' zone (YYYY-MM-DD) at this time (ms). */
export const dateOf = (at) => new Date(at + ZONE).toISOString().slice(0, 10);

/** From when (ms) a scan counts as the arrival for this appointment. */
export const arrivesFrom = ({ start }) => Date.parse(start) - EARLY;

/** A date as people say it; today and tomorrow by their names. */
export function dayName(date, now) {
  if (date === dateOf(now)) return t("day.today");
  return date === dateOf(now + DAY) ? t("desk.tomorrow") : dateWords(date);
}

/** A date with its day of the week, and today or tomorrow before it. */
export function dayTitle(date, now) {
  const [name, words] = [dayName(date, now), dateWords(date)];
  return name === words ? words : `${name} ${words}`;
}

const dateWords = (date) => dayForm.format(Date.parse(date));

/** 14:00–14:30 */
export const span = ({ start, end }) => `${clock(start)}–${clock(end)}`;

/** Department, doctor and room, as far as they are known. */
export const whereOf = ({ department, doctor, room }) =>
  [department.name, doctor && [doctor.name, doctor.title].filter(Boolean).join(" "), room].filter(Boolean).join(" · ");

/** An amount in fen as yuan. */
export const yuan = (fen) => `¥${(fen / 100).toFixed(2)}`;

/** Why something could not be looked up, as a sentence for the clerk. */
export function trouble(error) {
  if (error instanceof NoAnswer) return t("desk.trouble.network");
  if (!(error instanceof Refused)) throw error;
  return t(error.status === 429 ? "desk.trouble.busy" : "desk.trouble.down");
}

/** What went wrong with a booking, as one sentence that a clerk can read aloud. */
export function sentence(error) {
  if (error instanceof NoAnswer) return t("desk.said.no-answer");
  const until = error.until ? dateWords(dateOf(Date.parse(error.until))) : t("desk.later");
  const said = known(`desk.said.${error.code}`, null, { until });
  if (said) return said;
  if (passing(error)) return t("desk.said.down");
  const { title, todo } = explain(error);
  return [title, todo].filter(Boolean).join(t("desk.and"));
}
