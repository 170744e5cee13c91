// The audit, for auditors: who did what to which key, hospital or card, newest first; new entries come by themselves.
import * as api from "./admin-api.js";
import { reasonWords } from "./admin-words.js";
import { button, h, show } from "./dom.js";
import { explain } from "./http.js";
import { clock, day, known, t } from "./language.js";

export function auditPart() {
  const list = h("ul", { class: "plain-rows" });
  const foot = h("div", { class: "stack" });
  const title = h("h2", { id: "audit" }, t("audit.title"));
  const node = h("section", { class: "panel", "aria-labelledby": "audit" }, title, list, foot);
  let newest = 0;

  async function more(cursor) {
    try {
      const page = await api.audit(cursor);
      newest = Math.max(newest, page.entries[0]?.id ?? 0);
      list.append(...page.entries.map(entry));
      const next = page.next_cursor && button("plain", t("audit.more"), () => more(page.next_cursor));
      show(foot, next, !list.children.length && h("p", { class: "soft" }, t("audit.none")));
    } catch (error) {
      const again = button("plain", t("again"), () => more(cursor), { icon: "refresh" });
      show(foot, h("p", { class: "soft" }, explain(error).title), again);
    }
  }

  /** Puts what is new on top. */
  async function look() {
    const page = await api.audit(null).catch(() => ({ entries: [] }));
    const fresh = page.entries.filter((each) => each.id > newest);
    if (!fresh.length) return;
    newest = fresh[0].id;
    list.prepend(...fresh.map(entry));
    if (list.children.length === fresh.length) show(foot);
  }

  return { node, begin: () => more(null), look };
}

function entry(each) {
  const { from, to, kid } = each.details ?? {};
  const subject = kid ?? (each.subject.length > 20 ? `${each.subject.slice(0, 8)}…` : each.subject);
  const state = (name) => known(`state.${name}`, null) ?? name;
  const change = to && (from ? t("audit.change", { from: state(from), to: state(to) }) : state(to));
  return h(
    "li",
    { class: "entry" },
    h("time", { class: "soft", datetime: each.at }, `${day(each.at)} ${clock(each.at)}`),
    h("p", null, h("strong", null, each.actor), " ", known(`did.${each.action}`, "did.other"), " ", h("code", null, subject)),
    change && h("p", { class: "soft" }, change),
    each.reason && h("p", { class: "soft long" }, reasonWords(each.reason)),
  );
}
