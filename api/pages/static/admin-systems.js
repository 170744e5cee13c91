// A hospital's connected systems, for registrars: its laboratory's (HL7 v2 over MLLP) and its images' (DICOMweb).
import { ask } from "./admin-dialog.js";
import * as api from "./admin-records-api.js";
import { button, h, show } from "./dom.js";
import { choice, field, labelled } from "./form.js";
import { explain } from "./http.js";
import { t } from "./language.js";

const NETWORK = /^[0-9a-fA-F:.]+(\/\d{1,3})?$/;
const FINGERPRINT = /^[0-9a-f]{64}$/;

export function systemsPart(hospital) {
  const inside = h("div", { class: "stack" });
  const key = `systems-${hospital.hospital_id}`;
  const summary = h("summary", { "aria-label": t("systems.of", hospital) }, t("systems.show"));
  const node = h("details", { class: "details", "data-key": key, ontoggle: () => node.open && load() }, summary, inside);

  async function load() {
    try {
      const [mllp, dicomweb] = await Promise.all(["mllp", "dicomweb"].map((kind) => api.system(hospital.hospital_id, kind)));
      show(inside, system(hospital, "mllp", mllp, mllpFacts, mllpDialog, load), system(hospital, "dicomweb", dicomweb, dicomFacts, dicomDialog, load));
    } catch (error) {
      show(inside, h("p", { class: "soft" }, explain(error).title), button("plain", t("again"), load, { icon: "refresh" }));
    }
  }
  return node;
}

function system(hospital, kind, found, facts, edit, again) {
  const acts = [
    button("plain", t(found ? "systems.change" : "systems.connect"), () => edit(hospital, found, again), { icon: found ? null : "plus", "data-key": `${kind}-${hospital.hospital_id}` }),
    found && button("plain", t("systems.drop"), () => dropDialog(hospital, kind, again), { class: "button button-plain button-danger" }),
  ];
  return h(
    "section",
    { class: "system" },
    h("h3", null, t(`systems.${kind}`), " ", h("span", { class: found ? "chip" : "chip chip-off" }, t(found ? "systems.on" : "systems.off"))),
    found && h("dl", { class: "facts" }, facts(found).map(([label, value]) => h("div", { class: "fact" }, h("dt", null, t(label)), h("dd", null, value)))),
    h("div", { class: "key-buttons" }, acts),
  );
}

const mllpFacts = ({ charset, facility, addresses, certificates, recognition }) => [
  ["mllp.charset", charset],
  ["mllp.facility", facility || t("mllp.facility.any")],
  ["mllp.addresses", addresses.join(", ") || "—"],
  ["mllp.certificates", certificates.length ? certificates.map((each) => h("code", { class: "client-id" }, each)) : "—"],
  ["mllp.recognition", recognition ? `${recognition.mark} · ${recognition.items.map((each) => each.name).join("、")}` : "—"],
];

const kept = (found) => Boolean(found.secret ?? found.has_password);

const dicomFacts = (found) => [
  ["dicomweb.address", found.address],
  ["dicomweb.username", found.username || "—"],
  ["dicomweb.secret", t(kept(found) ? "dicomweb.secret.kept" : "dicomweb.secret.none")],
];

/** Several values, one a line. */
const linesField = (name, label, hint, value) => {
  const made = labelled(name, label, hint, (id, spoken) => h("textarea", { id, name, class: "input", rows: 3, spellcheck: "false", ...spoken }, value.join("\n")));
  return Object.assign(made, { optional: true });
};
/** What is wrong with one of several values is said at the field that they are all in. */
function atTheList(error) {
  for (const each of error.fields ?? []) each.field = each.field.replace(/\/\d+$/, "");
  throw error;
}
const lines = (made) => made.value.split(/[\s,]+/).filter(Boolean);

function mllpDialog(hospital, found, again) {
  const { charset = "UTF-8", facility = "", addresses = [], certificates = [] } = found ?? {};
  const fields = {
    charset: choice("charset", t("mllp.charset"), ["UTF-8", "GB18030"].map((each) => [each, each]), { value: charset }),
    facility: Object.assign(field("facility", t("mllp.facility"), { value: facility ?? "", hint: t("mllp.facility.hint"), spellcheck: "false" }), { optional: true }),
    addresses: linesField("addresses", t("mllp.addresses"), t("mllp.addresses.hint"), addresses),
    certificates: linesField("certificates", t("mllp.certificates"), t("mllp.certificates.hint"), certificates),
  };
  const prints = () => lines(fields.certificates).map((each) => each.replaceAll(":", "").toLowerCase());
  const check = () => {
    const [from, who] = [lines(fields.addresses), prints()];
    const bad = from.find((each) => !NETWORK.test(each));
    fields.addresses.complain(bad ? t("mllp.addresses.wrong", { bad }) : from.length + who.length ? "" : t("mllp.nobody"));
    const odd = who.find((each) => !FINGERPRINT.test(each));
    fields.certificates.complain(odd ? t("mllp.certificates.wrong") : "");
    const first = bad || !(from.length + who.length) ? fields.addresses : odd ? fields.certificates : null;
    first?.input.focus();
    return !first;
  };
  ask(t("mllp.title", hospital), {
    words: [h("p", { class: "soft" }, t("mllp.lead"))],
    fields,
    check,
    label: t("systems.save"),
    act: () =>
      api
        .putSystem(hospital.hospital_id, "mllp", {
          charset: fields.charset.value,
          facility: fields.facility.value.trim() || null,
          addresses: lines(fields.addresses),
          certificates: prints(),
          recognition: found?.recognition ?? null, // set by the API; changing the rest must not lose it
        })
        .catch(atTheList)
        .then(again)
        .then(() => null),
  });
}

function dicomDialog(hospital, found, again) {
  const optional = (made) => Object.assign(made, { optional: true });
  const fields = {
    address: field("address", t("dicomweb.address"), { value: found?.address ?? "", hint: t("dicomweb.address.hint"), spellcheck: "false", inputmode: "url" }),
    username: optional(field("username", t("dicomweb.username"), { value: found?.username ?? "", hint: t("dicomweb.username.hint"), spellcheck: "false" })),
    password: optional(field("password", t("dicomweb.password"), { type: "password", autocomplete: "new-password", hint: t(found && kept(found) ? "dicomweb.password.again" : "dicomweb.password.hint") })),
  };
  const check = () => {
    const [user, secret] = [fields.username.value.trim(), fields.password.value];
    const wrong = Boolean(user) !== Boolean(secret) ? (user ? fields.password : fields.username) : null;
    wrong?.complain(t("dicomweb.together"));
    wrong?.input.focus();
    return !wrong;
  };
  ask(t("dicomweb.title", hospital), {
    words: [h("p", { class: "soft" }, t("dicomweb.lead"))],
    fields,
    check,
    label: t("systems.save"),
    act: () => {
      const username = fields.username.value.trim();
      const body = { address: fields.address.value.trim(), ...(username && { username, password: fields.password.value }) };
      return api.putSystem(hospital.hospital_id, "dicomweb", body).then(again).then(() => null);
    },
  });
}

function dropDialog(hospital, kind, again) {
  ask(t("systems.drop.title", { name: hospital.name, system: t(`systems.${kind}`) }), {
    words: [h("p", null, t(`systems.drop.${kind}`))],
    label: t("systems.drop"),
    danger: true,
    act: () => api.dropSystem(hospital.hospital_id, kind).then(again).then(() => null),
  });
}
