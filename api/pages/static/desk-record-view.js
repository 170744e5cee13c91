// One record at the window: what it says, its images, and whether it stands for a new test.
import { button, h, icon, show } from "./dom.js";
import { notice } from "./form.js";
import { t } from "./language.js";
import { decisionPart } from "./desk-decision.js";
import { imagesPart } from "./desk-images.js";
import { failed, waiting } from "./desk-record-list.js";
import { attachments, concept, conclusions, narrative, readRecord, results, sampled } from "./fhir-read.js";
import { dateWords, earlyChip, flagChip, flagWords, kindWords, marks, momentWords, rangeWords, valueWords } from "./records-words.js";
import { saveAttachment } from "./save.js";

const KIB = 1024;

/**
 * `record`: as lists give it, or its id alone; `item`: the one it was found by; `ask`: the calls; `back()` to the list,
 * `open(id, known)` to another record of which so much is known, `scroll(by)` moves what is shown by so many screens.
 */
export class RecordView {
  constructor({ record, item, ask, back, open, scroll }) {
    Object.assign(this, { record, item, ask, back, toRecord: open, scroll });
    this.images = null;
    this.closed = false;
    this.body = h("div", { class: "rec-parts" });
    const way = button("plain", t("rec.to-list"), back, { icon: "previous" });
    this.node = h("article", { class: "rec-record" }, way, this.body);
    this.load();
  }

  async load() {
    show(this.body, waiting());
    try {
      this.draw(await this.ask.posted(this.record.record_id));
    } catch (error) {
      if (!this.closed) show(this.body, error.code === "not-found" ? gone() : failed(error, () => this.load()));
    }
  }

  draw(text) {
    if (this.closed) return;
    const { record, ask, item } = this;
    const read = readable(text);
    const parts = read ? contents(read, record.title) : notice("again", { title: t("rec.unreadable") });
    const { top = {} } = read ?? {};
    record.status ??= top.status; // of one that no list showed
    record.title ??= concept(top.code) || concept(top.type) || t("rec.untitled");
    if (record.kind === "imaging" || top.resourceType === "ImagingStudy") this.images = imagesPart({ record: record.record_id, ask });
    const decision = record.recognition && !record.superseded_by ? decisionPart({ record, item, ask }) : null;
    show(this.body, this.head(), this.banners(), this.images?.node, decision, parts);
  }

  head() {
    const { kind, title, hospital, occurred_at: at } = this.record;
    const where = hospital && t("rec.of", { kind: kindWords(kind), hospital: hospital.name, when: momentWords(at) });
    return h(
      "header",
      null,
      h("h4", { class: "rec-title" }, title, " ", ...marks(this.record)),
      h("p", { class: "soft" }, where),
    );
  }

  /** What must be known before the rest is read. */
  banners() {
    const { record_id: id, superseded_by: newer, replaces, status } = this.record;
    const to = (other, known, words) => button("plain", words, () => this.toRecord(other, known), { icon: "next" });
    return [
      status === "entered-in-error" && notice("refused", { title: t("rec.void") }),
      newer && notice("again", { title: t("rec.superseded") }, to(newer, { replaces: id }, t("rec.newer"))),
      replaces && !newer && notice("calm", { title: t("rec.replaces") }, to(replaces, { superseded_by: id }, t("rec.older"))),
    ];
  }

  press(key) {
    if (key === "F9") this.back();
    else if (key === "ArrowDown" || key === "ArrowUp") this.scroll(key === "ArrowDown" ? 1 : -1);
    else return this.images?.press(key) ?? false;
    return true;
  }

  /** What was read of the person goes from the page and from memory. */
  close() {
    this.closed = true;
    this.images?.close();
    show(this.node);
  }
}

const gone = () => notice("again", { title: t("rec.gone"), todo: t("rec.gone.todo") });

/** The record, or null where it is nothing that can be shown. */
function readable(text) {
  try {
    return readRecord(text);
  } catch {
    return null;
  }
}

function contents(read, title) {
  const rows = results(read);
  const said = conclusions(read).filter((each) => each !== title);
  const text = narrative(read);
  const files = attachments(read);
  const taken = sampled(read);
  const bare = !rows.length && !said.length;
  return [
    said.length > 0 && part(t("rec.conclusion"), said.map((each) => h("p", { class: "rec-text" }, each))),
    rows.length > 0 && part(t("rec.results"), taken && h("p", { class: "soft" }, t("rec.sampled", { when: dateWords(taken) })), table(rows)),
    text && (bare ? part(t("rec.text"), h("p", { class: "rec-text" }, text)) : folded(text)),
    files.length > 0 && part(t("rec.files"), h("ul", { class: "rec-files" }, files.map(file))),
    bare && !text && !files.length && read.top.resourceType !== "ImagingStudy" && h("p", { class: "soft" }, t("rec.empty")),
  ];
}

const part = (title, ...inside) => h("section", null, h("h5", { class: "rec-part" }, title), ...inside);

const folded = (text) =>
  h("details", { class: "details" }, h("summary", null, t("rec.text")), h("p", { class: "rec-text" }, text));

function table(rows) {
  const head = ["name", "value", "range", "flag"].map((each) => h("th", { scope: "col" }, t(`rec.column.${each}`)));
  return h(
    "table",
    { class: "rec-results" },
    h("thead", null, h("tr", null, head)),
    h("tbody", null, rows.map(line)),
  );
}

function line(row) {
  const flag = flagWords(row);
  const notes = row.notes.map((each) => h("span", { class: "rec-note soft" }, each));
  return h(
    "tr",
    { class: flag?.off ? "rec-off" : null },
    h("th", { scope: "row" }, row.name, notes),
    h("td", null, valueWords(row)),
    h("td", { class: "soft" }, bounds(row)),
    h("td", null, flagChip(flag), earlyChip(row)),
  );
}

/** The range without the words before it: the column says what it is. */
const bounds = ({ low, high, range, ...row }) =>
  low && high ? `${low}–${high}` : low || high ? rangeWords({ low, high, range, ...row }) : range;

function file({ title, type, data }, at) {
  const name = title || t("rec.file", { n: at + 1 });
  const size = data && t("rec.kib", { kib: Math.max(1, Math.round((data.length * 3) / 4 / KIB)) });
  const about = h("span", { class: "soft" }, [type, size].filter(Boolean).join(" · "));
  const save = data && button("quiet", t("rec.save"), () => saveAttachment({ data, type }, name), { icon: "next", "aria-label": `${t("rec.save")} ${name}` });
  return h("li", null, icon("records"), h("p", null, h("strong", null, name), " ", about), save || h("span", { class: "soft" }, t("rec.elsewhere")));
}
