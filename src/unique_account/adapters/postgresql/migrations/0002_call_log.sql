-- One row per user and call, in the order in which a history is read. What XiVO's call_log has too is
-- called what it is called there; its source and destination are the user and the peer, by direction.
CREATE TABLE unique_account.call_log (
    user_id text COLLATE "C" NOT NULL,
    date timestamptz NOT NULL,
    linkedid text COLLATE "C" NOT NULL,
    status text NOT NULL,
    direction text NOT NULL,
    device text,
    peer_exten text NOT NULL,
    peer_name text NOT NULL,
    date_answer timestamptz,
    date_end timestamptz,
    rang interval NOT NULL,
    requested_exten text NOT NULL,
    transferred_to text NOT NULL,
    settled boolean NOT NULL,
    searched text NOT NULL,
    PRIMARY KEY (user_id, date, linkedid)
);

-- For retention by age. Calls are stored about when they happen, so a small index of ranges is enough.
CREATE INDEX call_log_date ON unique_account.call_log USING brin (date);

-- How far each source of records has been read: up to a row, and rows after it.
CREATE TABLE unique_account.positions (
    source text PRIMARY KEY,
    last_row bigint NOT NULL,
    beyond bigint[] NOT NULL
);
