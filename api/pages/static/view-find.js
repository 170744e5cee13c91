// Finding, first half: the hospital, then the department.
import { h, icon, show } from "./dom.js";
import { field, screen } from "./form.js";
import { t } from "./language.js";
import * as api from "./booking-api.js";
import { chosen } from "./booking-chosen.js";
import { empty, troubled, whose } from "./booking-parts.js";

const MANY = 8; // from so many departments on, a field finds one by name

export function hospitalsView(app) {
  const title = t("hospitals.title");
  const { node, load } = fetching(app, title, (place) => {
    const hospitals = [...new Map(chosen.departments.map(({ hospital }) => [hospital.hospital_id, hospital])).values()];
    if (!hospitals.length) return show(place, empty("booking", t("hospitals.none")));
    const choose = (hospital, replace) => {
      chosen.hospital = hospital;
      app.go("departments", undefined, { replace });
    };
    if (hospitals.length === 1) return choose(hospitals[0], true);
    const count = (hospital) => t("hospitals.departments", { count: departmentsOf(hospital).length });
    const rows = hospitals.map((each) => row(each.name, count(each), () => choose(each, false)));
    return show(place, h("div", { class: "rows" }, rows));
  });
  chosen.departments = null;
  load();
  return { node, title, tab: "booking" };
}

export function departmentsView(app) {
  if (!chosen.hospital) return hospitalsView(app);
  const title = t("departments.title");
  const { node, load } = fetching(app, title, (place) => {
    const all = departmentsOf(chosen.hospital);
    const list = h("div", { class: "rows", "aria-live": "polite" });
    const filter = field("filter", t("departments.filter"), { type: "search" });
    const fill = () => {
      const found = all.filter(({ name }) => name.includes(filter.value.trim()));
      show(list, found.length ? found.map(department) : empty("look", t("departments.none")));
    };
    filter.input.addEventListener("input", fill);
    fill();
    show(place, h("p", { class: "lead" }, chosen.hospital.name), all.length > MANY && filter.node, list);
  });

  function department(each) {
    return row(each.name, each.doctors.length ? t("departments.doctors", { count: each.doctors.length }) : "", () => {
      Object.assign(chosen, { department: each, doctor: "", date: "" });
      app.go("slots");
    });
  }

  load();
  return { node, title, tab: "booking" };
}

const departmentsOf = ({ hospital_id: id }) => chosen.departments.filter(({ hospital }) => hospital.hospital_id === id);

/** A screen that needs the departments: fetches them unless they are there, then draws. */
function fetching(app, title, draw) {
  const place = h("div", { class: "stack" });

  async function load() {
    if (!chosen.departments) {
      show(place, h("p", { class: "soft", role: "status" }, t("loading")));
      try {
        chosen.departments = await api.departments();
      } catch (error) {
        troubled(app, place, error, load);
        return;
      }
      if (!place.isConnected) return;
    }
    draw(place);
  }

  return { node: screen(title, app.back, h("div", { class: "panel" }, whose(app)), place), load };
}

function row(name, hint, act) {
  const words = [h("strong", { class: "row-name" }, name), hint && h("span", { class: "soft" }, hint)];
  return h(
    "button",
    { type: "button", class: "row", onclick: act },
    h("span", { class: "row-words" }, words),
    icon("next"),
  );
}
