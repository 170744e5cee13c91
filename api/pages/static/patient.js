// The patient's page: who is signed in, which card, which screen, and what the service tells by itself.
import { h, icon, show } from "./dom.js";
import { startFrame } from "./frame.js";
import { NoAnswer, Refused, backoff, explain, passing } from "./http.js";
import { t } from "./language.js";
import { LATER, laterView } from "./later.js";
import * as api from "./patient-api.js";
import { visit } from "./remember.js";
import { endToast, toast } from "./toast.js";
import { addView, insuranceView } from "./view-add.js";
import { codeView } from "./view-code.js";
import { aboutOf, accessesView, familyView, holdersView, messagesView } from "./view-lists.js";
import { closeView, freezeView, meView, noneView, servicesView, signOutView, troubleView } from "./view-me.js";
import { signInView } from "./view-signin.js";
import { Watch } from "./watch.js";

const VIEWS = {
  accesses: accessesView,
  add: addView,
  close: closeView,
  code: codeView,
  family: familyView,
  freeze: freezeView,
  holders: holdersView,
  insurance: insuranceView,
  me: meView,
  messages: messagesView,
  none: noneView,
  services: servicesView,
  signin: signInView,
  signout: signOutView,
  trouble: troubleView,
};
const TABS = [
  ["code", "scan"],
  ["family", "family"],
  ["accesses", "history"],
  ["booking", "booking"],
  ["me", "user"],
];

/** Screens that need no card. */
const CARDLESS = ["add", "data", "family", "leaving", "me", "messages", "none", "signin", "signout", "trouble"];
const LOOK_AGAIN = 5000; // ms; a list that does not agree with the refusal must not be asked for without end

const main = document.querySelector("main");
const tabs = document.querySelector("[data-tabs]");

const app = {
  cards: [],
  at: 0,
  people: [],
  verdicts: new Map(),
  view: null,

  get card() {
    return app.cards[app.at];
  },

  /** Shows a screen; `replace` leaves no way back to the present one. */
  go(name, given, { replace = false } = {}) {
    const entry = { name, depth: replace ? app.depth() : app.depth() + 1 };
    history[replace ? "replaceState" : "pushState"](entry, "");
    draw(name, given);
  },

  depth: () => history.state?.depth ?? 0,

  back: () => (app.depth() > 0 ? history.back() : app.go("code", undefined, { replace: true })),

  /** The first screen: the code, or that there is no card. */
  home: () => app.go(app.cards.length ? "code" : "none", undefined, { replace: true }),

  choose(index) {
    app.pick(index);
    app.go("code");
  },

  /** Another card without leaving the screen. */
  pick(index) {
    app.at = index;
    visit.set("card", app.card.card_id);
  },

  /** The appointment or bill of a message. */
  openAbout(what, { ref: id, card_id: card }) {
    const index = app.cards.findIndex((each) => each.card_id === card);
    if (index < 0) return app.go(what === "bill" ? "bills" : "booking"); // of a card that is here no more
    app.pick(index);
    return app.go(what, { id });
  },

  /** Who looked at the data of that card. */
  openAccesses(card) {
    const index = app.cards.findIndex((each) => each.card_id === card);
    if (index >= 0) app.pick(index);
    app.go("accesses");
  },

  draw: (name, given) => draw(name, given),

  turn(by) {
    if (app.cards.length < 2) return;
    app.pick((app.at + by + app.cards.length) % app.cards.length);
    app.go("code", undefined, { replace: true });
  },

  async comeIn(jsCode, phoneCode, person = null) {
    await api.signIn(jsCode);
    visit.set("phone-code", phoneCode ?? null);
    visit.set("person", person);
    await app.reload();
  },

  async cardAdded(card) {
    await app.reload(card.card_id);
    toast(t("added.toast", { name: card.name }));
  },

  /** The service gave this card anew. */
  cardChanged(card) {
    app.cards = app.cards.map((each) => (each.card_id === card.card_id ? card : each));
    app.home();
  },

  async unfreeze(place) {
    try {
      app.cardChanged(await api.unfreeze(app.card.card_id));
    } catch (error) {
      if (error.code !== "not-allowed") throw error;
      show(place, h("p", null, t("frozen.office")));
    }
  },

  takeVerdict(card) {
    const event = app.verdicts.get(card);
    app.verdicts.delete(card);
    return event;
  },

  /** A code was refused for good: the card changed elsewhere, or the session ended. */
  mustLookAgain(error) {
    if (error.status === 401) app.signedOut({ title: t("signin.over.title"), todo: t("signin.over.todo") });
    else if (Date.now() - looked > LOOK_AGAIN) {
      looked = Date.now();
      app.reload();
    }
  },

  signedOut(because) {
    watch?.stop();
    watch = null;
    api.forget();
    app.cards = [];
    app.go("signin", because, { replace: true });
  },

  /** Fetches the cards and shows the first screen; says so and tries again while that fails. */
  async reload(choose) {
    clearTimeout(again);
    try {
      app.cards = await api.cards();
      attempt = 0;
    } catch (error) {
      unreachable(error);
      return;
    }
    const wanted = choose ?? visit.get("card");
    app.at = Math.max(
      0,
      app.cards.findIndex((card) => card.card_id === wanted),
    );
    watch ??= new Watch({
      heard,
      shown: () => (app.view.tab === "code" ? app.card?.card_id : null),
      ended: () => app.mustLookAgain({ status: 401 }),
    }).start();
    app.home();
  },
};

