// A ledger in PostgreSQL: lines, and what must be unique, in tables (schema.ts). A turn is a transaction that holds a
// lock on a row. The server ends it with the connection, so a machine that dies stops nobody.

import { readFileSync } from "node:fs";
import type { Client, ClientConfig, DatabaseError } from "pg";
import { environment, Failure, refusedInput, systemFault, usage } from "../errors/failure.js";
import { commonTrouble, importPackage } from "../sources/services/service.js";
import { visible } from "../words.js";
import { brokenLedger, type Ledger, type LedgerOptions, ledgerMoved, type Turn, type TurnOptions } from "./ledger.js";
import type { LedgerPlace } from "./place.js";
import { grants, MIGRATIONS, SCHEMA_VERSION, SERVER_REFUSALS } from "./schema.js";

/** Milliseconds to connect, and for an answer that waits for nobody. */
const ANSWER = 15_000;
/** Milliseconds that a turn may take: then the server ends it, and the next machine goes on. */
const LONGEST_TURN = 60_000;
/** Lines in one answer. */
const LINES = 500;
/** Bytes of lines in one statement, which takes the server a second or two. A longer line is one alone. */
const PART = 1 << 20;
/** The lines of a ledger from the one with a byte on. */
const READ = `SELECT start, line FROM firmseal.line
  WHERE ledger = $1 AND start >= (SELECT max(start) FROM firmseal.line WHERE ledger = $1 AND start <= $2) AND start + length(line) > $2
  ORDER BY start LIMIT $3`;

/** What a role may do besides appending and reading: by itself, by SET ROLE, or in one column. */
const RIGHTS = `SELECT string_agg(t || ' ' || p, ', ') FROM (
  SELECT t, p FROM unnest(ARRAY['line', 'number', 'leaf', 'signs', 'signer', 'ledger', 'version']) t,
    unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER', 'INSERT']) p
  WHERE (t, p) <> ('line', 'INSERT') AND EXISTS (
    SELECT FROM pg_roles r WHERE pg_has_role(r.oid, 'MEMBER') AND (has_table_privilege(r.oid, 'firmseal.' || t, p)
      OR (p IN ('UPDATE', 'INSERT') AND has_any_column_privilege(r.oid, 'firmseal.' || t, p)))
  ) LIMIT 4) AS found`;

const NO_LEDGER = "make it as the owner of the database: firmseal ledger init";
const CREDENTIALS = "set PGUSER, and PGPASSWORD, PGPASSFILE or ~/.pgpass; the server's pg_hba.conf must allow the role";

/** Whether what was sent was entered is not known. If it was, the next command finds it. */
const LOST = [
  "the connection to the server ended",
  "check the network and the server, then run the command again; nothing was signed",
] as const;

/** Errors of the library, which have no code. */
const BY_MESSAGE: readonly (readonly [RegExp, readonly [string, string]])[] = [
  [/^Connection terminated|connection error|timeout/i, LOST],
  [/does not support SSL/, ["the server offers no TLS", "turn it on (ssl = on): only a server on this machine is used without it"]],
  [/password/i, ["the server asks for a password", CREDENTIALS]],
];

