// Reads passphrases: from a file descriptor, from a named environment variable, or from the terminal. Never from argv,
// which every user of the machine can read.

import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { ReadStream } from "node:tty";
import { unlessThrown } from "@firmseal/signer";
import { KeyFileError } from "../errors/key-file.js";
import { byteWords } from "../words.js";
import { checkDescriptor } from "./descriptor.js";
import { takeVariable } from "./environment.js";

/** Maximum length in bytes: anything longer is the wrong file. */
export const LONGEST_PASSPHRASE = 1024;

export interface PassphraseSource {
  /** --passphrase-fd: read to the end or to the first newline. */
  fd?: number | undefined;
  /** --passphrase-env: the name of a variable. */
  env?: string | undefined;
  /** The prompt, for example `Passphrase for release.pem: `. */
  prompt: string;
  /** For a new key: ask twice at the terminal. */
  confirm?: boolean;
  /** The options that name a source, for hints. */
  options?: string;
  /** Ends the prompt, or the wait for a descriptor. */
  signal?: AbortSignal | undefined;
}

/** Reads a passphrase of at least one byte. Throws KeyFileError with exit code 3, and the reason of `signal`. */
export async function passphrase(source: PassphraseSource): Promise<Uint8Array> {
  const isNew = source.confirm === true;
  if (source.fd !== undefined) return checked(await fromFd(source.fd, source.signal), descriptorWords(source.fd), isNew);
  if (source.env !== undefined) return fromEnv(source.env, isNew);
  return fromTerminal(source, `name a source: ${source.options ?? SOURCES}`);
}

function checked(bytes: Uint8Array, where: string, isNew: boolean): Uint8Array {
  if (bytes.length === 0)
    throw new KeyFileError(
      `${where}: the passphrase is empty`,
      `give at least one character${isNew ? ", or `noPassphrase` for a key without a passphrase" : ""}`,
      3,
    );
  if (bytes.length > LONGEST_PASSPHRASE) throw tooLong(where);
  // a byte order mark from an editor, which nobody can type
  if (Buffer.from(bytes.buffer, bytes.byteOffset, 3 <= bytes.length ? 3 : 0).equals(BOM))
    throw new KeyFileError(`${where}: the passphrase begins with a byte-order mark`, "save it without one", 3);
  if (bytes.includes(0x0a) || bytes.includes(0x0d))
    throw new KeyFileError(`${where}: the passphrase contains a line break`, "a passphrase is one line", 3);
  return bytes;
}

const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

function tooLong(where: string): KeyFileError {
  return new KeyFileError(`${where}: longer than ${byteWords(LONGEST_PASSPHRASE)}`, "a passphrase is one line", 3);
}

function fromEnv(name: string, isNew: boolean): Uint8Array {
  const value = takeVariable(name);
  // it may be the passphrase itself by mistake, which must not get into a log
  const shown = /^[A-Z_][A-Z0-9_]*$/.test(name) ? name : "NAME";
  if (value === undefined) {
    const which = shown === name ? `environment variable ${name}` : "the environment variable of this name";
    throw new KeyFileError(`${which} is not set`, `set it: ${shown}=… firmseal … --passphrase-env ${shown}`, 3);
  }
  return checked(Buffer.from(value, "utf8"), `environment variable ${shown}`, isNew);
}

const descriptorWords = (fd: number) => `file descriptor ${fd}`;

async function fromFd(fd: number, signal?: AbortSignal): Promise<Uint8Array> {
  const where = descriptorWords(fd);
  const bytes: number[] = [];
  const one = Buffer.alloc(1);
  // One byte at a time: what follows the newline belongs to the next key with the same descriptor.
  while (await readByte(fd, one, where, signal)) {
    const byte = one[0] as number;
    if (byte === 0x0a) break;
    bytes.push(byte);
    if (bytes.length > LONGEST_PASSPHRASE + 1) throw tooLong(where);
  }
  // Windows and the files made there end a line with CR LF
  if (bytes.at(-1) === 0x0d) bytes.pop();
  return Uint8Array.from(bytes);
}

async function readByte(fd: number, one: Buffer, where: string, signal?: AbortSignal): Promise<boolean> {
  for (;;) {
    signal?.throwIfAborted();
    try {
      checkDescriptor(fd);
      return readSync(fd, one, 0, 1, null) === 1;
    } catch (e) {
      const code = (e as NodeJS.ErrnoException).code;
      // Windows says EOF for a closed pipe
      if (code === "EOF") return false;
      if (code !== "EAGAIN") throw new KeyFileError(`${where} cannot be read (${code})`, "open it: firmseal … --passphrase-fd 3 3<FILE", 3);
      await sleep(10);
    }
  }
}

