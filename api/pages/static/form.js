// Pieces of forms and messages: fields with their error beside them, notices, buttons that wait.
import { button, h, icon, show } from "./dom.js";
import { Refused, explain } from "./http.js";
import { t } from "./language.js";

let made = 0;

/** A labelled input. `.value`, `.complain(text)` and `.input`; `more` goes onto the input. */
export function field(name, label, { hint, ...more } = {}) {
  return labelled(name, label, hint, (id, spoken) =>
    h("input", { id, name, class: "input", autocomplete: "off", ...spoken, ...more }),
  );
}

/** A labelled choice among `[value, label]` pairs. */
export function choice(name, label, options, { hint, value, ...more } = {}) {
  return labelled(name, label, hint, (id, spoken) => {
    const made = options.map(([key, text]) => h("option", { value: key, selected: key === value }, text));
    return h("select", { id, name, class: "input", ...spoken, ...more }, made);
  });
}

/** A few choices side by side; `.value` and `changed(value)`. */
export function chips(label, options, value, changed) {
  const chip = ([key, text]) =>
    h(
      "button",
      {
        type: "button",
        class: "chip-choice",
        role: "radio",
        "aria-checked": String(key === value),
        onclick: () => pick(key),
      },
      text,
    );
  const buttons = new Map(options.map((option) => [option[0], chip(option)]));
  const node = h("div", { class: "chips", role: "radiogroup", "aria-label": label }, [...buttons.values()]);
  const self = { node, value };
  const pick = (key) => {
    self.value = key;
    for (const [each, made] of buttons) made.setAttribute("aria-checked", String(each === key));
    changed?.(key);
  };
  return self;
}

/** A box that says something: `kind` is calm, again (look again) or refused. */
export function notice(kind, { title, todo }, ...actions) {
  return h(
    "div",
    { class: `notice notice-${kind}`, role: kind === "calm" ? "status" : "alert" },
    icon(kind === "calm" ? "shield" : kind === "again" ? "look" : "cross"),
    h(
      "div",
      { class: "notice-words" },
      title && h("p", { class: "notice-title" }, title),
      todo && h("p", null, todo),
      ...actions,
    ),
  );
}

/** Runs `work` while the button waits; says what went wrong in `place`. True if it went well. */
export async function during(pressed, place, work, fields = {}) {
  show(place);
  for (const each of Object.values(fields)) each.complain("");
  pressed.disabled = true;
  pressed.setAttribute("aria-busy", "true");
  try {
    await work();
    return true;
  } catch (error) {
    complain(error, place, fields);
    return false;
  } finally {
    pressed.disabled = false;
    pressed.removeAttribute("aria-busy");
  }
}

/** Shows an error: beside the fields that it names, else in `place`. */
export function complain(error, place, fields = {}) {
  const { title, todo } = explain(error);
  const named = error instanceof Refused ? error.fields : [];
  const shown = named.filter(({ field: pointer, message }) => fields[pointer.split("/").pop()]?.complain(message));
  if (shown.length && shown.length === named.length) {
    fields[shown[0].field.split("/").pop()].input.focus();
    return;
  }
  show(place, notice("again", { title, todo: named.length ? named.map(({ message }) => message).join(" ") : todo }));
}

/** Whether every one of these fields has something in it; says which has not. */
export function filled(fields) {
  let first = null;
  for (const each of fields) {
    const empty = !each.value.trim();
    each.complain(empty ? t("form.needed") : "");
    if (empty) first ??= each;
  }
  first?.input.focus();
  return first === null;
}

/** The head of a screen below the first one: its title and the way back. */
export function screen(title, back, ...children) {
  return h(
    "section",
    { class: "screen" },
    h(
      "header",
      { class: "screen-head" },
      back && button("plain", t("back"), back, { icon: "previous" }),
      h("h1", { tabindex: "-1" }, title),
    ),
    ...children,
  );
}

/** What field and choice are made of: `makeInput(id, spoken)` gives the control, `spoken` ties the hint to it. */
export function labelled(name, label, hint, makeInput) {
  made += 1;
  const id = `${name}-${made}`;
  const input = makeInput(id, { "aria-describedby": `${id}-hint` });
  const words = h("p", { class: "field-hint", id: `${id}-hint` }, hint);
  const node = h("div", { class: "field" }, h("label", { for: id }, label), input, words);
  return {
    node,
    input,
    get value() {
      return input.value;
    },
    set value(text) {
      input.value = text;
    },
    complain(text) {
      input.toggleAttribute("aria-invalid", Boolean(text));
      if (text) input.setAttribute("aria-invalid", "true");
      words.classList.toggle("field-wrong", Boolean(text));
      words.textContent = text || hint || "";
      return true;
    },
  };
}
