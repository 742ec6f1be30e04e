-- The manifest of a case, format 1. Every file that belongs to the case is named here; what is not named is a leftover.

CREATE TABLE case_info (        -- id (random UUID), created_at, title (if a person gave one)
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE evidence (         -- one imported file
    number      INTEGER PRIMARY KEY,   -- the 7 of e7; also stands in every row id
    sha256      TEXT NOT NULL UNIQUE,
    size        INTEGER NOT NULL,
    path        TEXT NOT NULL,         -- as it was given
    origin      TEXT NOT NULL,         -- absolute path at the time of the import
    in_place    INTEGER NOT NULL,      -- 1: the original stayed at origin; 0: it is evidence/<first two>/<sha256>
    imported_at TEXT NOT NULL,
    domains     TEXT NOT NULL          -- JSON list: domains that the file shows to be the tenant's own
);

CREATE TABLE evidence_source (  -- what was recognised in a file, in the order of recognition
    evidence  INTEGER NOT NULL REFERENCES evidence(number),
    position  INTEGER NOT NULL,
    source    TEXT NOT NULL,           -- e.g. ual.powershell_csv
    read      INTEGER NOT NULL,        -- = kept + duplicate + rejected
    kept      INTEGER NOT NULL,
    duplicate INTEGER NOT NULL,
    rejected  INTEGER NOT NULL,
    time_from TEXT,
    time_to   TEXT,
    tenants   TEXT NOT NULL,           -- JSON object: tenant id -> rows
    tables    TEXT NOT NULL,           -- JSON object: table -> rows written
    notes     TEXT NOT NULL,           -- JSON list of {fr, en}
    PRIMARY KEY (evidence, position)
) WITHOUT ROWID;

CREATE TABLE part (             -- Parquet files, relative to the case folder
    file       TEXT PRIMARY KEY,
    evidence   INTEGER NOT NULL REFERENCES evidence(number),
    table_name TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE superseded (       -- rows of which a richer copy arrived later: they no longer count
    row_id   INTEGER PRIMARY KEY,
    evidence INTEGER NOT NULL REFERENCES evidence(number)  -- the file that brought the richer copy
);

CREATE TABLE declaration (      -- a person says that an export was not filtered
    evidence    INTEGER PRIMARY KEY REFERENCES evidence(number),
    who         TEXT NOT NULL,
    declared_at TEXT NOT NULL
);

CREATE TABLE unrecognised (     -- files that are not in the case, and why
    path      TEXT PRIMARY KEY,
    reason_fr TEXT NOT NULL,
    reason_en TEXT NOT NULL,
    harmless  INTEGER NOT NULL
) WITHOUT ROWID;