let watch = null;
let looked = 0;
let again = 0;
let attempt = 0;

function draw(name, given) {
  endToast();
  app.view?.leave?.();
  const real = !CARDLESS.includes(name) && !app.card ? (api.token() ? "none" : "signin") : name;
  app.view = (LATER.includes(real) ? laterView(real) : VIEWS[real])(app, given);
  app.view.name = real;
  show(main, app.view.node);
  document.title = `${app.view.title} · ${t("brand")}`;
  drawTabs(app.view.tab);
  scrollTo(0, 0);
  main.querySelector("h1")?.focus({ preventScroll: true });
}

function drawTabs(now) {
  tabs.hidden = !now;
  if (!now) return;
  const tab = ([name, picture]) =>
    h(
      "button",
      { type: "button", class: "tab", "aria-current": name === now ? "page" : null, onclick: () => app.go(name) },
      icon(picture),
      h("span", null, t(`tab.${name}`)),
    );
  show(tabs, TABS.map(tab));
}

/** What the service told by itself. */
function heard(event, data) {
  if (event === "scanned" || event === "message") app.view.told?.();
  if (event === "scanned" || event === "refused") return scanned(data);
  if (event === "key-replaced") {
    app.view.renew?.();
    if (app.view.name === "code") toast(t("key-replaced.toast"));
  } else if (event === "card") {
    const card = app.cards.find((each) => each.card_id === data.card_id);
    if (!card || card.status !== data.status) app.reload();
  } else if (event === "message") {
    const { name } = app.view;
    if ((data.kind === "booked" && name === "booked") || (data.kind === "paid" && name === "bill")) return; // said there
    const what = aboutOf(data);
    const open = () => (what ? app.openAbout(what, data) : app.go("messages"));
    toast(data.text, { label: t("messages.open"), act: open });
  }
}

function scanned(data) {
  const index = app.cards.findIndex((card) => card.card_id === data.card_id);
  if (index < 0) return;
  app.verdicts.set(data.card_id, data);
  if (app.view.name === "code" && app.at === index && app.view.verdict) {
    app.view.verdict(app.takeVerdict(data.card_id));
  } else if (app.view.name === "code") {
    app.at = index;
    app.go("code", undefined, { replace: true });
  } else {
    const open = () => app.choose(index);
    toast(t("scanned.toast", { name: app.cards[index].name, hospital: data.hospital }), {
      label: t("scanned.look"),
      act: open,
    });
  }
}

function unreachable(error) {
  if (error instanceof Refused && error.status === 401) return app.mustLookAgain(error);
  const { title, todo } = explain(error);
  const waits = passing(error) || error.status === 429;
  const wait = error.retryAfter * 1000 || backoff(attempt, 2000, 15_000);
  attempt += 1;
  app.go(
    "trouble",
    { title, todo, name: error instanceof NoAnswer ? "offline" : "look", retry: () => app.reload() },
    { replace: true },
  );
  if (!waits) return;
  const until = Date.now() + wait;
  const beat = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    if (left <= 0) return app.reload();
    app.view.wait?.(left);
    again = setTimeout(beat, 500);
  };
  beat();
}

/** The mini-program hands over WeChat's codes in the fragment; they leave the address bar at once. */
function handedOver() {
  const given = new URLSearchParams(location.hash.slice(1));
  history.replaceState({ name: "code", depth: 0 }, "", location.pathname);
  return { jsCode: given.get("js_code"), phoneCode: given.get("phone_code") };
}

function wake() {
  if (document.hidden) return;
  app.view?.wake?.();
  watch?.wake();
}

async function begin() {
  const { jsCode, phoneCode } = handedOver();
  if (document.documentElement.dataset.demo === "true") app.people = await api.demoPeople().catch(() => []);
  try {
    if (jsCode) await app.comeIn(jsCode, phoneCode);
    else if (api.token()) await app.reload();
    else app.go("signin", undefined, { replace: true });
  } catch (error) {
    app.go("signin", explain(error), { replace: true });
  }
}

startFrame();
addEventListener("popstate", ({ state }) => (state && state.name !== "trouble" ? draw(state.name) : app.reload()));
addEventListener("online", wake);
document.addEventListener("visibilitychange", wake);
begin();
