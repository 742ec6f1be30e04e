-- Format 3: a file is known by its BLAKE3, computed while it is imported; its SHA-256 is added when the answer is judged.
-- Files imported by an earlier format have no BLAKE3 and are stored under their SHA-256.
CREATE TABLE evidence_3 (
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
INSERT INTO evidence_3 SELECT number, NULL, sha256, size, path, origin, in_place, imported_at, domains FROM evidence;
DROP TABLE evidence;
ALTER TABLE evidence_3 RENAME TO evidence;
