// Signing in, once a shift: the hospital's client, the terminal, and who stands at it. The secret is not kept.
import { button, h, icon, show } from "./dom.js";
import { during, field, filled, notice } from "./form.js";
import { Refused } from "./http.js";
import { t } from "./language.js";
import { device } from "./remember.js";
import * as api from "./scanner-api.js";
import { wakeSound } from "./sound.js";

const KEPT = ["client_id", "terminal"]; // what the next shift at this window has in common with this one

/** Here 401 means that client and secret do not go together, not that a sign-in ended. */
function wrongClient(error) {
  throw error.status === 401 ? new Refused(401, { code: "shift-refused" }, null) : error;
}

/** `because`: what ended the last shift, as `{title, todo}`, or nothing. */
export function shiftForm({ because, signedIn }) {
  const kept = device.get("shift") ?? {};
  const fields = {
    client_id: field("client_id", t("shift.client"), {
      value: kept.client_id,
      autocomplete: "username",
      spellcheck: "false",
      maxlength: 64,
    }),
    client_secret: field("client_secret", t("shift.secret"), {
      type: "password",
      autocomplete: "current-password",
      maxlength: 200,
      hint: t("shift.secret.hint"),
    }),
    terminal: field("terminal", t("shift.terminal"), {
      value: kept.terminal,
      maxlength: 64,
      spellcheck: "false",
      hint: t("shift.terminal.hint"),
    }),
    id: field("operator_id", t("shift.operator-id"), { maxlength: 64, spellcheck: "false" }),
    name: field("operator_name", t("shift.operator-name"), { maxlength: 50 }),
  };
  const place = h("div", { class: "stack" }, because && notice("again", because));
  const go = button("primary", t("shift.begin"), null, { type: "submit", icon: "key" });

  async function submit(event) {
    event.preventDefault();
    wakeSound();
    if (!filled(Object.values(fields))) return;
    const value = (name) => fields[name].value.trim();
    const done = await during(
      go,
      place,
      () =>
        api
          .signIn({
            client_id: value("client_id"),
            client_secret: fields.client_secret.value,
            terminal: value("terminal"),
            operator: { id: value("id"), name: value("name") },
          })
          .catch(wrongClient),
      fields,
    );
    fields.client_secret.value = "";
    if (!done) return;
    device.set("shift", Object.fromEntries(KEPT.map((name) => [name, value(name)])));
    signedIn();
  }

  const node = h(
    "section",
    { class: "shift" },
    h(
      "div",
      { class: "shift-words" },
      h("div", { class: "welcome-mark" }, icon("scan")),
      h("h1", null, t("shift.title")),
      h("p", { class: "lead" }, t("shift.lead")),
      h(
        "ul",
        { class: "points" },
        ["1", "2", "3"].map((each) => h("li", null, icon("check"), h("span", null, t(`shift.point.${each}`)))),
      ),
    ),
    h(
      "form",
      { class: "panel stack", novalidate: true, onsubmit: submit },
      place,
      fields.client_id.node,
      fields.client_secret.node,
      fields.terminal.node,
      h("div", { class: "pair" }, fields.id.node, fields.name.node),
      go,
    ),
  );
  return {
    node,
    begin() {
      const first = Object.values(fields).find((each) => !each.value);
      first?.input.focus();
      if (!because) show(place);
    },
  };
}
