// The free slots of this hospital, by day and session; one click, or arrows and F9, books.
import { button, h, iconButton, show } from "./dom.js";
import { notice } from "./form.js";
import { clock, known, t } from "./language.js";
import { dateOf, dayName, dayTitle, trouble, whereOf, yuan } from "./desk-words.js";

const PAGE = 50; // slots

/**
 * `load(query)` gives `{slots, next_cursor}`, `departments()` the hospital's departments, `book(slot)` books;
 * `wish.department` is what the window looks for, kept from patient to patient.
 */
export class SlotsView {
  constructor({ now, wish, load, departments, book }) {
    Object.assign(this, { now, wish, load, departments, book });
    this.node = h("div", { class: "desk-slots" });
    this.slots = [];
    this.cursor = null;
    this.state = "new"; // loading, ready, failed
    this.error = null;
    this.choosing = false;
    this.known = null; // departments
    this.chosen = null; // the slot that F9 would book
    this.busy = null; // the slot that is being booked
  }

  /** Fetches the first page when there is none yet. */
  open() {
    if (this.state === "new") this.fetch();
  }

  /** Fetches anew: what is free has changed. */
  async fetch() {
    this.cursor = null;
    await this.more();
  }

  async more() {
    const { cursor } = this;
    const { department } = this.wish;
    this.state = "loading";
    this.draw();
    try {
      const query = { free: true, limit: PAGE, cursor, department, from: dateOf(this.now()) };
      const page = await this.load(query);
      if (department !== this.wish.department) return; // the window looks for another one by now
      this.slots = cursor ? [...this.slots, ...page.slots] : page.slots;
      this.cursor = page.next_cursor;
      this.state = "ready";
    } catch (error) {
      this.error = error;
      this.state = "failed";
    }
    if (!this.slots.includes(this.chosen)) this.chosen = null;
    this.draw();
  }

  /** One place fewer; the last one goes from the screen. */
  taken(slot) {
    slot.free -= 1;
    if (slot.free < 1) this.slots = this.slots.filter((each) => each !== slot);
    this.draw();
  }

  /** Shows that this slot is being booked, or that none is. */
  wait(slot) {
    this.busy = slot;
    this.draw();
  }

  /** Arrows choose, F9 books what is chosen. True if the key was for here. */
  press(key) {
    const open = this.slots.filter((slot) => this.isOpen(slot));
    if (!open.length) return false;
    const at = open.indexOf(this.chosen);
    if (key === "F9" && at >= 0) {
      this.book(this.chosen);
      return true;
    }
    const to = at < 0 ? 0 : key === "F9" ? at : next(open, at, key);
    if (to === null) return false;
    this.chosen = open[to];
    this.draw();
    this.node.querySelector("[data-chosen]")?.scrollIntoView({ block: "nearest" });
    return true;
  }

  isOpen(slot) {
    return slot.status === "free" && Date.parse(slot.opens_at) <= this.now();
  }

  draw() {
    show(this.node, this.filter(), this.choosing ? this.choice() : null, this.body());
  }

  filter() {
    const { wish } = this;
    return h(
      "div",
      { class: "desk-filter" },
      button("quiet", t("desk.department", { name: wish.name || t("desk.all") }), () => this.choose(), {
        icon: "hospital",
        "aria-expanded": String(this.choosing),
      }),
      h("p", { class: "desk-keys soft" }, t("desk.keys")),
      iconButton("refresh", t("desk.refresh"), () => this.fetch()),
    );
  }

  /** Opens or closes the choice of a department; their names are fetched once a shift. */
  async choose() {
    this.choosing = !this.choosing;
    this.draw();
    if (!this.choosing || this.known) return;
    try {
      this.known = await this.departments();
    } catch (error) {
      this.known = error;
    }
    this.draw();
    if (this.known instanceof Error) this.known = null; // asked again when it is opened again
  }

  choice() {
    if (!this.known) return waiting();
    if (this.known instanceof Error) return h("p", { class: "desk-empty" }, trouble(this.known));
    const chip = ({ code, name }) =>
      h(
        "button",
        {
          type: "button",
          class: "pick",
          role: "radio",
          "aria-checked": String(code === (this.wish.department ?? "")),
          onclick: () => this.pick(code, name),
        },
        name,
      );
    const all = { code: "", name: t("desk.all") };
    return h("div", { class: "desk-departments", role: "radiogroup", "aria-label": t("desk.departments") }, [
      chip(all),
      ...this.known.map(chip),
    ]);
  }

