// A hospital's client: made, with a secret that is shown once, and disabled for good.
import * as api from "./admin-api.js";
import { ask } from "./admin-dialog.js";
import { h } from "./dom.js";
import { field, notice } from "./form.js";
import { Refused } from "./http.js";
import { t } from "./language.js";

const SCOPES = ["identity:full", "booking", "records", "payment"];

export function clientDialog(hospital, again) {
  const name = field("name", t("clients.name"), { maxlength: 100 });
  const boxes = SCOPES.map((scope) => [scope, h("input", { type: "checkbox", class: "check", name: scope, checked: scope !== "identity:full" })]);
  const choices = boxes.map(([scope, box]) => h("label", { class: "consent" }, box, h("span", null, t(`scope.${scope}`))));
  const attempt = api.attempts();
  ask(t("clients.add.to", hospital), {
    fields: { name },
    more: [h("fieldset", null, h("legend", { class: "field-label" }, t("clients.scopes")), choices)],
    label: t("clients.add"),
    async act() {
      const scopes = boxes.filter(([, box]) => box.checked).map(([scope]) => scope);
      if (!scopes.length) throw new Refused(422, { title: t("clients.scopes.none"), detail: "" }, null);
      const made = await api.addClient(hospital.hospital_id, { name: name.value.trim(), scopes }, attempt);
      again();
      return secretWords(made);
    },
  });
}

function secretWords(made) {
  const pair = (label, value) => [h("dt", null, label), h("dd", null, h("code", { class: "secret" }, value))];
  const list = h("dl", { class: "secrets" }, pair("client_id", made.client_id), pair("client_secret", made.client_secret));
  return notice("again", { title: t("clients.secret"), todo: "" }, list);
}

export function disableDialog(hospital, client, again) {
  ask(t("clients.disable.title", client), {
    words: [h("p", null, t("clients.disable.todo"))],
    label: t("clients.disable"),
    danger: true,
    async act() {
      await api.disableClient(hospital.hospital_id, client.client_id);
      await again();
    },
  });
}
