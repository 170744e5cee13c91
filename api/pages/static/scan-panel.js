// What the patient reads when the code was scanned: where, which window, for what, and what to do next.
import { button, h, icon } from "./dom.js";
import { clock, known, t } from "./language.js";
import { operatorName, refusal, serviceName, serviceNames, serviceOf, stepName } from "./visit.js";

/**
 * The panel for one event. `name`: whose card; `closed`: the services that the patient had switched off.
 * `go.on()` shows a new code, `go.bills()` the bills, `go.open(service)` switches one on first, `go.freeze()` leads to freezing.
 */
export function scanPanel(event, { name, closed, go }) {
  const verdict = verdictOf(event, closed);
  return h(
    "section",
    { class: `scanned verdict-${verdict.kind}`, role: "alert", tabindex: "-1" },
    h("p", { class: "scanned-badge" }, icon(verdict.icon), h("span", null, verdict.title)),
    h("p", { class: "scanned-where" }, event.hospital),
    h("p", { class: "visually-hidden" }, t("code.title", { name })),
    h(
      "dl",
      { class: "facts" },
      fact("scanned.window", [event.department, event.terminal].filter(Boolean).join(" · ")),
      fact("scanned.for", stepName(event.step ?? "")),
      fact("scanned.operator", operatorName(event.operator), "normal-only"),
      fact(
        "scanned.opened",
        verdict.kind === "refused" || !event.granted?.length ? "" : serviceNames(event.granted),
        "normal-only",
      ),
      fact("scanned.at", clock(event.at)),
    ),
    h("p", { class: "scanned-next" }, h("strong", null, t("scanned.next")), " ", verdict.next),
    verdict.open
      ? button("primary", t("scanned.open", { service: serviceName(verdict.open) }), () => go.open(verdict.open), {
          icon: verdict.open,
        })
      : [
          verdict.bills && button("primary", t("bills.title"), go.bills, { icon: "payment" }),
          button(verdict.bills ? "quiet" : "primary", t("scanned.on"), go.on, { icon: "scan" }),
        ],
    button("quiet", t("scanned.not-me"), go.freeze, { icon: "freeze" }),
  );
}

function verdictOf(event, closed) {
  if (event.outcome === "refused") {
    const { title, todo } = refusal(event.reason);
    return { kind: "refused", icon: "cross", title, next: todo };
  }
  const needed = serviceOf(event.step ?? "");
  if (needed && !event.granted?.includes(needed) && closed.includes(needed)) {
    const values = { service: serviceName(needed) };
    return {
      kind: "again",
      icon: "look",
      title: t("scanned.closed.title", values),
      next: t("scanned.closed.todo", values),
      open: needed,
    };
  }
  return {
    kind: "accepted",
    icon: "check",
    title: t("scanned.title"),
    bills: needed === "payment",
    next: known(`next.${event.step}`, "next.other"),
  };
}

function fact(label, value, where = "") {
  return value ? h("div", { class: `fact ${where}` }, h("dt", null, t(label)), h("dd", null, value)) : null;
}
