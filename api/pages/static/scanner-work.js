// The workplace: the field and its choices on the left, the verdict on the right half.
import { button, h, icon, show } from "./dom.js";
import { Camera } from "./camera.js";
import { deskPart } from "./desk.js";
import { marksArrival } from "./desk-words.js";
import { t } from "./language.js";
import { device } from "./remember.js";
import { watchField } from "./scan-field.js";
import { ScanList } from "./scan-list.js";
import { ScanRunner } from "./scan-runner.js";
import * as api from "./scanner-api.js";
import { playVerdict, setSound, soundOn, wakeSound } from "./sound.js";
import { drawNext, drawVerdict, verdictOf } from "./verdict.js";
import { CHANNELS, STEPS, stepName } from "./visit.js";

const STEP_GROUPS = [
  ["010101", "booking"],
  ["010105", "payment"],
  ["010108", "records"],
];
const narrow = matchMedia("(max-width: 899px)");

/** `session`: who is signed in; `over()` when the session ended by itself, `leave()` when the clerk ends it. */
export function workplace(session, { over, leave }) {
  let working = false;
  let beat = 0;
  let shown = null;
  let verdict = null;
  const input = h("input", {
    class: "input scan-input",
    inputmode: "none",
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
    maxlength: 4000,
    "aria-label": t("field.label"),
    placeholder: t("field.placeholder"),
  });
  const place = h("section", { class: "verdict verdict-ready", "aria-label": t("verdict.label") }, ready());
  const scans = h("div");
  const list = new ScanList(scans);
  const step = picker("step", t("choice.step"), STEPS, stepName, STEP_GROUPS, (value) =>
    t(marksArrival(value) ? "choice.arrives" : "choice.arrives-not"),
  );
  const channel = picker("channel", t("choice.channel"), CHANNELS, (value) => t(`channel.${value}`));
  const desk = deskPart({
    session,
    next: (today, now) => drawNext(place, verdict, today, now),
    replaced(ending) {
      draw(ending);
      if (ending.kind === "refused") playVerdict(ending.kind);
    },
    over,
  });
  const right = h("div", { class: "work-right" }, place, desk.nodes);
  const camera = cameraPart((text) => runner.take(text));

  const runner = new ScanRunner({
    resolve: (code) => api.resolve({ code, step: step.value, channel: channel.value, terminal: session.terminal }),
    told,
  });

  function told(scan) {
    if (!working) return;
    scan.step ??= step.value;
    if (scan.error?.status === 401 && scan.kind === "refused") return over();
    const given = verdictOf(scan, scan.step);
    if (given.kind !== "waiting") list.put(scan.at, given, scan.step);
    if (scan.late) return;
    draw(given);
    if (given.kind !== "waiting") playVerdict(given.kind);
    desk.follow(scan, given);
    clearInterval(beat);
    shown = scan;
    if (scan.until) beat = setInterval(countDown, 500);
  }

  /** Shows a verdict from its top, also where the page or its half was scrolled meanwhile. */
  function draw(given) {
    verdict = given;
    drawVerdict(place, given);
    right.scrollTop = 0;
    if (narrow.matches) right.scrollIntoView({ block: "start" });
  }

  function countDown() {
    const line = place.querySelector("[data-retry]");
    if (line && shown.until) line.textContent = verdictOf(shown, shown.step).retry;
  }

  const sound = toggle(
    "sound",
    "mute",
    () => (soundOn() ? t("sound.on") : t("sound.off")),
    soundOn,
    (on) => {
      setSound(on);
      wakeSound();
    },
  );
  const status = h("p", { class: "link-state", role: "status" });
  const linked = () => {
    show(
      status,
      icon(navigator.onLine ? "check" : "offline"),
      h("span", null, t(navigator.onLine ? "link.on" : "link.off")),
    );
    status.classList.toggle("link-off", !navigator.onLine);
    if (navigator.onLine) runner.wake();
  };
  const keys = (event) => {
    wakeSound();
    if (event.key === "F2") (event.preventDefault(), step.turn());
    else if (event.key === "F4") (event.preventDefault(), sound.press());
    else if (event.key === "F8") (event.preventDefault(), camera.press());
    else if (!input.value && !event.target.matches?.("[data-typing]") && desk.press(event.key)) event.preventDefault();
  };

  const node = h(
    "div",
    { class: "work" },
    h(
      "header",
      { class: "shift-bar" },
      who(session),
      status,
      sound.node,
      button("quiet", t("shift.end"), leave, { icon: "out" }),
    ),
    h(
      "div",
      { class: "work-left" },
      h(
        "section",
        { class: "scan-box" },
        h(
          "div",
          { class: "scan-box-head" },
          h("h2", { class: "scan-box-title" }, icon("scan"), t("field.label")),
          camera.pressed,
        ),
        input,
        camera.panel,
      ),
      step.node,
      channel.node,
      h("section", { class: "panel" }, h("h2", null, t("list.title")), scans),
    ),
    right,
  );

  return {
    node,
    begin() {
      working = true;
      document.title = `${t("work.title")} · ${t("brand")}`;
      linked();
      watchField(input, { scanned: (text) => working && runner.take(text), on: () => working });
      addEventListener("keydown", keys);
      addEventListener("click", wakeSound);
      addEventListener("online", linked);
      addEventListener("offline", linked);
      input.focus({ preventScroll: true });
    },
    end() {
      working = false;
      desk.close();
      clearInterval(beat);
      runner.drop();
      camera.stop();
      list.clear();
      removeEventListener("keydown", keys);
      removeEventListener("click", wakeSound);
      removeEventListener("online", linked);
      removeEventListener("offline", linked);
    },
  };
}