async function fromTerminal({ prompt, confirm, signal }: PassphraseSource, hint: string): Promise<Uint8Array> {
  // "Passphrase for release.pem: ", "PIN for token release: "
  const needed = prompt.replace(/: $/, "").replace(/^[A-Z](?=[a-z])/, (first) => first.toLowerCase());
  const terminal = openTerminal(needed, hint, signal);
  try {
    for (let tries = 0; tries < 3; tries++) {
      const first = checked(await terminal.ask(prompt), "terminal", confirm === true);
      if (!confirm) return first;
      if (Buffer.from(first).equals(await terminal.ask("Repeat the passphrase: "))) return first;
      terminal.show("The passphrases differ.\n");
    }
    throw new KeyFileError("the passphrases differ", "try again", 3);
  } finally {
    terminal.close();
  }
}

interface Terminal {
  ask(prompt: string): Promise<Uint8Array>;
  show(text: string): void;
  close(): void;
}

const SOURCES = "`passphraseEnv` NAME or `passphraseFd` N";

/** Returns what waits for the next byte that is typed. It gives undefined at the end. */
function typedBytes(input: ReadStream, signal?: AbortSignal): () => Promise<number | undefined> {
  // not yet consumed: with pasted text, several lines may arrive at once
  const typed: number[] = [];
  let ended = false;
  let wake = () => {};
  input.on("data", (chunk: Buffer) => {
    // an arrow or function key, which does not belong in a passphrase
    if (chunk[0] !== 0x1b) typed.push(...chunk);
    wake();
  });
  const end = () => {
    ended = true;
    wake();
  };
  input.on("end", end).on("error", end);
  signal?.addEventListener("abort", end, { once: true });
  return async () => {
    while (typed.length === 0 && !ended)
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    return typed.shift();
  };
}

// The terminal in raw mode, so that it shows nothing of what is typed. Its mode is restored however the process ends.
function openTerminal(needed: string, hint: string, signal?: AbortSignal): Terminal {
  signal?.throwIfAborted();
  // not stdin and stdout, which may carry data
  const out = unlessThrown(() => openSync("/dev/tty", "w"));
  const input = out === undefined ? undefined : unlessThrown(() => new ReadStream(openSync("/dev/tty", "r")));
  if (out === undefined || !input) throw new KeyFileError(`the ${needed} is needed, and there is no terminal to ask for it`, hint, 3);

  const restore = () => input.setRawMode(false);
  const onSignal = (signal: NodeJS.Signals) => {
    restore();
    // the handler is gone (once), so this signal has its default effect
    process.kill(process.pid, signal);
  };
  for (const s of TERMINATING_SIGNALS) process.once(s, onSignal);
  process.once("exit", restore);
  input.setRawMode(true);

  const nextByte = typedBytes(input, signal);
  const show = (text: string) => void writeSync(out, text);
  return {
    show,
    async ask(prompt) {
      show(prompt);
      const line: number[] = [];
      for (;;) {
        const byte = await nextByte();
        signal?.throwIfAborted();
        if (byte === undefined) throw new KeyFileError("the terminal was closed at the passphrase prompt", hint, 3);
        const done = edit(line, byte);
        if (done !== "more") show("\n");
        if (done === "done") return Uint8Array.from(line);
        if (done === "abort") throw new KeyFileError("stopped at the passphrase prompt", hint, 3);
      }
    },
    close() {
      restore();
      process.off("exit", restore);
      for (const s of TERMINATING_SIGNALS) process.off(s, onSignal);
      input.destroy();
      closeSync(out);
    },
  };
}

const TERMINATING_SIGNALS = ["SIGTERM", "SIGHUP", "SIGINT"] as const;

/** Applies one typed byte to a line of UTF-8 bytes. Exported for the tests. */
export function edit(line: number[], byte: number): "more" | "done" | "abort" {
  if (byte === 0x0d || byte === 0x0a) return "done";
  if (byte === 0x03) return "abort";
  if (byte === 0x04) return line.length > 0 ? "done" : "abort";
  if (byte === 0x15) line.length = 0;
  else if (byte === 0x7f || byte === 0x08) eraseCharacter(line);
  else if (byte >= 0x20 && line.length <= LONGEST_PASSPHRASE) line.push(byte);
  return "more";
}

// bytes 10xxxxxx continue a character (RFC 3629 §3)
function eraseCharacter(line: number[]): void {
  let byte: number | undefined;
  do byte = line.pop();
  while (byte !== undefined && (byte & 0xc0) === 0x80);
}
