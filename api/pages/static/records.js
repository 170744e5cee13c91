// Records on the patient's page, fetched when they are first opened: the list, one of them, and how results changed.
import { recordView } from "./view-record.js";
import { recordsView } from "./view-records.js";
import { trendView, trendsView } from "./view-trend.js";

export { nameRecords } from "./records-seen.js";

export const views = { record: recordView, records: recordsView, trend: trendView, trends: trendsView };
