// Hospitals and their clients: everybody sees them, registrars add and disable.
import * as api from "./admin-api.js";
import { clientDialog, disableDialog } from "./admin-clients.js";
import { ask } from "./admin-dialog.js";
import { systemsPart } from "./admin-systems.js";
import { button, h, show } from "./dom.js";
import { field } from "./form.js";
import { explain } from "./http.js";
import { t } from "./language.js";

export function hospitalsPart(registrar) {
  const list = h("ul", { class: "plain-rows" });
  const foot = h("div", { class: "stack" });
  const title = h("h2", { id: "hospitals", tabindex: "-1" }, t("hospitals.title"));
  const begun = (hospital) => (list.prepend(hospitalRow(hospital, registrar)), show(foot, ...foot.querySelectorAll("button")));
  const add = registrar && button("quiet", t("hospitals.add"), () => addDialog(begun), { icon: "plus" });
  const node = h("section", { class: "panel", "aria-labelledby": "hospitals" }, title, add, list, foot);

  async function more(cursor) {
    try {
      const page = await api.hospitals(cursor);
      list.append(...page.hospitals.map((each) => hospitalRow(each, registrar)));
      const next = page.next_cursor && button("plain", t("hospitals.more"), () => more(page.next_cursor));
      show(foot, next, !list.children.length && h("p", { class: "soft" }, t("hospitals.none")));
    } catch (error) {
      const again = button("plain", t("again"), () => more(cursor), { icon: "refresh" });
      show(foot, h("p", { class: "soft" }, explain(error).title), again);
    }
  }
  return { node, begin: () => more(null) };
}

function hospitalRow(hospital, registrar) {
  const key = `hospital-${hospital.hospital_id}`;
  const inside = h("div", { class: "stack" });
  const fillIn = async () => {
    try {
      const found = await api.clients(hospital.hospital_id);
      const rows = found.map((each) => clientRow(hospital, each, registrar, fillIn));
      show(
        inside,
        rows.length ? h("ul", { class: "plain-rows" }, rows) : h("p", { class: "soft" }, t("clients.none")),
        registrar && button("plain", t("clients.add"), () => clientDialog(hospital, fillIn), { icon: "plus", "data-key": `add-${key}` }),
      );
    } catch (error) {
      show(inside, h("p", { class: "soft" }, explain(error).title), button("plain", t("again"), fillIn, { icon: "refresh" }));
    }
  };
  const summary = h("summary", { "aria-label": t("clients.of", hospital) }, t("clients.show"));
  const more = h("details", { class: "details", "data-key": key, ontoggle: () => more.open && fillIn() }, summary, inside);
  return h("li", { class: "hospital" }, h("p", null, h("strong", null, hospital.name)), h("p", { class: "soft" }, `${hospital.code} · ${hospital.area}`), more, registrar && systemsPart(hospital));
}

function clientRow(hospital, client, registrar, again) {
  const state = t(client.enabled ? "clients.enabled" : "clients.disabled");
  const scopes = client.scopes.map((scope) => t(`scope.${scope}`)).join(" · ");
  const disable = () => disableDialog(hospital, client, again);
  return h(
    "li",
    { class: "client" },
    h("p", null, h("strong", null, client.name), " ", h("span", { class: client.enabled ? "chip" : "chip chip-off" }, state)),
    h("p", { class: "soft" }, scopes),
    h("code", { class: "client-id" }, client.client_id),
    registrar && client.enabled && button("plain", t("clients.disable"), disable, { class: "button button-plain button-danger", "data-key": client.client_id }),
  );
}

function addDialog(begun) {
  const fields = {
    name: field("name", t("hospitals.name"), { maxlength: 100 }),
    code: field("code", t("hospitals.code"), { maxlength: 30 }),
    area: field("area", t("hospitals.area"), { maxlength: 6, inputmode: "numeric" }),
  };
  const attempt = api.attempts();
  const shapes = [
    [fields.code, /^[A-Za-z0-9-]+$/, "hospitals.code.wrong"],
    [fields.area, /^[0-9]{6}$/, "hospitals.area.wrong"],
  ];
  ask(t("hospitals.add"), {
    fields,
    check: () => shaped(shapes),
    label: t("hospitals.add"),
    async act() {
      const body = Object.fromEntries(Object.entries(fields).map(([name, each]) => [name, each.value.trim()]));
      begun(await api.addHospital(body, attempt));
    },
  });
}

/** Whether each `[field, shape, words]` fits; says what does not and goes to the first. */
function shaped(shapes) {
  const wrong = shapes.filter(([each, shape]) => !shape.test(each.value.trim()));
  for (const [each, , words] of wrong) each.complain(t(words));
  wrong[0]?.[0].input.focus();
  return !wrong.length;
}
