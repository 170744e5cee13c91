// One scan from the text to the verdict. Where no answer comes it is sent again as the same terminal, so that
// a scan which did count gives its first answer; a newer scan ends the waiting for an older one.
import { NoAnswer, Refused, backoff, passing } from "./http.js";

const GIVE_UP = 120_000; // ms; as long as the winner may fetch its answer again

export class ScanRunner {
  /** `resolve(text)`; `told(scan)` at every change. A scan: `{text, at, kind, answer, error, attempt, until}`. */
  constructor({ resolve, told }) {
    this.resolve = resolve;
    this.told = told;
    this.now = null;
  }

  /** Takes a scan; the present one gives way. */
  take(text) {
    if (this.now?.kind === "waiting" && this.now.text === text) return this.wake(); // it is on its way already
    this.drop();
    this.now = { text, at: Date.now(), kind: "waiting", answer: null, error: null, attempt: 0, until: 0 };
    this.send(this.now);
  }

  /** Ends the waiting for the present scan. */
  drop() {
    clearTimeout(this.timer);
    if (this.now?.kind === "waiting") this.finish(this.now, "unknown");
    this.now = null;
  }

  /** The network is back: no need to wait on. */
  wake() {
    if (this.now?.until) this.send(this.now);
  }

  async send(scan) {
    clearTimeout(this.timer);
    scan.until = 0;
    this.told(scan);
    try {
      scan.answer = await this.resolve(scan.text);
      this.finish(scan, "answered");
    } catch (error) {
      if (!(error instanceof NoAnswer || error instanceof Refused)) throw error;
      scan.error = error;
      const waits = (passing(error) && error.code !== "integrity") || error.status === 429;
      if (waits) this.later(scan, error);
      else this.finish(scan, "refused");
    }
  }

  later(scan, error) {
    if (scan.kind !== "waiting") return;
    if (Date.now() - scan.at > GIVE_UP) return this.finish(scan, "unknown");
    const wait = Math.max(error.retryAfter * 1000 || 0, backoff(scan.attempt, 500, 8000));
    scan.attempt += 1;
    scan.until = Date.now() + wait;
    this.timer = setTimeout(() => this.send(scan), wait);
    this.told(scan);
  }

  /** An answer that comes after a newer scan only goes to the list. */
  finish(scan, kind) {
    scan.kind = kind;
    scan.until = 0;
    scan.late = scan !== this.now;
    this.told(scan);
  }
}
