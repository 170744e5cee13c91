// Adding a card: who, which document, which phone, insurance if wanted, consent, then the proof of the person.
import { button, h, icon, show } from "./dom.js";
import { choice, chips, during, field, filled, notice, screen } from "./form.js";
import { largeType } from "./frame.js";
import { attemptName, explain } from "./http.js";
import { english, t } from "./language.js";
import * as api from "./patient-api.js";
import { proofs } from "./proof.js";
import { visit } from "./remember.js";

const RELATIONS = ["self", "child", "parent", "spouse", "other"];
const DOCUMENTS = ["01", "03", "06", "07"];

/** `relation`: what the form begins with; `person`: one of the demo's people to fill it with. */
export function addView(app, { relation, person } = {}) {
  const own = app.cards.find((card) => card.relation === "self");
  const relations = RELATIONS.filter((each) => each !== "self" || !own);
  const fields = personFields();
  const insurance = insuranceFields();
  const consent = consentPart();
  const place = h("div", { class: "stack" });
  const proving = h("div", { class: "stack" });
  const who = chips(
    t("add.relation"),
    relations.map((each) => [each, t(`relation.${each}`)]),
    relation ?? relations[0],
    () => offerProofs(),
  );
  let attempt = { body: "", name: "" };

  const theirs = () => ({
    name: fields.name.value.trim(),
    id_type: fields.id_type.value,
    id_number: fields.id_number.value.trim(),
    phone: fields.phone.value.replace(/\s/g, ""),
  });

  function complete() {
    show(place);
    if (!filled(Object.values(fields)) || !filled(insurance.asked())) return steps.toWrong();
    if (consent.given()) return true;
    show(place, notice("again", { title: t("consent.needed"), todo: "" }));
    return false;
  }

  async function add(proof) {
    const body = { ...theirs(), relation: who.value, proof, consent: { policy: consent.version }, ...insurance.body() };
    const text = JSON.stringify(body);
    if (attempt.body !== text) attempt = { body: text, name: attemptName() };
    const card = await api.addCard(body, attempt.name);
    await app.cardAdded(card);
  }

  function offerProofs() {
    const given = {
      app,
      relation: who.value,
      own,
      person: theirs,
      complete,
      add,
      place,
      fields: { ...fields, ...insurance.fields },
    };
    show(proving, proofs(given));
  }

  const steps = inSteps([
    part(
      t("add.part.who"),
      app.people.length ? demoFill(app, fill) : null,
      h("p", { class: "field-label" }, t("add.relation")),
      who.node,
      fields.name.node,
    ),
    part(t("add.part.document"), fields.id_type.node, fields.id_number.node, fields.phone.node),
    part(t("add.part.insurance"), insurance.node),
    part(t("add.part.consent"), consent.node, place, proving),
  ]);

  function fill(chosen) {
    for (const [name, each] of Object.entries(fields)) each.value = chosen[name];
    insurance.fill(chosen.insurance);
    offerProofs();
  }

  const first = person ?? (who.value === "self" ? app.people[visit.get("person")] : null);
  if (first) fill(first);
  fields.id_number.input.addEventListener("change", offerProofs);
  offerProofs();
  consent.load();
  const title = app.cards.length ? t("add.title.family") : t("add.title");
  return { node: screen(title, app.cards.length ? app.back : null, steps.node), title, tab: "family" };
}

function personFields() {
  return {
    name: field("name", t("add.name"), { maxlength: 50, autocomplete: "name", hint: t("add.name.hint") }),
    id_type: choice(
      "id_type",
      t("add.id-type"),
      DOCUMENTS.map((type) => [type, t(`document.${type}`)]),
    ),
    id_number: field("id_number", t("add.id-number"), {
      maxlength: 24,
      autocapitalize: "characters",
      spellcheck: "false",
    }),
    phone: field("phone", t("add.phone"), {
      type: "tel",
      inputmode: "tel",
      maxlength: 20,
      autocomplete: "tel",
      hint: t("add.phone.hint"),
    }),
  };
}

