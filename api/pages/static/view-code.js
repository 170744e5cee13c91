// The first screen: whose card, its marks, the code and what it opens; and what a scan says.
import { makeStage } from "./code-stage.js";
import { button, h, icon, iconButton, show } from "./dom.js";
import { during } from "./form.js";
import { known, t } from "./language.js";
import { sayArrival } from "./later.js";
import { LiveCode } from "./live-code.js";
import * as api from "./patient-api.js";
import { visit } from "./remember.js";
import { scanPanel } from "./scan-panel.js";
import { SERVICES, serviceName } from "./visit.js";

const SWIPE = 60; // px
const READ = 120_000; // ms after which a verdict gives way to a new code when the page comes back

/** The switched-on services of a card, as kept for this visit. */
export const servicesOf = (card) => visit.get(`services.${card.card_id}`) ?? SERVICES;

export function codeView(app) {
  const card = app.card;
  const face = h("div", { class: "face" });
  const node = h("section", { class: "card", "data-card": card.card_id }, cardHead(app, card), marks(app, card), face);
  const live = new LiveCode({
    fetchCode: () => {
      const services = servicesOf(card);
      return api.newCode(card.card_id, services.length === SERVICES.length ? null : services);
    },
    changed: (state) => changed(state),
    ticked: (state) => stage.tick(state),
  });
  const stage = makeStage({ name: card.name, renew: () => live.renew() });
  let verdictSince = 0;

  function changed(state) {
    stage.draw(state);
    const code = state.trouble?.error.code;
    if (state.kind === "ended" && (code === "unauthenticated" || code === "card-frozen" || code === "not-found")) {
      app.mustLookAgain(state.trouble.error);
    }
  }

  function showCode() {
    verdictSince = 0;
    node.dataset.face = "code";
    show(
      face,
      stage.stage,
      stage.line,
      switches(card, () => {
        live.drop();
        live.renew();
      }),
      more(app),
    );
    live.start();
  }

  function showVerdict(event) {
    live.stop();
    verdictSince = Date.now();
    node.dataset.face = "verdict";
    const closed = SERVICES.filter((service) => !servicesOf(card).includes(service));
    const open = (service) => {
      keep(card, [...servicesOf(card), service]);
      showCode();
    };
    const panel = scanPanel(event, {
      name: card.name,
      closed,
      go: { on: showCode, open, bills: () => app.go("bills"), freeze: () => app.go("freeze") },
    });
    show(face, panel);
    panel.focus({ preventScroll: true });
    sayArrival(card, event, panel.querySelector(".scanned-next"));
  }

  function wake() {
    if (verdictSince && Date.now() - verdictSince > READ) showCode();
    else live.wake();
  }

  swipe(node, (by) => app.turn(by));
  if (card.status === "active") {
    const waiting = app.takeVerdict(card.card_id);
    if (waiting) showVerdict(waiting);
    else showCode();
  } else {
    show(face, frozen(app));
  }
  return {
    node,
    title: t("code.title", { name: card.name }),
    tab: "code",
    leave: () => live.stop(),
    wake,
    verdict: showVerdict,
    renew: () => live.renew(),
  };
}

/** Switches of what the code opens; `changed()` after each change. One at least stays on. */
export function switches(card, changed) {
  const hint = h("p", { class: "switches-hint", role: "status" });
  const toggle = (service) =>
    h(
      "button",
      {
        type: "button",
        class: "switch",
        role: "switch",
        "aria-checked": String(servicesOf(card).includes(service)),
        onclick: flip,
      },
      icon(service),
      h("span", { class: "switch-name" }, serviceName(service)),
      h("span", { class: "switch-knob", "aria-hidden": "true" }),
    );
  const buttons = new Map(SERVICES.map((service) => [toggle(service), service]));

  function flip(event) {
    const service = buttons.get(event.currentTarget);
    const on = servicesOf(card);
    const next = on.includes(service) ? on.filter((each) => each !== service) : [...on, service];
    hint.textContent = next.length ? t("services.changed") : t("services.last");
    if (!next.length) return;
    keep(card, next);
    event.currentTarget.setAttribute("aria-checked", String(next.includes(service)));
    changed();
  }

  return h(
    "fieldset",
    { class: "switches" },
    h("legend", null, t("services.title")),
    h("div", { class: "switches-row" }, [...buttons.keys()]),
    hint,
  );
}

