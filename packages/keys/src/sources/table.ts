// Where a key can be kept: one row for each kind. A new kind is one file in this folder, and one row here.

import { variableOf } from "../secrets/environment.js";
import { parseUri, pinVariable } from "./pkcs11/uri.js";
import type { OpenSource, SecretKind } from "./source.js";

export interface SourceRow {
  /** What a reference begins with, up to its colon. */
  readonly scheme: string;
  /** How a reference looks, for the help of --key. */
  readonly form: string;
  /** What a key of this kind may ask for. */
  asks?(ref: string): SecretKind | undefined;
  /** The environment variable that a reference names for a secret. Throws KeyFileError for a reference that is none. */
  variable?(ref: string): string | undefined;
  /** Loaded when a reference names it. */
  load(): Promise<OpenSource>;
}

export const KEY_SOURCES: readonly SourceRow[] = [
  {
    scheme: "env",
    form: "env:NAME",
    asks: () => "passphrase",
    variable: variableOf,
    load: async () => (await import("./env.js")).openVariable,
  },
  { scheme: "fd", form: "fd:N", asks: () => "passphrase", load: async () => (await import("./fd.js")).openDescriptor },
  {
    scheme: "pkcs11",
    form: "pkcs11:…",
    // a token whose URI says where the PIN is asks for nothing
    asks: (ref) => (parseUri(ref).pinSource === undefined ? "pin" : undefined),
    variable: (ref) => pinVariable(parseUri(ref)),
    load: async () => (await import("./pkcs11/pkcs11.js")).openTokenKey,
  },
  { scheme: "exec", form: "exec:PROGRAM", load: async () => (await import("./exec/exec.js")).openProgram },
  { scheme: "awskms", form: "awskms:…", load: async () => (await import("./services/awskms.js")).openAwsKey },
  { scheme: "gcpkms", form: "gcpkms:…", load: async () => (await import("./services/gcpkms.js")).openGoogleKey },
  { scheme: "azurekv", form: "azurekv:…", load: async () => (await import("./services/azurekv.js")).openAzureKey },
];

/** Of references without a scheme. */
const FILE_ROW: Omit<SourceRow, "scheme"> = {
  form: "a file",
  asks: () => "passphrase",
  load: async () => (await import("./file.js")).openKeyFile,
};

/** The row of what a reference begins with; undefined for a file. */
function rowOfScheme(ref: string): SourceRow | undefined {
  // RFC 3986 §3.1: the case of a scheme does not count; taken for a file, the name of one would be shown with a PIN in it
  const scheme = /^([a-z0-9]+):/i.exec(ref)?.[1]?.toLowerCase();
  return KEY_SOURCES.find((row) => row.scheme === scheme);
}

/** The row of a reference. */
export function sourceRow(ref: string): Omit<SourceRow, "scheme"> {
  return rowOfScheme(ref) ?? FILE_ROW;
}

/** What a reference begins with, where that names a kind; undefined for a file. */
export function schemeOf(ref: string): string | undefined {
  return rowOfScheme(ref)?.scheme;
}
