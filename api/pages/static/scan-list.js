// The last scans of the shift: masked, for this tab, gone with the sign-out.
import { h, icon, show } from "./dom.js";
import { clock, t } from "./language.js";
import { visit } from "./remember.js";
import { stepName } from "./visit.js";

const KEPT = 20;
const ICONS = { accepted: "check", refused: "cross", again: "look", waiting: "refresh" };

export class ScanList {
  constructor(place) {
    this.place = place;
    this.scans = visit.get("scans") ?? [];
    this.draw();
  }

  /** Puts a scan in front, or in the place it has: `id` tells scans apart. */
  put(id, verdict, step) {
    const scan = {
      id,
      at: new Date(id).toISOString(),
      kind: verdict.kind,
      who: verdict.card ? maskName(verdict.card.name) : "",
      title: verdict.title,
      step,
      replayed: Boolean(verdict.replayed),
    };
    this.scans = [scan, ...this.scans.filter((each) => each.id !== id)].sort((a, b) => b.id - a.id).slice(0, KEPT);
    visit.set("scans", this.scans);
    this.draw();
  }

  clear() {
    this.scans = [];
    visit.drop("scans");
    this.draw();
  }

  draw() {
    if (!this.scans.length) show(this.place, h("p", { class: "empty" }, t("list.empty")));
    else show(this.place, h("ol", { class: "scans" }, this.scans.map(item)));
  }
}

function item(scan) {
  return h(
    "li",
    { class: `scan scan-${scan.kind}` },
    h("span", { class: "scan-mark" }, icon(ICONS[scan.kind])),
    h("time", { datetime: scan.at }, clock(scan.at)),
    h("span", { class: "scan-who" }, scan.who || scan.title),
    h(
      "span",
      { class: "scan-step soft" },
      scan.replayed ? t("list.replayed") : scan.who && scan.kind === "again" ? scan.title : stepName(scan.step),
    ),
  );
}

/** The first character, then one star. */
export function maskName(name) {
  return name.includes("*") ? name : `${[...name][0]}*`;
}
