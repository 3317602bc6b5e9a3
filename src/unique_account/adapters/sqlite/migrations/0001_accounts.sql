-- One row per account: the administrator's part and the user's, as JSON documents.
CREATE TABLE accounts (
    user TEXT PRIMARY KEY,
    version INTEGER NOT NULL CHECK (version >= 0),
    administered TEXT NOT NULL,
    kept TEXT NOT NULL
) WITHOUT ROWID, STRICT;
