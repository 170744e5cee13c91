// Lists: family cards, who looked at my data, who else holds my card, what I was told.
import { button, h, icon, show } from "./dom.js";
import { during, notice, screen } from "./form.js";
import { explain } from "./http.js";
import { clock, day, known, t } from "./language.js";
import { sayRecords } from "./later.js";
import * as api from "./patient-api.js";
import { SERVICES, operatorName, refusal, serviceNames, stepName } from "./visit.js";

const TOGETHER = 600_000; // ms: the same look at the same records within it is one line
const ABOUT = {
  appointment: ["booked", "waiting-booked", "session-stopped", "booking-paused"],
  bill: ["bill", "paid", "refunded"],
};

export function familyView(app) {
  const row = (card, index) =>
    h(
      "button",
      {
        type: "button",
        class: "row",
        "aria-current": card === app.card ? "true" : null,
        onclick: () => app.choose(index),
      },
      icon(card.status === "frozen" ? "freeze" : "card"),
      h(
        "span",
        { class: "row-words" },
        h("strong", { class: "row-name" }, card.name),
        h(
          "span",
          { class: "soft" },
          [
            known(`relation.${card.relation}`, "relation.other"),
            card.id_number,
            card.status === "frozen" && t("frozen.short"),
          ]
            .filter(Boolean)
            .join(" · "),
        ),
      ),
      icon("next"),
    );
  const node = screen(
    t("family.title"),
    app.back,
    h("p", { class: "lead" }, t("family.lead")),
    h("div", { class: "rows" }, app.cards.map(row)),
    button("primary", t("family.add"), () => app.go("add"), { icon: "plus" }),
  );
  return { node, title: t("family.title"), tab: "family" };
}

/** The time line of accesses: newest first, by day, more on demand. */
export function accessesView(app) {
  const title = t("accesses.title");
  const lead = t(app.card.relation === "self" ? "accesses.lead.self" : "accesses.lead", { name: app.card.name });
  let above = null; // the line that the same look again counts in
  const item = (access) => {
    if (above && sameLook(above.access, access)) return void above.again();
    const times = h("span", { class: "chip", hidden: true });
    let count = 1;
    const again = () => ((times.textContent = `×${++count}`), (times.hidden = false));
    above = { access, again };
    return accessItem(app, access, times);
  };
  const list = paged(
    (cursor) => api.accesses(app.card.card_id, { cursor }),
    "accesses",
    item,
    t("accesses.none"),
  );
  return { node: screen(title, app.back, h("p", { class: "lead" }, lead), list), title, tab: "accesses" };
}

/** Whether both are the same person's look at the same records in one visit, one soon after the other. */
function sameLook(one, other) {
  const what = ({ access_id: _id, at: _at, ...rest }) => JSON.stringify(rest);
  const near = Math.abs(Date.parse(one.at) - Date.parse(other.at)) <= TOGETHER && day(one.at) === day(other.at);
  return near && Boolean(one.records?.length) && what(one) === what(other);
}

/** `times`: how often, where it was more than once. */
function accessItem(app, access, times) {
  const refused = access.outcome === "refused";
  const reason = refused ? refusal(access.reason) : null;
  const opened = SERVICES.filter((service) => access.what.includes(service));
  const what = opened.length ? t("accesses.opened", { services: serviceNames(opened) }) : t("accesses.identity");
  const seen = h("div", null, access.records?.length ? t(access.act === "posted" ? "accesses.posted" : "accesses.records", { count: access.records.length }) : null);
  sayRecords(app, access, seen);
  const where = [access.department, access.terminal, operatorName(access.operator)].filter(Boolean).join(" · ");
  return h(
    "li",
    { class: `moment ${refused ? "moment-refused" : ""}` },
    h("span", { class: "moment-dot" }, icon(refused ? "cross" : access.break_glass ? "look" : "check")),
    h(
      "div",
      { class: "moment-words" },
      h(
        "p",
        { class: "moment-head" },
        h("time", { datetime: access.at }, clock(access.at)),
        h("strong", null, access.hospital),
        times,
      ),
      where && h("p", { class: "soft" }, where),
      h("p", null, stepName(access.step ?? "")),
      refused ? null : h("p", null, known(`accesses.act.${access.act}`, null) ?? what),
      access.break_glass ? h("p", { class: "moment-glass" }, t("accesses.break-glass")) : null,
      seen,
      reason && h("p", { class: "moment-reason" }, h("strong", null, reason.title), " ", reason.todo),
    ),
  );
}

