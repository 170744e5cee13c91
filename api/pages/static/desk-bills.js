// A person's bills at the window, for one resolution, until the next scan: the list, a new one, one with its acts.
import { button, h, icon, show } from "./dom.js";
import { notice } from "./form.js";
import { attemptName, explain, passing } from "./http.js";
import { t } from "./language.js";
import * as api from "./desk-bills-api.js";
import { BillForm } from "./desk-bill-form.js";
import { BillView } from "./desk-bill-view.js";
import { liveUntil } from "./desk-live.js";
import { itemsWords, momentWords, statusChip, yuan } from "./bill-words.js";

const ENDS = new Set(["resolution-expired", "card-revoked", "card-frozen", "unauthenticated"]);
const AGAIN = 5000; // ms

/**
 * The bills of one resolution as `{node, press(key), close()}`. `row`: nothing else stands under the verdict; `back()`
 * leads away from here; `ended(code)`: nothing more can be done.
 */
export function openBills({ resolution, row, back, ended }) {
  const id = resolution.resolution_id;
  const closing = new AbortController();
  const { signal } = closing;
  const live = liveUntil(signal, ENDS, end);
  const asking = (ask) => (...given) => live(ask(id, ...given, signal));
  const ask = Object.fromEntries(Object.entries(api).map(([name, each]) => [name, asking(each)]));
  const attempts = new Map(); // by act and body: the same sent again after no answer counts once
  let front = null; // a bill, or the form of a new one
  let bills = [];
  let cursor = null;

  const said = h("div", { class: "desk-said" });
  const tabs = h("div", { class: "desk-tabs", role: "tablist", "aria-label": t("dbill.title") });
  const body = h("div", { class: "desk-body", role: "tabpanel" });
  const leave = button("plain", t(row ? "dbill.close" : "dbill.back"), back, { icon: "previous" });
  const head = h("header", { class: "desk-head" }, leave, h("h3", null, t("dbill.title")), tabs);
  const node = h("div", { class: "rec bills" }, head, said, body);
  const list = h("div");

  function end(code) {
    close();
    ended(code);
  }

  function say(...words) {
    show(said, ...words);
    if (said.hasChildNodes()) said.scrollIntoView({ block: "nearest" });
  }

  function drawTabs() {
    const one = (name, picture, on, act) =>
      h(
        "button",
        { type: "button", class: "desk-tab", role: "tab", "aria-selected": String(on), onclick: act },
        icon(picture),
        h("span", null, t(`dbill.tab.${name}`)),
      );
    const writing = front instanceof BillForm;
    show(tabs, one("list", "payment", !writing, toList), one("new", "plus", writing, toForm));
  }

  function put(view) {
    front?.close?.();
    front = view;
    drawTabs();
    show(body, (view ?? { node: list }).node);
    body.scrollTop = 0;
    view?.begin?.();
  }

  function toList() {
    say();
    put(null);
    load(null);
  }

  function toForm() {
    say();
    put(new BillForm({ make, leave: toList }));
  }

  function toBill(bill) {
    put(new BillView({ bill, ask, act, say, back: toList }));
  }

  async function make(given) {
    const bill = await act("make", given, (attempt) => ask.make(given, attempt));
    say(notice("calm", { title: t("dbill.made"), todo: t("dbill.made.todo") }));
    toBill(bill);
  }

  /** Does something under its name; without an answer the same again is safe, and is said to be. */
  async function act(name, given, work) {
    const key = `${name} ${JSON.stringify(given)}`;
    const attempt = attempts.get(key) ?? attemptName();
    attempts.set(key, attempt);
    try {
      const done = await work(attempt);
      attempts.delete(key);
      return done;
    } catch (error) {
      if (!passing(error) && error.code !== "idempotency-in-progress") attempts.delete(key);
      throw error;
    }
  }

  async function load(from) {
    if (!bills.length) show(list, waiting());
    try {
      const page = await ask.bills(from);
      bills = from ? [...bills, ...page.bills] : page.bills;
      cursor = page.next_cursor;
      draw();
    } catch (error) {
      const words = notice("again", explain(error), button("plain", t("again"), () => load(from), { icon: "refresh" }));
      show(list, words);
      if (passing(error)) setTimeout(() => words.isConnected && load(from), AGAIN);
    }
  }

  function draw() {
    show(
      list,
      bills.length ? h("ol", null, bills.map(billRow)) : h("p", { class: "desk-empty" }, t("dbill.none")),
      cursor && button("plain", t("dbill.more"), () => load(cursor), { icon: "next" }),
      h("p", { class: "dbill-new" }, button("quiet", t("dbill.new"), toForm, { icon: "plus" })),
    );
  }

  function billRow(bill) {
    const due = bill.status === "due";
    return h(
      "li",
      null,
      h(
        "button",
        { type: "button", class: due ? "dbill-row dbill-due" : "dbill-row", onclick: () => (say(), toBill(bill)) },
        h(
          "span",
          { class: "dbill-words" },
          h("span", null, h("strong", null, itemsWords(bill)), " ", statusChip(bill)),
          h("span", { class: "soft" }, `${momentWords(bill.at)} · ${bill.visit_number}`),
        ),
        h(
          "span",
          { class: "dbill-side" },
          h("strong", null, yuan(due ? bill.cash_fen : bill.total_fen)),
          h("span", { class: "soft" }, t(due ? "dbill.cash" : "bill.total")),
        ),
      ),
    );
  }

  function close() {
    closing.abort();
    clearTimeout(expiry);
    front?.close?.();
    front = null;
    show(node);
  }

  const expiry = setTimeout(() => end("resolution-expired"), Date.parse(resolution.expires_at) - Date.parse(resolution.resolved_at));
  put(null);
  load(null);
  return {
    node,
    close,
    press(key) {
      if (front) return front.press?.(key) ?? false;
      if (key === "F9") toForm();
      return key === "F9";
    },
  };
}

const waiting = () => h("p", { class: "desk-empty", "aria-busy": "true" }, h("span", { class: "spinner" }), t("loading"));
