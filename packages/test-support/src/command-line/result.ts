// What a command line is given, and what it gives.

export class Result {
  readonly stdout: string;
  /** Private: two results are equal, whatever was run. */
  readonly #args: readonly string[];
  constructor(
    args: readonly string[],
    /** null: ended by a signal, or by the time limit of the test. */
    readonly exit: number | null,
    readonly signal: NodeJS.Signals | null,
    /** stdout as it came. */
    readonly bytes: Buffer,
    readonly stderr: string,
  ) {
    this.#args = args;
    this.stdout = bytes.toString("utf8");
  }
  /** The one JSON object on stdout. Throws if there is none, or more than one. */
  get json(): Record<string, unknown> {
    try {
      return JSON.parse(this.stdout) as Record<string, unknown>;
    } catch (e) {
      throw new Error(`stdout is not JSON: ${this}`, { cause: e });
    }
  }
  /** What was run and what came of it: the message of an expectation. */
  toString(): string {
    const shown = (text: string) => (text.length > 4000 ? `${text.slice(0, 4000)}…` : text).trimEnd();
    const outputs = Object.entries({ stdout: this.stdout, stderr: this.stderr }).filter(([, text]) => text !== "");
    return [
      `firmseal ${this.#args.join(" ")}`,
      `exit ${this.exit ?? this.signal}`,
      ...outputs.map(([name, text]) => `${name}: ${shown(text)}`),
    ].join("\n");
  }
}

/** Options that both a call of main() and a process can have. */
export interface CallOptions {
  cwd?: string;
  input?: string | Uint8Array;
  env?: { [name: string]: string };
  /** The content of the descriptors from 3 on. */
  fds?: (string | Uint8Array)[];
  /** stdout and stderr are a terminal of this many columns. Only in process: elsewhere it takes a pseudo terminal. */
  columns?: number;
  /** Milliseconds until SIGKILL, in process for the whole test file: nothing here may hang. */
  limit?: number;
}

/** Default of `limit`. */
export const LIMIT = 50_000;

/** Options that only a process can have. */
export interface ProcessOptions {
  /** The process is the subject of the test. */
  program?: boolean;
  uid?: number;
  /** A file or device for stdout or stderr. */
  stdout?: string;
  stderr?: string;
  /** Calls back with the process while it runs. */
  started?: (pid: number) => void;
  /** A program in front, for example a shell that sets limits. */
  through?: readonly string[];
  /** stdin stays open, and nothing arrives on it. */
  openStdin?: boolean;
}

export interface RunOptions extends CallOptions, ProcessOptions {}

/** The environment of a command: nothing of the test's. `state`: the folder for what this machine has seen. */
export function environmentOf(o: RunOptions, state: string): { [name: string]: string } {
  return { PATH: process.env["PATH"] ?? "", NO_COLOR: "1", FIRMSEAL_STATE: state, ...o.env };
}
