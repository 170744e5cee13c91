// What waits for a second custodian: whoever asked cannot decide. What went wrong is said above the list, and stays.
import * as api from "./admin-api.js";
import { surely } from "./admin-dialog.js";
import { livePart } from "./admin-place.js";
import { moment, reasonWords } from "./admin-words.js";
import { button, h } from "./dom.js";
import { during } from "./form.js";
import { t } from "./language.js";

export function approvalsPart(custodian, refresh) {
  const place = h("div", { class: "stack" });
  const list = livePart(h("div", { class: "stack" }));
  const title = h("h2", { id: "waiting", tabindex: "-1" }, t("waiting.title"));
  const node = h("section", { class: "panel", "aria-labelledby": "waiting" }, title, place, list.node);
  const row = (each) => approvalRow(each, custodian, place, refresh);
  const build = (open) => [open.length ? h("ul", { class: "plain-rows" }, open.map(row)) : h("p", { class: "soft" }, t("waiting.none"))];
  return {
    node,
    /** Those that this person can decide come first. */
    draw(open, minute) {
      const sorted = [...open.filter((each) => !each.mine), ...open.filter((each) => each.mine)];
      list.draw([sorted, minute], () => build(sorted));
    },
  };
}

function approvalRow(each, custodian, place, refresh) {
  const compromise = each.kind === "compromise";
  const decide = (approve, label, kind) => {
    const props = { "data-key": `${approve}-${each.approval_id}` };
    const pressed = button(kind, label, () => during(pressed, place, () => surely(() => api.decide(each.approval_id, approve))).then(refresh), props);
    return pressed;
  };
  const acts = () => [
    decide(true, t(compromise ? "waiting.confirm" : "waiting.approve"), "primary"),
    !compromise && decide(false, t("waiting.refuse"), "quiet"),
  ];
  const words = { ...each, purpose: t(`purpose.${each.purpose}`), source: t(`state.${each.source}`), to: t(`state.${each.to}`) };
  return h(
    "li",
    { class: "approval" },
    h("p", null, h("strong", null, t(compromise ? "waiting.compromise" : "waiting.transition", words))),
    h("p", { class: "long" }, reasonWords(each.reason)),
    h("p", { class: "soft" }, untilWords(each)),
    each.mine && h("p", { class: "soft" }, t("waiting.mine")),
    custodian && !each.mine && h("div", { class: "pair" }, acts()),
  );
}

function untilWords(each) {
  if (each.late) return t("waiting.late");
  return t(each.kind === "compromise" ? "waiting.confirm-until" : "waiting.until", moment(each.expires_at));
}
