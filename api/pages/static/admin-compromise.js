// Cutting a stolen key off: what it ends in numbers, a typed word, and its progress until every worker has followed.
import * as api from "./admin-api.js";
import { ask, doneWords, reasonField, wordField } from "./admin-dialog.js";
import { moment } from "./admin-words.js";
import { button, h, icon, show } from "./dom.js";
import { field } from "./form.js";
import { Refused } from "./http.js";
import { t } from "./language.js";

const FOLLOW = 1000; // ms
const BEIJING = "+08:00";

export function compromiseDialog(key, ring, refresh) {
  const reason = reasonField();
  const hint = t("dialog.since.hint");
  const since = Object.assign(field("since", t("dialog.since"), { type: "datetime-local", hint }), { optional: true });
  const count = h("p", { class: "act-count", role: "status" }, t("compromise.counting"));
  const from = () => (since.value ? new Date(since.value + BEIJING).toISOString() : "");
  const tally = async () => show(count, await consequence(key, from()));
  since.input.addEventListener("change", tally);
  ask(t("compromise.title", key), {
    words: [count, alsoWords(key, ring), h("p", null, h("strong", null, t("compromise.final")))],
    fields: { reason, since },
    check: () => past(since),
    word: wordField(key.kid),
    label: t("compromise.go"),
    danger: true,
    async act() {
      const done = await api.compromise(key.kid, reason.value.trim(), from()).finally(refresh);
      return key.purpose === "token" ? signedOutWords(done) : progress(done, key, refresh);
    },
  });
  tally();
}

/** Whether the suspected time is not ahead. */
function past(since) {
  const good = !since.value || new Date(since.value + BEIJING) <= new Date();
  since.complain(good ? "" : t("dialog.since.ahead"));
  if (!good) since.input.focus();
  return good;
}

/** What ends, in numbers where there are any. */
async function consequence(key, from) {
  if (key.purpose !== "code") return t(`compromise.ends.${key.purpose}`);
  try {
    const found = await api.report(key.kid, from);
    const values = { count: found.resolutions_open, ...moment(found.since) };
    return t(found.resolutions_open ? "compromise.count" : "compromise.count.none", values);
  } catch {
    return t("compromise.count.lost");
  }
}

function alsoWords(key, ring) {
  const pending = ring.keys.find((each) => each.purpose === key.purpose && each.state === "pending" && each.kid !== key.kid);
  return pending && h("p", null, t("compromise.also", pending));
}

/** Whoever signed in under this key is signed out, this page too: nothing is left to follow. */
const signedOutWords = (done) => doneWords(t("compromise.token.done", done), t("compromise.token.todo"));

/** What is done and what is not, until every live worker holds the new ring. */
function progress(done, key, refresh) {
  const body = h("div", { class: "stack", role: "status" });
  paint(body, done, key, null);
  follow(body, done, key).then(refresh);
  return body;
}

async function follow(body, done, key) {
  for (;;) {
    try {
      if (paint(body, done, key, await api.keys())) return;
    } catch (error) {
      if (error instanceof Refused && error.status === 401) return;
    }
    await new Promise((resolve) => setTimeout(resolve, FOLLOW));
    if (!body.isConnected) return;
  }
}

/** Draws the steps by the ring as it is now (null: not known yet); true when all are done. */
function paint(body, done, key, ring) {
  const live = ring?.workers.filter((worker) => worker.live) ?? [];
  const ready = live.filter((worker) => worker.ring_version >= ring.ring_version).length;
  const all = ring !== null && ready === live.length;
  const cut = key.purpose === "code" ? t("progress.cut", { kid: done.kid, count: done.resolutions_ended }) : t("progress.cut.plain", done);
  const steps = [
    ["done", cut],
    ["done", done.replacement_kid ? t("progress.new", { kid: done.replacement_kid }) : t("progress.same")],
    [all ? "done" : "runs", ring ? t("progress.workers", { done: ready, all: live.length }) : t("progress.workers.asking")],
    ["waits", t("progress.second")],
  ];
  const seen = JSON.stringify(steps);
  if (body.dataset.seen !== seen) {
    body.dataset.seen = seen;
    const title = h("h3", null, t(all ? "progress.all" : "progress.title"));
    show(body, title, h("ol", { class: "progress" }, steps.map(([state, text]) => step(state, text))));
  }
  return all;
}

const MARKS = { done: () => icon("check"), runs: () => h("span", { class: "spinner" }), waits: () => icon("clock") };

function step(state, text) {
  return h("li", { class: `step step-${state}` }, MARKS[state](), h("span", null, text));
}

/** The button that opens the dialog. */
export function compromiseButton(key, ring, refresh, label, kind = "plain") {
  const props = { class: `button button-${kind} button-danger`, "data-key": `compromise-${kind}-${key.kid}` };
  return button(kind, label, () => compromiseDialog(key, ring, refresh), props);
}
