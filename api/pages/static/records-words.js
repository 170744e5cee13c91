// Records in words: kinds, marks, dates as FHIR writes them, values and what they mean, reasons.
import { clock, day, english, known, t } from "./language.js";
import { chip, h } from "./dom.js";
import { outside } from "./fhir-read.js";

export { KINDS } from "./record-kinds.js";

const ZONE = "Asia/Shanghai";
const CORRECTED = ["amended", "corrected", "appended"];
const EARLY = ["registered", "partial", "preliminary"];
const EARLY_RESULT = ["registered", "preliminary", "unknown"];
const VOID = ["entered-in-error", "cancelled"];
const SHORT = 24; // characters that are not broken across lines
const months = new Intl.DateTimeFormat(english ? "en-GB" : "zh-CN", { timeZone: ZONE, year: "numeric", month: "long" });

export const kindWords = (kind) => known(`kind.${kind}`, "kind.other");

/** An instant with its day and time. */
export const momentWords = (at) => `${day(at)} ${clock(at)}`;

/** The month of an instant. */
export const monthWords = (at) => months.format(new Date(at));

/** A date of FHIR: a year, a month, a day, or an instant. */
export function dateWords(text) {
  if (/^\d{4}$/.test(text)) return t("date.year", { year: text });
  if (/^\d{4}-\d{2}$/.test(text)) return monthWords(`${text}-15T12:00:00+08:00`);
  if (/^\d{4}-\d{2}-\d{2}$/.test(text)) return day(`${text}T12:00:00+08:00`);
  return Number.isNaN(Date.parse(text)) ? "" : momentWords(text);
}

/** What must not be overlooked about a record, as chips: preliminary, corrected, replaced, void, its mark. */
export function marks({ status, superseded_by: newer, recognition }) {
  const early =
    EARLY.includes(status) && chip(t(status === "preliminary" ? "mark.preliminary" : "mark.early"), "chip-again");
  const fixed = CORRECTED.includes(status) && chip(t("mark.corrected"), "chip-again");
  const wrong = VOID.includes(status) && chip(t("mark.void"), "chip-again");
  const old = newer && chip(t("mark.superseded"), "chip-off");
  return [old, wrong, early, fixed, recognition && chip(recognition.mark, "chip-accepted")].filter(Boolean);
}

/** What a flag means: `{text, off}`; `off` if it is not as it should be. Nothing where nobody said. */
export function flagWords(row) {
  const code = row.flag || outside(row);
  const text = known(`flag.${code}`, null) ?? (row.word || code);
  return text ? { text, off: !["N", "NEG", "S", "ND", "NR"].includes(code) } : null;
}

export const flagChip = (flag) => flag && chip(flag.text, flag.off ? "chip-again" : "");

/** A result that may still change is marked as one. */
export const earlyChip = ({ status }) => EARLY_RESULT.includes(status) && chip(t("mark.preliminary"), "chip-again");

/** The reference range in words, or nothing. */
export function rangeWords({ low, high, range }) {
  if (low && high) return t("range.both", { low, high });
  if (low) return t("range.low", { low });
  if (high) return t("range.high", { high });
  return range ? t("range.text", { range }) : "";
}

/** A value with its unit; the number stands out. One that is short, as its range, is read in one line. */
export function valueWords({ value, unit, comparator, truth, absent, range, status }) {
  if (status === "cancelled") return h("span", { class: "result-value" }, t("value.cancelled"));
  const said = truth === undefined ? value : t(truth ? "value.yes" : "value.no");
  if (!said) return h("span", { class: "result-value" }, absent || t("value.absent"));
  const number = h("strong", null, `${comparator ?? ""}${said}`);
  const short = `${said}`.length <= SHORT && (range ?? "").length <= SHORT;
  return h("span", { class: short ? "result-value result-short" : "result-value" }, number, unit && ` ${unit}`);
}

/** What a doctor decided about a result that is here already. */
export function decisionWords({ at, hospital, item, item_name: name, decision, reason }) {
  const what = { hospital, item: name || item, when: day(at) };
  if (decision === "accepted") return t("decision.accepted", what);
  return t("decision.repeated", { ...what, reason: known(`repeat.${reason}`, "repeat.other") });
}
