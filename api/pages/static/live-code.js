// The life of the code on the screen: fetched, shown, renewed at `refresh_after`, kept while nothing new comes.
// Times run from when an answer arrived, so a phone whose clock is wrong shows the right life.
import { NoAnswer, Refused, backoff } from "./http.js";

const TICK = 500; // ms

export class LiveCode {
  /** `fetchCode()` gives `{matrix, expires_in, refresh_after, …}`; `changed(state)` and `ticked(state)` hear of it. */
  constructor({ fetchCode, changed, ticked }) {
    Object.assign(this, { fetchCode, changed, ticked });
    this.round = 0;
    this.running = false;
    this.clear();
  }

  /** Begins with no code; the first is asked for at once. */
  start() {
    this.clear();
    this.running = true;
    this.beat = setInterval(() => this.tick(), TICK);
    this.say();
    this.renew();
  }

  stop() {
    this.running = false;
    this.round += 1;
    clearInterval(this.beat);
    clearTimeout(this.again);
  }

  /** Stands still while a verdict is shown; `start()` goes on with a new code. */
  get state() {
    if (this.code && this.left() > 0)
      return { kind: "live", code: this.code, left: this.left(), life: this.code.expires_in, trouble: this.trouble };
    if (this.trouble) return { kind: this.code ? "expired" : this.trouble.kind, trouble: this.trouble };
    return { kind: this.code ? "expired" : "loading", trouble: null };
  }

  /** Asks for a new code now; the present one stays until the new one is there. */
  async renew() {
    if (!this.running) return;
    clearTimeout(this.again);
    const round = (this.round += 1);
    this.asking = true;
    try {
      const code = await this.fetchCode();
      if (round !== this.round) return;
      Object.assign(this, { code, born: Date.now(), trouble: null, attempt: 0 });
    } catch (error) {
      if (round !== this.round) return;
      this.fail(error);
    } finally {
      if (round === this.round) this.asking = false;
    }
    this.say();
  }

  /** The page came back to the front, or the network did. */
  wake() {
    if (this.running && !this.asking && (this.trouble ? this.trouble.kind !== "busy" : this.due())) this.renew();
  }

  /** Nothing shown so far may be shown on (frozen, switches changed). */
  drop() {
    this.code = null;
    this.trouble = null;
    this.say();
  }

  clear() {
    clearInterval(this.beat);
    clearTimeout(this.again);
    Object.assign(this, { code: null, born: 0, trouble: null, attempt: 0, asking: false, kindShown: "" });
  }

  left() {
    return Math.max(0, this.code.expires_in - (Date.now() - this.born) / 1000);
  }

  due() {
    return !this.code || (Date.now() - this.born) / 1000 >= this.code.refresh_after;
  }

  tick() {
    if (this.due() && !this.asking && !this.trouble) this.renew();
    if (this.state.kind !== this.kindShown) this.say();
    else this.ticked(this.state);
  }

  fail(error) {
    const kind = kindOf(error);
    if (kind === "ended") this.code = null;
    const wait = (error instanceof Refused && error.retryAfter * 1000) || backoff(this.attempt, 1000, 8000);
    this.attempt += 1;
    this.trouble = { kind, error, until: Date.now() + wait };
    if (kind !== "ended") this.again = setTimeout(() => this.renew(), Math.min(wait, 3_600_000));
  }

  say() {
    const { state } = this;
    this.kindShown = state.kind;
    this.changed(state);
  }
}

function kindOf(error) {
  if (error instanceof NoAnswer) return "network";
  if (!(error instanceof Refused)) throw error;
  if (error.status === 429) return "busy";
  return error.status >= 500 ? "down" : "ended";
}