/** Insurance is asked for only when the switch is on. Used when adding a card and when merging it later. */
export function insuranceFields(on = false) {
  const fields = {
    type: choice(
      "type",
      t("insurance.type"),
      ["01", "03"].map((type) => [type, t(`insurance.type.${type}`)]),
    ),
    number: field("number", t("insurance.number"), { maxlength: 64, spellcheck: "false" }),
    area: field("area", t("insurance.area"), { inputmode: "numeric", maxlength: 6, hint: t("insurance.area.hint") }),
  };
  const rest = h(
    "div",
    { class: "stack", hidden: !on },
    Object.values(fields).map((each) => each.node),
  );
  const wanted = h(
    "button",
    { type: "button", class: "switch", role: "switch", "aria-checked": String(on), onclick: () => want(!self.on) },
    icon("insurance"),
    h("span", { class: "switch-name" }, t("insurance.merge")),
    h("span", { class: "switch-knob", "aria-hidden": "true" }),
  );
  const want = (now) => {
    self.on = now;
    rest.hidden = !now;
    wanted.setAttribute("aria-checked", String(now));
  };
  const read = () => ({ type: fields.type.value, number: fields.number.value.trim(), area: fields.area.value.trim() });
  const self = {
    on,
    fields,
    node: h("div", { class: "stack" }, wanted, rest),
    rest,
    read,
    asked: () => (self.on ? Object.values(fields) : []),
    body: () => (self.on ? { insurance: read() } : {}),
    fill(known) {
      want(Boolean(known));
      for (const [name, each] of Object.entries(fields)) if (known) each.value = known[name];
    },
  };
  return self;
}

function consentPart() {
  const box = h("input", { type: "checkbox", class: "check", id: "consent", disabled: true });
  const text = h("div", { class: "policy" });
  const label = h("span", null, t("consent.label"));
  const self = {
    version: null,
    node: h(
      "div",
      { class: "stack" },
      h("label", { class: "consent", for: "consent" }, box, label),
      h("details", { class: "details" }, h("summary", null, t("consent.read")), text),
    ),
    given: () => box.checked,
    async load() {
      show(text, t("loading"));
      try {
        const policy = await api.policy(english);
        self.version = policy.version;
        show(
          text,
          policy.text.split(/\n+/).map((paragraph) => h("p", null, paragraph)),
        );
        label.textContent = t("consent.version", { version: policy.version });
        box.disabled = false;
      } catch (error) {
        show(text, notice("again", explain(error), button("quiet", t("again"), self.load, { icon: "refresh" })));
        text.closest("details").open = true;
      }
    },
  };
  return self;
}

/** In large type one part at a time; otherwise all of them, one below the other. */
export function inSteps(parts) {
  let at = 0;
  const forward = button("primary", t("step.next"), () => move(1), { class: "button button-primary large-only" });
  const backward = button("quiet", t("step.previous"), () => move(-1), { class: "button button-quiet large-only" });
  const node = h(
    "form",
    { class: "parts", novalidate: true, onsubmit: (event) => event.preventDefault() },
    parts,
    forward,
    backward,
  );
  function move(by) {
    at = Math.min(parts.length - 1, Math.max(0, at + by));
    parts.forEach((each, index) => each.classList.toggle("part-now", index === at));
    forward.classList.toggle("button-out", at === parts.length - 1);
    backward.classList.toggle("button-out", at === 0);
    if (by) parts[at].querySelector("h2").focus();
  }
  move(0);
  return {
    node,
    toWrong() {
      const wrong = parts.findIndex((each) => each.querySelector("[aria-invalid=true]"));
      if (largeType() && wrong >= 0) move(wrong - at);
      node.querySelector("[aria-invalid=true]")?.focus();
      return false;
    },
  };
}

/** One of the steps: a panel with its heading. */
export function part(title, ...children) {
  return h("section", { class: "part panel" }, h("h2", { tabindex: "-1" }, title), ...children);
}

function demoFill(app, fill) {
  const options = [["", t("demo.fill.nobody")], ...app.people.map((person, index) => [String(index), person.name])];
  const picked = choice("demo", t("demo.fill"), options);
  picked.input.addEventListener("change", () => picked.value && fill(app.people[Number(picked.value)]));
  return picked.node;
}

/** Merging insurance into a card that is there. */
export function insuranceView(app) {
  const part = insuranceFields(true);
  const place = h("div", { class: "stack" });
  const person = app.people[visit.get("person")];
  if (person && app.card.relation === "self") part.fill(person.insurance);
  const merge = button(
    "primary",
    t("insurance.act"),
    async () => {
      if (!filled(part.asked())) return;
      await during(
        merge,
        place,
        async () => app.cardChanged(await api.mergeInsurance(app.card.card_id, part.read())),
        part.fields,
      );
    },
    { icon: "insurance" },
  );
  const title = t("insurance.title");
  return {
    node: screen(
      title,
      app.back,
      h("p", { class: "lead" }, t("insurance.lead", { name: app.card.name })),
      h("div", { class: "panel stack" }, part.rest, place, merge),
    ),
    title,
    tab: "code",
  };
}
