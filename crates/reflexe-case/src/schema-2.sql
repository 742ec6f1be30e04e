-- From format 1 to 2: the journal, the hash of every Parquet file, and evidence known by its BLAKE3.

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

ALTER TABLE part ADD COLUMN blake3 TEXT NOT NULL DEFAULT '';  -- of the file; '' until the first opening for writing

-- A file is known by its BLAKE3, computed while it is imported; its SHA-256 is added when the answer is judged. Files imported
-- by format 1 have no BLAKE3 and are stored under their SHA-256.
CREATE TABLE evidence_2 (
    number      INTEGER PRIMARY KEY,   -- the 7 of e7; also stands in every row id
    blake3      TEXT UNIQUE,           -- NULL: imported by an earlier format
    sha256      TEXT UNIQUE,           -- NULL: not computed yet
    size        INTEGER NOT NULL,
    path        TEXT NOT NULL,         -- as it was given
    origin      TEXT NOT NULL,         -- absolute path at the time of the import
    in_place    INTEGER NOT NULL,      -- 1: the original stayed at origin; 0: it is evidence/<first two>/<blake3, else sha256>
    imported_at TEXT NOT NULL,
    domains     TEXT NOT NULL,         -- JSON list: domains that the file shows to be the tenant's own
    CHECK (blake3 IS NOT NULL OR sha256 IS NOT NULL)
);
INSERT INTO evidence_2 SELECT number, NULL, sha256, size, path, origin, in_place, imported_at, domains FROM evidence;
DROP TABLE evidence;
ALTER TABLE evidence_2 RENAME TO evidence;
