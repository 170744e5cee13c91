// Comparing the books of a day now, without waiting for tomorrow's half past ten.
import { attempts } from "./admin-api.js";
import * as api from "./admin-payments-api.js";
import { button, h } from "./dom.js";
import { chips, during, field, filled } from "./form.js";
import { t } from "./language.js";

const DAY = 86_400_000; // ms
const ZONE = 8 * 3_600_000; // ms that Asia/Shanghai is ahead of UTC

/** `made(reconciliation)` hears of it. */
export function reconcileForm(made) {
  const yesterday = new Date(Date.now() + ZONE - DAY).toISOString().slice(0, 10);
  const date = field("date", t("money.date"), { value: yesterday, placeholder: "2026-01-31", maxlength: 10 });
  const channel = chips(t("money.channel"), ["wechat", "insurer"].map((each) => [each, t(`money.channel.${each}`)]), "wechat");
  const place = h("div", { class: "stack" });
  const go = button("quiet", t("money.run"), null, { type: "submit", icon: "refresh" });
  let attempt = attempts();

  async function submit(event) {
    event.preventDefault();
    if (go.disabled || !filled([date])) return;
    const body = { date: date.value.trim(), channel: channel.value };
    const done = await during(go, place, async () => made(await api.reconcile(body, attempt)), { date });
    if (done) attempt = attempts();
  }

  return h("form", { class: "money-run", novalidate: true, onsubmit: submit }, date.node, channel.node, go, place);
}
