"""Keys that rotate: the rules, the machine, the scenarios, the faults."""
