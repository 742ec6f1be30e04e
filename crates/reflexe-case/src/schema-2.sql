-- From format 1 to 2: the journal, and the hash of every Parquet file.

CREATE TABLE entry (            -- one entry of the journal; only ever added (a redaction empties salt and content)
    hash        TEXT PRIMARY KEY,      -- SHA-256("reflexe-entry-v1" ‖ header)
    writer      TEXT NOT NULL,         -- Ed25519 public key of the device; as in the header, for looking up
    seq         INTEGER NOT NULL,      -- position in the writer's chain, from 1
    entry_id    TEXT NOT NULL,
    kind        TEXT NOT NULL,
    recorded_at TEXT NOT NULL,
    header      TEXT NOT NULL,         -- canonical JSON (RFC 8785)
    signature   TEXT NOT NULL,         -- Ed25519 over the hash
    salt        TEXT,                  -- body_hash = SHA-256(salt ‖ canonical content)
    content     TEXT                   -- JSON
);
CREATE INDEX entry_chain ON entry (writer, seq);
CREATE INDEX entry_by_id ON entry (entry_id);

ALTER TABLE part ADD COLUMN sha256 TEXT NOT NULL DEFAULT '';  -- of the file; '' until the first opening for writing
