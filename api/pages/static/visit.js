// What a visit's codes mean in words: steps, channels, services, reasons. Shared by phone and window.
import { known, t } from "./language.js";

export const SERVICES = ["booking", "records", "payment"];
export const STEPS = [
  "0101011",
  "0101012",
  "0101013",
  "0101014",
  "0101051",
  "0101052",
  "0101053",
  "0101081",
  "0101082",
];
export const CHANNELS = ["0100", "0200", "0300", "0401", "0402"];

/** The service that a step needs beyond knowing who somebody is, or null. */
export function serviceOf(step) {
  if (step.startsWith("010105")) return "payment";
  if (step.startsWith("010108")) return "records";
  return step === "0101014" || !step.startsWith("010101") ? null : "booking";
}

export const stepName = (step) => known(`step.${step}`, "step.other");
export const serviceName = (service) => known(`service.${service}`, "service.other");

/** Names of services as one phrase. */
export const serviceNames = (services) => services.map(serviceName).join(t("and"));

/** Why a scan was refused, as the patient reads it: `{title, todo}`. */
export function refusal(reason) {
  return {
    title: known(`refused.${reason}.title`, "refused.other.title"),
    todo: known(`refused.${reason}.todo`, "refused.other.todo"),
  };
}

/** An operator as the service names them: a name, or `{id, name}`. */
export const operatorName = (operator) => (typeof operator === "object" && operator ? operator.name : operator) || "";
