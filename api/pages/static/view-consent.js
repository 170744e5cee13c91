// Giving a consent, or refusing one: which hospital, what, how long; then all of it in full before the tap.
import { button, h, icon, show } from "./dom.js";
import { choice, chips, field, notice, screen } from "./form.js";
import { t } from "./language.js";
import * as rules from "./consent-rules.js";
import { refusalOf, stuck, tried, whose } from "./parts.js";
import * as api from "./records-api.js";
import { choose } from "./record-chosen.js";
import { KINDS } from "./record-kinds.js";
import { inSteps, part } from "./view-add.js";
import { consentsView } from "./view-consents.js";

const TYPED = 300; // ms after the last letter
const TERMS = ["today", "month", "date", "always"];
const DENIED = TERMS.slice(1); // a denial is not about one visit
const MONTH = 30; // days

/** `given`: what the form begins with, `{one, kind, effect}`. */
export function consentView(app, given) {
  const begun = choose(app, "rule", given);
  if (!begun) return consentsView(app);
  const permit = begun.effect === "permit";
  const title = t(permit ? "consent.title" : "consent.title.deny");
  const said = h("div", { class: "stack", "aria-live": "polite" });
  const full = h("div", { class: "stack", "aria-live": "polite" });
  const hospital = hospitalPart(app, begun.one, draw);
  const kinds = [rules.ANY, ...KINDS].map((kind) => [kind, rules.kindsWords(kind)]);
  const kind = choice("kind", t("consent.kinds"), kinds, { value: begun.kind });
  const term = termPart(permit, draw);
  const act = button("primary", t(permit ? "consent.act" : "consent.act.deny"), save, { icon: "shield" });
  let standing = null;
  kind.input.addEventListener("change", draw);

  const rule = () => ({ hospital_id: hospital.id(), kind: kind.value, effect: begun.effect, ...term.until() });

  function draw() {
    if (!hospital.id() || !term.until()) return show(full, h("p", { class: "soft" }, t("consent.missing")));
    const names = [...hospital.named(), ...(standing?.hospitals ?? [])];
    const before = standing?.rules ?? [];
    return show(
      full,
      permit ? inFull(rule(), names) : h("p", null, h("strong", null, rules.ruleWords(rule(), names))),
      earlier(t("consent.replaces"), rules.endedBy(before, rule()), names),
      earlier(t("consent.narrows", { kinds: rules.kindsWords(kind.value) }), rules.narrowedBy(before, rule()), names),
    );
  }

  async function save() {
    if (!hospital.id() || !term.until()) return show(said, notice("again", { title: t("consent.missing") }));
    return tried(act, said, put, refused);
  }

  async function put() {
    if (!standing) {
      standing = await api.consents(app.card.card_id);
      draw();
      const touched = [...rules.endedBy(standing.rules, rule()), ...rules.narrowedBy(standing.rules, rule())];
      if (!permit && touched.length) return show(said, changed()); // what ends by it was not said before this tap
    }
    await api.decide(app.card.card_id, rules.withRule(standing.rules, rule()), standing.etag);
    const done = {
      title: t(permit ? "consent.done" : "consent.done.deny"),
      todo: rules.ruleWords(rule(), hospital.named()),
    };
    app.go("consents", { said: done }, { replace: true });
  }

  function refused(error) {
    if (error.status !== 412) return refusalOf(app, t("act.again"))(error);
    standing = null;
    look();
    return changed();
  }

  /** What stands now, so that what would be replaced is said before. The form works without it. */
  async function look() {
    standing = await api.consents(app.card.card_id).catch(() => null);
    draw();
  }

  const steps = inSteps([
    part(t(permit ? "consent.who" : "consent.who.deny"), hospital.node),
    part(t(permit ? "consent.what" : "consent.what.deny"), kind.node, term.node),
    part(t(permit ? "consent.full" : "consent.full.deny"), full, said, act),
  ]);
  draw();
  look();
  return { node: screen(title, app.back, h("div", { class: "panel" }, whose(app)), steps.node), title, tab: "me" };
}

