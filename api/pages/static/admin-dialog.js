// Dialogs of acts: each says what it does before anything can be pressed, and gives the focus back at its end.
import { holdPlace } from "./admin-place.js";
import { button, h, show } from "./dom.js";
import { during, field, filled, notice } from "./form.js";
import { NoAnswer, Refused } from "./http.js";
import { t } from "./language.js";

/** A dialog with a way to close it; Escape closes it too. `close()` and `node`. */
export function dialog(title, ...inside) {
  const back = holdPlace();
  const node = h("dialog", { class: "act", "aria-label": title });
  const close = () => node.close();
  node.addEventListener("close", () => (node.remove(), back()));
  show(node, h("h2", { tabindex: "-1" }, title), ...inside, button("quiet", t("dialog.close"), close));
  document.body.append(node);
  node.showModal();
  return { node, close };
}

/** Closes whatever dialog is open. */
export function closeDialogs() {
  for (const open of document.querySelectorAll("dialog[open]")) open.close();
}

export const reasonField = () => field("reason", t("dialog.reason"), { maxlength: 500 });

/** A field in which `word` must be typed. */
export function wordField(word) {
  const made = field("word", t("dialog.word", { word }), { spellcheck: "false", autocapitalize: "off" });
  const holds = () => {
    const good = made.input.value.trim() === word;
    made.complain(good ? "" : t("dialog.word.wrong", { word }));
    if (!good) made.input.focus();
    return good;
  };
  return Object.assign(made, { holds });
}

/**
 * A dialog that asks before it acts. `words`: what is going to happen; `fields` by name (`optional` ones may be
 * empty), `check()` looks at them; `word`: a field of wordField. `act()` gives what to show when it is done; without that the dialog closes.
 */
export function ask(title, { words = [], fields = {}, word, more = [], check = () => true, label, danger, act }) {
  const place = h("div", { class: "stack" });
  const look = danger ? "button button-primary button-refused" : "button button-primary";
  const go = button("primary", label, null, { type: "submit", class: look });
  const needed = Object.values(fields).filter((each) => !each.optional);
  const nodes = Object.values(fields).map((each) => each.node);
  const form = h("form", { class: "stack", novalidate: true, onsubmit: submit }, words, nodes, more, word?.node, place, go);
  const made = dialog(title, form);

  async function submit(event) {
    event.preventDefault();
    if (go.disabled || !filled(needed) || !check() || (word && !word.holds())) return;
    let done = null;
    let stale = false;
    const run = async () => (done = await surely(act));
    const noticing = (error) => {
      stale = error.code === "version-conflict"; // pressing again would change what nobody has looked at
      throw error;
    };
    if (!(await during(go, place, () => run().catch(noticing), fields))) return stale && go.remove();
    if (done) show(form, done);
    else made.close();
  }
  return made;
}

/** What is shown when an act was done. */
export const doneWords = (title, todo = "") => notice("calm", { title, todo });

/** Without an answer it may have been done: pressing again is safe, and is said to be. */
export async function surely(work) {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    throw new Refused(0, { title: t("dialog.lost.title"), detail: t("dialog.lost.todo") }, null);
  }
}
