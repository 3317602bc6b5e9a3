-- For how many microseconds after the answer the parties did not talk, since one was parked.
ALTER TABLE call_log ADD COLUMN waited INTEGER NOT NULL DEFAULT 0;
