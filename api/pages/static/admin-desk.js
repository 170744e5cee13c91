// The desk: what is true now, what waits for this person, and what they work on first; asked for anew every few seconds.
import * as api from "./admin-api.js";
import { approvalsPart } from "./admin-approvals.js";
import { auditPart } from "./admin-audit.js";
import { glassPart } from "./admin-glass.js";
import { hospitalsPart } from "./admin-hospitals.js";
import { keysPanel } from "./admin-keys.js";
import { moneyPart } from "./admin-money.js";
import { nowPanel, workersPanel } from "./admin-now.js";
import { livePart } from "./admin-place.js";
import { recognitionsPart } from "./admin-recognitions.js";
import { button, h, icon, show } from "./dom.js";
import { Refused, explain } from "./http.js";
import { t } from "./language.js";

const EVERY = 3000; // ms
const MINUTE = 60_000; // ms; times are said anew

const part = (id, more = "") => livePart(h("section", { class: `panel ${more}`, "aria-labelledby": id }));

/** The desk of a session; `over` when the sign-in ended, `leave` to sign out. */
export function desk(session, { over, leave }) {
  const custodian = session.role === "custodian";
  const [now, keys, workers] = [part("now", "now"), part("keys"), part("workers")];
  const waiting = approvalsPart(custodian, () => refresh());
  const hospitals = hospitalsPart(session.role === "registrar");
  const auditor = session.role === "auditor";
  const [audit, glass, recognised, money] = [auditPart, glassPart, recognitionsPart, moneyPart].map((make) => (auditor ? make() : null));
  const lost = h("div", { class: "desk-lost", role: "status" });
  let timer = 0;
  let ended = false;
  let ring = null;

  async function look() {
    const [found, open, alarms] = await Promise.all([api.keys(), api.approvals(), api.alarms()]);
    if (ended) return;
    const minute = Math.floor(Date.now() / MINUTE);
    if (ring && ring.etag !== found.etag) audit?.look();
    glass?.look();
    money?.look();
    ring = found;
    const rows = [ring.keys, ring.etag, ring.rolled_back];
    const waits = (glass?.waits() ?? 0) + (money?.waits() ?? 0);
    now.draw([rows, open, alarms, waits, minute], () => nowPanel({ ring: found, open, alarms, waits }, custodian, refresh));
    waiting.draw(open, minute);
    grid.classList.toggle("desk-waits", open.length > 0);
    keys.draw([rows, minute], () => keysPanel(found, custodian, refresh));
    workers.draw([found.workers, found.etag], () => workersPanel(found));
  }

  /** Looks again, now and every few seconds. */
  async function refresh() {
    clearTimeout(timer);
    try {
      await look();
      show(lost);
    } catch (error) {
      if (error instanceof Refused && error.status === 401) return ended || afterDialog(over);
      if (!lost.firstChild) show(lost, icon("offline"), h("span", null, t("admin.lost", explain(error))));
    }
    clearTimeout(timer);
    if (!ended) timer = setTimeout(refresh, EVERY);
  }

  const order = {
    custodian: [[keys.node], [workers.node, hospitals.node]],
    registrar: [[hospitals.node], [keys.node, workers.node]],
    auditor: [[glass?.node, money?.node, audit?.node], [recognised?.node, keys.node, workers.node, hospitals.node]],
  }[session.role];
  const columns = order.map((nodes) => h("div", { class: "desk-column" }, nodes));
  const grid = h("div", { class: "desk-grid" }, now.node, waiting.node, columns);
  const node = h("div", { class: "desk" }, bar(session, leave), grid, lost);
  return {
    node,
    /** Fills the desk for the first time; what the service says against it is thrown. */
    async begin() {
      await glass?.begin();
      await Promise.all([look(), hospitals.begin(), audit?.begin(), recognised?.begin(), money?.begin()]);
      timer = setTimeout(refresh, EVERY);
    },
    end() {
      ended = true;
      clearTimeout(timer);
    },
  };
}

/** Runs `act` when no dialog is open, so that nothing disappears under somebody's hands. */
function afterDialog(act) {
  const open = document.querySelector("dialog[open]");
  if (open) open.addEventListener("close", act, { once: true });
  else act();
}

function bar(session, leave) {
  const words = [h("strong", null, session.name), h("span", { class: "soft" }, t(`role.${session.role}`))];
  return h("div", { class: "desk-bar" }, icon("user"), h("p", { class: "desk-who" }, words), button("quiet", t("admin.signout"), leave, { icon: "out" }));
}
