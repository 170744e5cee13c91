// What says, for as long as the glass is broken, that it is and until when.
import { h, icon, show } from "./dom.js";
import { minutes, t } from "./language.js";

const HOUR = 3_600_000; // ms; it never lasts longer
const opened = new Map(); // by resolution, until when by this computer's clock: the same scan again finds it so

/** The banner of one resolution. `over()` is called when the hour ends. */
export function glassBanner(resolution, { now, over }) {
  const node = h("div", { class: "glass-banner", hidden: true });
  const left = h("strong", { class: "glass-left", "aria-hidden": "true" });
  let beat = 0;

  const seconds = () => Math.ceil((opened.get(resolution) - Date.now()) / 1000);

  /** `until`: when it ends, as the service says it. */
  function begin(until) {
    opened.set(resolution, Date.now() + Math.min(Date.parse(until) - now(), HOUR));
    draw();
  }

  function draw() {
    const words = [h("strong", null, t("rec.glass.on")), h("span", null, t("rec.glass.on.todo"))];
    show(node, icon("look"), h("p", { role: "status" }, words), left);
    node.hidden = false;
    tick();
    clearInterval(beat);
    beat = setInterval(tick, 1000);
  }

  function tick() {
    if (seconds() > 0) {
      left.textContent = minutes(seconds());
      return;
    }
    close();
    opened.delete(resolution);
    node.hidden = true;
    over();
  }

  function close() {
    clearInterval(beat);
  }

  if (seconds() > 0) draw();
  return {
    node,
    begin,
    close,
    get on() {
      return seconds() > 0;
    },
  };
}