function who(session) {
  return h(
    "p",
    { class: "shift-who" },
    icon("hospital"),
    h("strong", null, hospitalName(session)),
    h("span", null, t("bar.terminal", { terminal: session.terminal })),
    h("span", null, t("bar.operator", { name: session.operator.name })),
  );
}

const hospitalName = ({ hospital }) => (typeof hospital === "string" ? hospital : hospital.name);

function ready() {
  return h(
    "div",
    { class: "verdict-rest" },
    icon("scan"),
    h("h2", null, t("ready.title")),
    h("p", null, t("ready.todo")),
  );
}

/**
 * A choice that never takes the focus: buttons, the chosen one remembered. `groups`: prefixes of values and icons;
 * `meaning(value)`: what the chosen one does, in a line.
 */
function picker(name, label, values, nameOf, groups = [["", null]], meaning = null) {
  const kept = device.get(name);
  const self = { value: values.includes(kept) ? kept : values[0] };
  const each = (value) =>
    h(
      "button",
      {
        type: "button",
        class: "pick",
        role: "radio",
        "aria-checked": String(value === self.value),
        onclick: () => pick(value),
      },
      nameOf(value),
    );
  const buttons = new Map(values.map((value) => [value, each(value)]));
  const pick = (value) => {
    self.value = value;
    device.set(name, value);
    for (const [other, made] of buttons) made.setAttribute("aria-checked", String(other === value));
    if (meaning) words.textContent = meaning(value);
  };
  const words = meaning && h("p", { class: "pick-words soft", role: "status" }, meaning(self.value));
  const row = ([prefix, picture]) =>
    h(
      "div",
      { class: "pick-row" },
      picture && icon(picture),
      values.filter((value) => value.startsWith(prefix)).map((value) => buttons.get(value)),
    );
  self.turn = () => pick(values[(values.indexOf(self.value) + 1) % values.length]);
  self.node = h(
    "fieldset",
    { class: "picker" },
    h("legend", null, label),
    h("div", { role: "radiogroup", "aria-label": label }, groups.map(row)),
    words,
  );
  return self;
}

function toggle(onIcon, offIcon, label, isOn, set) {
  const node = h("button", { type: "button", class: "button button-quiet", onclick: () => press() });
  const draw = () => {
    show(node, icon(isOn() ? onIcon : offIcon), h("span", null, label()));
    node.setAttribute("aria-pressed", String(isOn()));
  };
  const press = () => {
    set(!isOn());
    draw();
  };
  draw();
  return { node, press };
}

function cameraPart(found) {
  const place = h("div", { class: "camera-place" });
  const words = h("p", { class: "camera-words", role: "status" });
  const camera = new Camera({
    place,
    found,
    said(text, wrong = false) {
      show(words, wrong ? icon("look") : null, h("span", null, text));
      words.classList.toggle("camera-wrong", wrong);
      draw();
    },
  });
  const press = () => {
    if (camera.on) {
      camera.stop();
      show(words);
    } else {
      camera.start();
    }
    draw();
  };
  const pressed = button("quiet", t("camera.start"), press, { icon: "camera" });
  const draw = () => {
    pressed.setAttribute("aria-pressed", String(camera.on));
    pressed.querySelector("span").textContent = camera.on ? t("camera.stop") : t("camera.start");
  };
  return { pressed, panel: h("div", { class: "camera" }, words, place), press, stop: () => camera.stop() };
}
