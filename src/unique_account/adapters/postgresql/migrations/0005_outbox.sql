-- from 3
-- Users whose choices are stored, and not announced yet: one row a user, with the version that is to be
-- announced at least. A trigger writes the row, so it is there if and only if the save is; and only while
-- somebody wants it: whoever reads the outbox extends the time.
CREATE TABLE unique_account.outbox_wanted (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    until timestamptz NOT NULL
);
INSERT INTO unique_account.outbox_wanted (until) VALUES ('-infinity');

-- Of several readers, the one that claimed a row announces it; a claim ends soon, should that one be gone.
CREATE TABLE unique_account.outbox (
    user_id text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL,
    claimed_by text NOT NULL DEFAULT '',
    claimed_until timestamptz NOT NULL DEFAULT '-infinity'
);

CREATE FUNCTION unique_account.choices_differ(one text, other text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    RETURN one::jsonb - 'sessions' - 'version' <> other::jsonb - 'sessions' - 'version';
EXCEPTION WHEN OTHERS THEN
    RETURN true; -- JSON may name characters that jsonb cannot hold
END
$$;

CREATE FUNCTION unique_account.fill_outbox() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM unique_account.outbox WHERE user_id = OLD.user_id;
        RETURN NULL;
    END IF;
    IF NOT EXISTS (SELECT FROM unique_account.outbox_wanted WHERE until > now()) THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF NOT unique_account.choices_differ(NEW.kept, OLD.kept) THEN
            RETURN NULL;
        END IF;
    END IF;
    INSERT INTO unique_account.outbox (user_id, version) VALUES (NEW.user_id, NEW.version)
    ON CONFLICT (user_id) DO UPDATE SET version = EXCLUDED.version, claimed_until = '-infinity';
    RETURN NULL;
END
$$;

CREATE TRIGGER fill_outbox AFTER INSERT OR UPDATE OR DELETE ON unique_account.accounts
    FOR EACH ROW EXECUTE FUNCTION unique_account.fill_outbox();
