// Money, for auditors: the books beside the other side's, each difference to be explained, and what is unresolved.
import { attempts } from "./admin-api.js";
import { ask } from "./admin-dialog.js";
import * as api from "./admin-payments-api.js";
import { reconcileForm } from "./admin-reconcile.js";
import { moment } from "./admin-words.js";
import { button, chip, h, show } from "./dom.js";
import { labelled, notice } from "./form.js";
import { explain } from "./http.js";
import { known, t } from "./language.js";
import { yuan } from "./money-words.js";

const EVERY = 15_000; // ms between two looks
const MOST = 500; // characters of an explanation
const KINDS = { matched: "chip-accepted", differs: "chip-late", failed: "chip-again" };

/** Fills `node`, at `begin()`. `look()` looks for what is new; `waits()`: how much waits for an auditor. */
export function paymentsPart(node) {
  const stuck = h("div", { class: "stack" });
  const days = { list: h("ul", { class: "plain-rows" }), foot: h("div", { class: "stack" }), shown: [], next: null };
  let open = [];
  let looked = Date.now();

  async function load(cursor) {
    try {
      const page = await api.reconciliations(cursor);
      days.shown = cursor ? [...days.shown, ...page.reconciliations] : page.reconciliations;
      days.next = page.next_cursor;
      draw();
    } catch (error) {
      show(days.foot, h("p", { class: "soft" }, explain(error).title), button("plain", t("again"), () => load(cursor), { icon: "refresh" }));
    }
  }

  function draw() {
    show(days.list, days.shown.map((each) => dayRow(each, () => load(null))));
    const more = days.next && button("plain", t("money.more"), () => load(days.next));
    show(days.foot, more, !days.shown.length && h("p", { class: "soft" }, t("money.none")));
  }

  async function loadStuck() {
    try {
      const { unresolved, next_cursor: next } = await api.unresolved(null);
      open = unresolved;
      show(stuck, unresolved.length ? stuckRows(unresolved, next) : h("p", { class: "soft" }, t("stuck.none")));
    } catch (error) {
      show(stuck, h("p", { class: "soft" }, explain(error).title), button("plain", t("again"), loadStuck, { icon: "refresh" }));
    }
  }

  /** Looks for what is new, unless somebody reads further down or writes. */
  async function look() {
    if (Date.now() - looked < EVERY || document.querySelector("dialog[open]") || node.contains(document.activeElement)) return;
    looked = Date.now();
    if (days.shown.length <= 20) await load(null);
    await loadStuck();
  }

  const form = reconcileForm((made) => {
    days.shown = [made, ...days.shown];
    draw();
    days.list.firstElementChild?.scrollIntoView({ block: "nearest" });
  });
  show(node, h("h2", { id: "money", tabindex: "-1" }, t("money.title")), h("h3", null, t("stuck.title")), stuck, h("h3", null, t("money.days")), form, days.list, days.foot);
  const waits = () => open.length + days.shown.flatMap(({ differences }) => differences).filter(({ explanation }) => !explanation).length;
  return { begin: () => Promise.all([load(null), loadStuck()]), look, waits };
}

function stuckRows(rows, next) {
  const count = next ? `${rows.length}+` : rows.length;
  const row = (each) =>
    h(
      "li",
      null,
      h("p", null, h("strong", null, known(`stuck.kind.${each.kind}`, null) ?? each.kind), " ", h("code", null, each.bill_id)),
      h("p", { class: "soft" }, t("stuck.since", { ...moment(each.since), attempts: each.attempts })),
      each.call && h("p", { class: "soft" }, t("stuck.call", { call: each.call, code: each.code ?? "–" })),
    );
  return [notice("refused", { title: t("stuck.count", { count }), todo: t("stuck.todo") }), h("ul", { class: "plain-rows" }, rows.map(row))];
}

/** A day's books of one channel, beside the other side's. */
function dayRow(each, again) {
  const { date, channel, status, code, ours, theirs, differences, at } = each;
  const unexplained = differences.filter(({ explanation }) => !explanation).length;
  return h(
    "li",
    { class: "money-day" },
    h(
      "p",
      { class: "money-head" },
      h("strong", null, `${date} ${t(`money.channel.${channel}`)}`),
      chip(t(`money.status.${status}`), KINDS[status]),
      unexplained > 0 && h("span", { class: "soft" }, t("money.unexplained", { count: unexplained })),
    ),
    status === "failed" && h("p", { class: "glass-due" }, known(`money.failed.${code}`, "money.failed")),
    totals(ours, theirs),
    differences.length > 0 && h("ul", { class: "money-differences" }, differences.map((one) => differenceRow(one, again))),
    h("p", { class: "soft" }, t("money.at", moment(at))),
  );
}

function totals(ours, theirs) {
  const head = ["count", "amount", "refund"].map((name) => h("th", { scope: "col" }, t(`money.total.${name}`)));
  const side = h("th", { scope: "col" }, h("span", { class: "visually-hidden" }, t("money.channel")));
  const cells = (of) => [of.count, yuan(of.amount_fen), yuan(of.refund_fen)].map((each) => h("td", null, each));
  const none = () => h("td", { colspan: 3, class: "soft" }, t("money.theirs.none"));
  const row = (name, of) => h("tr", null, h("th", { scope: "row" }, t(`money.${name}`)), of ? cells(of) : none());
  return h("table", { class: "counts" }, h("thead", null, h("tr", null, side, head)), h("tbody", null, row("ours", ours), row("theirs", theirs)));
}

function differenceRow(one, again) {
  const { kind, ref, ours_fen: ours, theirs_fen: theirs, explanation, difference_id: id } = one;
  const side = (fen) => (fen === null ? "–" : yuan(fen));
  return h(
    "li",
    null,
    h("p", null, h("strong", null, t(`money.kind.${kind}`)), " ", h("code", null, ref)),
    h("p", null, t("money.sides", { ours: side(ours), theirs: side(theirs) })),
    explanation
      ? h("p", { class: "soft long" }, t("money.explained", { explanation }))
      : button("quiet", t("money.explain"), () => explainDialog(one, again), { "data-key": `difference-${id}` }),
  );
}

/** Nothing is corrected by it: it is written down why. */
function explainDialog({ kind, ref, difference_id: id }, again) {
  const words = labelled("explanation", t("money.explanation"), t("money.explanation.hint"), (name, spoken) =>
    h("textarea", { id: name, name: "explanation", class: "input", rows: 4, maxlength: MOST, ...spoken }),
  );
  const attempt = attempts();
  ask(t("money.explain"), {
    words: [h("p", null, t(`money.kind.${kind}`), " ", h("code", null, ref)), h("p", { class: "soft" }, t("money.explain.does"))],
    fields: { explanation: words },
    label: t("money.explain.act"),
    act: () => api.explainDifference(id, { explanation: words.value.trim() }, attempt).then(again).then(() => null),
  });
}
