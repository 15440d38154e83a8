// The tables of a ledger in PostgreSQL. The server itself refuses what must not happen, whatever a client does: a line
// that is not at the end, a number of two manifests, a one-time leaf that is used twice, a change or removal of a line.

/** The version of the tables: the number of migrations. */
export const SCHEMA_VERSION = 1;

/** What each refusal of the server means, by its SQLSTATE. */
export const REFUSALS = {
  notAtEnd: "FS001",
  numberTaken: "FS002",
  leafTaken: "FS003",
  isFixed: "FS004",
} as const;

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
-- the lines of each ledger, by the byte offset at which they begin
CREATE TABLE firmseal.line (
  ledger integer NOT NULL REFERENCES firmseal.ledger,
  start bigint NOT NULL,
  line bytea NOT NULL,
  PRIMARY KEY (ledger, start)
);
CREATE TABLE firmseal.number (
  ledger integer NOT NULL,
  scope text NOT NULL,
  number numeric(20) NOT NULL,
  digest text NOT NULL,
  PRIMARY KEY (ledger, scope, number)
);
-- of every ledger: a key may sign for several products
CREATE TABLE firmseal.leaf (
  key text NOT NULL,
  leaf numeric(61) NOT NULL,
  PRIMARY KEY (key, leaf)
);

CREATE FUNCTION firmseal.enter() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
  length bigint;
  entry json;
  one text;
  known text;
BEGIN
  SELECT start + octet_length(line) INTO length FROM firmseal.line WHERE ledger = NEW.ledger ORDER BY start DESC LIMIT 1;
  IF NEW.start <> coalesce(length, 0) THEN
    RAISE EXCEPTION 'the line is not at the end of the ledger' USING ERRCODE = '${REFUSALS.notAtEnd}';
  END IF;
  BEGIN
    entry := convert_from(NEW.line, 'UTF8')::json;
  EXCEPTION WHEN data_exception THEN
    -- the rest of an entry that was cut, in a log that was imported
    RETURN NEW;
  END;
  IF entry->>'leaf' IS NOT NULL THEN
    BEGIN
      INSERT INTO firmseal.leaf VALUES (entry->>'key', (entry->>'leaf')::numeric);
    EXCEPTION WHEN unique_violation THEN
      RAISE EXCEPTION 'leaf % of the key has signed', entry->>'leaf' USING ERRCODE = '${REFUSALS.leafTaken}';
    END;
  END IF;
  IF entry->>'sequence' IS NULL OR entry->>'digest' IS NULL OR entry->'scope' IS NULL
    OR coalesce(entry->>'overrides', '') LIKE '%"allow-sequence-reuse"%' THEN
    RETURN NEW;
  END IF;
  FOR one IN SELECT json_array_elements_text(entry->'scope') LOOP
    INSERT INTO firmseal.number VALUES (NEW.ledger, one, (entry->>'sequence')::numeric, entry->>'digest') ON CONFLICT DO NOTHING;
    SELECT digest INTO known FROM firmseal.number
      WHERE ledger = NEW.ledger AND scope = one AND number = (entry->>'sequence')::numeric;
    IF known <> entry->>'digest' THEN
      RAISE EXCEPTION 'sequence number % has another manifest', entry->>'sequence' USING ERRCODE = '${REFUSALS.numberTaken}';
    END IF;
  END LOOP;
  RETURN NEW;
END $$;
CREATE TRIGGER enter BEFORE INSERT ON firmseal.line FOR EACH ROW EXECUTE FUNCTION firmseal.enter();

CREATE FUNCTION firmseal.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF current_user = (SELECT tableowner FROM pg_catalog.pg_tables WHERE schemaname = 'firmseal' AND tablename = TG_TABLE_NAME) THEN
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
  END IF;
  RAISE EXCEPTION 'the lines of a ledger stay as they are' USING ERRCODE = '${REFUSALS.isFixed}';
END $$;
CREATE TRIGGER fixed BEFORE UPDATE OR DELETE ON firmseal.line FOR EACH ROW EXECUTE FUNCTION firmseal.refuse();
CREATE TRIGGER kept BEFORE TRUNCATE ON firmseal.line FOR EACH STATEMENT EXECUTE FUNCTION firmseal.refuse();
CREATE TRIGGER fixed BEFORE UPDATE OR DELETE ON firmseal.number FOR EACH ROW EXECUTE FUNCTION firmseal.refuse();
CREATE TRIGGER fixed BEFORE UPDATE OR DELETE ON firmseal.leaf FOR EACH ROW EXECUTE FUNCTION firmseal.refuse();
`,
];

/** What a role of signers may do. `role`: quoted for SQL. */
export const grants = (role: string): string => `
GRANT USAGE ON SCHEMA firmseal TO ${role};
GRANT SELECT ON firmseal.version, firmseal.ledger, firmseal.line TO ${role};
GRANT INSERT ON firmseal.line TO ${role};
`;