/** Errors of the server, by their SQLSTATE, and of its socket: what is wrong, and what to do. */
const TROUBLES: { readonly [code: string]: readonly [string, string] } = {
  ENOENT: ["the server has no socket here", "start it, or name its folder: PGHOST"],
  "28P01": ["the server does not accept the password", CREDENTIALS],
  "28000": ["the server does not accept the role", CREDENTIALS],
  "3D000": ["the database does not exist", "check the name in the place; the owner makes it: createdb"],
  "42501": ["the role may not use the ledger", "grant it: firmseal ledger init … --signers ROLE"],
  "3F000": ["the database has no ledgers", NO_LEDGER],
  "42P01": ["the database has no ledgers", NO_LEDGER],
  "55P03": ["other machines use the ledger without a pause", "run the command again"],
  "25P03": ["the turn took too long", "run the command again; nothing was signed"],
  "25006": ["the server is a copy that accepts no entries", "name the primary server"],
  "53300": ["the server has too many connections", "run the command again later"],
  "57P01": ["the server is stopping", "run the command again later"],
  "57P03": ["the server is starting", "run the command again later"],
  [SERVER_REFUSALS.noSigner]: ["the role may not use the ledger", "let it: firmseal ledger init … --signers ROLE"],
  [SERVER_REFUSALS.doesNotFollow]: [
    "an entry does not follow the last one",
    "only the owner of the database enters a log that was joined or accepted: firmseal ledger import",
  ],
  [SERVER_REFUSALS.isAhead]: [
    "the time of the entry is more than a day ahead of the server's clock",
    "set the clocks: other machines would refuse theirs",
  ],
  [SERVER_REFUSALS.numberTaken]: [
    "the ledger has another manifest under this number, or another image under this version",
    "give it a new one: `seq` next or `version`, or raise it in the description",
  ],
  [SERVER_REFUSALS.leafTaken]: [
    "the ledger says that this one-time leaf has signed: another copy of the key is in use",
    "let one machine sign with the key, from a leaf above the highest one: firmseal hss skip KEY --to N",
  ],
  "42704": ["the role does not exist", "the owner of the database makes it: createuser ROLE"],
};

/** An error of the server or of the connection, in words. */
function failure({ text }: LedgerPlace, e: unknown): unknown {
  if (e instanceof Failure) return e;
  const { code, message } = e as Partial<DatabaseError>;
  const [what, hint] = (typeof code === "string" && Object.hasOwn(TROUBLES, code) ? TROUBLES[code] : undefined) ??
    commonTrouble(e) ??
    BY_MESSAGE.find(([pattern]) => pattern.test(String(message)))?.[1] ?? [
      `the database failed: ${visible(String(message).slice(0, 200))}`,
      "see the server's log, and run the command again; nothing was signed",
    ];
  return code === SERVER_REFUSALS.numberTaken
    ? refusedInput("ERR_SEQUENCE", `${text}: ${what}`, hint)
    : code === SERVER_REFUSALS.leafTaken
      ? new Failure(3, "ERR_KEY_STATE", `${text}: ${what}`, hint)
      : environment(`${text}: ${what}`, hint, e);
}

const isHere = (host: string) => host.startsWith("/") || ["localhost", "127.0.0.1", "::1", "[::1]"].includes(host);

const fileIn = (variable: string) => {
  const path = process.env[variable];
  if (!path) return undefined;
  try {
    return readFileSync(path, "utf8");
  } catch (e) {
    throw systemFault(e, `${variable}=${path}`) ?? e;
  }
};

/** How to connect: as the variables of PostgreSQL say, but never to another machine without a verified certificate. */
function configOf({ url }: LedgerPlace): ClientConfig {
  const host = url.hostname.replace(/^\[|\]$/g, "") || process.env["PGHOST"] || "localhost";
  const ca = fileIn("PGSSLROOTCERT");
  const [cert, key] = [fileIn("PGSSLCERT"), fileIn("PGSSLKEY")];
  return {
    host,
    port: Number(url.port || process.env["PGPORT"] || 5432),
    ...(url.username !== "" && { user: decodeURIComponent(url.username) }),
    database: decodeURIComponent(url.pathname.slice(1)),
    ssl: isHere(host) ? false : { rejectUnauthorized: true, ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) },
    application_name: "firmseal",
    connectionTimeoutMillis: ANSWER,
    // longer than the longest wait for a lock
    query_timeout: LONGEST_TURN + 2 * ANSWER,
    keepAlive: true,
  };
}

async function connect(place: LedgerPlace): Promise<Client> {
  const { default: pg } = await importPackage(place.text, "pg", () => import("pg"));
  const client = new pg.Client(configOf(place));
  // a connection that ends is told by the query that needs it
  client.on("error", () => {});
  try {
    await client.connect();
  } catch (e) {
    await client.end().catch(() => {});
    throw failure(place, e);
  }
  return client;
}

