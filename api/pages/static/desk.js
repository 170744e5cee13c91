// What stands under a verdict: the booking panel, one sentence where it is not open, ways to records and bills, or nothing.
import { h, icon, show } from "./dom.js";
import { t } from "./language.js";
import { openDesk } from "./desk-booking.js";
import { filesPart } from "./desk-files.js";
import { serviceOf } from "./visit.js";

const BOOKING_STEPS = "010101";

/**
 * The parts under the verdict. `session`: whose shift it is; `next(today, now)` draws today's appointments as the next
 * step, `replaced(verdict)` what became of a verdict whose resolution is over; `over()`: the shift ended by itself.
 */
export function deskPart({ session, next, replaced, over }) {
  const node = h("section", { class: "desk-panel", "aria-label": t("desk.title"), hidden: true });
  const wish = { department: null, name: "" };
  const files = filesPart({ session, turned, ended });
  let desk = null;

  /** Goes with the verdict that it belongs to. */
  function close() {
    desk?.close();
    desk = null;
    files.close();
    show(node);
    reveal();
  }

  /** Shows what there is; beside it the verdict says the same in less height, and least beside records. */
  function reveal() {
    node.hidden = Boolean(files.open) || !node.hasChildNodes();
    const { classList } = node.parentElement ?? node;
    classList.toggle("with-desk", !node.hidden || !files.node.hidden);
    classList.toggle("with-records", Boolean(files.open));
  }

  function turned() {
    reveal();
    node.parentElement.scrollTop = 0;
  }

  function follow({ kind, answer, step }, verdict) {
    close();
    if (kind !== "answered") return;
    const { resolution } = answer;
    const booking = resolution.granted.includes("booking");
    const more = files.offer(resolution, !booking);
    if (booking) {
      desk = openDesk({ resolution, wish, place: node, today: next, ended, more });
    } else if (verdict.kind === "accepted" && step.startsWith(BOOKING_STEPS)) {
      notGranted();
    }
    reveal();
    if (verdict.kind === "accepted" && serviceOf(step) === "payment") files.turn("payment");
  }

  function ended(code) {
    close();
    if (code === "unauthenticated") over();
    else if (code === "service-not-granted") notGranted();
    else replaced(code === "resolution-expired" ? expired() : frozen());
  }

  function notGranted() {
    show(
      node,
      h(
        "div",
        { class: "desk-closed" },
        icon("say"),
        h("div", null, h("p", { class: "verdict-label" }, t("desk.closed")), h("p", null, t("desk.not-granted"))),
      ),
    );
    reveal();
  }

  /** True if the key was for one of the parts. */
  function press(key) {
    return files.press(key) || (!files.open && (desk?.press(key) ?? false));
  }

  return { nodes: [node, files.node], follow, close, press };
}

const expired = () => ({
  kind: "again",
  title: t("desk.expired"),
  say: t("desk.expired.say"),
  next: t("desk.expired.do"),
});

const frozen = () => ({
  kind: "refused",
  title: t("desk.frozen"),
  why: t("desk.frozen.why"),
  say: t("say.card-revoked"),
  next: t("do.card-revoked"),
});
