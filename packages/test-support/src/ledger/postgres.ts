// A PostgreSQL server of a test, from Debian: a cluster in a folder of its own, without a password on its socket.

import { type SpawnSyncOptions, spawnSync } from "node:child_process";
import { appendFileSync, chownSync, cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = "/usr/lib/postgresql";
/** The programs of the newest version. */
const bin = existsSync(ROOT)
  ? readdirSync(ROOT)
      .map(Number)
      .filter((n) => existsSync(`${ROOT}/${n}/bin/initdb`))
      .sort((a, b) => b - a)
      .map((n) => `${ROOT}/${n}/bin`)[0]
  : undefined;

/** Why the tests with PostgreSQL skip themselves; "" if they do not. */
export const whyNoPostgres = bin === undefined ? " (skipped: no PostgreSQL server)" : "";

/**
 * The server refuses to run as root: then it runs as the user of its Debian package, in the home of this user,
 * because the temporary folders of root are closed to others.
 */
function serverUser(): { uid: number; gid: number; home: string } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const [, uid, gid, home = ""] = /^postgres:[^:]*:(\d+):(\d+):[^:]*:([^:]*):/m.exec(readFileSync("/etc/passwd", "latin1")) ?? [];
  return { uid: Number(uid), gid: Number(gid), home };
}

function run(command: string, args: readonly string[], options: SpawnSyncOptions = {}): { stdout: string; stderr: string } {
  const r = spawnSync(command, args, { encoding: "utf8", ...options });
  if (r.status !== 0) throw new Error(`${command} ${args.join(" ")}: ${r.stderr ?? ""}`);
  return { stdout: String(r.stdout), stderr: String(r.stderr) };
}

/** A server with the superuser "owner" and the database "ledgers". Its socket is in `folder`. */
export class Postgres {
  private readonly user = serverUser();
  readonly folder = mkdtempSync(join(this.user?.home ?? tmpdir(), "firmseal-pg-"));
  /** Where clients find it. */
  readonly env: { readonly PGHOST: string; readonly PGPORT: string; readonly PGUSER: string };
  private readonly data = join(this.folder, "data");

  constructor(
    readonly port: number,
    /** More lines of postgresql.conf. */
    settings: readonly string[] = [],
  ) {
    this.env = { PGHOST: this.folder, PGPORT: String(port), PGUSER: "signer" };
    if (this.user) chownSync(this.folder, this.user.uid, this.user.gid);
    this.program("initdb", "-D", this.data, "-U", "owner", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync");
    const conf = [`port = ${port}`, `unix_socket_directories = '${this.folder}'`, "max_connections = 50", ...settings];
    writeFileSync(join(this.data, "postgresql.auto.conf"), `${conf.join("\n")}\n`);
    // as another machine would come, which needs TLS; the role "guarded" also a password
    appendFileSync(
      join(this.data, "pg_hba.conf"),
      "hostssl all guarded all scram-sha-256\nhostssl all all all trust\nhostnossl all all all reject\n",
    );
    this.start();
    this.sql("CREATE DATABASE ledgers", "postgres");
    this.sql("CREATE ROLE signer LOGIN");
  }

  private program(name: string, ...args: string[]): void {
    run(`${bin}/${name}`, args, {
      cwd: this.folder,
      uid: this.user?.uid,
      gid: this.user?.gid,
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: "/usr/bin:/bin" },
    });
  }

  start(): void {
    // its log is a file: a server that has our pipe would keep us waiting
    this.program("pg_ctl", "-D", this.data, "-l", join(this.folder, "log"), "-w", "-t", "60", "start");
  }

  /** Lets it answer to every address, with this certificate. */
  serve({ key, cert }: { key: Uint8Array; cert: Uint8Array }): void {
    writeFileSync(join(this.data, "server.key"), key, { mode: 0o600 });
    writeFileSync(join(this.data, "server.crt"), cert);
    this.own("data");
    appendFileSync(join(this.data, "postgresql.auto.conf"), "listen_addresses = '*'\nssl = on\n");
    this.stop();
    this.start();
  }

  /** Ends it as a power cut does. */
  kill(): void {
    const pid = Number(readFileSync(join(this.data, "postmaster.pid"), "latin1").split("\n")[0]);
    // its children have its group, and shared memory would keep the next one from starting
    const children = run("ps", ["-o", "pid=", "--ppid", String(pid)])
      .stdout.trim()
      .split(/\s+/)
      .map(Number);
    for (const one of [pid, ...children])
      try {
        process.kill(one, "SIGKILL");
      } catch {
        // it has ended
      }
    while (existsSync(`/proc/${pid}`)) spawnSync("sleep", ["0.05"]);
  }

  /** Copies all of its data. It must be stopped. */
  save(name: string): void {
    cpSync(this.data, join(this.folder, name), { recursive: true, preserveTimestamps: true });
    this.own(name);
  }

  restore(name: string): void {
    rmSync(this.data, { recursive: true });
    cpSync(join(this.folder, name), this.data, { recursive: true, preserveTimestamps: true });
    this.own("data");
  }

  private own(name: string): void {
    if (this.user) run("chown", ["-R", `${this.user.uid}:${this.user.gid}`, join(this.folder, name)]);
  }

  stop(): void {
    this.program("pg_ctl", "-D", this.data, "-m", "fast", "-w", "stop");
  }

  /** Runs SQL as the superuser, and returns what it selects. */
  sql(text: string, database = "ledgers"): string {
    return this.psql(text, database).stdout.trim();
  }

  /** The texts of the notices that SQL gives. */
  notices(text: string): string[] {
    return [...this.psql(text, "ledgers").stderr.matchAll(/NOTICE:\s+(.*)/g)].map(([, notice]) => notice as string);
  }

  private psql(text: string, database: string): { stdout: string; stderr: string } {
    return run("psql", ["-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-d", database, "-f", "-"], {
      input: text,
      env: { PATH: process.env["PATH"] ?? "", ...this.env, PGUSER: "owner" },
    });
  }

  /** Ends it, if it runs, and removes it. */
  remove(): void {
    try {
      this.program("pg_ctl", "-D", this.data, "-m", "immediate", "-w", "stop");
    } catch {
      // it does not run
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
