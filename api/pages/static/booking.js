// Booking on the patient's page, fetched when it is first opened: its screens, and what a scan says of an appointment.
import { appointmentView, appointmentsView } from "./view-appointments.js";
import { bookView, bookedView, waitView } from "./view-book.js";
import { bookingView } from "./view-booking.js";
import { departmentsView, hospitalsView } from "./view-find.js";
import { slotsView } from "./view-slots.js";
import { waitingsView } from "./view-waitings.js";

export { arrival } from "./arrival.js";

export const views = {
  appointment: appointmentView,
  appointments: appointmentsView,
  book: bookView,
  booked: bookedView,
  booking: bookingView,
  departments: departmentsView,
  hospitals: hospitalsView,
  slots: slotsView,
  wait: waitView,
  waitings: waitingsView,
};
