// Where a key can be kept: one row for each kind, with the module that opens its keys.

import { existsSync } from "node:fs";
import { suggestion } from "@firmseal/signer";
import { KeyFileError } from "../errors/key-file.js";
import { variableOf } from "../secrets/environment.js";
import type { OpenSource, SecretKind } from "../source.js";
import { parseUri, pinVariable } from "./pkcs11/uri.js";
import { AWS_SECRETS, AZURE_SECRETS, VAULT_SECRETS } from "./services/variables.js";

export interface SourceRow {
  /** The prefix of a reference, up to its colon. */
  readonly scheme: string;
  /** The form of a reference, for the help of --key. */
  readonly form: string;
  /** The secret that a key of this kind may ask for. */
  asks?(ref: string): SecretKind | undefined;
  /** The environment variable that a reference names for a secret. Throws KeyFileError for an invalid reference. */
  variable?(ref: string): string | undefined;
  /** A program of the person's signs. */
  readonly startsProgram?: true;
  /** Environment variables with secrets that the implementation reads itself. */
  readonly secrets?: readonly string[];
  /** Loads the implementation on demand. */
  load(): Promise<OpenSource>;
}

/** The table of the key sources: how a reference looks, what it may ask for, and the module that opens it. */
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
    // a token whose URI has a pin-source asks for nothing
    asks: (ref) => (parseUri(ref).pinSource === undefined ? "pin" : undefined),
    variable: (ref) => pinVariable(parseUri(ref)),
    load: async () => (await import("./pkcs11/pkcs11.js")).openTokenKey,
  },
  { scheme: "exec", form: "exec:PROGRAM", startsProgram: true, load: async () => (await import("./exec/exec.js")).openProgram },
  {
    scheme: "awskms",
    form: "awskms:…",
    secrets: AWS_SECRETS,
    load: async () => (await import("./services/awskms.js")).openAwsKey,
  },
  { scheme: "gcpkms", form: "gcpkms:…", load: async () => (await import("./services/gcpkms.js")).openGoogleKey },
  {
    scheme: "azurekv",
    form: "azurekv:…",
    secrets: AZURE_SECRETS,
    load: async () => (await import("./services/azurekv.js")).openAzureKey,
  },
  {
    scheme: "vault",
    form: "vault:…",
    secrets: VAULT_SECRETS,
    load: async () => (await import("./services/vault.js")).openVaultKey,
  },
];

/** For references without a scheme. */
const FILE_ROW: Omit<SourceRow, "scheme"> = {
  form: "a file",
  asks: () => "passphrase",
  load: async () => (await import("./file.js")).openKeyFile,
};

/** The row for the scheme of a reference. Returns undefined for a file. */
function rowOfScheme(ref: string): SourceRow | undefined {
  // RFC 3986 §3.1: schemes are case-insensitive; if treated as a file name, a URI with a PIN would be shown
  const scheme = /^([a-z0-9]+):/i.exec(ref)?.[1]?.toLowerCase();
  return KEY_SOURCES.find((row) => row.scheme === scheme);
}

/** Throws KeyFileError for a reference that is neither a file nor of a known kind, such as a mistyped scheme. */
export function refuseUnknownSource(ref: string, exists: (path: string) => boolean = existsSync): void {
  // one letter and a colon is a drive of Windows
  const [, scheme] = /^([a-z][a-z0-9+.-]+):/i.exec(ref) ?? [];
  if (scheme === undefined || rowOfScheme(ref) || exists(ref)) return;
  const known = KEY_SOURCES.map((row) => row.form).join(", ");
  const near = suggestion(
    scheme,
    KEY_SOURCES.map((row) => row.scheme),
  );
  throw new KeyFileError(`${scheme}: not a key source, and no file has this name${near}`, `key sources: a file, ${known}`, 2);
}

/** The row for a reference. */
export function sourceRow(ref: string): Omit<SourceRow, "scheme"> {
  return rowOfScheme(ref) ?? FILE_ROW;
}

/** Returns the scheme of a reference, if it names a kind. Returns undefined for a file. */
export function schemeOf(ref: string): string | undefined {
  return rowOfScheme(ref)?.scheme;
}
