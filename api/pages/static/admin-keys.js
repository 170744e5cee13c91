// The keys: for each purpose its versions on a time line, what happens next, and what a custodian can do.
import { changeDialog, rotateDialog } from "./admin-acts.js";
import { compromiseButton } from "./admin-compromise.js";
import { timeLine } from "./admin-timeline.js";
import { nextWords } from "./admin-words.js";
import { button, h } from "./dom.js";
import { t } from "./language.js";

const PURPOSES = ["code", "token", "print"];
const GONE = ["retired", "destroy-scheduled", "destroyed", "compromised"];
const SHOWN = 3; // of those that are gone; the others are a tap away
// What a custodian can do with a key in each state: the word for it, and the state it leads to.
const ACTS = {
  pending: [["act.activate", "active"]],
  retiring: [
    ["act.rollback", "active"],
    ["act.retire", "retired"],
  ],
  retired: [
    ["act.restore", "pending"],
    ["act.destroy", "destroy-scheduled"],
  ],
  "destroy-scheduled": [["act.keep", "retired"]],
};

export function keysPanel(ring, custodian, refresh) {
  const parts = PURPOSES.map((purpose) => purposePart(purpose, ring, custodian, refresh));
  return [h("h2", { id: "keys", tabindex: "-1" }, t("keys.title")), h("p", { class: "soft" }, t("keys.planned")), parts];
}

function purposePart(purpose, ring, custodian, refresh) {
  const mine = ring.keys.filter((key) => key.purpose === purpose).reverse();
  const gone = mine.filter((key) => GONE.includes(key.state));
  const shown = [...mine.filter((key) => !GONE.includes(key.state)), ...gone.slice(0, SHOWN)];
  const older = gone.slice(SHOWN);
  const pending = mine.find((key) => key.state === "pending");
  const name = t(`purpose.${purpose}`);
  const line = timeLine(shown);
  const row = (key) => keyRow(key, line, ring, custodian, refresh);
  const rotate = () => rotateDialog(purpose, pending, refresh);
  return h(
    "div",
    { class: "purpose" },
    h(
      "div",
      { class: "purpose-head" },
      h("h3", null, name),
      custodian && button("quiet", t("keys.rotate", { purpose: name }), rotate, { icon: "refresh", "data-key": `rotate-${purpose}` }),
    ),
    shown.length ? [line.scale, h("ul", { class: "plain-rows" }, shown.map(row))] : h("p", { class: "soft" }, t("keys.none")),
    older.length > 0 && olderKeys(purpose, older, ring, custodian, refresh),
  );
}

function olderKeys(purpose, keys, ring, custodian, refresh) {
  const line = timeLine(keys);
  return h(
    "details",
    { class: "details", "data-key": `older-${purpose}` },
    h("summary", null, t("keys.older", { count: keys.length })),
    line.scale,
    h("ul", { class: "plain-rows" }, keys.map((key) => keyRow(key, line, ring, custodian, refresh))),
  );
}

function keyRow(key, line, ring, custodian, refresh) {
  const acts = custodian ? actsOf(key, ring, refresh) : [];
  return h(
    "li",
    { class: `key key-${key.state}` },
    h(
      "div",
      { class: "key-words" },
      h("code", null, key.kid),
      h("span", { class: "key-state" }, t(`state.${key.state}`)),
      h("span", { class: "soft" }, nextWords(key)),
    ),
    line.bar(key),
    acts.length > 0 &&
      h(
        "details",
        { class: "details key-acts", "data-key": `acts-${key.kid}` },
        h("summary", { "aria-label": t("keys.acts.of", key) }, t("keys.acts")),
        h("div", { class: "key-buttons" }, acts),
      ),
  );
}

function actsOf(key, ring, refresh) {
  const acts = (ACTS[key.state] ?? []).map(([word, to]) =>
    button("plain", t(word), () => changeDialog(key, word, to, ring.etag, refresh), { "data-key": `${word}-${key.kid}` }),
  );
  if (!["compromised", "destroyed"].includes(key.state)) acts.push(compromiseButton(key, ring, refresh, t("act.compromise")));
  return acts;
}
