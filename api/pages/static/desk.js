// What stands under a verdict: the booking panel, one sentence where booking is not open, or nothing.
import { h, icon, show } from "./dom.js";
import { t } from "./language.js";
import { openDesk } from "./desk-booking.js";

const BOOKING_STEPS = "010101";

/**
 * The part under the verdict. `next(today, now)` draws today's appointments as the next step, `replaced(verdict)` what
 * became of a verdict whose resolution is over; `over()`: the shift ended by itself.
 */
export function deskPart({ next, replaced, over }) {
  const node = h("section", { class: "desk-panel", "aria-label": t("desk.title"), hidden: true });
  const wish = { department: null, name: "" };
  let desk = null;

  /** Goes with the verdict that it belongs to. */
  function close() {
    desk?.close();
    desk = null;
    show(node);
    reveal(false);
  }

  /** Beside the panel the verdict says the same in less height. */
  function reveal(on) {
    node.hidden = !on;
    node.parentElement?.classList.toggle("with-desk", on);
  }

  function follow({ kind, answer, step }, verdict) {
    close();
    if (kind !== "answered") return;
    const { resolution } = answer;
    if (resolution.granted.includes("booking")) {
      reveal(true);
      desk = openDesk({ resolution, wish, place: node, today: next, ended });
    } else if (verdict.kind === "accepted" && step.startsWith(BOOKING_STEPS)) {
      notGranted();
    }
  }

  function ended(code) {
    close();
    if (code === "unauthenticated") over();
    else if (code === "service-not-granted") notGranted();
    else replaced(code === "resolution-expired" ? expired() : frozen());
  }

  function notGranted() {
    reveal(true);
    show(
      node,
      h(
        "div",
        { class: "desk-closed" },
        icon("say"),
        h("div", null, h("p", { class: "verdict-label" }, t("desk.closed")), h("p", null, t("desk.not-granted"))),
      ),
    );
  }

  return { node, follow, close, press: (key) => desk?.press(key) ?? false };
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
