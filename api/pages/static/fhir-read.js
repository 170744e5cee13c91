// A record as a hospital posted it (FHIR R4), as plain facts to show. Nothing in it is trusted to be markup.
import { parseExactly } from "./exact-json.js";

const DEEPEST = 3; // panels within panels
const LOINC = "http://loinc.org";
const TEST = 250; // letters of a test's system and code; the service keeps no longer ones
const UNREAD = /<!--[^]*?-->|<(script|style)\b[^]*?<\/\1\s*>/gi;
const TAG = /<\/?([a-z][a-z0-9]*)(?:[^<>"']|"[^"<]*"|'[^'<]*')*>/gi;
const BLOCKS = /^(?:br|p|div|li|tr|table|ul|ol|dl|dt|dd|pre|blockquote|h[1-6])$/i;
const CELLS = /^t[dh]$/i;

/** `{top, find}`: the resource that the record is, and what finds the parts it refers to. */
export function readRecord(text) {
  const posted = parseExactly(text);
  const entries = posted.resourceType === "Bundle" ? (posted.entry ?? []) : [];
  const top = entries[0]?.resource ?? posted;
  return { top, find: (reference, owner = top) => find(reference, owner, top, entries) };
}

function find(given, owner, top, entries) {
  const reference = given?.reference;
  if (!reference) return null;
  if (reference.startsWith("#")) {
    const id = reference.slice(1);
    return [...(owner.contained ?? []), ...(top.contained ?? [])].find((part) => part.id === id) ?? null;
  }
  const named = ({ fullUrl, resource }) =>
    fullUrl === reference || (resource && `${resource.resourceType}/${resource.id}` === reference);
  return entries.find(named)?.resource ?? null;
}

/** A CodeableConcept as its text or the first name of a code. */
export function concept(given) {
  return given?.text ?? given?.coding?.find(({ display }) => display)?.display ?? given?.coding?.[0]?.code ?? "";
}

/**
 * The results of a report, one a line: `{name, code, status, value, unit, comparator, low, high, range, flag, word, notes}`;
 * `code`: the test, as trends are asked for. Of a cancelled one the name alone; one entered in error is not there.
 */
export function results({ top, find: part }) {
  return (top.result ?? []).flatMap((reference) => lines(part(reference), part, 0));
}

function lines(observation, part, depth) {
  if (observation?.resourceType !== "Observation" || depth > DEEPEST) return [];
  const own = ownLines(observation);
  const members = (observation.hasMember ?? []).flatMap((each) => lines(part(each, observation), part, depth + 1));
  return [...own, ...members];
}

function ownLines({ status, ...observation }) {
  if (status === "entered-in-error") return [];
  if (status === "cancelled") return [{ ...line({ code: observation.code }), status }];
  const parts = [observation, ...(observation.component ?? [])].map(line);
  return parts.filter(({ said }) => said).map((each) => ({ ...each, status }));
}

/** Which test it is: a LOINC code alone, another as `system|code`; nothing where it has none, or no trend. */
function testOf(codings = []) {
  const coded = codings.filter(({ code }) => code);
  const { system = "", code = "" } = coded.find((each) => each.system === LOINC) ?? coded[0] ?? {};
  if (!code || `${system}${code}`.includes("|")) return "";
  const test = system === LOINC ? code : `${system}|${code}`;
  return [...test].length > TEST ? "" : test;
}

function line(observation) {
  const range = observation.referenceRange?.[0] ?? {};
  const mark = observation.interpretation?.[0];
  const value = valueOf(observation);
  return {
    name: concept(observation.code),
    code: testOf(observation.code?.coding),
    low: range.low?.value ?? null,
    high: range.high?.value ?? null,
    range: range.text ?? "",
    rangeUnit: range.low?.unit ?? range.high?.unit ?? null,
    flag: mark?.coding?.[0]?.code ?? "",
    word: concept(mark),
    absent: concept(observation.dataAbsentReason),
    notes: (observation.note ?? []).map(({ text }) => text),
    ...value,
    said: Boolean(value.value || value.truth !== undefined || observation.dataAbsentReason),
  };
}

/** `{value, unit, comparator}`; `unit` null where there can be none. */
function valueOf(from) {
  const quantity = ({ value, unit, code, comparator }) => ({ value, unit: unit ?? code ?? "", comparator });
  if (from.valueQuantity) return quantity(from.valueQuantity);
  const { low, high } = from.valueRange ?? {};
  if (low || high) return { value: `${low?.value ?? ""}–${high?.value ?? ""}`, unit: low?.unit ?? high?.unit ?? "" };
  const { numerator, denominator } = from.valueRatio ?? {};
  if (numerator) return { value: `${numerator.value}:${denominator?.value ?? ""}`, unit: null };
  if (from.valueCodeableConcept) return { value: concept(from.valueCodeableConcept), unit: null };
  const plain =
    from.valueString ?? from.valueInteger ?? from.valueDateTime ?? from.valueTime ?? from.valuePeriod?.start;
  if (plain !== undefined) return { value: plain, unit: null };
  if (from.valueBoolean !== undefined) return { value: "", unit: null, truth: from.valueBoolean };
  return { value: "", unit: null };
}

/** Whether a value is above or below its own range: H, L, or nothing where that cannot be said. */
export function outside({ value, low, high, comparator, unit, rangeUnit }) {
  const number = Number(value);
  if (comparator || !value || Number.isNaN(number) || (rangeUnit && rangeUnit !== unit)) return "";
  if (high && number > Number(high)) return "H";
  return low && number < Number(low) ? "L" : "";
}

/** When the specimen was taken, as FHIR writes it, or nothing. */
export function sampled({ top, find: part }) {
  const taken = (top.specimen ?? []).map((each) => part(each)?.collection).find(Boolean);
  return taken?.collectedDateTime ?? taken?.collectedPeriod?.start ?? "";
}

/** What was attached: `{title, type, data}`; `data` is base64, or null for what is kept elsewhere. */
export function attachments({ top, find: part }) {
  const media = (top.media ?? []).map(({ link }) => part(link)?.content);
  const given = [...(top.presentedForm ?? []), ...(top.content ?? []).map(({ attachment }) => attachment), ...media];
  const one = ({ title, contentType, data }) => ({ title: title ?? "", type: contentType ?? "", data: data ?? null });
  return given.filter((each) => each && (each.data || each.url)).map(one);
}

/** What the doctor concluded, in sentences. */
export function conclusions({ top }) {
  const codes = (top.conclusionCode ?? []).map(concept);
  const notes = (top.note ?? []).map(({ text }) => text);
  return [top.conclusion, ...codes, ...notes].filter(Boolean);
}

/** The series of an imaging study: `{uid, name, count}`. */
export function series({ top }) {
  const one = ({ uid, description, bodySite, modality, numberOfInstances: count }) => ({
    uid,
    name: [description, bodySite?.display, modality?.code].filter(Boolean).join(" · "),
    count,
  });
  return (top.series ?? []).map(one);
}

/** The narrative as plain text. Only what is left without a tag is ever parsed, to read its entities. */
export function narrative({ top }) {
  const told = (top.text?.div ?? "").replace(UNREAD, "").replace(/\s+/g, " ");
  const bare = told.replace(TAG, (_, name) => (BLOCKS.test(name) ? "\n" : CELLS.test(name) ? " " : ""));
  const inert = new DOMParser().parseFromString(bare.replaceAll("<", "&lt;"), "text/html");
  const lines = inert.documentElement.textContent.split("\n").map((each) => each.trim());
  return lines.filter(Boolean).join("\n");
}
