-- One open request for each act; and the ring versions that published what is there already.
CREATE UNIQUE INDEX approvals_open ON approvals (kid, "to", kind) WHERE decided_at IS NULL;
UPDATE keys SET ring_version = (SELECT version FROM ring) WHERE ring_version IS NULL;
