// The square in which the code is drawn, and the line under it, for every state of the code's life.
import { button, h, icon, show } from "./dom.js";
import { explain } from "./http.js";
import { minutes, t } from "./language.js";
import { drawMatrix } from "./qr.js";
import { makeRing } from "./ring.js";

/** `.stage` and `.line` to be placed; `.draw(state)` at a change, `.tick(state)` in between. */
export function makeStage({ name, renew }) {
  const stage = h("div", { class: "stage" });
  const ring = makeRing();
  const words = h("p", { class: "line-words" });
  const line = h("div", { class: "line" }, ring.node, words);
  const spoken = h("p", { class: "visually-hidden", role: "status" });
  let drawn = null;

  function draw(state) {
    ring.node.hidden = state.kind !== "live";
    if (state.kind === "live") {
      if (drawn !== state.code) {
        show(stage, drawMatrix(state.code.matrix, t("code.label", { name, seconds: state.code.expires_in })));
        if (!drawn) spoken.textContent = t("code.ready", { name, seconds: state.code.expires_in });
        drawn = state.code;
      }
    } else {
      drawn = null;
      show(stage, without(state));
    }
    stage.dataset.kind = state.kind;
    tick(state);
  }

  function tick(state) {
    if (state.kind === "live") ring.set(state.left, state.life);
    line.classList.toggle("line-trouble", Boolean(state.trouble) && state.kind === "live");
    const said = lineOf(state);
    if (words.textContent !== said) words.textContent = said;
    const waiting = stage.querySelector("[data-until]");
    if (waiting && state.trouble) waiting.textContent = waitOf(state.trouble);
  }

  function without(state) {
    if (state.kind === "loading") {
      return h(
        "div",
        { class: "stage-message", role: "status" },
        h("span", { class: "spinner" }),
        h("p", { class: "stage-title" }, t("code.loading")),
      );
    }
    const { title, todo } = wordsOf(state);
    const wait = state.trouble ? h("p", { class: "stage-wait", "data-until": true }, waitOf(state.trouble)) : null;
    return h(
      "div",
      { class: "stage-message", role: "alert" },
      icon(state.trouble?.kind === "network" ? "offline" : state.kind === "expired" ? "clock" : "look"),
      h("p", { class: "stage-title" }, title),
      h("p", null, todo),
      wait,
      state.trouble?.kind === "busy" ? null : button("primary", t("code.renew"), renew, { icon: "refresh" }),
    );
  }

  return { stage: h("div", { class: "stage-frame" }, stage, spoken), line, draw, tick };
}

/** What stands under the code. */
function lineOf(state) {
  if (state.kind !== "live") return "";
  const seconds = Math.ceil(state.left);
  if (!state.trouble) return t("code.life", { seconds });
  if (state.trouble.kind === "network") return t("code.kept.network", { seconds });
  if (state.trouble.kind === "busy") return t("code.kept.busy", { seconds });
  return t("code.kept.down", { seconds });
}

/** What stands where the code was. */
function wordsOf({ kind, trouble }) {
  if (kind === "expired" && !trouble) return { title: t("code.expired.title"), todo: t("code.expired.todo") };
  if (trouble.kind === "network") {
    return {
      title: kind === "expired" ? t("code.expired.title") : t("trouble.network.title"),
      todo: t("code.gone.network"),
    };
  }
  if (trouble.kind === "down") return { title: t("trouble.down.title"), todo: t("code.gone.down") };
  return explain(trouble.error);
}

function waitOf({ kind, until }) {
  const seconds = Math.max(0, Math.ceil((until - Date.now()) / 1000));
  if (kind === "ended") return "";
  if (!seconds) return t("code.trying");
  return kind === "busy" ? t("code.wait.busy", { time: minutes(seconds) }) : t("code.wait", { seconds });
}
