// The pictures of a study: each fetched with this sign-in when it comes into view, shown from memory, then let go.
import { button, h, show } from "./dom.js";
import { Refused, explain } from "./http.js";
import { notice } from "./form.js";
import { t } from "./language.js";
import * as api from "./records-api.js";

const DOZEN = 12;

/** `series`: as the record names them; `signal` ends what is under way and frees the pictures. */
export function imagesPart(id, series, signal) {
  const place = h("div", { class: "stack" });
  const none = () => show(place, h("p", { class: "soft" }, t("images.none")));

  async function load() {
    show(place, h("p", { class: "soft", role: "status" }, t("loading")));
    try {
      const images = await api.images(id);
      if (images.length) show(place, gallery(id, images, signal));
      else none();
    } catch (error) {
      if (error instanceof Refused && error.status === 404) return none();
      // The report is whole without them: the hospital's own store of pictures may be out of reach.
      const down = { title: t("images.failed.title"), todo: t("images.failed.todo") };
      const words = error instanceof Refused ? down : explain(error);
      show(place, notice("again", words, button("quiet", t("again"), load, { icon: "refresh" })));
    }
    return null;
  }

  load();
  return h("section", { class: "panel stack" }, h("h2", null, t("images.title")), listed(series), place);
}

/** A dozen pictures, and by each tap a dozen more; each is fetched when it comes near the window. */
function gallery(id, images, signal) {
  const list = h("div", { class: "stack" });
  const loads = new Map();
  const watch = new IntersectionObserver(near, { rootMargin: "200px" });
  const more = button("quiet", "", add);
  let shown = 0;

  function near(entries) {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      watch.unobserve(target);
      loads.get(target)();
    }
  }

  function add() {
    for (const each of images.slice(shown, shown + DOZEN)) {
      const { node, load } = picture(id, each, images.length, signal);
      loads.set(node, load);
      list.append(node);
      watch.observe(node);
    }
    shown = Math.min(images.length, shown + DOZEN);
    more.hidden = shown === images.length;
    more.textContent = t("images.more", { count: Math.min(DOZEN, images.length - shown) });
  }

  signal.addEventListener("abort", () => watch.disconnect());
  add();
  return h("div", { class: "stack" }, list, more);
}

function listed(series) {
  const one = ({ name, count }) =>
    h("li", null, name, count && h("span", { class: "soft" }, ` ${t("images.count", { count })}`));
  return series.some(({ name }) => name) && h("ul", null, series.map(one));
}

function picture(id, { n }, all, signal) {
  const name = t("images.name", { n, all });
  const frame = h("div", { class: "picture" });
  const node = h("figure", { class: "figure" }, frame, h("figcaption", { class: "soft" }, name));

  async function load() {
    show(frame, h("span", { class: "spinner", role: "status", "aria-label": t("loading") }));
    try {
      const address = URL.createObjectURL(await api.image(id, n, signal));
      signal.addEventListener("abort", () => URL.revokeObjectURL(address));
      show(frame, h("img", { src: address, alt: name, onerror: failed }));
    } catch {
      if (!signal.aborted) failed();
    }
  }

  const failed = () => show(frame, button("quiet", t("images.again", { n }), load, { icon: "refresh" }));
  return { node, load };
}
