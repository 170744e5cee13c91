// Where an auditor's part about money stands: it is fetched when somebody signs in who may see it.
import { button, h, show } from "./dom.js";
import { fetchPart } from "./fetch-part.js";
import { explain } from "./http.js";
import { t } from "./language.js";

export function moneyPart() {
  const node = h("section", { class: "panel", "aria-labelledby": "money" });
  let part = null;

  async function begin() {
    show(node, h("p", { class: "soft", role: "status" }, t("loading")));
    try {
      const { paymentsPart } = await fetchPart("payments");
      part ??= paymentsPart(node);
      await part.begin();
    } catch (error) {
      show(node, h("p", { class: "soft" }, explain(error).title), button("plain", t("again"), begin, { icon: "refresh" }));
    }
  }

  return { node, begin, look: () => part?.look(), waits: () => part?.waits() ?? 0 };
}
