// A record as a line of a list, and how keys go through such lines.
import { h, icon } from "./dom.js";
import { t } from "./language.js";
import { kindWords, marks, momentWords } from "./records-words.js";

const ICONS = { laboratory: "health", examination: "look", imaging: "camera", discharge: "out", note: "records" };

/** `open(record)`; `chosen`: F9 would open it. */
export function recordRow(record, { open, chosen }) {
  const { kind, title, hospital, occurred_at: at } = record;
  return h(
    "li",
    null,
    h(
      "button",
      { type: "button", class: "rec-row", "data-chosen": chosen, onclick: () => open(record) },
      icon(ICONS[kind] ?? "records"),
      h(
        "span",
        { class: "rec-row-words" },
        h("span", { class: "rec-row-title" }, h("strong", null, title), ...marks(record)),
        h("span", { class: "soft" }, t("rec.of", { kind: kindWords(kind), hospital: hospital.name, when: momentWords(at) })),
      ),
      icon("next"),
    ),
  );
}

/** Arrows choose among `view.records`, F9 opens what is chosen. True if the key was for here. */
export function choose(view, key) {
  const { records } = view;
  const step = { ArrowDown: 1, ArrowUp: -1, F9: 0 }[key];
  if (step === undefined || !records.length) return false;
  const at = records.indexOf(view.chosen);
  if (key === "F9" && at >= 0) {
    view.toRecord(view.chosen);
    return true;
  }
  view.chosen = records[Math.min(Math.max(at + step, 0), records.length - 1)];
  view.draw();
  view.node.querySelector("[data-chosen]")?.scrollIntoView({ block: "nearest" });
  return true;
}
