// What went wrong with a bill at the window, and what to do about it.
import { show } from "./dom.js";
import { notice } from "./form.js";
import { NoAnswer, explain } from "./http.js";
import { t } from "./language.js";

/** Runs `work` while the button waits; says why not in `place`. What it gave, or null. `refused(error)` hears of it. */
export async function trying(pressed, place, work, refused = () => {}) {
  show(place);
  pressed.disabled = true;
  pressed.setAttribute("aria-busy", "true");
  try {
    return await work();
  } catch (error) {
    const lost = error instanceof NoAnswer && { title: t("dbill.lost"), todo: t("dbill.lost.todo") };
    const words = notice("again", lost || explain(error));
    show(place, words);
    words.scrollIntoView({ block: "nearest" });
    refused(error);
    return null;
  } finally {
    pressed.disabled = false;
    pressed.removeAttribute("aria-busy");
  }
}
