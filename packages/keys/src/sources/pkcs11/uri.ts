// PKCS#11 URIs (RFC 7512). Unknown attributes are refused: ignoring one would select more keys.

import { KeyFileError } from "../../errors/key-file.js";

/** The attributes that distinguish tokens and modules. */
const TOKEN_ATTRIBUTES = ["token", "manufacturer", "model", "serial"] as const;
const MODULE_ATTRIBUTES = ["library-manufacturer", "library-description", "library-version"] as const;
const SLOT_ATTRIBUTES = ["slot-description", "slot-manufacturer", "slot-id"] as const;

const TEXT_ATTRIBUTES = [...TOKEN_ATTRIBUTES, ...MODULE_ATTRIBUTES, ...SLOT_ATTRIBUTES] as const;

/** A PKCS#11 URI (RFC 7512). */
export interface TokenUri {
  /** The URI without its pin-source, for messages and logs. */
  readonly name: string;
  /** The given attributes among TEXT_ATTRIBUTES. */
  readonly text: { readonly [attribute in (typeof TEXT_ATTRIBUTES)[number]]?: string };
  /** CKA_LABEL. */
  readonly object?: string;
  /** CKA_ID. */
  readonly id?: Uint8Array;
  /** The kind of the object. */
  readonly type?: "private" | "public";
  /** The PKCS#11 library: module-path. */
  readonly modulePath?: string;
  /** The name of the PKCS#11 library: module-name. */
  readonly moduleName?: string;
  /** The source of the PIN: pin-source. */
  readonly pinSource?: string;
}

const URI_EXAMPLE = "for example pkcs11:token=release;object=ed25519-2026";
/** Longer than any label, module path and identifier together. */
const MAX_URI_LENGTH = 4096;

