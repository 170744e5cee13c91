"""Booking: a rush for one session, cancelling into a long line, and finding slots among very many."""
