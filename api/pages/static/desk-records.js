// A person's records at the window, for one resolution, until the next scan: the list, one record, breaking the glass.
import { button, h, icon, show } from "./dom.js";
import { notice } from "./form.js";
import { known, t } from "./language.js";
import { glassBanner } from "./desk-glass-banner.js";
import { GlassView } from "./desk-glass.js";
import { liveUntil } from "./desk-live.js";
import { ListView } from "./desk-record-list.js";
import { RecordView } from "./desk-record-view.js";
import { RepeatView } from "./desk-repeat.js";
import * as api from "./desk-records-api.js";

const ENDS = new Set(["resolution-expired", "card-revoked", "card-frozen", "unauthenticated"]);

/**
 * The records of one resolution as `{node, press(key), close()}`. `session`: whose shift it is; `row`: nothing else
 * stands under the verdict; `back()` leads away from here; `ended(code)`: nothing more can be done.
 */
export function openRecords({ resolution, session, row, back, ended }) {
  const id = resolution.resolution_id;
  const resolvedAt = Date.parse(resolution.resolved_at);
  const behind = Date.now() - resolvedAt; // the clock of a window's computer may be wrong
  const now = () => Date.now() - behind;
  const closing = new AbortController();
  const { signal } = closing;
  const live = liveUntil(signal, ENDS, end);
  const asking = (ask) => (...given) => live(ask(id, ...given, signal));
  const ask = Object.fromEntries(Object.entries(api).map(([name, each]) => [name, asking(each)]));
  let tab = "list";
  let front = null; // what stands in place of the lists: a record, or the question before the glass breaks
  let top = 0; // how far the list behind it was scrolled

  const banner = glassBanner(id, { now, over: glassOver });
  const list = new ListView({ now, ask, open, glass: askGlass, broken: () => banner.on });
  const views = { list, repeat: new RepeatView({ ask, open, items: () => list.items() }) };
  const spoken = h("p", { class: "visually-hidden", role: "status" });
  const said = h("div", { class: "desk-said" });
  const tabs = h("div", { class: "desk-tabs", role: "tablist", "aria-label": t("rec.title") });
  const body = h("div", { class: "desk-body", role: "tabpanel" });
  const leave = button("plain", t(row ? "rec.close" : "rec.back"), back, { icon: "previous" });
  const head = h("header", { class: "desk-head" }, leave, h("h3", null, t("rec.title")), tabs);
  const node = h("div", { class: "rec" }, head, h("div", null, banner.node, said, spoken), body);

  function end(code) {
    close();
    ended(code);
  }

  function turn(to) {
    tab = to;
    say();
    lists();
    body.scrollTop = 0;
  }

  /** The lists again, where they were. */
  function lists() {
    front?.close();
    front = null;
    draw();
    views[tab].open();
    body.scrollTop = top;
    top = 0;
  }

  function draw() {
    const one = (name, picture) =>
      h(
        "button",
        {
          type: "button",
          class: "desk-tab",
          role: "tab",
          "aria-selected": String(tab === name),
          onclick: () => turn(name),
        },
        icon(picture),
        h("span", null, known(`rec.tab.${name}`, null)),
      );
    show(tabs, one("list", "records"), one("repeat", "check"));
    show(body, (front ?? views[tab]).node);
  }

  function put(view) {
    if (!front) top = body.scrollTop;
    front?.close();
    front = view;
    draw();
    body.scrollTop = 0;
  }

  /** Opens a record; `item`: the one it was found by. */
  function open(record, item = null) {
    say();
    const other = (id, known) => open({ ...known, ...list.find(id) });
    put(new RecordView({ record, item, ask, back: lists, scroll, open: other }));
    spoken.textContent = t("rec.opened", { title: record.title ?? "" });
  }

  function scroll(by) {
    body.scrollBy({ top: by * body.clientHeight * 0.8 });
  }

  function askGlass() {
    say();
    put(new GlassView({ session, ask, back: lists, broken }));
  }

  /** The glass is broken: what it opens is looked up. */
  function broken({ expires_at: until }) {
    banner.begin(until);
    anew();
  }

  /** The hour is over: nothing that it opened stays on the screen. */
  function glassOver() {
    say(notice("again", { title: t("rec.glass.over"), todo: t("rec.glass.over.todo") }));
    anew();
  }

  function anew() {
    views.repeat.clear();
    list.clear();
    tab = "list";
    top = 0;
    lists();
  }

  function say(words = null) {
    show(said, words);
    spoken.textContent = "";
  }

  function close() {
    closing.abort();
    clearTimeout(expiry);
    banner.close();
    front?.close();
    front = null;
    show(node);
  }

  const expiry = setTimeout(() => end("resolution-expired"), Date.parse(resolution.expires_at) - resolvedAt);
  lists();
  return { node, close, press: (key) => (front ?? views[tab]).press(key) };
}
