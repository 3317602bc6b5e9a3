-- from 3
-- Who owns a group of media servers. The epoch is part of a key, so that a takeover, which changes it, waits
-- for writers that hold the row FOR KEY SHARE, and a renewal, which changes the counter only, waits for none.
CREATE TABLE unique_account.group_leases (
    group_name text COLLATE "C" PRIMARY KEY,
    owner text NOT NULL,
    address text NOT NULL,
    epoch bigint NOT NULL CHECK (epoch > 0),
    counter bigint NOT NULL,
    UNIQUE (group_name, epoch)
) WITH (fillfactor = 10);

-- What only one user can have: a device, or a number within its context. The rows are made of the accounts'
-- documents by a trigger, so that a release that does not know this table keeps it, too.
CREATE TABLE unique_account.claims (
    kind text NOT NULL,
    name text COLLATE "C" NOT NULL,
    context text COLLATE "C" NOT NULL,
    user_id text COLLATE "C" NOT NULL REFERENCES unique_account.accounts ON DELETE CASCADE,
    PRIMARY KEY (kind, name, context)
);
CREATE INDEX claims_user ON unique_account.claims (user_id);

-- A number as it is dialled and compared: without spaces, dashes, dots, slashes, brackets, what nobody sees,
-- and the (0) of +33 (0)1 23.
CREATE FUNCTION unique_account.dialled(written text) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT translate(CASE WHEN bare ~ '^\(?(\+|00)' THEN replace(bare, '(0)', '') ELSE bare END, '()', '')
    FROM (SELECT regexp_replace(
        written,
        '[\t./ \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000'
        '\u002d\u058a\u05be\u1400\u1806\u2010-\u2015\u2e17\u2e1a\u2e3a\u2e3b\u2e40\u2e5d'
        '\u301c\u3030\u30a0\ufe31\ufe32\ufe58\ufe63\uff0d\U00010ead'
        '\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064'
        '\u2066-\u206f\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3'
        '\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f]',
        '', 'g') AS bare) AS stripped
$$;

CREATE FUNCTION unique_account.claims_of(administered text)
RETURNS TABLE (kind text, name text, context text) LANGUAGE sql IMMUTABLE AS $$
    WITH account AS (SELECT administered::json AS document)
    SELECT 'device', document ->> device, '' FROM account, (VALUES ('deskphone'), ('webrtc')) AS devices (device)
    UNION
    SELECT 'number', unique_account.dialled(number), document ->> 'context'
    FROM account, LATERAL (
        SELECT document ->> 'extension' AS number
        UNION ALL SELECT json_array_elements_text(document -> 'dids')
    ) AS numbers
$$;

-- What the core says of a claim that another user has already.
CREATE FUNCTION unique_account.collision(claimant text, kind text, name text, context text)
RETURNS text LANGUAGE sql STABLE AS $$
    SELECT format('%s: %s %s%s is already that of %s', claimant, held.kind, held.name,
        CASE held.context WHEN '' THEN '' ELSE ' in ' || held.context END, held.user_id)
    FROM unique_account.claims AS held
    WHERE (held.kind, held.name, held.context) = ($2, $3, $4) AND held.user_id <> claimant
$$;

-- Claims that others have already are reported, and left with whose id comes first.
DO $$
DECLARE
    claimed record;
BEGIN
    FOR claimed IN
        SELECT account.user_id, claim.*
        FROM unique_account.accounts AS account, unique_account.claims_of(account.administered) AS claim
        ORDER BY account.user_id
    LOOP
        INSERT INTO unique_account.claims VALUES (claimed.kind, claimed.name, claimed.context, claimed.user_id)
        ON CONFLICT DO NOTHING;
        IF NOT FOUND THEN
            RAISE WARNING '%', unique_account.collision(
                claimed.user_id, claimed.kind, claimed.name, claimed.context);
        END IF;
    END LOOP;
END
$$;

CREATE FUNCTION unique_account.claim() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    claimed record;
    taken text[] := '{}';
BEGIN
    IF TG_OP = 'UPDATE' THEN
        DELETE FROM unique_account.claims AS held
        WHERE held.user_id = NEW.user_id AND (held.kind, held.name, held.context) NOT IN (
            SELECT * FROM unique_account.claims_of(NEW.administered));
    END IF;
    FOR claimed IN
        SELECT claim.*, claim IN (SELECT former FROM unique_account.claims_of(OLD.administered) AS former) AS former
        FROM unique_account.claims_of(NEW.administered) AS claim
        ORDER BY claim.kind, claim.name, claim.context
    LOOP
        INSERT INTO unique_account.claims VALUES (claimed.kind, claimed.name, claimed.context, NEW.user_id)
        ON CONFLICT DO NOTHING;
        IF NOT FOUND AND NOT claimed.former THEN
            taken := array_append(taken, unique_account.collision(
                NEW.user_id, claimed.kind, claimed.name, claimed.context));
        END IF;
    END LOOP;
    taken := array_remove(taken, NULL);
    IF taken <> '{}' THEN
        RAISE unique_violation USING CONSTRAINT = 'claims_pkey', MESSAGE = array_to_string(taken, E'\n');
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER inserted AFTER INSERT ON unique_account.accounts
    FOR EACH ROW EXECUTE FUNCTION unique_account.claim();
CREATE TRIGGER updated AFTER UPDATE OF administered ON unique_account.accounts
    FOR EACH ROW WHEN (OLD.administered IS DISTINCT FROM NEW.administered)
    EXECUTE FUNCTION unique_account.claim();
