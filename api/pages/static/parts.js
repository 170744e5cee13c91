// Pieces of the screens that are fetched later: whose they are, facts, pages of a list, what waits and what stays fresh.
import { button, h, icon, show } from "./dom.js";
import { chips, notice } from "./form.js";
import { explain, passing } from "./http.js";
import { known, t } from "./language.js";

export { chip } from "./dom.js";

const FRESH = 5000; // ms

/** Whose this is, written large. */
export function whose(app) {
  const relation = known(`relation.${app.card.relation}`, "relation.other");
  return h("p", { class: "whose" }, h("strong", null, app.card.name), h("span", { class: "chip" }, relation));
}

/** The same with the choice among the family's cards, called `label`, if there are several. */
export function whoseOf(app, label) {
  if (app.cards.length < 2) return h("div", { class: "panel" }, whose(app));
  const name = (card) => `${card.name} ${known(`relation.${card.relation}`, "relation.other")}`;
  const options = app.cards.map((card, index) => [index, name(card)]);
  const pick = (index) => {
    app.pick(index);
    app.draw(app.view.name);
  };
  return h("div", { class: "panel stack" }, whose(app), chips(label, options, app.at, pick).node);
}

/** A list of `[label, value]`; what has no value is left out. */
export function facts(pairs) {
  const fact = ([label, value]) => h("div", { class: "fact" }, h("dt", null, label), h("dd", null, value));
  return h("dl", { class: "facts" }, pairs.filter(([, value]) => value).map(fact));
}

/** What is said of an error; `todo` of one that passes, where nothing tries again by itself. */
export const refusalOf = (app, todo) => (error) => {
  if (error.status === 401) app.mustLookAgain(error); // an ended sign-in leads back to it
  const words = explain(error);
  return notice("again", todo && passing(error) ? { ...words, todo } : words);
};

/** Shows `words` in `place`; `again` is offered and, where waiting may help, comes by itself. */
export function stuck(place, error, words, again) {
  show(place, words, button("quiet", t("again"), again, { icon: "refresh" }));
  if (passing(error)) setTimeout(() => words.isConnected && again(), FRESH);
}

/** Runs `work` while the button waits; `refused(error)` gives what is said in `place`. True if it went well. */
export async function tried(pressed, place, work, refused) {
  show(place);
  pressed.disabled = true;
  pressed.setAttribute("aria-busy", "true");
  try {
    await work();
    return true;
  } catch (error) {
    show(place, refused(error));
    return false;
  } finally {
    pressed.disabled = false;
    pressed.removeAttribute("aria-busy");
  }
}

/**
 * Pages of a list. `ask(cursor)` gives `{items, next}`; `item(each)` a node; `heading(each)` the words above those that
 * share them; `none()` what stands there without any; `refused(error)` what is said of one. `reload()` begins anew.
 */
export function pagesOf({ ask, item, heading = () => "", none, more, refused }) {
  const list = h("div", { class: "stack" });
  const foot = h("div", { class: "stack" });
  const further = button("quiet", more, () => load(next), { icon: "refresh" });
  let next = null;
  let above = null;
  let run = 0;

  async function load(cursor) {
    const mine = ++run;
    show(foot, h("p", { class: "soft", role: "status" }, t("loading")));
    try {
      const page = await ask(cursor);
      if (mine !== run) return;
      if (!cursor) above = null;
      if (!cursor) show(list);
      page.items.forEach(add);
      next = page.next;
      if (!list.childElementCount) show(list, none());
      show(foot, next && further);
    } catch (error) {
      if (mine === run) stuck(foot, error, refused(error), () => load(cursor));
    }
  }

  function add(each) {
    if (heading(each) !== above) {
      above = heading(each);
      const title = above && h("h2", { class: "timeline-day" }, above);
      list.append(h("div", { class: "stack" }, title, h("ul", { class: "rows" })));
    }
    list.lastElementChild.lastElementChild.append(h("li", null, item(each)));
  }

  return { node: h("div", { class: "stack" }, list, foot), reload: () => load(null) };
}

/** Calls `work` every five seconds while `node` is on the screen; gives what calls it at once. False ends it. */
export function keepFresh(node, work) {
  let busy = false;
  const beat = async () => {
    if (!node.isConnected) return clearInterval(timer);
    if (document.hidden || busy) return;
    busy = true;
    try {
      if ((await work()) === false) clearInterval(timer);
    } finally {
      busy = false;
    }
  };
  const timer = setInterval(beat, FRESH);
  return beat;
}

export const empty = (name, text) => h("p", { class: "empty" }, icon(name), text);
