"""What a code is. Pure: no I/O, no clock, no settings; time and randomness are passed in.

Read `verify` first, then `issue`; each module is named after what it implements.
"""
