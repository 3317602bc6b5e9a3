-- For retention by age.
CREATE INDEX call_log_start ON call_log (start);
