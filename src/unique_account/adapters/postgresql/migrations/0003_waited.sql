-- For how long after the answer the parties did not talk, since one was parked.
ALTER TABLE unique_account.call_log ADD COLUMN waited interval NOT NULL DEFAULT '0';
