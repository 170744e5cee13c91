// Rotating a key, moving one on, and confirming a ring: acts that somebody can undo, or that a second one approves.
import * as api from "./admin-api.js";
import { ask, dialog, doneWords, reasonField, surely, wordField } from "./admin-dialog.js";
import { gateWords, moment } from "./admin-words.js";
import { button, h, show } from "./dom.js";
import { during } from "./form.js";
import { Refused } from "./http.js";
import { t } from "./language.js";

export function rotateDialog(purpose, pending, refresh) {
  const place = h("div", { class: "stack" });
  const buttons = [
    ["now", "rotate.now", "primary"],
    ["scheduled", "rotate.later", "quiet"],
  ].map(([when, label, kind]) => button(kind, t(label), (event) => rotate(when, event.currentTarget)));
  const body = h(
    "div",
    { class: "stack" },
    h("p", null, pending ? t("rotate.pending", pending) : t("rotate.todo")),
    h("p", { class: "soft" }, t("rotate.quiet")),
    place,
    buttons,
  );

  async function rotate(when, pressed) {
    let made = null;
    if (!(await during(pressed, place, async () => (made = await surely(() => api.rotate(purpose, when)))))) return;
    show(body, doneWords(t("rotate.made", { kid: made.kid, ...moment(made.activates_at) })));
    refresh();
  }
  dialog(t("rotate.title", { purpose: t(`purpose.${purpose}`) }), body);
}

const TWO = ["act.rollback", "act.restore", "act.destroy"]; // take a second custodian

export function changeDialog(key, word, to, etag, refresh) {
  const reason = reasonField();
  const two = TWO.includes(word);
  ask(t("change.title", { purpose: t(`purpose.${key.purpose}`), kid: key.kid, act: t(word) }), {
    words: [h("p", null, t(`does.${word}`)), two && h("p", { class: "soft" }, t("dialog.two"))],
    fields: { reason },
    word: word === "act.destroy" ? wordField(key.kid) : null,
    label: t(two ? "dialog.ask" : "dialog.go"),
    async act() {
      const answer = await api
        .change(key.kid, to, reason.value.trim(), etag)
        .catch(whenGated)
        .finally(refresh);
      return doneWords(t(answer.status === 202 ? "change.asked" : "change.done"));
    },
  });
}

/** What a key waits for, in the page's words, and until when. */
function whenGated(error) {
  if (error instanceof Refused && error.gate) {
    const at = error.notBefore;
    const gate = gateWords(error.gate);
    error.detail = at ? t("change.not-before", { gate, ...moment(at) }) : t("change.gated", { gate });
  }
  throw error;
}

export function confirmRingDialog(refresh) {
  const reason = reasonField();
  ask(t("ring.confirm.title"), {
    words: [h("p", null, t("ring.confirm.todo"))],
    fields: { reason },
    label: t("ring.confirm"),
    act: () => api.confirmRing(reason.value.trim()).finally(refresh).then(() => null),
  });
}
