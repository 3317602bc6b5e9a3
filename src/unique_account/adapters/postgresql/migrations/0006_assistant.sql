-- from 3
-- What the servers of the UC Assistants share. A session's id is kept as its SHA-256, so that who reads the
-- table learns none. What pages set is kept as UTF-8 in bytes, since text here cannot hold every character.
CREATE TABLE unique_account.assistant_sessions (
    user_id text COLLATE "C" NOT NULL,
    session bytea NOT NULL,
    expires double precision NOT NULL,
    until double precision NOT NULL,
    PRIMARY KEY (user_id, session)
);
CREATE TABLE unique_account.preferences (
    user_id text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    value bytea NOT NULL,
    value_type bytea NOT NULL,
    PRIMARY KEY (user_id, key)
);
CREATE TABLE unique_account.favorites (
    user_id text COLLATE "C" NOT NULL,
    number text COLLATE "C" NOT NULL,
    place bigint GENERATED ALWAYS AS IDENTITY,
    PRIMARY KEY (user_id, number)
);

-- Where log-ins failed lately, and where one is under way, as seconds of this server's clock. A place stands for a
-- user, or is one of a fixed number that logins and addresses are hashed to; no place is kept for longer than
-- its failures count. After a crash of the database nothing failed: no more is lost than five minutes.
CREATE UNLOGGED TABLE unique_account.login_attempts (
    place text COLLATE "C" PRIMARY KEY,
    failures double precision[] NOT NULL,
    under_way double precision[] NOT NULL,
    touched double precision NOT NULL
);
