"""The protocol between workers, ring and verifiers, checked by SPIN."""
