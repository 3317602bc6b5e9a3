-- One row per user and call, in the order in which a history is read. Instants and lengths of time are in
-- microseconds, instants since 1970 in UTC.
CREATE TABLE call_log (
    user TEXT NOT NULL,
    start INTEGER NOT NULL,
    id TEXT NOT NULL,
    status TEXT NOT NULL,
    direction TEXT NOT NULL,
    device TEXT,
    peer TEXT NOT NULL,
    peer_name TEXT NOT NULL,
    answered INTEGER,
    ended INTEGER,
    rang INTEGER NOT NULL,
    forwarded_from TEXT NOT NULL,
    transferred_to TEXT NOT NULL,
    settled INTEGER NOT NULL,
    searched TEXT NOT NULL,
    PRIMARY KEY (user, start, id)
) WITHOUT ROWID, STRICT;

-- How far each source of records has been read: up to a row, and rows after it, as a JSON list.
CREATE TABLE positions (
    source TEXT PRIMARY KEY,
    row INTEGER NOT NULL,
    beyond TEXT NOT NULL
) WITHOUT ROWID, STRICT;
