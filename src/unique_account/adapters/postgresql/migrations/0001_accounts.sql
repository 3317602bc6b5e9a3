-- One row per account: the administrator's part and the user's, as JSON documents.
CREATE TABLE unique_account.accounts (
    user_id text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL CHECK (version >= 0),
    administered text NOT NULL,
    kept text NOT NULL
);
