// Everything else: a list of what can be done, and the acts that need a second tap.
import { button, h, icon } from "./dom.js";
import { during, screen } from "./form.js";
import { t } from "./language.js";
import * as api from "./patient-api.js";
import { switches } from "./view-code.js";

export function meView(app) {
  const own = app.card?.relation === "self";
  const item = (name, label, act) =>
    h(
      "button",
      { type: "button", class: "row", onclick: act },
      icon(name),
      h("span", { class: "row-words" }, label),
      icon("next"),
    );
  const group = (title, ...items) =>
    h("div", { class: "group" }, h("h2", null, title), h("div", { class: "rows" }, ...items));
  const node = screen(
    t("me.title"),
    app.back,
    app.card &&
      group(
        t("me.card", { name: app.card.name }),
        item("booking", t("booking.title"), () => app.go("booking")),
        item("payment", t("bills.title"), () => app.go("bills")),
        item("records", t("records.title"), () => app.go("records")),
        item("shield", t("consents.title"), () => app.go("consents")),
        item("scan", t("services.title"), () => app.go("services")),
        item("history", t("accesses.title"), () => app.go("accesses")),
        app.card.insurance ? null : item("insurance", t("insurance.title"), () => app.go("insurance")),
        own && item("user", t("holders.title"), () => app.go("holders")),
        app.card.status === "active" && item("freeze", t("freeze.title"), () => app.go("freeze")),
        item("cross", t("close.title"), () => app.go("close")),
      ),
    group(
      t("me.account"),
      item("family", t("family.title"), () => app.go("family")),
      item("bell", t("messages.title"), () => app.go("messages")),
      item("lock", t("data.title"), () => app.go("data")),
      item("out", t("signout.title"), () => app.go("signout")),
    ),
  );
  return { node, title: t("me.title"), tab: "me" };
}

export function servicesView(app) {
  const title = t("services.title");
  return {
    node: screen(
      title,
      app.back,
      h("p", { class: "lead" }, t("services.lead", { name: app.card.name })),
      h(
        "div",
        { class: "panel" },
        switches(app.card, () => {}),
      ),
    ),
    title,
    tab: "me",
  };
}

/** An act with its consequences said first: the second of two taps. */
function sureView(app, { title, lead, points, act, label, name }) {
  const place = h("div", { class: "stack" });
  const sure = button("primary", label, () => during(sure, place, act), { icon: name });
  const node = screen(
    title,
    null,
    h("p", { class: "lead" }, lead),
    h(
      "ul",
      { class: "points panel" },
      points.map((point) => h("li", null, icon("check"), h("span", null, point))),
    ),
    place,
    sure,
    button("quiet", t("cancel"), app.back),
  );
  return { node, title, tab: "me" };
}

export function freezeView(app) {
  const { card } = app;
  return sureView(app, {
    title: t("freeze.title"),
    lead: t("freeze.lead", { name: card.name }),
    points: [t("freeze.point.1"), t("freeze.point.2"), t("freeze.point.3")],
    label: t("freeze.act"),
    name: "freeze",
    act: async () => app.cardChanged(await api.freeze(card.card_id)),
  });
}

export function closeView(app) {
  const { card } = app;
  return sureView(app, {
    title: t("close.title"),
    lead: t("close.lead", { name: card.name }),
    points: [t("close.point.1"), t("close.point.2"), t("close.point.3")],
    label: t("close.act"),
    name: "cross",
    act: async () => {
      await api.closeCard(card.card_id);
      await app.reload();
    },
  });
}

export function signOutView(app) {
  const title = t("signout.title");
  const place = h("div", { class: "stack" });
  const leave =
    (everywhere) =>
    async ({ currentTarget: pressed }) => {
      await during(pressed, place, async () => {
        await api.signOut(everywhere);
        app.signedOut();
      });
    };
  const node = screen(
    title,
    app.back,
    h(
      "div",
      { class: "panel stack" },
      h("p", null, t("signout.here.lead")),
      button("primary", t("signout.here"), leave(false), { icon: "out" }),
    ),
    h(
      "div",
      { class: "panel stack" },
      h("p", null, t("signout.all.lead")),
      button("quiet", t("signout.all"), leave(true), { icon: "phone" }),
    ),
    place,
  );
  return { node, title, tab: "me" };
}

/** No card yet. */
export function noneView(app) {
  const node = h(
    "section",
    { class: "screen welcome" },
    h("div", { class: "welcome-mark" }, icon("card")),
    h("h1", { tabindex: "-1" }, t("none.title")),
    h("p", { class: "lead" }, t("none.lead")),
    h(
      "ul",
      { class: "points panel" },
      ["health", "insurance", "identity"].map((name) => h("li", null, icon(name), h("span", null, t(`none.${name}`)))),
    ),
    button("primary", t("none.add"), () => app.go("add"), { icon: "plus" }),
    button("quiet", t("signout.title"), () => app.go("signout"), { class: "button button-quiet normal-only" }),
  );
  return { node, title: t("none.title"), tab: null };
}

/** The cards could not be fetched: says so, tries again by itself. */
export function troubleView(app, { title, todo, name, retry }) {
  const wait = h("p", { class: "soft", role: "status" });
  const node = h(
    "section",
    { class: "screen welcome" },
    h("div", { class: "welcome-mark" }, icon(name)),
    h("h1", { tabindex: "-1" }, title),
    h("p", { class: "lead" }, todo),
    wait,
    button("primary", t("again"), retry, { icon: "refresh" }),
  );
  return {
    node,
    title,
    tab: null,
    wait: (seconds) => (wait.textContent = t("trouble.wait", { seconds })),
    renew: retry,
    wake: retry,
  };
}
