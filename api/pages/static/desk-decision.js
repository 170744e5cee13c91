// The doctor's decision on a recognised result: it stands for a new test, or why the test is repeated all the same.
import { button, h, icon, show } from "./dom.js";
import { during, notice } from "./form.js";
import { attemptName } from "./http.js";
import { known, t } from "./language.js";

const REASONS = ["condition-changed", "changes-fast", "major-treatment", "emergency", "forensic", "other"];

/** The decisions on a record's items; `item`: the code of the one it was found by, shown first. */
export function decisionPart({ record, item, ask }) {
  const { mark, level, items } = record.recognition;
  const first = [...items.filter((each) => each.code === item), ...items.filter((each) => each.code !== item)];
  const words = t("decide.mark", { mark, level: known(`level.${level}`, null) ?? level });
  return h(
    "section",
    { class: "rec-decide" },
    h("h5", { class: "rec-part" }, icon("check"), h("span", null, words)),
    first.map((each) => decision(each, record.record_id, ask)),
  );
}

function decision(item, record, ask) {
  const place = h("div", { class: "stack" });
  const acts = h("div", { class: "rec-acts" });
  const node = h("div", { class: "rec-item" }, h("p", null, h("strong", null, item.name), " ", h("span", { class: "soft" }, item.code)), acts, place);
  const attempts = new Map(); // by decision: the same one sent twice counts once

  async function decide(body, pressed) {
    const name = JSON.stringify(body);
    attempts.set(name, attempts.get(name) ?? attemptName());
    const done = await during(pressed, place, () => ask.decide(record, { item: item.code, ...body }, attempts.get(name)));
    if (!done) return;
    attempts.delete(name);
    const reason = body.reason && known(`reason.${body.reason}`, null);
    const title = body.reason ? t("decide.repeated", { reason }) : t("decide.accepted");
    show(acts);
    show(place, notice("calm", { title, todo: t("decide.told") }), button("plain", t("decide.again"), () => (show(place), choose())));
  }

  function choose() {
    const accept = button("quiet", t("decide.accept"), () => decide({ decision: "accepted" }, accept), { icon: "check" });
    const repeat = button("quiet", t("decide.repeat"), () => why(), { icon: "refresh", "aria-expanded": "false" });
    show(acts, accept, repeat);
  }

  /** Repeating takes one of the official reasons. */
  function why() {
    const reason = (key) => {
      const pressed = h("button", { type: "button", class: "pick", onclick: () => decide({ decision: "repeated", reason: key }, pressed) }, known(`reason.${key}`, null));
      return pressed;
    };
    show(
      acts,
      h("p", { class: "rec-why" }, t("decide.why")),
      h("div", { class: "rec-picks" }, REASONS.map(reason)),
      button("plain", t("decide.leave"), choose, { icon: "previous" }),
    );
  }

  choose();
  return node;
}
