// The administrator's page: sign in for an hour, then see what is true now, what waits, and act.
import * as api from "./admin-api.js";
import { desk } from "./admin-desk.js";
import { closeDialogs } from "./admin-dialog.js";
import { button, h, icon, show } from "./dom.js";
import { during, field, filled, notice } from "./form.js";
import { startFrame } from "./frame.js";
import { Refused, backoff, explain } from "./http.js";
import { t } from "./language.js";
import { cookie } from "./remember.js";

const main = document.querySelector("main");
let work = null;
let attempt = 0;

async function begin() {
  if (!cookie("yima_admin_csrf")) return signIn(); // nobody is: no need to ask
  try {
    work?.end();
    work = desk(await api.session(), { over: () => signedOut(true), leave });
    await work.begin();
    attempt = 0;
    show(main, work.node);
  } catch (error) {
    if (error instanceof Refused && error.status === 401) return signIn();
    const { title, todo } = explain(error);
    const again = button("quiet", t("again"), retry, { icon: "refresh" });
    const timer = setTimeout(begin, backoff(attempt++, 2000, 15_000));
    show(main, h("section", { class: "screen welcome", role: "alert" }, h("h1", null, title), h("p", { class: "lead" }, todo), again));
    function retry() {
      clearTimeout(timer);
      begin();
    }
  }
}

function signedOut(over) {
  work?.end();
  work = null;
  closeDialogs();
  signIn(over && { title: t("admin.over.title"), todo: t("admin.over.todo") });
}

async function leave() {
  await api.signOut().catch(() => null);
  signedOut(false);
}

/** Here 401 means that the token is not one, not that a sign-in ended. */
function wrongToken(error) {
  throw error.status === 401 ? new Refused(401, { code: "admin-token" }, null) : error;
}

function signIn(because) {
  const token = field("token", t("admin.token"), {
    type: "password",
    autocomplete: "current-password",
    maxlength: 200,
    hint: t("admin.token.hint"),
  });
  const place = h("div", { class: "stack" }, because && notice("again", because));
  const go = button("primary", t("admin.signin"), null, { type: "submit", icon: "key" });
  async function submit(event) {
    event.preventDefault();
    if (!filled([token])) return;
    const enter = () => api.signIn(token.value.trim()).catch(wrongToken).then(begin);
    if (await during(go, place, enter, { token })) return;
    token.value = "";
    token.input.focus();
  }
  const words = h(
    "div",
    { class: "shift-words" },
    h("div", { class: "welcome-mark" }, icon("key")),
    h("h1", null, t("admin.title")),
    h("p", { class: "lead" }, t("admin.lead")),
  );
  const form = h("form", { class: "panel stack", novalidate: true, onsubmit: submit }, place, token.node, go);
  show(main, h("section", { class: "shift" }, words, form));
  token.input.focus();
}

startFrame();
begin();
