// What the service tells this phone by itself: a stream of server-sent events, read with fetch because the
// token travels in a header. Where the stream is cut, `cut(true)` lets the caller ask by polling until it is back.
import { acceptLanguage } from "./language.js";
import { backoff } from "./http.js";
import { visit } from "./remember.js";

const SILENCE = 32_000; // ms; the service says something at least every 15 s
const RESUME = 60_000; // ms; a reload within this time goes on where the last page stopped

export class EventStream {
  constructor({ path, token, heard, cut, ended }) {
    Object.assign(this, { path, token, heard, cut, ended, attempt: 0, stopped: false });
    const kept = visit.get("events");
    this.last = kept && Date.now() - kept.at < RESUME ? kept.id : null;
  }

  start() {
    this.run();
    return this;
  }

  stop() {
    this.stopped = true;
    this.connection?.abort();
    clearTimeout(this.pause);
  }

  /** Tries at once instead of waiting on (the page came to the front, the network is back). */
  wake() {
    if (this.stopped || !this.pause) return;
    clearTimeout(this.pause);
    this.pause = null;
    this.go();
  }

  async run() {
    while (!this.stopped) {
      await this.listen();
      if (this.stopped) return;
      this.cut(true);
      await new Promise((go) => {
        this.go = go;
        this.pause = setTimeout(go, backoff(this.attempt, 1000, 15_000));
      });
      this.pause = null;
      this.attempt += 1;
    }
  }

  async listen() {
    this.connection = new AbortController();
    const quiet = () => {
      clearTimeout(this.watch);
      this.watch = setTimeout(() => this.connection.abort(), SILENCE);
    };
    quiet();
    try {
      const response = await fetch(this.path, {
        headers: this.headers(),
        signal: this.connection.signal,
        cache: "no-store",
      });
      if (response.status === 401) {
        this.stop();
        this.ended();
        return;
      }
      if (!response.ok) return;
      await this.read(response.body.getReader(), quiet);
    } catch {
      // cut by the network, the watch or stop(): run() decides what comes next
    } finally {
      clearTimeout(this.watch);
    }
  }

  async read(reader, quiet) {
    const decoder = new TextDecoder();
    let pending = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done || this.stopped) return;
      quiet();
      this.cut(false); // bytes flow: no need to poll
      this.attempt = 0;
      pending = (pending + decoder.decode(value, { stream: true })).replaceAll("\r\n", "\n");
      const blocks = pending.split("\n\n");
      pending = blocks.pop();
      for (const block of blocks) this.take(block);
    }
  }

  take(block) {
    const { event, data, id } = parseEvent(block);
    if (id !== null) {
      this.last = id;
      visit.set("events", { id, at: Date.now() });
    }
    if (data !== null) this.heard(event, JSON.parse(data));
  }

  headers() {
    return {
      Accept: "text/event-stream",
      "Accept-Language": acceptLanguage,
      Authorization: `Bearer ${this.token}`,
      ...(this.last !== null && { "Last-Event-ID": this.last }),
    };
  }
}

/** One block of an event stream: `{event, data, id}`, null where it says nothing. */
export function parseEvent(block) {
  const found = { event: "message", data: null, id: null };
  for (const line of block.split("\n")) {
    if (line.startsWith(":")) continue;
    const [, name, value] = /^([^:]*):? ?(.*)$/.exec(line);
    if (name === "data") found.data = found.data === null ? value : `${found.data}\n${value}`;
    else if (name === "event" || name === "id") found[name] = value;
  }
  return found;
}
