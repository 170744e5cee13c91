// The records behind a verdict: a row or a tab that opens them in place of the booking panel. They are fetched then.
import { button, h, icon, show } from "./dom.js";
import { fetchPart } from "./fetch-part.js";
import { notice } from "./form.js";
import { explain } from "./http.js";
import { t } from "./language.js";
import { serviceName } from "./visit.js";

/** `session`: whose shift it is; `turned(open)`: the records came to the front or left it; `ended(code)`: no more of them. */
export function filesPart({ session, turned, ended }) {
  const title = serviceName("records");
  const node = h("section", { class: "desk-files", "aria-label": title, hidden: true });
  let given = null; // the resolution whose records may be opened
  let records = null;
  let row = false; // whether they have a row of their own, there being no panel with a tab for them

  const tab = () =>
    h(
      "button",
      { type: "button", class: "desk-tab", role: "tab", "aria-selected": "false", onclick: turn },
      icon("records"),
      h("span", null, `${title} F6`),
    );

  /** `alone`: nothing else stands under the verdict. */
  function offer(resolution, alone) {
    given = resolution;
    row = alone;
    if (row) closed();
  }

  function closed() {
    show(node, h("div", { class: "desk-head" }, button("plain", `${title} F6`, turn, { icon: "records" })));
    node.hidden = false;
  }

  /** Opens the records, or goes back to what was there before. True if there are any to open. */
  function turn() {
    if (!given) return false;
    const open = !self.open;
    self.open = open;
    node.hidden = !open && !row;
    turned(open);
    if (!open && row) closed();
    else if (open && records) show(node, records.node);
    else if (open) load(given);
    return true;
  }

  async function load(resolution) {
    show(node, h("p", { class: "desk-empty", "aria-busy": "true" }, h("span", { class: "spinner" }), t("loading")));
    try {
      const { openRecords } = await fetchPart("records");
      if (given !== resolution || records) return;
      records = openRecords({ resolution, session, row, back: turn, ended });
      if (self.open) show(node, records.node);
    } catch (error) {
      if (given !== resolution || !self.open) return;
      const again = button("quiet", t("again"), () => load(resolution), { icon: "refresh" });
      show(node, notice("again", explain(error), again));
    }
  }

  function close() {
    records?.close();
    records = given = null;
    self.open = false;
    node.hidden = true;
    show(node);
  }

  const self = { node, open: false, tab, offer, turn, close, press: (key) => records?.press(key) ?? false };
  return self;
}
