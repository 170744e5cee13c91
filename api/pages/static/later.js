// Parts of the page that are fetched when they are first opened: modules, sentences, a stylesheet. The code needs none.
import { button, h, show } from "./dom.js";
import { fetchPart, there } from "./fetch-part.js";
import { notice, screen } from "./form.js";
import { explain } from "./http.js";
import { t } from "./language.js";

/** Screens by the part that draws them. */
const PARTS = {
  booking: [
    "booking",
    "hospitals",
    "departments",
    "slots",
    "book",
    "booked",
    "wait",
    "appointments",
    "appointment",
    "waitings",
  ],
  records: ["records", "record", "trends", "trend"],
  bills: ["bills", "bill"],
  rights: ["consents", "consent", "data", "leaving"],
};
const TITLES = { booking: "booking.title", records: "records.title", rights: "data.title", bills: "bills.title" };
export const LATER = Object.values(PARTS).flat();
const AGAIN = 5000; // ms
const ARRIVALS = ["0101011", "0101012", "0101014"];

/** The view of that name; until its part is here, one that says so and then gives way to it. */
export function laterView(name) {
  const part = Object.keys(PARTS).find((each) => PARTS[each].includes(name));
  return there[part]?.views[name] ?? ((app, given) => waitingView(app, part, name, given));
}

function waitingView(app, part, name, given) {
  const title = t(TITLES[part]);
  const place = h("div", { class: "stack" });
  const view = { node: screen(title, app.back, place), title, tab: part === "booking" ? "booking" : "me" };

  async function load() {
    view.wake = null;
    show(place, h("p", { class: "soft", role: "status" }, t("loading")));
    try {
      await fetchPart(part);
    } catch (error) {
      view.wake = load;
      const words = notice("again", explain(error), button("quiet", t("again"), load, { icon: "refresh" }));
      show(place, words);
      setTimeout(() => words.isConnected && load(), AGAIN);
      return;
    }
    if (app.view === view) app.draw(name, given);
  }

  load();
  return view;
}

/** Where a scan made somebody arrive, `place` says which number and who is before; else it stays as it is. */
export async function sayArrival(card, event, place) {
  if (!ARRIVALS.includes(event.step) || event.outcome === "refused") return;
  try {
    const { arrival } = await fetchPart("booking");
    arrival(card, event, place);
  } catch {
    // the panel says what to do next without it
  }
}

/** Which records a look at the data was at: by name and with a way to them, in `place`, once these are known. */
export async function sayRecords(app, access, place) {
  if (!access.records?.length) return;
  try {
    const { nameRecords } = await fetchPart("records");
    await nameRecords(app, access, place);
  } catch {
    // how many they were is said without it
  }
}
