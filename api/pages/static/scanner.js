// The window's page: sign in once a shift, then scan after scan without a key or a click.
import { h, icon, show } from "./dom.js";
import { startFrame } from "./frame.js";
import { Refused, backoff, explain } from "./http.js";
import { notice } from "./form.js";
import { t } from "./language.js";
import { visit } from "./remember.js";
import * as api from "./scanner-api.js";
import { shiftForm } from "./scanner-shift.js";
import { workplace } from "./scanner-work.js";

const main = document.querySelector("main");
let work = null;
let attempt = 0;

/** Asks who is signed in and shows the workplace, the sign-in, or why neither can be said. */
async function begin() {
  try {
    const session = await api.session();
    attempt = 0;
    work = workplace(session, { over: () => signedOut("shift.over"), leave });
    show(main, work.node);
    work.begin();
  } catch (error) {
    if (error instanceof Refused && error.status === 401) return signIn();
    unreachable(error);
  }
}

function signIn(because) {
  document.title = `${t("shift.title")} · ${t("brand")}`;
  const form = shiftForm({ because, signedIn: begin });
  show(main, form.node);
  form.begin();
}

/** What was kept of the shift goes with it. */
function signedOut(because) {
  work?.end();
  work = null;
  visit.drop("scans");
  signIn(because && { title: t(`${because}.title`), todo: t(`${because}.todo`) });
}

/** Ends the shift. Without the network only this screen is cleared, and the page says so. */
async function leave() {
  try {
    await api.signOut();
    signedOut();
  } catch (error) {
    signedOut(error instanceof Refused ? undefined : "shift.unsure");
  }
}

function unreachable(error) {
  const { title, todo } = explain(error);
  const wait = backoff(attempt, 2000, 15_000);
  attempt += 1;
  show(
    main,
    h(
      "section",
      { class: "screen welcome" },
      h("div", { class: "welcome-mark" }, icon("offline")),
      h("h1", null, title),
      h("p", { class: "lead" }, todo),
      notice("calm", { title: t("shift.retry"), todo: "" }),
    ),
  );
  setTimeout(begin, wait);
}

startFrame();
begin();