function keep(card, services) {
  visit.set(
    `services.${card.card_id}`,
    SERVICES.filter((service) => services.includes(service)),
  );
}

function cardHead(app, card) {
  const place = app.cards.indexOf(card) + 1;
  const pager =
    app.cards.length > 1 &&
    h(
      "div",
      { class: "pager" },
      iconButton("previous", t("family.previous"), () => app.turn(-1)),
      h(
        "span",
        { class: "pager-place", "aria-label": t("family.place", { place, all: app.cards.length }) },
        `${place}/${app.cards.length}`,
      ),
      iconButton("next", t("family.next"), () => app.turn(1)),
    );
  return h(
    "header",
    { class: "card-head" },
    h(
      "h1",
      { class: "card-name", tabindex: "-1" },
      card.name,
      h("span", { class: "chip" }, known(`relation.${card.relation}`, "relation.other")),
    ),
    card.status === "active" &&
      button("quiet", t("freeze.short"), () => app.go("freeze"), {
        icon: "freeze",
        class: "button button-quiet card-freeze",
      }),
    h("p", { class: "card-number" }, card.id_number),
    pager,
  );
}

function marks(app, card) {
  const mark = (name, lit, merge) => {
    const inside = [
      icon(lit ? "check" : name),
      h("span", null, t(`mark.${name}`)),
      h("span", { class: "visually-hidden" }, lit ? t("mark.lit") : t("mark.unlit")),
    ];
    return h(
      "li",
      null,
      merge && !lit
        ? h("button", { type: "button", class: "mark mark-add", onclick: merge }, icon("plus"), ...inside.slice(1))
        : h("span", { class: lit ? "mark mark-lit" : "mark" }, ...inside),
    );
  };
  return h(
    "ul",
    { class: "marks", "aria-label": t("marks.label") },
    mark("health", Boolean(card.health_card_id)),
    mark("insurance", Boolean(card.insurance), () => app.go("insurance")),
    mark("identity", true),
  );
}

function more(app) {
  return h(
    "div",
    { class: "card-ways" },
    h(
      "div",
      { class: "card-book" },
      button("quiet", t("booking.title"), () => app.go("booking"), { icon: "booking" }),
    ),
    h(
      "div",
      { class: "normal-only" },
      button("quiet", t("bills.title"), () => app.go("bills"), { icon: "payment" }),
    ),
    h(
      "div",
      { class: "card-more large-only" },
      button("primary", t("more"), () => app.go("me")),
    ),
  );
}

function frozen(app) {
  const place = h("div", { "aria-live": "polite" });
  const thaw = button("primary", t("unfreeze.act"), () => during(thaw, place, () => app.unfreeze(place)), {
    icon: "refresh",
  });
  const message = h(
    "div",
    { class: "stage-message" },
    icon("freeze"),
    h("p", { class: "stage-title" }, t("frozen.title")),
    h("p", null, t("frozen.todo")),
    thaw,
    place,
  );
  return h("div", { class: "stage-frame" }, h("div", { class: "stage", "data-kind": "frozen" }, message));
}

function swipe(node, turned) {
  let from = null;
  node.addEventListener("touchstart", ({ touches }) => (from = touches.length === 1 ? touches[0] : null), {
    passive: true,
  });
  node.addEventListener(
    "touchend",
    ({ changedTouches: [to] }) => {
      if (!from) return;
      const across = to.clientX - from.clientX;
      if (Math.abs(across) > SWIPE && Math.abs(across) > 2 * Math.abs(to.clientY - from.clientY))
        turned(across < 0 ? 1 : -1);
      from = null;
    },
    { passive: true },
  );
}