/** The tables, or why they cannot be used. */
async function versionOf(client: Client): Promise<number> {
  const { rows } = await client.query<{ found: string | null }>("SELECT to_regclass('firmseal.version')::text AS found");
  if (rows[0]?.found == null) return 0;
  return (await client.query<{ version: number }>("SELECT version FROM firmseal.version")).rows[0]?.version ?? 0;
}

/** Opens the ledger of a name. Throws a Failure if a client cannot rely on what the server does with it. */
export async function openPostgres(place: LedgerPlace): Promise<Ledger> {
  const client = await connect(place);
  try {
    const version = await versionOf(client);
    if (version === 0) throw environment(`${place.text}: the database has no ledgers`, NO_LEDGER);
    if (version !== SCHEMA_VERSION)
      throw environment(
        `${place.text}: its tables are of version ${version}, and this firmseal knows version ${SCHEMA_VERSION}`,
        version < SCHEMA_VERSION ? "bring them up to date: firmseal ledger init" : "use a newer firmseal",
      );
    const { rows } = await client.query<{ id: number; people: boolean; fsync: string; rights: string | null }>(
      `SELECT id, people, current_setting('fsync') AS fsync,
        (${RIGHTS}) AS rights FROM firmseal.ledger WHERE name = $1`,
      [place.name],
    );
    const [row] = rows;
    if (!row) throw await noSuchLedger(client, place);
    if (row.fsync !== "on")
      throw environment(
        `${place.text}: the server does not write to the disk (fsync = off)`,
        "set fsync = on: a number that is lost is given twice",
      );
    return new PostgresLedger(place, client, row.id, row.people, row.rights);
  } catch (e) {
    await client.end().catch(() => {});
    throw failure(place, e);
  }
}

async function noSuchLedger(client: Client, { text, name }: LedgerPlace): Promise<Failure> {
  const { rows } = await client.query<{ name: string }>("SELECT name FROM firmseal.ledger ORDER BY name LIMIT 8");
  const known = rows.map((one) => visible(one.name)).join(", ");
  return environment(
    `${text}: the database has no ledger ${name}${known === "" ? "" : `, but ${known}`}`,
    "check the name after #, or make the ledger: firmseal ledger init",
  );
}

/** Lines from a byte offset on, in parts for one statement each: a whole log would take longer than an answer may. */
function* partsOf(at: number, lines: readonly Buffer[]): Generator<{ starts: number[]; lines: Buffer[] }> {
  let [part, length]: [{ starts: number[]; lines: Buffer[] }, number] = [{ starts: [], lines: [] }, 0];
  for (const line of lines) {
    if (part.lines.length > 0 && length + line.length > PART) {
      yield part;
      [part, length] = [{ starts: [], lines: [] }, 0];
    }
    part.starts.push(at);
    part.lines.push(line);
    at += line.length;
    length += line.length;
  }
  yield part;
}

class PostgresLedger implements Ledger {
  constructor(
    readonly place: LedgerPlace,
    private readonly client: Client,
    private readonly id: number,
    readonly people: boolean,
    /** What the role may do besides appending and reading. */
    private readonly rights: string | null,
  ) {}

  async *read(from: number): AsyncGenerator<Buffer> {
    try {
      for (let at = from, isFirst = true; ; isFirst = false) {
        const { rows } = await this.client.query<{ start: string; line: Buffer }>(READ, [this.id, at, LINES]);
        const [first] = rows;
        if (!first) return;
        // in a ledger that differs, no line need begin at `from`
        const before = isFirst ? at - Number(first.start) : 0;
        if (isFirst) at = Number(first.start);
        for (const { start, line } of rows) {
          // nothing that a database may answer keeps this loop running
          if (line.length === 0 || Number(start) !== at) throw brokenLedger(this.place);
          at += line.length;
        }
        yield Buffer.concat(rows.map(({ line }) => line)).subarray(before);
      }
    } catch (e) {
      throw failure(this.place, e);
    }
  }