// pk11-pchar and pk11-qchar of RFC 7512 §2.3: unreserved, percent-encoded, and characters that need no encoding here
const PATH = /^(?:[A-Za-z0-9._~:[\]@!$'()*+,=&-]|%[0-9A-Fa-f]{2})*$/;
const QUERY = /^(?:[A-Za-z0-9._~:[\]@!$'()*+,=/?|-]|%[0-9A-Fa-f]{2})*$/;

const PATH_NAMES: readonly string[] = [...TEXT_ATTRIBUTES, "object", "id", "type"];
const QUERY_NAMES: readonly string[] = ["module-path", "module-name", "pin-source"];

const refusal = (what: string, hint = URI_EXAMPLE) => new KeyFileError(`pkcs11: ${what}`, hint, 2);

/** The attributes of a URI by name, with their values decoded. */
function attributesOf(uri: string): Map<string, Buffer> {
  // only the first ? separates: the query may contain more
  const [path = "", query] = [/^pkcs11:([^?]*)/i.exec(uri)?.[1], /\?(.*)$/s.exec(uri)?.[1]];
  const values = new Map<string, Buffer>();
  const take = (part: string, names: readonly string[], form: RegExp, where: string) => {
    const equals = part.indexOf("=");
    const name = equals < 0 ? "" : part.slice(0, equals);
    if (!names.includes(name)) {
      const known = [...PATH_NAMES, ...QUERY_NAMES].includes(name);
      throw refusal(known ? `${name} must not be ${where}` : `unknown attribute ${where}`);
    }
    if (values.has(name)) throw refusal(`${name} is given twice`, "give it once (RFC 7512 §2.3)");
    const value = part.slice(equals + 1);
    if (!form.test(value)) throw refusal(`${name} has a character that must be percent-encoded`, "write it as % and two hex digits");
    values.set(name, percentDecode(value));
  };
  if (path !== "") for (const part of path.split(";")) take(part, PATH_NAMES, PATH, "before the ?");
  if (query !== undefined) for (const part of query.split("&")) take(part, QUERY_NAMES, QUERY, "after the ?");
  return values;
}

/** The value of an attribute as text. */
function textOf(name: string, bytes: Buffer | undefined): string | undefined {
  if (!bytes) return undefined;
  // no path contains one, and modules written in C would end the name there
  if (bytes.includes(0)) throw refusal(`${name} has a NUL`, "leave it out");
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw refusal(`${name} is not UTF-8`, "only id is bytes");
  }
}

/**
 * Parses a URI. Throws KeyFileError (exit 2). Messages never contain values of the URI: a malformed one may contain a
 * PIN.
 */
export function parseUri(uri: string): TokenUri {
  if (!/^pkcs11:/i.test(uri)) throw refusal("not a token URI: it must begin with pkcs11:");
  if (uri.length > MAX_URI_LENGTH) throw refusal(`the URI is longer than ${MAX_URI_LENGTH} characters`);
  // wherever it is in the URI, and before any other message about it
  if (/pin-?value/i.test(percentDecode(uri).toString("latin1")))
    throw refusal(
      "pin-value: a PIN in a URI can be read by every user of this machine, and ends up in logs",
      "change the PIN, and give it at the prompt, by `passphraseEnv` or `passphraseFd`, or by pin-source",
    );
  const values = attributesOf(uri);
  const string = (name: string) => textOf(name, values.get(name));
  const type = string("type");
  if (type !== undefined && type !== "private" && type !== "public")
    throw refusal("type is neither private nor public", "leave type out, and name the key by object or id");
  const [object, modulePath, moduleName, pinSource] = ["object", "module-path", "module-name", "pin-source"].map(string);
  const id = values.get("id");
  if (modulePath !== undefined && moduleName !== undefined) throw refusal("module-path and module-name are both given", "give one of them");
  const text = Object.fromEntries(
    TEXT_ATTRIBUTES.flatMap((name) => {
      const value = string(name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
  if (text["slot-id"] !== undefined && !/^[0-9]{1,20}$/.test(text["slot-id"])) throw refusal("slot-id: not a decimal number");
  return {
    name: nameOfToken(values),
    text,
    ...(object !== undefined && { object }),
    ...(id && { id: Uint8Array.from(id) }),
    ...(type !== undefined && { type }),
    ...(modulePath !== undefined && { modulePath }),
    ...(moduleName !== undefined && { moduleName }),
    ...(pinSource !== undefined && { pinSource }),
  };
}

/** Formats attributes as a URI, in the given order. `id` may be bytes. */
export function formatUri(attributes: Iterable<readonly [name: string, value: string | Uint8Array]>): string {
  return `pkcs11:${[...attributes].map(([name, value]) => `${name}=${percentEncode(value, name === "id")}`).join(";")}`;
}

function nameOfToken(values: Map<string, Buffer>): string {
  const path = [...values].filter(([name]) => PATH_NAMES.includes(name));
  const query = [...values].filter(([name]) => name.startsWith("module-"));
  return `${formatUri(path)}${query.map(([name, value], i) => `${i === 0 ? "?" : "&"}${name}=${percentEncode(value).replaceAll("%2F", "/")}`).join("")}`;
}

// RFC 7512 §2.3: an id should be percent-encoded as a whole
function percentEncode(value: string | Uint8Array, all = false): string {
  return Array.from(typeof value === "string" ? Buffer.from(value) : value, (byte) => {
    const c = String.fromCharCode(byte);
    return !all && /[A-Za-z0-9._~-]/.test(c) ? c : `%${byte.toString(16).padStart(2, "0").toUpperCase()}`;
  }).join("");
}

function percentDecode(text: string): Buffer {
  const bytes: number[] = [];
  const raw = Buffer.from(text);
  for (let i = 0; i < raw.length; i++) {
    const hex = raw[i] === 0x25 ? raw.toString("latin1", i + 1, i + 3) : "";
    if (/^[0-9A-Fa-f]{2}$/.test(hex)) {
      bytes.push(Number.parseInt(hex, 16));
      i += 2;
    } else bytes.push(raw[i] as number);
  }
  return Buffer.from(bytes);
}

/** The environment variable with the PIN for a URI. Returns undefined if the PIN comes from elsewhere. */
export function pinVariable(uri: TokenUri): string | undefined {
  return /^env:([A-Za-z_][A-Za-z0-9_]*)$/.exec(uri.pinSource ?? "")?.[1];
}
