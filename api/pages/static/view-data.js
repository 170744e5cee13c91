// Taking everything along, and leaving: what is removed and what must be kept until when is said before.
import { button, h, icon, show } from "./dom.js";
import { field, notice, screen } from "./form.js";
import { day, t } from "./language.js";
import { today } from "./consent-rules.js";
import { saveFile } from "./download.js";
import { refusalOf, stuck, tried, whoseOf } from "./parts.js";
import * as api from "./records-api.js";

const KIB = 1024;

export function dataView(app) {
  const title = t("data.title");
  const date = today();
  const card = app.card;
  const node = screen(
    title,
    app.back,
    card && whoseOf(app, t("records.whose")),
    card && taking(app, "records", api.bundleOf(card.card_id), `yima-records-${date}.fhir.json`),
    taking(app, "account", api.EXPORT, `yima-account-${date}.json`),
    h("p", { class: "soft" }, t("take.hint")),
    h(
      "div",
      { class: "panel stack" },
      h("h2", null, t("leaving.title")),
      h("p", null, t("leaving.lead")),
      button("quiet", t("leaving.open"), () => app.go("leaving"), { icon: "out" }),
    ),
  );
  return { node, title, tab: "me" };
}

/** One download: what is in it, and how much has come. */
function taking(app, what, path, name) {
  const said = h("div", { class: "stack", "aria-live": "polite" });
  const progress = h("p", { class: "field-hint" });
  const take = button("primary", t(`take.${what}`), () => tried(take, said, save, refused), { icon: "download" });

  async function save() {
    progress.textContent = t("take.begun");
    let shown = 0;
    await saveFile(path, name, (bytes) => {
      if (bytes - shown < 64 * KIB) return;
      shown = bytes;
      progress.textContent = t("take.so-far", { size: size(bytes) });
    });
    progress.textContent = "";
    show(said, notice("calm", { title: t("take.done"), todo: name }));
  }

  function refused(error) {
    progress.textContent = "";
    return refusalOf(app, t("act.again"))(error);
  }

  return h(
    "div",
    { class: "panel stack" },
    h("h2", null, t(`take.${what}.title`)),
    h("p", null, t(`take.${what}.lead`)),
    take,
    progress,
    said,
  );
}

const size = (bytes) => (bytes < KIB * KIB ? `${Math.round(bytes / KIB)} KB` : `${(bytes / KIB / KIB).toFixed(1)} MB`);

export function leavingView(app) {
  const title = t("leaving.title");
  const place = h("div", { class: "stack" });

  async function load() {
    show(place, h("p", { class: "soft", role: "status" }, t("loading")));
    try {
      show(place, ...steps(app, await api.account()));
    } catch (error) {
      stuck(place, error, refusalOf(app)(error), load);
    }
  }

  load();
  return {
    node: screen(title, app.back, place),
    title,
    tab: "me",
    wake: () => place.querySelector(".notice") && load(),
  };
}

function steps(app, { removed, kept }) {
  const list = (name, all) =>
    h(
      "ul",
      { class: "points" },
      all.map((each) => item(name, each)),
    );
  const first = button("quiet", t("leaving.take-first"), app.back, { icon: "download" });
  return [
    h("div", { class: "panel stack" }, h("h2", null, t("leaving.removed")), list("cross", removed)),
    h(
      "div",
      { class: "panel stack" },
      h("h2", null, t("leaving.kept")),
      h("p", null, t("leaving.kept.lead")),
      list("lock", kept),
    ),
    notice("again", { title: t("leaving.final.title"), todo: t("leaving.final.todo") }, first),
    confirming(app),
  ];
}

/** What goes or stays, as the service says it; `until`: the first date without it. */
function item(name, { text, until }) {
  const end = until && t("leaving.until", { when: day(`${until}T12:00:00+08:00`) });
  return h("li", null, icon(name), h("span", null, text, end && h("span", { class: "soft" }, ` ${end}`)));
}

/** The word is typed, so that nobody leaves by a slip. */
function confirming(app) {
  const word = t("leaving.word");
  const said = h("div", { class: "stack", "aria-live": "polite" });
  const typed = field("confirm", t("leaving.type", { word }), {
    autocapitalize: "none",
    spellcheck: "false",
    maxlength: 20,
  });
  const act = button("primary button-danger", t("leaving.act"), sure, { icon: "out" });

  async function sure() {
    const right = typed.value.trim().toLowerCase() === word.toLowerCase();
    typed.complain(right ? "" : t("leaving.type.wrong", { word }));
    if (!right) return typed.input.focus();
    return tried(act, said, leave, refusalOf(app, t("act.again")));
  }

  async function leave() {
    await api.leave(word);
    app.signedOut({ kind: "calm", title: t("leaving.done.title"), todo: t("leaving.done.todo") });
  }

  return h(
    "form",
    { class: "panel stack", novalidate: true, onsubmit: (event) => (event.preventDefault(), sure()) },
    typed.node,
    said,
    act,
    button("quiet", t("leaving.stay"), app.back),
  );
}
