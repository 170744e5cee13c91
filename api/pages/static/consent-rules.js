// What the patient's rules say (api-services.md, Records): the most specific one in force decides; none means no.
import { clock, day, known, t } from "./language.js";
import { KINDS } from "./record-kinds.js";

export const ANY = "*";
const NOON = "T12:00:00+08:00";
const DAY = 86_400_000; // ms; there is no summer time
const form = { timeZone: "Asia/Shanghai", year: "numeric", month: "2-digit", day: "2-digit" };
const numbers = new Intl.DateTimeFormat("en-CA", form);

/** The date at the hospitals, as YYYY-MM-DD. */
export const today = () => numbers.format(new Date());

/** Whether a rule holds now. */
export function inForce({ valid_from: from, valid_until: until }, at = Date.now()) {
  return (!from || Date.parse(from) <= at) && !isOver({ valid_until: until }, at);
}

export const isOver = ({ valid_until: until }, at = Date.now()) => Boolean(until) && Date.parse(until) <= at;

const weight = ({ hospital_id: hospital, kind }) => (hospital === ANY ? 0 : 2) + (kind === ANY ? 0 : 1);
const sameScope = (one, other) => one.hospital_id === other.hospital_id && one.kind === other.kind;

/** Whether that hospital may read that kind now. */
function mayRead(rules, hospital, kind) {
  const fits = (rule) => [ANY, hospital].includes(rule.hospital_id) && [ANY, kind].includes(rule.kind) && inForce(rule);
  const found = rules.filter(fits);
  const most = Math.max(...found.map(weight));
  const deciding = found.filter((rule) => weight(rule) === most);
  return deciding.length > 0 && deciding.every(({ effect }) => effect === "permit");
}

const covers = (one, other) => one === ANY || one === other;
const denies = ({ effect }) => effect !== "permit";
const livePermit = (rule) => !denies(rule) && !isOver(rule);

/** What would be gone with this rule: what was decided for the same, and permits, more specific, that a denial covers. */
export function endedBy(rules, rule) {
  const covered = (each) => covers(rule.hospital_id, each.hospital_id) && covers(rule.kind, each.kind);
  return rules.filter((each) => sameScope(each, rule) || (denies(rule) && livePermit(each) && covered(each)));
}

/** Permits of one hospital for everything: they stay, without the kind that is now denied to all hospitals. */
export function narrowedBy(rules, rule) {
  if (!denies(rule) || rule.hospital_id !== ANY || rule.kind === ANY) return [];
  return rules.filter((each) => livePermit(each) && each.hospital_id !== ANY && each.kind === ANY);
}

/** The rules with this one in place of what it ends; a denial holds also where a more specific permit would win. */
export function withRule(rules, rule) {
  const ended = endedBy(rules, rule);
  const narrowed = new Set(narrowedBy(rules, rule).map((each) => each.hospital_id));
  const also = [...narrowed].map((hospital) => ({ ...rule, hospital_id: hospital }));
  return [...rules.filter((each) => !ended.includes(each)), rule, ...also];
}

export const without = (rules, rule) => rules.filter((each) => !sameRule(each, rule));

function sameRule(one, other) {
  const same = (name) => (one[name] ?? null) === (other[name] ?? null);
  return ["hospital_id", "kind", "effect", "valid_from", "valid_until"].every(same);
}

/** Kinds of a rule's scope that its hospital may read under these rules. */
export function readable(rules, { hospital_id: hospital, kind }) {
  return (kind === ANY ? KINDS : [kind]).filter((each) => mayRead(rules, hospital, each));
}

export const kindsWords = (kind) => t(kind === ANY ? "consent.kind.any" : `consent.kind.${kind}`);

/** Kinds as one phrase. */
export const kindsOf = (kinds) =>
  kinds.length === KINDS.length ? kindsWords(ANY) : kinds.map(kindsWords).join(t("and"));

export const hospitalWords = (id, hospitals) =>
  id === ANY
    ? t("consent.hospital.any")
    : (hospitals.find((each) => each.hospital_id === id)?.name ?? t("consent.hospital.other"));

/** A rule as one sentence: who, what, may or may not. */
export function ruleWords({ hospital_id: id, kind, effect }, hospitals) {
  const who = { hospital: hospitalWords(id, hospitals), kinds: kindsWords(kind) };
  if (effect !== "permit" && kind === ANY) return t("consent.rule.none", who);
  return known(`consent.rule.${effect}`, "consent.rule.deny", who);
}

/** From when and until when. An end at midnight is the end of the day before. */
export function validityWords({ valid_from: from, valid_until: until }) {
  const begins = from && Date.parse(from) > Date.now() && t("consent.from", { when: `${day(from)} ${clock(from)}` });
  if (!until) return begins || t("consent.always");
  const end = clock(until) === "00:00" ? day(Date.parse(until) - 1) : `${day(until)} ${clock(until)}`;
  return [begins, t(isOver({ valid_until: until }) ? "consent.over" : "consent.until", { when: end })]
    .filter(Boolean)
    .join(t("and"));
}

/** The end of a date of the hospitals (YYYY-MM-DD), so many days later, as the service writes instants. */
export function endOf(date, days = 0) {
  const end = Date.parse(`${date}${NOON}`) + days * DAY + DAY / 2;
  return new Date(end).toISOString().replace(".000", "");
}
