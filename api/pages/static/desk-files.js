// The records and bills behind a verdict: a row or tabs that open them in place of the booking panel, fetched then.
import { button, h, icon, show } from "./dom.js";
import { fetchPart } from "./fetch-part.js";
import { notice } from "./form.js";
import { explain } from "./http.js";
import { t } from "./language.js";
import { serviceName } from "./visit.js";

/** By service: its key, and what opens it in the part of that name. */
const WAYS = { records: ["F6", "openRecords"], payment: ["F7", "openBills"] };
const words = (name) => `${serviceName(name)} ${WAYS[name][0]}`;

/** `session`: whose shift it is; `turned()`: one of them came to the front or left it; `ended(code)`: no more of them. */
export function filesPart({ session, turned, ended }) {
  const node = h("section", { class: "desk-files", hidden: true });
  let given = null; // the resolution whose records and bills may be opened
  let names = []; // which of them
  let made = {}; // those that were opened
  let row = false; // whether they have a row of their own, there being no panel with tabs for them

  const tabs = () =>
    names.map((name) =>
      h(
        "button",
        { type: "button", class: "desk-tab", role: "tab", "aria-selected": "false", onclick: () => turn(name) },
        icon(name),
        h("span", null, words(name)),
      ),
    );

  /** `alone`: nothing else stands under the verdict. Gives the tabs that lead to them. */
  function offer(resolution, alone) {
    given = resolution;
    names = Object.keys(WAYS).filter((name) => resolution.granted.includes(name));
    row = alone && names.length > 0;
    if (row) closed();
    return tabs();
  }

  function closed() {
    const ways = names.map((name) => button("plain", words(name), () => turn(name), { icon: name }));
    show(node, h("div", { class: "desk-head" }, ways));
    node.hidden = false;
  }

  /** Opens one, or goes back to what was there before. True if there is any to open. */
  function turn(name) {
    if (!names.includes(name)) return false;
    self.open = self.open === name ? null : name;
    node.hidden = !self.open && !row;
    node.setAttribute("aria-label", serviceName(name));
    turned();
    if (!self.open && row) closed();
    else if (self.open && made[name]) show(node, made[name].node);
    else if (self.open) load(name, given);
    return true;
  }

  async function load(name, resolution) {
    const gone = () => given !== resolution;
    show(node, h("p", { class: "desk-empty", "aria-busy": "true" }, h("span", { class: "spinner" }), t("loading")));
    try {
      const open = (await fetchPart(name))[WAYS[name][1]];
      if (gone() || made[name]) return;
      made[name] = open({ resolution, session, row, back: () => turn(name), ended });
      if (self.open === name) show(node, made[name].node);
    } catch (error) {
      if (gone() || self.open !== name) return;
      const again = button("quiet", t("again"), () => load(name, resolution), { icon: "refresh" });
      show(node, notice("again", explain(error), again));
    }
  }

  function close() {
    for (const each of Object.values(made)) each.close();
    made = {};
    names = [];
    given = self.open = null;
    node.hidden = true;
    show(node);
  }

  const key = (pressed) => names.find((name) => WAYS[name][0] === pressed);
  const press = (pressed) => (key(pressed) ? turn(key(pressed)) : (made[self.open]?.press(pressed) ?? false));
  const self = { node, open: null, offer, turn, close, press };
  return self;
}
