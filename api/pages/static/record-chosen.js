// Which record, test or rule is being looked at: the browser's back and forward lead there without saying which.

/** `card`: whose they are; nothing of one card is ever shown under another's name. */
export const chosen = { card: null, record: null, test: null, rule: null };

/** What was chosen on that card; `given` replaces it. Null if there is none. */
export function choose(app, name, given) {
  const card = app.card.card_id;
  if (chosen.card !== card) Object.assign(chosen, { card, record: null, test: null, rule: null });
  if (given) chosen[name] = given;
  return chosen[name];
}
