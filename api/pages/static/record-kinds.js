// The kinds of records (api-services.md, Records).
export const KINDS = ["laboratory", "examination", "imaging", "discharge", "note"];
