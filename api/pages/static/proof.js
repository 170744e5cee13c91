// The proof of the person (who is bound decides which): WeChat's phone number, a text message, a face, a guardian.
import { button, h, show } from "./dom.js";
import { during, notice } from "./form.js";
import { minutes, t } from "./language.js";
import * as api from "./patient-api.js";
import { visit } from "./remember.js";

const CHILD = 14; // years, below which a guardian proves
const RESEND = 60; // s

/** The ways that this relation has. `given`: what view-add.js holds of the form. */
export function proofs(given) {
  if (given.relation === "self") return [wechat(given), face(given)];
  if (given.relation === "child" && young(given.person())) return guardian(given);
  return textMessage(given);
}

/** A resident ID number says how old somebody is; for a child with another document, guardianship is asked. */
function young({ id_type: type, id_number: number }) {
  if (type !== "01" || !/^\d{14}/.test(number)) return true;
  const turns = new Date(
    Number(number.slice(6, 10)) + CHILD,
    Number(number.slice(10, 12)) - 1,
    Number(number.slice(12, 14)),
  );
  return turns > new Date();
}

function wechat(given) {
  const code = visit.get("phone-code");
  if (!code) return notice("calm", { title: t("proof.wechat.absent.title"), todo: t("proof.wechat.absent.todo") });
  return prove("primary", "proof.wechat", "phone", given, () => given.add({ type: "wechat-phone", code }));
}

function face(given) {
  const place = h("div", { class: "stack" });
  const begin = prove("quiet", "proof.face", "face", given, async () => {
    const { verification_id: id } = await api.startProof("face", given.person());
    const passed = prove("primary", "proof.face.done", "check", given, () =>
      given.add({ type: "face", verification_id: id }),
    );
    show(place, notice("calm", { title: t("proof.face.title"), todo: t("proof.face.todo") }), passed);
    passed.focus();
  });
  return h("div", { class: "stack" }, begin, place);
}

function guardian(given) {
  if (!given.own)
    return notice("again", { title: t("proof.guardian.first.title"), todo: t("proof.guardian.first.todo") });
  return [
    h("p", { class: "soft" }, t("proof.guardian.lead")),
    prove("primary", "proof.guardian", "family", given, () =>
      given.add({ type: "guardian", card_id: given.own.card_id }),
    ),
  ];
}

function prove(kind, label, name, given, work) {
  const pressed = button(kind, t(label), () => given.complete() && during(pressed, given.place, work, given.fields), {
    icon: name,
  });
  return pressed;
}

function textMessage(given) {
  const place = h("div", { class: "stack" });
  const send = prove("primary", "proof.sms.send", "message", given, async () => {
    const started = await api.startProof("sms", given.person());
    show(
      place,
      enterCode(given, started, () => send.click()),
    );
    send.classList.add("button-out");
    place.querySelector("input").focus();
  });
  return h("div", { class: "stack" }, h("p", { class: "soft" }, t("proof.sms.lead")), send, place);
}

/** The six digits: sent on their own when complete; how long they live; another text after a minute. */
function enterCode(given, { verification_id: id, expires_in: life }, resend) {
  const since = Date.now();
  const input = h("input", {
    class: "input digits",
    id: "sms-code",
    inputmode: "numeric",
    autocomplete: "one-time-code",
    maxlength: 6,
    "aria-describedby": "sms-life",
  });
  const left = h("p", { class: "soft", id: "sms-life" });
  const wrong = h("div", { class: "stack" });
  const again = button("quiet", t("proof.sms.again"), resend, { icon: "refresh", disabled: true });
  const confirm = button("primary", t("proof.sms.confirm"), () => send(), { icon: "check" });
  input.addEventListener("input", () => {
    input.value = input.value.normalize("NFKC").replace(/\D/g, "").slice(0, 6);
    if (input.value.length === 6) send();
  });

  async function send() {
    if (confirm.disabled || !given.complete()) return;
    if (input.value.length !== 6) {
      show(wrong, notice("again", { title: t("proof.sms.six"), todo: "" }));
      return;
    }
    const done = await during(
      confirm,
      wrong,
      () => given.add({ type: "sms", verification_id: id, code: input.value }),
      given.fields,
    );
    if (!done && input.isConnected) input.select();
  }

  const beat = setInterval(tick, 1000);
  function tick() {
    if (!input.isConnected && Date.now() - since > 2000) return clearInterval(beat);
    const gone = Math.floor((Date.now() - since) / 1000);
    const rest = Math.max(0, life - gone);
    left.textContent = rest ? t("proof.sms.left", { time: minutes(rest) }) : t("proof.sms.over");
    again.disabled = gone < RESEND;
    again.querySelector("span").textContent =
      gone < RESEND ? t("proof.sms.wait", { seconds: RESEND - gone }) : t("proof.sms.again");
  }
  tick();
  return [
    notice("calm", { title: t("proof.sms.sent.title"), todo: t("proof.sms.sent.todo") }),
    h("label", { class: "field-label", for: "sms-code" }, t("proof.sms.code")),
    input,
    left,
    wrong,
    confirm,
    again,
  ];
}
