// CBOR diagnostic notation (RFC 8949 §8, RFC 8610 §G for << >>) of an envelope, with the names of its numbers as comments. Byte strings
// are opened where the format says that they hold CBOR, and nowhere else.

import { grouped, visible } from "@firmseal/keys";
import { LIMITS } from "@firmseal/release";
import { toHex } from "@firmseal/signer";
import type { Bytes, Source } from "@firmseal/verifier";
import {
  ARRAY,
  arg,
  BSTR,
  begin,
  enter,
  FALSE,
  head,
  here,
  high,
  input,
  leave,
  low,
  MAP,
  major,
  NINT,
  SIMPLE,
  type Slice,
  seek,
  stop,
  TAG,
  TRUE,
  TSTR,
  take,
  UINT,
} from "@firmseal/verifier/cbor";
import { ALGS, COMMANDS, COMMON, ELEMENTS, HASHES, MANIFEST, type Names, PARAMETERS } from "@firmseal/verifier/names";
import {
  COM_SHARED_SEQUENCE,
  DIR_OVERRIDE_PARAMETERS,
  DIR_RUN_SEQUENCE,
  DIR_SET_PARAMETERS,
  DIR_TRY_EACH,
  ENV_AUTHENTICATION_WRAPPER,
  ENV_MANIFEST,
  HEADER_ALG,
  MAN_CANDIDATE_VERIFICATION,
  MAN_COMMON,
  MAN_DEPENDENCY_RESOLUTION,
  MAN_INSTALL,
  MAN_INVOKE,
  MAN_LOAD,
  MAN_PAYLOAD_FETCH,
  MAN_TEXT,
  MAN_UNINSTALL,
  MAN_VALIDATE,
  PARAM_IMAGE_DIGEST,
} from "@firmseal/verifier/spec";

/** Where in the format an item stands: what its numbers mean, and which of its byte strings hold CBOR. */
type Place =
  | "envelope"
  | "wrapper"
  | "digest"
  | "block"
  | "headers"
  | "manifest"
  | "common"
  | "sequence"
  | "parameters"
  | "alternatives"
  | "plain";

const SEQUENCES = [
  MAN_VALIDATE,
  MAN_LOAD,
  MAN_INVOKE,
  MAN_DEPENDENCY_RESOLUTION,
  MAN_PAYLOAD_FETCH,
  MAN_CANDIDATE_VERIFICATION,
  MAN_INSTALL,
  MAN_UNINSTALL,
];

const NAMES: { [place in Place]?: Names } = {
  envelope: { ...MANIFEST, ...ELEMENTS },
  manifest: MANIFEST,
  common: COMMON,
  sequence: COMMANDS,
  parameters: PARAMETERS,
};

/** The elements whose content peek() has looked at. What it has not, may be anything, and is shown as the bytes it is. */
function elementPlace(key: number | undefined): Place | undefined {
  if (key === MAN_TEXT) return "plain";
  return key !== undefined && SEQUENCES.includes(key) ? "sequence" : undefined;
}

/** What a value is, from where its map or array stands and its key, position or command. undefined: not opened. */
function inside(place: Place, key: number | undefined): Place | undefined {
  switch (place) {
    case "envelope":
      if (key === ENV_AUTHENTICATION_WRAPPER) return "wrapper";
      if (key === ENV_MANIFEST) return "manifest";
      return elementPlace(key);
    case "manifest":
      return key === MAN_COMMON ? "common" : elementPlace(key);
    case "common":
      return key === COM_SHARED_SEQUENCE ? "sequence" : undefined;
    case "wrapper":
      return key === 0 ? "digest" : "block";
    case "block":
      return key === 0 ? "headers" : undefined;
    case "sequence":
      return key === DIR_RUN_SEQUENCE ? "sequence" : undefined;
    case "alternatives":
      return "sequence";
    case "parameters":
      return key === PARAM_IMAGE_DIGEST ? "digest" : undefined;
    default:
      return undefined;
  }
}

function note(names: Names | undefined, key: number | undefined): string {
  const name = key === undefined ? undefined : names?.[key];
  return name === undefined ? "" : `/ ${name} / `;
}

