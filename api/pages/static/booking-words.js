// Sessions, places and appointments in words. Dates are those of the hospitals (Asia/Shanghai), never the browser's.
import { clock, english, known, t } from "./language.js";

const ZONE = "Asia/Shanghai";
const DAY = 86_400_000; // ms; there is no summer time
const DAYS = 14;
const locale = english ? "en-GB" : "zh-CN";
const part = (options) => new Intl.DateTimeFormat(locale, { timeZone: ZONE, ...options });
const numbers = new Intl.DateTimeFormat("en-CA", { timeZone: ZONE, year: "numeric", month: "2-digit", day: "2-digit" });
const monthDay = part({ month: english ? "short" : "long", day: "numeric" });
const weekday = part({ weekday: "short" });
const withYear = part({ year: "numeric", month: english ? "short" : "long", day: "numeric" });

/** The date at an instant, as YYYY-MM-DD. */
export const localDate = (at = Date.now()) => numbers.format(new Date(at));

const noon = (date) => new Date(`${date}T12:00:00+08:00`);

/** Today and the dates after it. */
export function nextDates() {
  const first = noon(localDate()).getTime();
  return Array.from({ length: DAYS }, (_, index) => localDate(first + index * DAY));
}

/** `{day, weekday, near}` of a date; today and tomorrow (near) by that name. */
export function dateParts(date) {
  const [today, tomorrow] = nextDates();
  const near = date === today ? t("date.today") : date === tomorrow ? t("date.tomorrow") : "";
  return { day: monthDay.format(noon(date)), weekday: near || weekday.format(noon(date)), near };
}

/** A date in words, with its year if that is not this one. */
export function dateWords(date) {
  const form = date.slice(0, 4) === localDate().slice(0, 4) ? monthDay : withYear;
  const { weekday: name, near } = dateParts(date);
  return t(near ? "date.near" : "date.words", { day: form.format(noon(date)), weekday: name });
}

/** An instant in words. */
export const momentWords = (at) => `${dateWords(localDate(at))} ${clock(at)}`;

export const spanWords = ({ start, end }) => t("booking.span", { start: clock(start), end: clock(end) });

/** Fen as yuan, without idle zeros. */
export function feeWords(fen) {
  if (fen === 0) return t("booking.fee.none");
  return t("booking.fee", { yuan: fen % 100 ? (fen / 100).toFixed(2) : String(fen / 100) });
}

export const clinicWords = (clinic) => known(`clinic.${clinic}`, "clinic.other");
export const doctorWords = (doctor) => (doctor ? [doctor.name, doctor.title].filter(Boolean).join(" ") : "");

/** Whom a session is for, or nothing. */
export function limitWords({ min_age: least, max_age: most, sex }) {
  const isNumber = Number.isInteger;
  const ages =
    isNumber(least) && isNumber(most)
      ? t("limit.ages", { least, most })
      : isNumber(least)
        ? t("limit.least", { least })
        : isNumber(most)
          ? t("limit.most", { most })
          : "";
  return [ages, sex && known(`limit.${sex}`, null)].filter(Boolean).join(t("and"));
}

export const numberWords = (number) => t("booking.number", { number });

/** Whether it is still to come, or going on today. */
export const isLive = ({ status, date }) => (status === "booked" || status === "arrived") && date >= localDate();
export const isToday = (each) => isLive(each) && each.date === localDate();

/** How many are before somebody today, or nothing. */
export function aheadWords({ status, ahead, date }) {
  if (!Number.isInteger(ahead) || date !== localDate()) return "";
  if (status === "arrived") return ahead ? t("ahead.arrived", { count: ahead }) : t("ahead.arrived.none");
  return ahead ? t("ahead.booked", { count: ahead }) : t("ahead.booked.none");
}

/** Until when the patient may cancel (ms); what the waiting list gave, until it starts. */
export function cancelEnd({ booked_by: by, cancel_until: until, start }) {
  const end = Date.parse(until);
  return by === "waiting" ? Math.max(end, Date.parse(start)) : end;
}

/** The rule of cancelling as a sentence. */
export function cancelWords(each) {
  const end = cancelEnd(each);
  return end > Date.now() ? t("cancel.until", { when: momentWords(end) }) : t("cancel.never");
}
