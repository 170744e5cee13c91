// How times, a key's next step and what it waits for are said.
import { clock, day, english, t } from "./language.js";

/** A time inside a sentence: `{day, clock}`; in English "today" is no name there. */
export function moment(at) {
  const words = day(at);
  return { day: english && !/\d/.test(words) ? words.toLowerCase() : words, clock: clock(at) };
}

/** What the schedule does with a key next, in words. */
export function nextWords(key) {
  if (!key.next) return t(key.state === "active" ? "next.by-hand" : "next.none");
  const { at, waits_for: waits } = key.next;
  const to = t(`state.${key.next.to}`);
  const when = at && moment(at);
  if (key.state === "active") return when ? t("next.rotates", when) : t("next.by-hand");
  const timed = ["period-end", "not-due"].includes(waits); // the time itself says it
  const gate = waits && !timed && gateWords(waits);
  if (when && gate) return t("next.both", { to, gate, ...when });
  return when ? t("next.at", { to, ...when }) : t("next.waits", { to, gate: gate || t("gate.other") });
}

const GATES = ["published-long-enough", "workers-hold-ring", "still-in-use", "retained", "backup-horizon", "one-pending", "already-due"];

export function gateWords(gate) {
  return t(`gate.${GATES.includes(gate) ? gate : "other"}`);
}

/** A reason somebody gave: as long as they liked. */
export const reasonWords = (reason) => t("waiting.reason", { reason });
