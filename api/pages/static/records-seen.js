// In the time line of who looked: the records by name, each with the way to it.
import { button, h, show } from "./dom.js";
import { t } from "./language.js";
import { recordOf } from "./record-book.js";

const MOST = 5; // by name; then how many more

export async function nameRecords(app, { act, records }, place) {
  const card = app.card.card_id;
  const named = [];
  for (const id of records.slice(0, MOST)) named.push([id, await recordOf(card, id)]);
  if (!place.isConnected) return;
  const way = ([id, record]) => {
    const name = record ? `${record.title} · ${record.hospital.name}` : t("seen.unnamed");
    return h(
      "li",
      null,
      button("plain", name, () => app.go("record", { id }), { icon: "records" }),
    );
  };
  const rest = records.length > MOST && h("li", { class: "soft" }, t("seen.more", { count: records.length - MOST }));
  show(place, h("p", null, t(act === "posted" ? "accesses.posted" : "accesses.records", { count: records.length })), h("ul", null, named.map(way), rest));
}
