"""Payment: what is measured of it in `make bench`."""