  pick(code, name) {
    this.wish.department = code || null;
    this.wish.name = code ? name : "";
    this.choosing = false;
    this.slots = [];
    this.fetch();
  }

  body() {
    if (this.state === "failed" && !this.slots.length) return this.failed();
    if (this.state === "loading" && !this.slots.length) return waiting();
    if (!this.slots.length) {
      return h("p", { class: "desk-empty" }, t(this.wish.department ? "desk.none-here" : "desk.none"));
    }
    return [
      ...byDay(this.slots).map(([date, sessions]) => this.day(date, sessions)),
      this.state === "failed" ? this.failed() : null,
      this.cursor && this.state !== "failed"
        ? button("plain", t("desk.more"), () => this.more(), { icon: "next", disabled: this.state === "loading" })
        : null,
    ];
  }

  failed() {
    return notice(
      "again",
      { title: trouble(this.error) },
      button("plain", t("again"), () => (this.cursor ? this.more() : this.fetch()), { icon: "refresh" }),
    );
  }

  day(date, sessions) {
    return h(
      "section",
      null,
      h("h4", { class: "desk-day" }, dayTitle(date, this.now())),
      sessions.map((slots) => this.session(slots)),
    );
  }

  session(slots) {
    const [first] = slots;
    return h(
      "div",
      { class: "desk-session" },
      h(
        "p",
        { class: "desk-session-name" },
        h("strong", null, whereOf(first)),
        h("span", { class: "soft" }, sessionWords(first)),
      ),
      h(
        "div",
        { class: "desk-times" },
        slots.map((slot) => this.slot(slot)),
      ),
    );
  }

  slot(slot) {
    const open = this.isOpen(slot);
    const words = open ? t("desk.free", { free: slot.free }) : t("desk.opens", { time: opensWhen(slot, this.now()) });
    const time = clock(slot.start);
    return h(
      "button",
      {
        type: "button",
        class: "desk-slot",
        disabled: !open || Boolean(this.busy),
        "aria-busy": this.busy === slot ? "true" : null,
        "data-chosen": slot === this.chosen,
        "aria-label": [time, words, whereOf(slot)].join(t("desk.and")),
        onclick: () => this.book(slot),
      },
      h("strong", null, time),
      h("span", null, words),
    );
  }
}

const waiting = () =>
  h("p", { class: "desk-empty", "aria-busy": "true" }, h("span", { class: "spinner" }), t("loading"));

/** Where an arrow leads from `at`: sideways the next slot, up and down the next session. */
function next(slots, at, key) {
  if (key === "ArrowRight") return Math.min(at + 1, slots.length - 1);
  if (key === "ArrowLeft") return Math.max(at - 1, 0);
  const here = slots[at].schedule_id;
  const firsts = slots.map((slot, index) => index).filter((i) => slots[i].schedule_id !== slots[i - 1]?.schedule_id);
  if (key === "ArrowDown") return firsts.find((index) => index > at) ?? at;
  if (key === "ArrowUp") return firsts.findLast((index) => index < at && slots[index].schedule_id !== here) ?? at;
  return null;
}

/** `[date, [slots of one session, …]]`, in the order in which they came. */
function byDay(slots) {
  const days = new Map();
  for (const slot of slots) {
    const sessions = days.get(slot.date) ?? new Map();
    days.set(slot.date, sessions.set(slot.schedule_id, [...(sessions.get(slot.schedule_id) ?? []), slot]));
  }
  return [...days].map(([date, sessions]) => [date, [...sessions.values()]]);
}

/** Kind of clinic, fee, and for whom it is. */
function sessionWords({ clinic, fee_fen: fee, min_age: from, max_age: to, sex }) {
  const ages = from && to ? "both" : from ? "from" : to ? "to" : null;
  return [
    known(`desk.clinic.${clinic}`, null),
    yuan(fee),
    ages && t(`desk.ages.${ages}`, { from, to }),
    sex && known(`desk.only.${sex}`, null),
  ]
    .filter(Boolean)
    .join(" · ");
}

function opensWhen({ opens_at: at }, now) {
  const date = dateOf(Date.parse(at));
  return date === dateOf(now) ? clock(at) : `${dayName(date, now)} ${clock(at)}`;
}
