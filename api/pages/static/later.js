// Booking is fetched when it is first opened: its modules, its sentences and its stylesheet. The code needs none of it.
import { button, h, show } from "./dom.js";
import { notice, screen } from "./form.js";
import { NoAnswer, explain } from "./http.js";
import { learn, t } from "./language.js";

/** Screens of that part, by name. */
export const LATER = [
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
];
const AGAIN = 5000; // ms
const ARRIVALS = ["0101011", "0101012", "0101014"];

let part = null;
let coming = null;

/** The part's exports. NoAnswer while the network is gone; the next call tries again. */
export function fetchBooking() {
  coming ??= fetched().catch((error) => {
    coming = null;
    throw error;
  });
  return coming;
}

async function fetched() {
  const { booking, bookingTexts, bookingStyle } = document.querySelector("main").dataset;
  const modules = booking.split(" ");
  // Browsers may remember for good that a module could not be had: all is in their cache before the first import.
  await Promise.all([...modules, bookingTexts].map(cached));
  await styled(bookingStyle);
  await learn(bookingTexts);
  part = await import(modules.at(-1));
  return part;
}

async function cached(address) {
  const response = await fetch(address).catch(() => null);
  if (!response?.ok) throw new NoAnswer(address);
  await response.arrayBuffer();
}

function styled(address) {
  return new Promise((done, failed) => {
    const broken = () => {
      sheet.remove();
      failed(new NoAnswer(address));
    };
    const sheet = h("link", { rel: "stylesheet", href: address, onload: done, onerror: broken });
    document.head.append(sheet);
  });
}

/** The view of that name; until its part is here, one that says so and then gives way to it. */
export function laterView(name) {
  return part?.views[name] ?? ((app, given) => waitingView(app, name, given));
}

function waitingView(app, name, given) {
  const title = t("booking.title");
  const place = h("div", { class: "stack" });
  const view = { node: screen(title, app.back, place), title, tab: "booking" };

  async function load() {
    view.wake = null;
    show(place, h("p", { class: "soft", role: "status" }, t("loading")));
    try {
      await fetchBooking();
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
    const { arrival } = await fetchBooking();
    arrival(card, event, place);
  } catch {
    // the panel says what to do next without it
  }
}
