// Who may read the records of a card: in sentences, each withdrawn as easily as it was given.
import { button, h, icon, show } from "./dom.js";
import { notice, screen } from "./form.js";
import { explain } from "./http.js";
import { t } from "./language.js";
import * as rules from "./consent-rules.js";
import { chip, refusalOf, stuck, tried, whoseOf } from "./parts.js";
import * as api from "./records-api.js";

/** What a consent can begin from: a hospital for everything, a kind for everybody, everything for everybody, a no. */
const PRESETS = [
  ["hospital", { one: true, kind: rules.ANY, effect: "permit" }, "hospital"],
  ["kind", { one: false, kind: "laboratory", effect: "permit" }, "records"],
  ["all", { one: false, kind: rules.ANY, effect: "permit" }, "family"],
  ["deny", { one: true, kind: rules.ANY, effect: "deny" }, "lock"],
];

export function consentsView(app, given = {}) {
  const title = t("consents.title");
  const card = app.card.card_id;
  const said = h("div", { class: "stack", "aria-live": "polite" }, given.said && notice("calm", given.said));
  const place = h("div", { class: "stack" });
  let now = null;

  async function load() {
    if (!now) show(place, h("p", { class: "soft", role: "status" }, t("loading")));
    try {
      draw(await api.consents(card));
    } catch (error) {
      if (now) show(said, refusalOf(app)(error));
      else if (error.status === 403)
        show(place, refusalOf(app)(error)); // somebody else decides: asking again is no use
      else stuck(place, error, refusalOf(app)(error), load);
    }
  }

  function draw(found) {
    now = found;
    const live = now.rules.filter((rule) => !rules.isOver(rule));
    const over = now.rules.filter((rule) => rules.isOver(rule));
    const permits = live.some(({ effect }) => effect === "permit");
    show(
      place,
      !permits && notice("calm", { title: t("consents.nobody") }),
      live.length > 0 && group(t("consents.now"), live),
      h("div", { class: "group" }, h("h2", null, t("consents.give")), h("div", { class: "rows" }, PRESETS.map(preset))),
      over.length > 0 && group(t("consents.over"), over),
      explained(app),
    );
  }

  const group = (heading, list) =>
    h(
      "div",
      { class: "group" },
      h("h2", null, heading),
      h(
        "ul",
        { class: "rows" },
        list.map((rule) => h("li", null, ruleRow(rule))),
      ),
    );

  function preset([name, values, picture]) {
    const open = () => app.go("consent", values);
    const words = [h("strong", null, t(`preset.${name}`)), h("span", { class: "soft" }, t(`preset.${name}.hint`))];
    return h(
      "button",
      { type: "button", class: "row", onclick: open },
      icon(picture),
      h("span", { class: "row-words" }, words),
      icon("next"),
    );
  }

  function ruleRow(rule) {
    const permit = rule.effect === "permit";
    const mark = chip(t(permit ? "consent.permit" : "consent.deny"), permit ? "chip-accepted" : "chip-off");
    const words = h(
      "div",
      { class: "row-words" },
      h("p", { class: "record-head" }, h("strong", null, rules.ruleWords(rule, now.hospitals)), mark),
      h("p", { class: "soft" }, rules.validityWords(rule)),
    );
    return h("div", { class: "row row-open" }, words, withdrawing(rule));
  }

  /** One tap asks, the second does it. What would still be read, or could be read again, is said before. */
  function withdrawing(rule) {
    const acts = h("div", { class: "row-acts" });
    const word = rules.isOver(rule) ? "remove" : rule.effect === "permit" ? "withdraw" : "lift";
    const ask = button("quiet", t(`consent.${word}`), () => show(acts, warning(rule), sure, keep), { icon: "cross" });
    const sure = button("primary", t(`consent.${word}.sure`), () => tried(sure, said, () => put(rule, word), refused));
    const keep = button("quiet", t("consent.keep"), () => show(acts, ask));
    return show(acts, ask);
  }

  function warning(rule) {
    if (rules.isOver(rule)) return null;
    const left = rules.readable(rules.without(now.rules, rule), rule);
    if (!left.length) return rule.effect === "permit" ? h("p", null, t("consent.withdraw.does")) : null;
    const who = { hospital: rules.hospitalWords(rule.hospital_id, now.hospitals), kinds: rules.kindsOf(left) };
    return notice("again", { title: t(rule.effect === "permit" ? "consent.left" : "consent.opens", who) });
  }

  async function put(rule, word) {
    draw(await api.decide(card, rules.without(now.rules, rule), now.etag));
    show(said, notice("calm", { title: t(`consent.${word}.done`) }));
    said.scrollIntoView({ block: "nearest" });
  }

  function refused(error) {
    if (error.status !== 412) return refusalOf(app, t("act.again"))(error);
    load();
    return notice("again", { title: t("consents.changed.title"), todo: t("consents.changed.todo") });
  }

  load();
  const lead = h(
    "div",
    { class: "panel stack" },
    h("p", { class: "counter" }, h("strong", null, t("consents.lead"))),
    h("p", null, t("consents.own")),
  );
  return {
    node: screen(title, app.back, whoseOf(app, t("records.whose")), lead, said, place),
    title,
    tab: "me",
    wake: load,
  };
}

/** What the law asks to be said: why, what for, what a refusal means, the emergency, the way back. */
function explained(app) {
  const points = ["purpose", "refuse", "back", "emergency"].map((name) =>
    h("li", null, icon("check"), h("span", null, t(`consents.point.${name}`))),
  );
  const child =
    app.card.relation === "child" && h("li", null, icon("check"), h("span", null, t("consents.point.child")));
  return h(
    "div",
    { class: "panel stack" },
    h("h2", null, t("consents.about")),
    h("ul", { class: "points" }, points, child),
  );
}
