// The page's sentences, in the language that the server chose for it, and times as people read them.
const texts = globalThis.yimaTexts;
let learning = Promise.resolve();

export const english = document.documentElement.lang === "en";
export const acceptLanguage = english ? "en" : "zh-CN";

const ZONE = "Asia/Shanghai";
const locale = english ? "en-GB" : "zh-CN";
const clockForm = new Intl.DateTimeFormat(locale, {
  timeZone: ZONE,
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});
const dayForm = new Intl.DateTimeFormat(locale, { timeZone: ZONE, year: "numeric", month: "long", day: "numeric" });
const dayNumber = new Intl.DateTimeFormat("en-CA", {
  timeZone: ZONE,
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
});

/** The sentence of that key, with `{name}` replaced by the value of that name. */
export function t(key, values) {
  const text = texts[key];
  if (text === undefined) throw new Error(`no text ${key}`);
  return values ? text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "") : text;
}

/** The sentence of that key, or of `otherwise` where the key came from outside and is not known here. */
export function known(key, otherwise, values) {
  return Object.hasOwn(texts, key) ? t(key, values) : otherwise === null ? null : t(otherwise, values);
}

/** Adds the sentences of a part of the page that is fetched later. */
export function learn(address) {
  // One part after the other: each leaves its sentences in the same place.
  learning = learning
    .catch(() => {})
    .then(async () => {
      await import(address);
      Object.assign(texts, globalThis.yimaTexts);
    });
  return learning;
}

/** 09:05, by the clock of the hospitals. */
export function clock(at) {
  return clockForm.format(new Date(at));
}

/** Today, yesterday, or the date in words. */
export function day(at) {
  const that = dayNumber.format(new Date(at));
  if (that === dayNumber.format(new Date())) return t("day.today");
  if (that === dayNumber.format(new Date(Date.now() - 86_400_000))) return t("day.yesterday");
  return dayForm.format(new Date(at));
}

/** Full years since `birthday` (YYYY-MM-DD, a date without zone), on today's date in Shanghai. */
export function age(birthday) {
  const [year, month, date] = birthday.split("-").map(Number);
  const [thisYear, thisMonth, thisDate] = dayNumber.format(new Date()).split("-").map(Number);
  const before = thisMonth < month || (thisMonth === month && thisDate < date);
  return thisYear - year - (before ? 1 : 0);
}

/** Seconds as 4:05, for a countdown. */
export function minutes(seconds) {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
