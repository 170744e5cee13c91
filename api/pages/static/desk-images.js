// The images of a study, one at a time, through the service; each is let go of when the next one comes or at the end.
import { button, h, show } from "./dom.js";
import { Refused } from "./http.js";
import { t } from "./language.js";
import { failed, pick, waiting } from "./desk-record-list.js";

/** The part as `{node, press(key), close()}`. `record`: its id. */
export function imagesPart({ record, ask }) {
  const place = h("div", { class: "rec-images" });
  const node = h("section", null, h("h5", { class: "rec-part" }, t("shots.title")), place);
  const frame = h("div", { class: "rec-frame" });
  const series = h("div", { class: "rec-picks", role: "radiogroup", "aria-label": t("shots.series") });
  const count = h("p", { class: "rec-count", role: "status" });
  const ways = [
    button("quiet", t("shots.before"), () => go(-1), { icon: "previous" }),
    count,
    button("quiet", t("shots.after"), () => go(1), { icon: "next" }),
  ];
  let all = [];
  let at = 0;
  let address = null;
  let closed = false;

  const names = () => [...new Set(all.map((each) => each.series))];
  const seriesNow = () => all.filter((each) => each.series === all[at].series);

  async function load() {
    show(place, waiting());
    try {
      all = await ask.images(record);
      if (closed) return;
      if (!all.length) return show(place, h("p", { class: "soft" }, t("shots.none")));
      show(place, series, h("div", { class: "rec-ways" }, ways), frame);
      draw();
    } catch (error) {
      if (!closed) show(place, away(error, load));
    }
  }

  /** Draws the image that is on; a late one of before is let go at once. */
  async function draw() {
    const one = all[at];
    const beside = seriesNow();
    const now = t("shots.of", { n: beside.indexOf(one) + 1, all: beside.length });
    const turn = (name) => ((at = all.findIndex((each) => each.series === name)), draw());
    const chip = (name, place_) => pick(t("shots.series-n", { n: place_ + 1 }), name === one.series, () => turn(name));
    show(series, names().length > 1 ? names().map(chip) : null);
    count.textContent = now;
    ways[0].disabled = at === 0;
    ways[2].disabled = at === all.length - 1;
    free();
    show(frame, waiting());
    try {
      const bytes = await ask.image(record, one.n);
      if (closed || one !== all[at]) return;
      address = URL.createObjectURL(bytes);
      show(frame, h("img", { src: address, alt: now, onerror: () => show(frame, h("p", null, t("shots.broken"))) }));
    } catch (error) {
      if (!closed && one === all[at]) show(frame, away(error, draw));
    }
  }

  function go(by) {
    if (!all[at + by]) return;
    at += by;
    draw();
  }

  function free() {
    if (address) URL.revokeObjectURL(address);
    address = null;
  }

  function close() {
    closed = true;
    free();
    show(place);
  }

  load();
  return {
    node,
    close,
    /** Arrows go through the images. */
    press(key) {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[key];
      if (by) go(by);
      return Boolean(by);
    },
  };
}

/** The hospital's picture archive may be out of reach while all else is there. */
const away = (error, again) =>
  failed(error, again, error instanceof Refused && error.status >= 502 ? t("shots.away") : null);
