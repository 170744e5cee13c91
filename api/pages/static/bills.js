// Bills on the patient's page, fetched when they are first opened: the list, and one of them with how it is paid.
import { billView } from "./view-bill.js";
import { billsView } from "./view-bills.js";

export const views = { bill: billView, bills: billsView };
