// The tables of a ledger in PostgreSQL. The server itself refuses what must not happen, whatever a client does: a line
// that does not follow the last one, a number of two manifests, a version of two images, a one-time leaf that is used
// twice, a change or removal of a line. So a signer who is not honest can enter what every signer can, and keep a turn
// until its owner ends the session, but cannot make the ledger or the copies useless for the others.

/** The version of the tables: the number of migrations. */
export const SCHEMA_VERSION = 1;

/** What each refusal of the server means, by its SQLSTATE. */
export const SERVER_REFUSALS = {
  notAtEnd: "FS001",
  numberTaken: "FS002",
  leafTaken: "FS003",
  isFixed: "FS004",
  doesNotFollow: "FS005",
  isAhead: "FS007",
  noSigner: "FS006",
} as const;

/** A function that its callers cannot lead astray: names of types, too, are looked for in their temporary schema. */
const SAFE = "SET search_path = pg_catalog, pg_temp";

/** Each one brings the tables from the version before. They run in one transaction. */
export const MIGRATIONS: readonly string[] = [
  `
CREATE SCHEMA firmseal;
CREATE TABLE firmseal.version (version integer NOT NULL);
INSERT INTO firmseal.version VALUES (0);
CREATE TABLE firmseal.ledger (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL UNIQUE,
  people boolean NOT NULL
);
-- the roles that may use each ledger
CREATE TABLE firmseal.signer (
  ledger integer NOT NULL REFERENCES firmseal.ledger,
  role name NOT NULL,
  PRIMARY KEY (ledger, role)
);
-- the lines of each ledger, by the byte offset at which they begin
CREATE TABLE firmseal.line (
  ledger integer NOT NULL REFERENCES firmseal.ledger,
  start bigint NOT NULL,
  line bytea NOT NULL CHECK (octet_length(line) BETWEEN 2 AND 1048577 AND position('\\x0a'::bytea IN line) = octet_length(line)),
  PRIMARY KEY (ledger, start)
);
-- sequence numbers of manifests; "version " and the version of images for boot loaders
CREATE TABLE firmseal.number (
  ledger integer NOT NULL,
  scope text NOT NULL,
  number text NOT NULL,
  digest text NOT NULL,
  PRIMARY KEY (ledger, scope, number, digest)
);
CREATE TABLE firmseal.leaf (
  ledger integer NOT NULL,
  key text NOT NULL,
  leaf numeric(61) NOT NULL,
  PRIMARY KEY (ledger, key, leaf)
);
-- of every ledger: what each leaf signs. A ledger that was entered in another one has the same
CREATE TABLE firmseal.signs (
  key text NOT NULL,
  leaf numeric(61) NOT NULL,
  tbs text NOT NULL,
  PRIMARY KEY (key, leaf)
);

CREATE FUNCTION firmseal.mine() RETURNS SETOF integer LANGUAGE sql STABLE SECURITY DEFINER ${SAFE} AS $$
  SELECT s.ledger FROM firmseal.signer s JOIN pg_roles r ON r.rolname = s.role WHERE pg_has_role(session_user, r.oid, 'USAGE')
$$;
ALTER TABLE firmseal.ledger ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_signers ON firmseal.ledger FOR SELECT USING (id = ANY (ARRAY(SELECT firmseal.mine())));
ALTER TABLE firmseal.line ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_signers ON firmseal.line USING (ledger = ANY (ARRAY(SELECT firmseal.mine())));

-- the turn is a lock on a row: nobody else can hold it
CREATE FUNCTION firmseal.turn(wanted integer) RETURNS void LANGUAGE plpgsql SECURITY DEFINER ${SAFE} AS $$
BEGIN
  IF NOT (firmseal.is_owner() OR wanted IN (SELECT firmseal.mine())) THEN
    RAISE EXCEPTION 'the role is not a signer of this ledger' USING ERRCODE = '${SERVER_REFUSALS.noSigner}';
  END IF;
  PERFORM 1 FROM firmseal.ledger WHERE id = wanted FOR UPDATE;
END $$;

CREATE FUNCTION firmseal.is_owner() RETURNS boolean LANGUAGE sql STABLE ${SAFE} AS $$
  SELECT pg_has_role(session_user, tableowner, 'MEMBER') FROM pg_tables WHERE schemaname = 'firmseal' AND tablename = 'line'
$$;

-- the members of an entry, each of its kind and once, as every client requires them
CREATE FUNCTION firmseal.is_entry(entry pg_catalog.json) RETURNS boolean LANGUAGE sql STABLE ${SAFE} AS $$
  SELECT entry->>'v' = '1' AND num_nonnulls(entry->>'time', entry->>'user', entry->>'host', entry->>'operation', entry->>'prev', entry->>'hash') = 6
    AND coalesce(entry->>'leaf', '0') ~ '^[0-9]{1,61}$' AND coalesce(entry->>'batch', '1') ~ '^[1-9][0-9]{0,3}$'
    AND coalesce(entry->>'sequence', '0') ~ '^[0-9]{1,20}$'
    AND (SELECT count(*) = count(DISTINCT key) AND bool_and(CASE
      WHEN key IN ('v', 'n') THEN json_typeof(value) = 'number'
      WHEN key IN ('scope', 'overrides', 'approvers', 'removed') THEN CASE json_typeof(value)
        WHEN 'array' THEN NOT EXISTS (SELECT FROM json_array_elements(value) AS one WHERE json_typeof(one) <> 'string')
        ELSE false END
      ELSE json_typeof(value) = 'string' AND key IN ('time', 'user', 'host', 'job', 'operation', 'key', 'digest', 'batch', 'tbs',
        'sequence', 'version', 'leaf', 'from', 'to', 'reason', 'withdrawn', 'prev', 'hash')
      END) FROM json_each(entry))
$$;

-- a statement keeps the plans of its first line, and the tables may have been empty then: by an index, always
CREATE FUNCTION firmseal.enter() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER ${SAFE}
SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
  last record;
  entry pg_catalog.json;
  before pg_catalog.json;
  one pg_catalog.text;
  number_of pg_catalog.text;
  body pg_catalog.bytea;
  hash pg_catalog.text;
BEGIN
  SELECT start + octet_length(line) AS "end", line INTO last FROM firmseal.line WHERE ledger = NEW.ledger ORDER BY start DESC LIMIT 1;
  IF NEW.start <> coalesce(last."end", 0) THEN
    RAISE EXCEPTION 'the line is not at the end of the ledger' USING ERRCODE = '${SERVER_REFUSALS.notAtEnd}';
  END IF;
  -- 75 bytes: ,"hash":"..."}
  body := substring(NEW.line FROM 1 FOR greatest(octet_length(NEW.line) - 76, 0)) || '\\x7d'::pg_catalog.bytea;
  hash := encode(sha256(body), 'hex');
  BEGIN
    entry := convert_from(NEW.line, 'UTF8')::pg_catalog.json;
    before := coalesce(convert_from(last.line, 'UTF8'), '{"n":0,"hash":"${"0".repeat(64)}"}')::pg_catalog.json;
    IF (entry->>'hash' = hash AND entry->>'prev' = before->>'hash' AND entry->>'n' = ((before->>'n')::pg_catalog.numeric + 1)::pg_catalog.text
      AND get_byte(NEW.line, 0) = 123 AND firmseal.is_entry(entry) AND entry->>'operation' NOT IN ('accept-restored', 'join')) IS NOT TRUE THEN
      RAISE EXCEPTION 'the line does not follow the last one' USING ERRCODE = '${SERVER_REFUSALS.doesNotFollow}';
    END IF;
    IF (entry->>'time')::pg_catalog.timestamptz > now() + interval '1 day' THEN
      RAISE EXCEPTION 'the time of the entry is ahead' USING ERRCODE = '${SERVER_REFUSALS.isAhead}';
    END IF;
  EXCEPTION WHEN data_exception OR SQLSTATE '${SERVER_REFUSALS.doesNotFollow}' THEN
    -- the owner enters whole logs, which may have been joined, or have the rest of an entry that was cut
    IF NOT firmseal.is_owner() THEN
      RAISE EXCEPTION 'the line does not follow the last one' USING ERRCODE = '${SERVER_REFUSALS.doesNotFollow}';
    END IF;
  END;
  IF entry IS NULL OR entry->>'operation' = 'withdraw' THEN
    RETURN NEW;
  END IF;
  IF entry->>'leaf' IS NOT NULL THEN
    INSERT INTO firmseal.signs VALUES (entry->>'key', (entry->>'leaf')::pg_catalog.numeric, coalesce(entry->>'tbs', '')) ON CONFLICT DO NOTHING;
    SELECT tbs INTO one FROM firmseal.signs WHERE key = entry->>'key' AND leaf = (entry->>'leaf')::pg_catalog.numeric;
    BEGIN
      IF one <> coalesce(entry->>'tbs', '') THEN
        RAISE unique_violation;
      END IF;
      INSERT INTO firmseal.leaf VALUES (NEW.ledger, entry->>'key', (entry->>'leaf')::pg_catalog.numeric);
    EXCEPTION WHEN unique_violation THEN
      RAISE EXCEPTION 'leaf % of the key has signed', entry->>'leaf' USING ERRCODE = '${SERVER_REFUSALS.leafTaken}';
    END;
  END IF;
  IF entry->>'digest' IS NULL OR entry->'scope' IS NULL THEN
    RETURN NEW;
  END IF;
  FOR one IN SELECT json_array_elements_text(entry->'scope') LOOP
    -- images of boot loaders may share a security counter, and not a version
    number_of := CASE WHEN one ~ '^(mcuboot|esp32|esp32-boot):' THEN 'version ' || (entry->>'version')
      ELSE (entry->>'sequence')::pg_catalog.numeric::pg_catalog.text END;
    CONTINUE WHEN number_of IS NULL;
    -- the owner enters the logs of machines that gave a number again after a restore
    IF NOT firmseal.is_owner() AND coalesce(entry->>'overrides', '') NOT LIKE '%"allow-sequence-reuse"%'
      AND EXISTS (SELECT FROM firmseal.number WHERE ledger = NEW.ledger AND scope = one AND number = number_of)
      AND NOT EXISTS (SELECT FROM firmseal.number WHERE ledger = NEW.ledger AND scope = one AND number = number_of AND digest = entry->>'digest') THEN
      RAISE EXCEPTION '% has another manifest or image', number_of USING ERRCODE = '${SERVER_REFUSALS.numberTaken}';
    END IF;
    INSERT INTO firmseal.number VALUES (NEW.ledger, one, number_of, entry->>'digest') ON CONFLICT DO NOTHING;
  END LOOP;
  RETURN NEW;
END $$;
CREATE TRIGGER enter BEFORE INSERT ON firmseal.line FOR EACH ROW EXECUTE FUNCTION firmseal.enter();

CREATE FUNCTION firmseal.refuse() RETURNS trigger LANGUAGE plpgsql ${SAFE} AS $$
BEGIN
  IF current_user = (SELECT tableowner FROM pg_tables WHERE schemaname = 'firmseal' AND tablename = TG_TABLE_NAME) THEN
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
  END IF;
  RAISE EXCEPTION 'the lines of a ledger stay as they are' USING ERRCODE = '${SERVER_REFUSALS.isFixed}';
END $$;
CREATE TRIGGER fixed BEFORE UPDATE OR DELETE ON firmseal.line FOR EACH ROW EXECUTE FUNCTION firmseal.refuse();
CREATE TRIGGER kept BEFORE TRUNCATE ON firmseal.line FOR EACH STATEMENT EXECUTE FUNCTION firmseal.refuse();
REVOKE ALL ON FUNCTION firmseal.mine(), firmseal.turn(integer), firmseal.is_owner(), firmseal.is_entry(json), firmseal.enter(), firmseal.refuse() FROM PUBLIC;
`,
];

/** What a role of signers may do. `role`: quoted for SQL. */
export const grants = (role: string): string => `
GRANT USAGE ON SCHEMA firmseal TO ${role};
GRANT SELECT ON firmseal.version, firmseal.ledger, firmseal.line TO ${role};
GRANT INSERT ON firmseal.line TO ${role};
GRANT EXECUTE ON FUNCTION firmseal.mine(), firmseal.turn(integer), firmseal.is_owner() TO ${role};
`;