const changed = () => notice("again", { title: t("consents.changed.title"), todo: t("consent.changed.todo") });

/** Earlier decisions that this one changes, each in a sentence; nothing where there are none. */
function earlier(title, found, names) {
  const sentences = [...new Set(found.map((each) => rules.ruleWords(each, names)))];
  return sentences.length > 0 && notice("calm", { title }, ...sentences.map((each) => h("p", null, each)));
}

/** The consent in full: to whom, what for, which records, how, until when, and what refusing means. */
function inFull(rule, names) {
  const say = (name, text) => [h("dt", null, t(`consent.${name}`)), h("dd", null, text)];
  return h(
    "dl",
    { class: "consent-full" },
    say("recipient", rules.hospitalWords(rule.hospital_id, names)),
    say("contact", t(rule.hospital_id === rules.ANY ? "consent.contact.any" : "consent.contact.one")),
    say("purpose", t("consent.purpose.text")),
    say("records", rules.kindsWords(rule.kind)),
    say("method", t("consent.method.text")),
    say("term", rules.validityWords(rule)),
    say("effect", t("consent.effect.text")),
  );
}

/** One hospital, found by its name, or all. `id()` null until one is chosen. */
function hospitalPart(app, one, changed) {
  let chosen = null;
  let run = 0;
  let timer = 0;
  const rows = h("div", { class: "rows", role: "radiogroup", "aria-label": t("consent.hospital") });
  const found = h("div", { class: "stack", "aria-live": "polite" }, rows);
  const asked = field("hospital", t("consent.hospital.find"), { type: "search", maxlength: 50 });
  const search = h("div", { class: "stack", hidden: !one }, asked.node, found);
  const which = chips(
    t("consent.hospital"),
    [
      [true, t("consent.hospital.one")],
      [false, t("consent.hospital.any")],
    ],
    one,
    (now) => {
      search.hidden = !now;
      changed();
    },
  );

  async function load() {
    const mine = ++run;
    try {
      const hospitals = await api.hospitals(asked.value.trim());
      if (mine !== run) return;
      if (hospitals.length) show(found, show(rows, hospitals.map(row)));
      else show(found, h("p", { class: "soft" }, t("consent.hospital.none")));
    } catch (error) {
      if (mine === run) stuck(found, error, refusalOf(app)(error), load);
    }
  }

  function row(hospital) {
    const pick = () => {
      chosen = hospital;
      for (const each of rows.children) each.setAttribute("aria-checked", String(each === node));
      changed();
    };
    const checked = String(chosen?.hospital_id === hospital.hospital_id);
    const words = h("span", { class: "row-words" }, hospital.name);
    const node = h(
      "button",
      { type: "button", class: "row row-pick", role: "radio", "aria-checked": checked, onclick: pick },
      icon("hospital"),
      words,
      icon("check"),
    );
    return node;
  }

  asked.input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(load, TYPED);
  });
  load();
  return {
    node: h("div", { class: "stack" }, which.node, search),
    id: () => (which.value ? (chosen?.hospital_id ?? null) : rules.ANY),
    named: () => (chosen ? [chosen] : []),
  };
}

/** Until when. `until()`: part of the rule, or null while no date is chosen. */
function termPart(permit, changed) {
  const today = rules.today();
  const date = field("until", t("consent.date"), { type: "date", min: today });
  date.node.hidden = true;
  date.input.addEventListener("change", changed);
  const terms = chips(
    t("consent.term"),
    (permit ? TERMS : DENIED).map((name) => [name, t(`consent.term.${name}`)]),
    permit ? "month" : "always",
    (now) => {
      date.node.hidden = now !== "date";
      changed();
    },
  );
  const until = {
    today: () => ({ valid_until: rules.endOf(today) }),
    month: () => ({ valid_until: rules.endOf(today, MONTH) }),
    date: () => (date.value >= today ? { valid_until: rules.endOf(date.value) } : null),
    always: () => ({}),
  };
  const label = h("p", { class: "field-label" }, t("consent.term"));
  return { node: h("div", { class: "stack" }, label, terms.node, date.node), until: () => until[terms.value]() };
}
