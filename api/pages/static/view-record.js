// One record: what was found, in words; what came with it; what doctors made of it.
import { button, h, icon, show } from "./dom.js";
import { notice, screen } from "./form.js";
import { Refused } from "./http.js";
import { t } from "./language.js";
import { saveAttachment } from "./download.js";
import * as read from "./fhir-read.js";
import { facts, refusalOf, stuck, whose } from "./parts.js";
import * as api from "./records-api.js";
import { recordOf } from "./record-book.js";
import { choose } from "./record-chosen.js";
import { imagesPart } from "./record-images.js";
import {
  dateWords,
  decisionWords,
  earlyChip,
  flagChip,
  flagWords,
  kindWords,
  marks,
  momentWords,
  rangeWords,
  valueWords,
} from "./records-words.js";
import { recordsView } from "./view-records.js";

/** `id`: of the record; without, the one that was looked at before. */
export function recordView(app, given) {
  const chosen = choose(app, "record", given);
  if (!chosen) return recordsView(app);
  const { id } = chosen;
  const title = t("record.title");
  const place = h("div", { class: "stack" });
  const node = screen(title, app.back, h("div", { class: "panel" }, whose(app)), place);
  const leaving = new AbortController();
  let shown = false;

  async function load() {
    if (shown) return;
    show(place, h("p", { class: "soft", role: "status" }, t("loading")));
    try {
      const [record, text] = await Promise.all([recordOf(app.card.card_id, id), api.record(id)]);
      shown = true;
      draw(place, app, record, id, read.readRecord(text), leaving.signal);
    } catch (error) {
      if (error instanceof Refused && error.code === "not-found") return show(place, absent());
      stuck(place, error, refusalOf(app)(error), load);
    }
    return null;
  }

  load();
  return { node, title, tab: "me", wake: load, leave: () => leaving.abort() };
}

const absent = () => notice("again", { title: t("record.absent.title"), todo: t("record.absent.todo") });

function draw(place, app, record, id, posted, signal) {
  const rows = read.results(posted);
  show(
    place,
    record && head(record, posted),
    record && versions(app, record),
    rows.length > 0 && part(t("record.results"), results(app, rows)),
    conclusions(posted),
    attached(posted),
    posted.top.resourceType === "ImagingStudy" && imagesPart(id, read.series(posted), signal),
    record?.recognitions?.length > 0 && decisions(record),
    told(posted, rows.length > 0),
  );
}

function part(title, ...children) {
  return h("section", { class: "panel stack" }, h("h2", null, title), ...children);
}

function head(record, posted) {
  const { top } = posted;
  const taken = read.sampled(posted);
  const valid = record.recognition && t(`recognition.${record.recognition.level}`, { mark: record.recognition.mark });
  return h(
    "div",
    { class: "panel stack" },
    h("p", { class: "record-head" }, h("strong", { class: "row-name" }, record.title), ...marks(record)),
    facts([
      [t("record.hospital"), record.hospital.name],
      [t("record.kind"), kindWords(record.kind)],
      [t("record.at"), momentWords(record.occurred_at)],
      [t("record.sampled"), taken && dateWords(taken)],
      [t("record.description"), top.description !== record.title && top.description],
      [t("record.recognition"), valid],
    ]),
  );
}

/** What is said of a record that was replaced, or that replaces another; preliminary ones may still change. */
function versions(app, { superseded_by: newer, replaces, status }) {
  const open = (text, id) => button("quiet", text, () => app.go("record", { id }), { icon: "records" });
  const old = newer && notice("again", { title: t("record.superseded") }, open(t("record.newer"), newer));
  const early = status === "preliminary" || status === "partial" || status === "registered";
  return h(
    "div",
    { class: "stack" },
    old,
    status === "entered-in-error" && notice("again", { title: t("record.void") }),
    early && !newer && notice("again", { title: t("record.early") }),
    replaces && !newer && notice("calm", { title: t("record.replaces") }, open(t("record.older"), replaces)),
  );
}

function results(app, rows) {
  return h(
    "ul",
    { class: "results" },
    rows.map((row) => h("li", null, result(app, row))),
  );
}

/** One result; one that is a number, not a bound of one, leads to how it changed. */
function result(app, row) {
  const flag = flagWords(row);
  const range = rangeWords(row);
  const words = h(
    "span",
    { class: "row-words" },
    h("span", { class: "result-name" }, row.name || t("record.unnamed")),
    h("span", { class: "result-line" }, valueWords(row), flagChip(flag), earlyChip(row)),
    range && h("span", { class: "soft" }, range),
    row.notes.map((note) => h("span", { class: "soft" }, note)),
  );
  if (!row.code || !row.value || row.comparator || Number.isNaN(Number(row.value)))
    return h("div", { class: "result" }, words);
  const open = () => app.go("trend", { code: row.code, name: row.name });
  const hint = h("span", { class: "visually-hidden" }, t("record.trend"));
  return h("button", { type: "button", class: "result", onclick: open }, words, hint, icon("trend"));
}

function conclusions(posted) {
  const said = read.conclusions(posted);
  if (!said.length) return null;
  return part(
    t("record.conclusion"),
    said.map((each) => h("p", { class: "as-written" }, each)),
  );
}

function attached(posted) {
  const files = read.attachments(posted);
  if (!files.length) return null;
  const file = (each, index) => {
    const name = each.title || t("attachment.name", { number: index + 1 });
    if (!each.data) return h("p", null, t("attachment.elsewhere", { name }));
    return button("quiet", t("attachment.save", { name }), () => saveAttachment(each, name), { icon: "download" });
  };
  return part(t("record.attachments"), files.map(file), h("p", { class: "soft" }, t("download.hint")));
}

function decisions({ recognitions }) {
  const one = (each) =>
    h("li", null, icon(each.decision === "accepted" ? "check" : "look"), h("span", null, decisionWords(each)));
  return part(t("decision.title"), h("ul", { class: "points" }, recognitions.map(one)));
}

/** The hospital's own words: at hand, but folded away where the results say the same. */
function told(posted, folded) {
  const text = read.narrative(posted);
  if (!text) return null;
  const words = h("p", { class: "as-written" }, text);
  if (!folded) return part(t("record.narrative"), words);
  return h(
    "div",
    { class: "panel" },
    h("details", { class: "details" }, h("summary", null, t("record.narrative")), words),
  );
}
