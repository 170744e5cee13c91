// What is true now: which key issues, what happens next, what stands against it; and the workers that hold the ring.
import { confirmRingDialog } from "./admin-acts.js";
import { compromiseButton } from "./admin-compromise.js";
import { moment, nextWords } from "./admin-words.js";
import { button, h, icon } from "./dom.js";
import { notice } from "./form.js";
import { clock, t } from "./language.js";

const ENDED = ["compromised", "destroyed"];
const PLACES = 3; // of an alarm's places are named

/** `waits`: how much else waits for this person. */
export function nowPanel({ ring, open, alarms, waits }, custodian, refresh) {
  const active = ring.keys.find((key) => key.purpose === "code" && key.state === "active");
  const pending = ring.keys.filter((key) => key.state === "pending");
  const wrong = [
    ring.rolled_back && ringBack(custodian, refresh),
    ...alarmWords(alarms, ring, custodian, refresh),
    ...open.filter((each) => each.late).map((each) => notice("refused", { title: t("late.title", each), todo: t("late.todo") })),
    !active && notice("refused", { title: t("now.none"), todo: "" }),
  ].filter(Boolean);
  const calm = !wrong.length && !pending.length && !open.length && !waits;
  return [
    h("h1", { id: "now", tabindex: "-1" }, t("now.title")),
    wrong,
    active && h("p", { class: "now-key" }, icon("key"), h("span", null, t("now.issues", active))),
    active && h("p", { class: "soft" }, sinceWords(active)),
    pending.map((key) => h("p", null, h("strong", null, t("now.pending", { kid: key.kid, purpose: t(`purpose.${key.purpose}`) })), " ", nextWords(key))),
    calm && h("p", { class: "now-calm" }, icon("check"), h("span", null, t("now.calm"))),
  ];
}

function sinceWords(key) {
  return t("now.since", { ...moment(key.activated_at), next: nextWords(key) });
}

function ringBack(custodian, refresh) {
  const act = custodian && button("quiet", t("ring.confirm"), () => confirmRingDialog(refresh), { "data-key": "ring" });
  return notice("refused", { title: t("ring.back.title"), todo: t("ring.back.todo") }, act);
}

/** Alarms of keys that still stand are red; those of keys that were cut off are told and no more. */
function alarmWords({ alarms }, ring, custodian, refresh) {
  const stands = (each) => ring.keys.find((key) => key.kid === each.kid && !ENDED.includes(key.state));
  const standing = alarms.filter(stands);
  const past = alarms.length - standing.length;
  const keys = [...new Set(standing.map(stands))];
  const place = (each) => h("p", null, t("alarm.where", { ...each, ...moment(each.at) }));
  const cut = (key) => custodian && compromiseButton(key, ring, refresh, t("alarm.cut", key), "quiet");
  return [
    standing.length > 0 &&
      notice(
        "refused",
        { title: t("alarm.title", { count: standing.length }), todo: t(custodian ? "alarm.todo" : "alarm.tell") },
        standing.slice(0, PLACES).map(place),
        keys.map(cut),
      ),
    past > 0 && h("p", { class: "soft" }, t("alarm.past", { count: past })),
  ];
}

export function workersPanel(ring) {
  const list = ring.workers.length
    ? h("ul", { class: "plain-rows" }, ring.workers.map((worker) => workerRow(worker, ring.ring_version)))
    : h("p", { class: "soft" }, t("workers.none"));
  return [h("h2", { id: "workers" }, t("workers.title")), list];
}

function workerRow(worker, version) {
  const state = !worker.live ? "dead" : worker.ring_version >= version ? "current" : "behind";
  const process = /^process (\d+)$/.exec(worker.slot);
  return h(
    "li",
    { class: `worker worker-${state}` },
    h("strong", null, process ? t("workers.process", { number: process[1] }) : worker.slot),
    h("span", { class: "worker-state" }, t(`workers.${state}`, { version })),
    h("span", { class: "soft" }, t("workers.ring", { version: worker.ring_version })),
    h("time", { class: "soft", datetime: worker.reported_at }, t("workers.seen", { clock: clock(worker.reported_at) })),
  );
}