  async turn({ wait, signal, isImport = false }: TurnOptions): Promise<Turn> {
    const { client, place, id } = this;
    if (this.rights !== null && !isImport)
      throw environment(
        `${place.text}: the role may change what others have entered (${this.rights.toLowerCase()})`,
        "sign with a role that may only append and read: firmseal ledger init … --signers ROLE",
      );
    const end = () => client.query("ROLLBACK").catch(() => {});
    let time: number;
    try {
      await client.query("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE");
      await client.query("SET LOCAL statement_timeout = 0");
      // durable before the answer, whatever the server's default is
      await client.query("SET LOCAL synchronous_commit = on");
      await client.query(`SET LOCAL idle_in_transaction_session_timeout = ${LONGEST_TURN}`);
      await client.query(`SET LOCAL lock_timeout = ${Math.min(wait * 1000, LONGEST_TURN)}`);
      await client.query("SELECT firmseal.turn($1)", [id]);
      const { rows } = await client.query<{ time: string }>("SELECT extract(epoch FROM clock_timestamp()) * 1000 AS time");
      time = Number(rows[0]?.time);
      signal?.throwIfAborted();
    } catch (e) {
      await end();
      throw signal?.aborted ? e : failure(place, e);
    }
    return {
      time,
      append: async (at, lines) => {
        try {
          for (const { starts, lines: part } of partsOf(at, lines))
            await client.query("INSERT INTO firmseal.line SELECT $1, s, l FROM unnest($2::bigint[], $3::bytea[]) AS x (s, l) ORDER BY s", [
              id,
              starts,
              part,
            ]);
          await client.query("COMMIT");
        } catch (e) {
          await end();
          const { code } = e as Partial<DatabaseError>;
          throw code === SERVER_REFUSALS.notAtEnd || code === "23505" ? ledgerMoved(place) : failure(place, e);
        }
      },
      end: async () => void (await end()),
    };
  }

  async close(): Promise<void> {
    await this.client.end().catch(() => {});
  }
}

/** Makes a ledger, and its tables if they are missing or old. The role that does it owns them. */
export async function initPostgres(place: LedgerPlace, { people = false, signers }: LedgerOptions): Promise<void> {
  const client = await connect(place);
  try {
    await client.query("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE");
    await client.query("SELECT pg_advisory_xact_lock(hashtext('firmseal'), 0)");
    const version = await versionOf(client);
    if (version > SCHEMA_VERSION)
      throw environment(`${place.text}: its tables are of version ${version}, which is newer than this firmseal`, "use a newer firmseal");
    const { rows } = await client.query<{ encoding: string }>("SELECT current_setting('server_encoding') AS encoding");
    if (rows[0]?.encoding !== "UTF8")
      throw environment(
        `${place.text}: the database is in ${rows[0]?.encoding}, and its checks need UTF8`,
        "make it with: createdb -E UTF8 -T template0",
      );
    for (const migration of MIGRATIONS.slice(version)) await client.query(migration);
    await client.query("UPDATE firmseal.version SET version = $1", [SCHEMA_VERSION]);
    const made = await client.query("INSERT INTO firmseal.ledger (name, people) VALUES ($1, $2) ON CONFLICT DO NOTHING", [
      place.name,
      people,
    ]);
    const isThere = made.rowCount === 0;
    if (isThere && ((signers === undefined && version === SCHEMA_VERSION) || people))
      throw usage(
        `${place.text}: there is a ledger of this name`,
        "two products have two names; `signers` ROLE lets a role use the existing one",
      );
    if (signers !== undefined) {
      await client.query(grants(client.escapeIdentifier(signers)));
      await client.query("INSERT INTO firmseal.signer SELECT id, $2 FROM firmseal.ledger WHERE name = $1 ON CONFLICT DO NOTHING", [
        place.name,
        signers,
      ]);
    }
    await client.query("COMMIT");
  } catch (e) {
    throw failure(place, e);
  } finally {
    await client.end().catch(() => {});
  }
}
