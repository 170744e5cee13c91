// The half of the screen that says what a scan gave: accepted, refused, look again, or that no answer came yet.
import { arrivalSpoken, arrivalStep } from "./desk-arrival.js";
import { h, icon, show } from "./dom.js";
import { explain, NoAnswer } from "./http.js";
import { age, clock, known, t } from "./language.js";
import { serviceName, serviceNames, serviceOf, stepName } from "./visit.js";

const LOOK_AGAIN = new Set([
  "code-malformed",
  "code-expired",
  "code-not-yet-valid",
  "older-code",
  "validation-failed",
  "rate-limited",
  "too-many-tries",
]);
const ICONS = { accepted: "check", refused: "cross", again: "look", waiting: "refresh" };

/** A scan as it is shown and kept: `{kind, title, say, next, person, …}`. `kind` names colour, icon and sound. */
export function verdictOf(scan, step) {
  if (scan.kind === "waiting")
    return scan.until || scan.attempt ? noAnswerYet(scan) : { kind: "waiting", title: t("verdict.waiting") };
  if (scan.kind === "unknown")
    return { kind: "again", title: t("verdict.unknown"), say: t("say.unknown"), next: t("do.unknown") };
  if (scan.kind === "refused") return refusedBy(scan.error);
  return resolved(scan.answer, step);
}

function noAnswerYet({ error, until }) {
  const seconds = Math.max(0, Math.ceil((until - Date.now()) / 1000));
  const cause = !error
    ? "waiting"
    : error instanceof NoAnswer
      ? "network"
      : error.status === 504
        ? "slow"
        : error.status === 429
          ? "busy"
          : "down";
  return {
    kind: "waiting",
    title: t("verdict.no-answer"),
    why: t(`no-answer.${cause}`),
    retry: until ? t("no-answer.retry", { seconds }) : t("no-answer.now"),
    say: t("say.no-answer"),
    next: t("do.no-answer"),
  };
}

function refusedBy(error) {
  const { title, todo } = explain(error);
  const kind = LOOK_AGAIN.has(error.code) ? "again" : "refused";
  return {
    kind,
    title,
    why: known(`why.${error.code}`, null) ?? "",
    say: known(`say.${error.code}`, "say.refused"),
    next: known(`do.${error.code}`, null) ?? todo,
    reason: error.code,
  };
}

function resolved({ resolution, replayed }, step) {
  const { card, granted, insurance, patient_number: number } = resolution;
  const needed = serviceOf(step);
  const closed = needed && !granted.includes(needed) ? serviceName(needed) : null;
  const next = closed ? t("do.closed", { service: closed }) : t("do.accepted", { step: stepName(step) });
  return {
    kind: closed ? "again" : "accepted",
    title: closed ? t("verdict.closed", { service: closed }) : t("verdict.accepted"),
    say: closed ? t("say.closed", { service: closed }) : null,
    next,
    replayed,
    card,
    granted,
    insurance,
    number,
    at: resolution.resolved_at,
    step,
    arrival: resolution.arrival ?? null,
  };
}

/** Draws a verdict into `place`. Redrawn while a wait counts down, it does not call again. */
export function drawVerdict(place, verdict) {
  place.className = `verdict verdict-${verdict.kind}`;
  show(
    place,
    h(
      "div",
      { class: "verdict-head", role: "alert" },
      h("span", { class: "verdict-icon" }, icon(ICONS[verdict.kind])),
      h("h2", { class: "verdict-title" }, verdict.title),
      verdict.replayed
        ? h("p", { class: "verdict-replay" }, icon("refresh"), t("verdict.replayed", { time: clock(verdict.at) }))
        : null,
      verdict.card ? h("p", { class: "visually-hidden" }, `${verdict.card.name} ${sexAndAge(verdict.card)}`) : null,
      verdict.arrival ? h("p", { class: "visually-hidden" }, arrivalSpoken(verdict.arrival)) : null,
    ),
    verdict.card ? person(verdict) : null,
    verdict.why ? h("p", { class: "verdict-why" }, verdict.why) : null,
    verdict.retry
      ? h(
          "p",
          { class: "verdict-retry" },
          h("span", { class: "spinner" }),
          h("span", { "data-retry": true }, verdict.retry),
        )
      : null,
    verdict.say
      ? h(
          "div",
          { class: "verdict-say" },
          icon("say"),
          h(
            "div",
            null,
            h("p", { class: "verdict-label" }, t("verdict.say")),
            h("p", { class: "verdict-words" }, verdict.say),
          ),
        )
      : null,
    verdict.next ? h("div", { class: "verdict-next" }) : null,
  );
  if (verdict.next) drawNext(place, verdict, verdict.arrival ? [verdict.arrival] : [], Date.now());
}

/** The one next step: of `today`, the appointments of this day, where there are any, else the usual one. */
export function drawNext(place, { next, step }, today, now) {
  const usual = [h("p", { class: "verdict-label" }, t("verdict.next")), h("p", { class: "verdict-words" }, next)];
  show(place.querySelector(".verdict-next"), ...(today.length ? arrivalStep(today, { step, now }) : usual));
}

function person({ card, granted, insurance, number }) {
  const fact = (label, value) => value && h("div", { class: "fact" }, h("dt", null, label), h("dd", null, value));
  return h(
    "div",
    { class: "verdict-person" },
    h("p", { class: "verdict-name" }, card.name),
    h("p", { class: "verdict-sex" }, sexAndAge(card)),
    h(
      "dl",
      { class: "facts" },
      fact(t("fact.number"), masked(card.id_number, 6, 4)),
      fact(t("fact.phone"), masked(card.phone, 3, 4)),
      fact(t("fact.patient-number"), number),
      fact(
        t("fact.insurance"),
        insurance ? known(`insurance.type.${insurance.type}`, "fact.insured") : t("fact.uninsured"),
      ),
      fact(t("fact.granted"), granted.length ? serviceNames(granted) : t("fact.identity-only")),
    ),
  );
}

function sexAndAge({ gender, birthday }) {
  const years = birthday ? t("person.age", { age: age(birthday) }) : null;
  return [gender && known(`gender.${gender}`, null), years].filter(Boolean).join(t("person.and"));
}

/** Enough to compare with a document, not enough to copy from the screen. */
function masked(text, front, back) {
  if (!text || text.includes("*") || text.length <= front + back) return text;
  return text.slice(0, front) + "*".repeat(text.length - front - back) + text.slice(-back);
}
