// What a scan at the hospital made of an appointment: the number, who is before, and where to wait.
import { h, show } from "./dom.js";
import { t } from "./language.js";
import * as api from "./booking-api.js";
import { keepFresh } from "./booking-parts.js";
import { aheadWords, localDate } from "./booking-words.js";

/** Puts into `place` what this card's arrival there today says, if there is one, and keeps it true. */
export function arrival(card, event, place) {
  let said = "";

  async function ask() {
    let found;
    try {
      found = latest((await api.appointments(card.card_id)).appointments, event.hospital);
    } catch {
      return true; // no network: the next beat asks again
    }
    if (!found) return said !== "";
    const late = found.late ? t("ahead.late") : "";
    const words = [t("arrival.number", found), aheadWords(found), late, t("ahead.wait", found)];
    if (words.join() !== said) say(words.filter(Boolean));
    said = words.join();
    return true;
  }

  function say([number, ...rest]) {
    place.classList.add("arrival");
    show(place, h("strong", { class: "queue-number" }, number), ...rest.map((words) => h("span", null, words)));
  }

  keepFresh(place, ask)();
}

/** Today's last arrival at that hospital. */
function latest(appointments, hospital) {
  const here = (each) => each.status === "arrived" && each.hospital.name === hospital && each.date === localDate();
  return appointments.filter(here).sort((one, other) => other.arrived_at.localeCompare(one.arrived_at))[0];
}
