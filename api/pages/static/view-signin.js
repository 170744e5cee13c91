// Nobody is signed in: how to come in from WeChat, and in the demo whose phone this is.
import { button, h, icon, show } from "./dom.js";
import { explain } from "./http.js";
import { notice } from "./form.js";
import { t } from "./language.js";
import * as api from "./patient-api.js";

const DEMO = document.documentElement.dataset.demo === "true";

/** `because`: what ended the last session, as `{title, todo}`, or nothing; `kind` of its notice. */
export function signInView(app, because) {
  const place = h("div", { class: "stack" }, because ? notice(because.kind ?? "again", because) : null);
  const people = h("div", { class: "people" });
  const node = h(
    "section",
    { class: "screen welcome" },
    h("div", { class: "welcome-mark" }, icon("logo")),
    h("h1", { tabindex: "-1" }, t("signin.title")),
    h("p", { class: "lead" }, t("signin.lead")),
    place,
    DEMO ? h("div", { class: "panel" }, h("h2", null, t("demo.title")), h("p", null, t("demo.lead")), people) : steps(),
  );
  if (DEMO) offer(app, people, place);
  return { node, title: t("signin.title"), tab: null };
}

function steps() {
  const each = (number, text) =>
    h("li", null, h("span", { class: "step-number", "aria-hidden": "true" }, String(number)), h("span", null, text));
  return h(
    "ol",
    { class: "steps panel" },
    each(1, t("signin.step.1")),
    each(2, t("signin.step.2")),
    each(3, t("signin.step.3")),
  );
}

async function offer(app, people, place) {
  show(people, h("p", { role: "status" }, t("loading")));
  try {
    const all = await api.demoPeople();
    const adults = all
      .map((person, index) => ({ person, index }))
      .filter(({ person }) => person.js_code && (person.child_of ?? null) === null);
    show(
      people,
      adults.map((each) => personButton(app, each, place)),
    );
  } catch (error) {
    show(
      people,
      notice(
        "again",
        explain(error),
        button("quiet", t("again"), () => offer(app, people, place), { icon: "refresh" }),
      ),
    );
  }
}

function personButton(app, { person, index }, place) {
  const come = async ({ currentTarget: pressed }) => {
    pressed.setAttribute("aria-busy", "true");
    try {
      await app.comeIn(person.js_code, person.phone_code, index);
    } catch (error) {
      show(place, notice("again", explain(error)));
      pressed.removeAttribute("aria-busy");
    }
  };
  return h(
    "button",
    { type: "button", class: "row", onclick: come },
    icon("user"),
    h(
      "span",
      { class: "row-words" },
      h("strong", null, person.name),
      h(
        "span",
        { class: "soft" },
        t("demo.phone", { phone: `${person.phone.slice(0, 3)}****${person.phone.slice(-4)}` }),
      ),
    ),
    icon("next"),
  );
}