/** The argument of the head that was read last, as a number. */
function number(): bigint {
  const n = (BigInt(high) << 32n) | BigInt(low);
  return major === NINT ? -1n - n : n;
}

function goTo(at: number): void {
  seek(input, at, stop);
}

/** The content of the string whose head was read last; the cursor goes behind it. */
function content(): Slice {
  const s = { at: here, n: arg };
  goTo(s.at + s.n);
  return s;
}

const octets = (s: Slice): Uint8Array => Uint8Array.from(take(input, s.at, s.n));

/** A value that stands under `key` in `place`. */
function value(place: Place, key: number | undefined, indent: string): string {
  if (place === "sequence" && (key === DIR_OVERRIDE_PARAMETERS || key === DIR_SET_PARAMETERS)) return item("parameters", indent);
  if (place === "sequence" && key === DIR_TRY_EACH) return item("alternatives", indent);
  const opened = inside(place, key);
  const at = here;
  if (opened && head() === BSTR) {
    const s = content();
    if (s.n === 0) return "h''";
    const outer = enter(input, s);
    const shown = `<< ${item(opened, indent)} >>`;
    leave(outer);
    return shown;
  }
  goTo(at);
  if (place === "manifest" && elementPlace(key)) {
    const type = head();
    goTo(at);
    // a severed element: its digest stands in its place
    if (type === ARRAY) return item("digest", indent);
  }
  if (place === "headers" && key === HEADER_ALG) return noted(ALGS, indent);
  if (place === "digest" && key === 0) return noted(HASHES, indent);
  return item("plain", indent);
}

/** A number, and what it stands for. */
function noted(names: Names, indent: string): string {
  const n = Number(peekNumber());
  return `${item("plain", indent)} ${note(names, n)}`.trimEnd();
}

function peekNumber(): bigint {
  const at = here;
  head();
  const n = number();
  goTo(at);
  return n;
}

function list(open: string, parts: string[], close: string, indent: string): string {
  const flat = `${open}${parts.join(", ")}${close}`;
  if (parts.length === 0 || (flat.length + indent.length <= 100 && !flat.includes("\n"))) return flat;
  return `${open}\n${parts.map((p) => `${indent}  ${p}`).join(",\n")}\n${indent}${close}`;
}

/** A payload is not written out: a comment (RFC 8610 §G.1) says how much is left out. */
function bytesText(s: Slice): string {
  if (s.n <= LIMITS.shownBytes) return `h'${toHex(octets(s))}'`;
  return `h'${toHex(octets({ at: s.at, n: 32 }))} / and ${grouped(s.n - 32)} bytes more /'`;
}

function item(place: Place, indent: string): string {
  const deeper = `${indent}  `;
  const type = head();
  if (type === UINT || type === NINT) return String(number());
  if (type === BSTR) return bytesText(content());
  if (type === TSTR) return visible(JSON.stringify(new TextDecoder().decode(octets(content()))));
  if (type === SIMPLE) return arg === FALSE ? "false" : arg === TRUE ? "true" : "null";
  if (type === TAG) {
    const tag = number();
    return `${tag}(${item(place, indent)})`;
  }
  const n = arg;
  const parts: string[] = [];
  if (type === MAP) {
    for (let i = 0; i < n; i++) {
      const at = here;
      const kind = head();
      const key = kind === UINT || kind === NINT ? Number(number()) : undefined;
      goTo(at);
      const shown = item("plain", deeper);
      parts.push(`${note(NAMES[place], key)}${shown}: ${value(place, key, deeper)}`);
    }
    return list("{", parts, "}", indent);
  }
  if (place === "sequence") {
    for (let i = 0; i < n; i += 2) {
      const code = Number(peekNumber());
      const shown = item("plain", deeper);
      parts.push(`${note(NAMES.sequence, code)}${shown}, ${value(place, code, deeper)}`);
    }
  } else
    for (let i = 0; i < n; i++)
      parts.push(value(place, place === "wrapper" || place === "block" || place === "digest" ? i : undefined, deeper));
  return list("[", parts, "]", indent);
}

/** An envelope that peek() has looked at. */
export function diagnostic(bytes: Bytes | Source): string {
  begin(bytes);
  return item("envelope", "");
}
