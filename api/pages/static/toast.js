// A sentence that passes by at the top, announced to screen readers; with one thing to do about it, if any.
import { button, h, iconButton, show } from "./dom.js";
import { t } from "./language.js";

const READ = 8000; // ms

let gone = 0;

/** Takes the sentence away. */
export function endToast() {
  clearTimeout(gone);
  show(document.querySelector("[data-toast]"));
}

/** Shows `text`; `todo` is `{label, act}`. */
export function toast(text, todo) {
  const place = document.querySelector("[data-toast]");
  clearTimeout(gone);
  const act = todo && button("plain", todo.label, () => (endToast(), todo.act()));
  show(place, h("div", { class: "toast" }, h("p", null, text), act, iconButton("cross", t("close.toast"), endToast)));
  gone = setTimeout(endToast, READ);
}
