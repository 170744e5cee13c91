// Break-glass, for auditors: what waits for a verdict, the overdue in red, and what was decided.
import { attempts } from "./admin-api.js";
import { ask } from "./admin-dialog.js";
import * as api from "./admin-records-api.js";
import { moment } from "./admin-words.js";
import { button, h, show } from "./dom.js";
import { labelled, notice } from "./form.js";
import { explain } from "./http.js";
import { known, t } from "./language.js";

const EVERY = 15_000; // ms between two looks at what waits
const MOST = 500; // characters of a note

export function glassPart() {
  const waits = h("ul", { class: "plain-rows" });
  const done = h("ul", { class: "plain-rows" });
  const late = h("div", { class: "stack" });
  const foot = h("div", { class: "stack" });
  const doneFoot = h("div", { class: "stack" });
  const summary = h("summary", null, t("glasses.done"));
  const past = h("details", { class: "details", "data-key": "glasses-done", ontoggle: () => past.open && load(before, null) }, summary, done, doneFoot);
  const title = h("h2", { id: "glasses", tabindex: "-1" }, t("glasses.title"));
  const node = h("section", { class: "panel", "aria-labelledby": "glasses" }, title, late, waits, foot, past);
  const waiting = { list: waits, foot, reviewed: "false", none: "glasses.none", shown: [] };
  const before = { list: done, foot: doneFoot, reviewed: "true", none: "glasses.none-done", shown: [] };
  let looked = 0;

  /** A page of one of the lists: the first one anew, or the next. */
  async function load(part, cursor) {
    try {
      const page = await api.glasses(part.reviewed, cursor);
      part.shown = cursor ? [...part.shown, ...page.break_glasses] : page.break_glasses;
      part.next = page.next_cursor;
      draw(part);
    } catch (error) {
      const again = button("plain", t("again"), () => load(part, cursor), { icon: "refresh" });
      show(part.foot, h("p", { class: "soft" }, explain(error).title), again);
    }
  }

  function draw(part) {
    const { list, shown, next, none } = part;
    show(list, shown.map((each) => glassRow(each, anew)));
    const more = next && button("plain", t("glasses.more"), () => load(part, next));
    show(part.foot, more, !shown.length && h("p", { class: "soft" }, t(none)));
    if (part === waiting) drawLate();
  }

  /** After a verdict both lists are others. */
  const anew = () => Promise.all([load(waiting, null), past.open && load(before, null)]);

  function drawLate() {
    const count = waiting.shown.filter(({ overdue }) => overdue).length;
    const words = count === waiting.shown.length && waiting.next ? `${count}+` : count;
    show(late, count > 0 && notice("refused", { title: t("glasses.late", { count: words }), todo: t("glasses.late.todo") }));
  }

  /** Looks for what is new, unless somebody reads further down or writes. */
  async function look() {
    if (Date.now() - looked < EVERY || document.querySelector("dialog[open]")) return;
    looked = Date.now();
    const page = await api.glasses("false", null).catch(() => null);
    const standing = waiting.shown.slice(0, page?.break_glasses.length);
    if (page && JSON.stringify(page.break_glasses) !== JSON.stringify(standing)) {
      Object.assign(waiting, { shown: page.break_glasses, next: page.next_cursor });
      draw(waiting);
    }
  }

  return { node, begin: () => load(waiting, null), look, waits: () => waiting.shown.length };
}

function glassRow(each, again) {
  const { operator, review, overdue } = each;
  const place = [each.hospital, each.department, each.terminal].filter(Boolean).join(" · ");
  return h(
    "li",
    { class: `glass-row ${overdue && !review ? "glass-late" : ""}` },
    h("p", null, h("strong", null, known(`glasses.reason.${each.reason}`, null) ?? each.reason), " ", overdue && !review && h("span", { class: "chip chip-late" }, t("glasses.overdue"))),
    h("p", { class: "long" }, each.statement),
    h("p", { class: "soft" }, t("glasses.who", { name: operator.name, id: operator.id, place })),
    h("p", { class: "soft" }, t("glasses.when", { ...moment(each.at), reads: each.reads })),
    review ? verdictOf(review) : h("p", { class: overdue ? "glass-due" : "soft" }, t("glasses.due", moment(each.due_at))),
    !review && h("div", { class: "pair" }, acts(each, again)),
  );
}

const acts = (each, again) =>
  ["justified", "unjustified"].map((verdict) =>
    button("quiet", t(`glasses.${verdict}`), () => verdictDialog(each, verdict, again), {
      class: verdict === "unjustified" ? "button button-quiet button-danger" : "button button-quiet",
      "data-key": `${verdict}-${each.break_glass_id}`,
    }),
  );

function verdictOf(review) {
  const words = t("glasses.verdict", { verdict: t(`glasses.${review.verdict}`), by: review.by, ...moment(review.at) });
  return [
    h("p", null, h("span", { class: review.verdict === "justified" ? "chip" : "chip chip-late" }, words)),
    h("p", { class: "long soft" }, review.note),
  ];
}

/** A verdict is given once: what it is about stands above, and why is written down. */
function verdictDialog(each, verdict, again) {
  const note = labelled("note", t("glasses.note"), t("glasses.note.hint"), (id, spoken) =>
    h("textarea", { id, name: "note", class: "input", rows: 4, maxlength: MOST, ...spoken }),
  );
  const attempt = attempts();
  ask(t("glasses.ask", { verdict: t(`glasses.${verdict}`) }), {
    words: [
      h("p", { class: "long" }, each.statement),
      h("p", { class: "soft" }, t("glasses.who", { name: each.operator.name, id: each.operator.id, place: each.hospital })),
      h("p", { class: "soft" }, t("glasses.final")),
    ],
    fields: { note },
    label: t(`glasses.${verdict}`),
    danger: verdict === "unjustified",
    act: () => api.review(each.break_glass_id, { verdict, note: note.value.trim() }, attempt).finally(again).then(() => null),
  });
}
