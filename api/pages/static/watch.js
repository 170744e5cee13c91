// Hears of scans, from the event stream or, while that is cut, by asking for the list of accesses. Each once.
import { EventStream } from "./events.js";
import * as api from "./patient-api.js";
import { SERVICES } from "./visit.js";

const POLL = 2000; // ms

export class Watch {
  /** `heard(event, data)`; `shown()` gives the id of the card on the screen, which polling asks about. */
  constructor({ heard, shown, ended }) {
    this.heard = heard;
    this.shown = shown;
    this.seen = new Set();
    this.baseline = new Map();
    this.stream = new EventStream({
      path: "/v1/patient/events",
      token: api.token(),
      heard: (event, data) => this.take(event, data),
      cut: (cut) => this.poll(cut),
      ended,
    });
  }

  start() {
    this.stream.start();
    return this;
  }

  stop() {
    this.stream.stop();
    this.poll(false);
  }

  wake() {
    this.stream.wake();
  }

  take(event, data) {
    if (data.access_id) {
      if (this.seen.has(data.access_id)) return;
      this.seen.add(data.access_id);
    }
    this.heard(event, data);
  }

  poll(on) {
    if (!on) {
      clearInterval(this.polling);
      this.polling = null;
    } else if (!this.polling) {
      this.baseline.clear();
      this.polling = setInterval(() => this.ask(), POLL);
      this.ask();
    }
  }

  /** The first answer for a card only shows what was there before; what is new after it is told. */
  async ask() {
    const card = this.shown();
    if (!card || this.waiting || document.hidden) return;
    this.waiting = true;
    try {
      const { accesses } = await api.accesses(card, { limit: 5 });
      const known = this.baseline.get(card);
      this.baseline.set(card, new Set(accesses.map((access) => access.access_id)));
      const fresh = known ? accesses.filter((access) => !known.has(access.access_id)) : [];
      for (const access of fresh.reverse()) {
        this.take(access.outcome === "refused" ? "refused" : "scanned", {
          card_id: card,
          granted: opened(access),
          ...access,
        });
      }
    } catch {
      // no network either: the code's own line says so, and the next beat asks again
    } finally {
      this.waiting = false;
    }
  }
}

/** The list says what a scan opened beside the identity; an event calls that `granted`. */
function opened({ what }) {
  return SERVICES.filter((service) => what.includes(service));
}
