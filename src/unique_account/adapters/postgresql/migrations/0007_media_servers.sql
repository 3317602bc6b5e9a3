-- from 3
-- The media server of each user, by which a group of media servers finds its own accounts.
ALTER TABLE unique_account.accounts ADD COLUMN media_server text COLLATE "C"
    GENERATED ALWAYS AS (administered::json ->> 'media_server') STORED;
CREATE INDEX accounts_media_server ON unique_account.accounts (media_server, user_id);