/** What a message is about: an appointment, a bill, or neither. */
export const aboutOf = ({ kind, ref }) => ref && Object.keys(ABOUT).find((what) => ABOUT[what].includes(kind));

export function messagesView(app) {
  const title = t("messages.title");
  const glass = (message) => [
    h("p", { class: "moment-glass" }, t("message.break-glass.todo")),
    button("plain", t("accesses.title"), () => app.openAccesses(message.card_id), { icon: "history" }),
  ];
  const item = (message) =>
    h(
      "li",
      { class: "moment" },
      h("span", { class: "moment-dot" }, icon("bell")),
      h(
        "div",
        { class: "moment-words" },
        h(
          "p",
          { class: "moment-head" },
          h("time", { datetime: message.at }, clock(message.at)),
          h("strong", null, known(`message.${message.kind}`, "message.other")),
        ),
        h("p", null, message.text),
        aboutOf(message) &&
          button("plain", t(`messages.${aboutOf(message)}`), () => app.openAbout(aboutOf(message), message), {
            icon: aboutOf(message) === "bill" ? "payment" : "booking",
          }),
        message.kind === "break-glass" && glass(message),
      ),
    );
  return {
    node: screen(
      title,
      app.back,
      paged((cursor) => api.messages(cursor), "messages", item, t("messages.none")),
    ),
    title,
    tab: "me",
  };
}

/** Pages of `{<name>: […], next_cursor}` under the heading of each day. */
function paged(ask, name, item, none) {
  const list = h("div", { class: "timeline" });
  const foot = h("div", { class: "stack" });
  const more = button("quiet", t("list.more"), () => load(next), { icon: "refresh" });
  let next = null;
  let heading = "";

  async function load(cursor) {
    if (!cursor) show(foot, h("p", { class: "soft", role: "status" }, t("loading")));
    const ok = await during(more, foot, async () => {
      const page = await ask(cursor);
      for (const each of page[name]) {
        if (day(each.at) !== heading) {
          heading = day(each.at);
          list.append(h("h2", { class: "timeline-day" }, heading), h("ol", { class: "moments" }));
        }
        const made = item(each);
        if (made) list.lastElementChild.append(made);
      }
      next = page.next_cursor;
      if (!list.childElementCount) list.append(h("p", { class: "empty" }, icon("shield"), none));
    });
    if (!ok) foot.append(button("quiet", t("again"), () => load(cursor), { icon: "refresh" }));
    else if (next) show(foot, more);
  }

  load(null);
  return h("div", { class: "stack" }, list, foot);
}

/** On one's own card: the other accounts that hold it, each with the door. */
export function holdersView(app) {
  const title = t("holders.title");
  const place = h("div", { class: "stack" });
  const rows = h("div", { class: "rows" }, h("p", { class: "soft", role: "status" }, t("loading")));

  async function load() {
    try {
      const holders = await api.holders(app.card.card_id);
      if (holders.length) show(rows, holders.map(row));
      else show(rows, h("p", { class: "empty" }, icon("shield"), t("holders.none")));
    } catch (error) {
      show(rows, notice("again", explain(error), button("quiet", t("again"), load, { icon: "refresh" })));
    }
  }

  function row(holder) {
    const ask = button("quiet", t("holders.remove"), () => show(acts, sure, keep), { icon: "cross" });
    const sure = button("primary", t("holders.sure", { name: holder.name }), () =>
      during(sure, place, async () => {
        await api.removeHolder(app.card.card_id, holder.holder_id);
        show(place, notice("calm", { title: t("holders.removed", { name: holder.name }), todo: "" }));
        await load();
      }),
    );
    const keep = button("quiet", t("cancel"), () => show(acts, ask));
    const acts = h("div", { class: "row-acts" }, ask);
    const since = t("holders.since", {
      day: day(holder.since),
      relation: known(`holder.${holder.relation}`, "holder.other"),
    });
    return h(
      "div",
      { class: "row row-open" },
      icon("user"),
      h("span", { class: "row-words" }, h("strong", null, holder.name), h("span", { class: "soft" }, since)),
      acts,
    );
  }

  load();
  return { node: screen(title, app.back, h("p", { class: "lead" }, t("holders.lead")), place, rows), title, tab: "me" };
}
