// What has been chosen on the way to an appointment: the browser's history keeps names of screens only.

/**
 * `departments`: all that can be booked, as fetched; `hospital`, `department`: of those, one each; `doctor`: a code
 * or ""; `date`: YYYY-MM-DD or ""; `slot`: the one to book or wait for; `booked`: `{card, appointment}`; `id`: of the
 * appointment that is looked at, `of`: the card it was opened with.
 */
export const chosen = {
  departments: null,
  hospital: null,
  department: null,
  doctor: "",
  date: "",
  slot: null,
  booked: null,
  id: null,
  of: null,
};
