// What patients may decide about their data, fetched when it is first opened: who reads it, taking it along, leaving.
import { consentView } from "./view-consent.js";
import { consentsView } from "./view-consents.js";
import { dataView, leavingView } from "./view-data.js";

export const views = { consent: consentView, consents: consentsView, data: dataView, leaving: leavingView };
