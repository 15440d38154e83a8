// A session with one token: finding the token for a URI, logging in, and finding objects.

import { endianness } from "node:os";
import { KeyFileError } from "../../errors/key-file.js";
import { signalsFree } from "../../files/write.js";
import { warn } from "../../notices.js";
import type { Asking } from "../../source.js";
import { visible } from "../../words.js";
import { explainReturnValue, type Handle, openModule, type Pkcs11js, returnValueOf, type Template, type TokenInfo } from "./module.js";
import * as ck from "./names.js";
import { pinFrom } from "./pin.js";
import type { TokenUri } from "./uri.js";

/** A slot of a PKCS#11 module with a token in it. */
export interface TokenSlot {
  readonly handle: Handle;
  readonly info: TokenInfo;
  /** The facts that a URI may select by, without the padding of PKCS#11. */
  readonly facts: { readonly [attribute in keyof TokenUri["text"]]-?: string };
}

/** Returns the present tokens that match a URI, and all present tokens. */
export function findSlots(library: Pkcs11js, uri: TokenUri): { fitting: TokenSlot[]; all: TokenSlot[] } {
  const about = explainReturnValue(uri.name, () => library.C_GetInfo());
  const all: TokenSlot[] = [];
  for (const handle of explainReturnValue(uri.name, () => library.C_GetSlotList(true))) {
    const info = explainReturnValue(uri.name, () => library.C_GetTokenInfo(handle));
    // an empty slot of SoftHSM contains no keys
    if (!(info.flags & ck.CKF_TOKEN_INITIALIZED)) continue;
    const slot = explainReturnValue(uri.name, () => library.C_GetSlotInfo(handle));
    all.push({
      handle,
      info,
      facts: {
        token: unpadded(info.label),
        manufacturer: unpadded(info.manufacturerID),
        model: unpadded(info.model),
        serial: unpadded(info.serialNumber),
        "library-manufacturer": unpadded(about.manufacturerID),
        "library-description": unpadded(about.libraryDescription),
        "library-version": `${about.libraryVersion.major}.${about.libraryVersion.minor}`,
        "slot-description": unpadded(slot.slotDescription),
        "slot-manufacturer": unpadded(slot.manufacturerID),
        "slot-id": String(ulong(handle)),
      },
    });
  }
  const wanted = Object.entries(uri.text) as [keyof TokenUri["text"], string][];
  return { all, fitting: all.filter((slot) => wanted.every(([name, value]) => slot.facts[name] === value)) };
}

function unpadded(text: string): string {
  return text.replace(/[ \0]+$/, "");
}

/** Decodes a CK_ULONG in native byte order. */
export function ulong(bytes: Buffer): bigint {
  const order = endianness() === "LE" ? Buffer.from(bytes).reverse() : bytes;
  return BigInt(`0x${order.toString("hex")}`);
}

/** Names for a message, at most ten. */
export function isPresent(names: readonly string[]): string {
  if (names.length === 0) return "none";
  const shown = [...names].sort().slice(0, 10);
  return `${shown.map((name) => name || "(without a label)").join(", ")}${names.length > 10 ? `, and ${names.length - 10} more` : ""}`;
}

/** Returns the error for a URI that no token matches. `all`: the tokens that the module reports. */
export function noSuchToken(uri: TokenUri, all: readonly TokenSlot[]): KeyFileError {
  const what = uri.name === "pkcs11:" ? "pkcs11: no token found" : `${uri.name}: no such token`;
  const hint =
    all.length === 0
      ? "insert the token; the module reports no tokens (with SoftHSM: set SOFTHSM2_CONF)"
      : `insert it, or name one that the module sees: ${isPresent(all.map((s) => s.facts.token))}`;
  return new KeyFileError(what, hint, 3);
}

export interface OpenToken {
  readonly library: Pkcs11js;
  readonly session: Handle;
  readonly slot: TokenSlot;
  /** Logs in, if the token requires it and the session is not logged in yet. */
  login(ask: Asking): Promise<void>;
  /** For a key that requires its PIN for each use (CKA_ALWAYS_AUTHENTICATE): between C_SignInit and C_Sign. */
  loginForKey(): void;
  find(template: Template): Handle[];
  /** The bytes of an attribute. Returns undefined if the object lacks it or does not show it. */
  attribute(object: Handle, type: number): Buffer | undefined;
  /** Runs calls of the module, with their errors in words. */
  inWords<T>(calls: () => T): T;
  close(): void;
}

/**
 * Opens a session with the only token for a URI. Throws KeyFileError: exit 3 if there is none, 2 if there are several.
 */
export function openToken(uri: TokenUri, write = false): OpenToken {
  const module = openModule(uri);
  try {
    const { fitting, all } = findSlots(module.library, uri);
    const [slot] = fitting;
    if (!slot) throw noSuchToken(uri, all);
    if (fitting.length > 1)
      throw new KeyFileError(
        `${uri.name}: ${fitting.length} tokens fit`,
        `add a token, serial or slot-id to the URI; there are ${isPresent(fitting.map((s) => `${s.facts.token} (serial ${s.facts.serial})`))}`,
        2,
      );
    return openSession(module, uri, slot, write);
  } catch (e) {
    module.close();
    throw e;
  }
}

function openSession(module: ReturnType<typeof openModule>, uri: TokenUri, slot: TokenSlot, write: boolean): OpenToken {
  const { library } = module;
  const flags = ck.CKF_SERIAL_SESSION | (write ? ck.CKF_RW_SESSION : 0);
  const handle = explainReturnValue(uri.name, () => library.C_OpenSession(slot.handle, flags));
  const place = slot.handle.toString("hex");
  let closed = false;
  const loggedIn = () => {
    const { state } = explainReturnValue(uri.name, () => library.C_GetSessionInfo(handle));
    return state === ck.CKS_RO_USER_FUNCTIONS || state === ck.CKS_RW_USER_FUNCTIONS;
  };
  return {
    library,
    session: handle,
    slot,
    async login(ask) {
      // the login is valid for all sessions of this process
      if (loggedIn()) return;
      const pin = await login(library, handle, slot, uri, ask);
      if (pin !== undefined) module.pins.set(place, pin);
    },
    loginForKey: () => explainReturnValue(uri.name, () => library.C_Login(handle, ck.CKU_CONTEXT_SPECIFIC, module.pins.get(place))),
    find: (template) =>
      explainReturnValue(uri.name, () => {
        try {
          return findObjects(library, handle, template);
        } catch (e) {
          // a token that shows nothing without a PIN, not even public keys
          if (returnValueOf(e) !== ck.CKR_USER_NOT_LOGGED_IN || loggedIn()) throw e;
          return [];
        }
      }),
    attribute(object, type) {
      try {
        const [found] = library.C_GetAttributeValue(handle, object, [{ type }]);
        return found && found.value.length > 0 ? found.value : undefined;
      } catch (e) {
        // modules differ in their error for a missing attribute; a removed token is reported as removed
        const code = returnValueOf(e);
        if (code !== undefined && !GONE.includes(code)) return undefined;
        return explainReturnValue(uri.name, () => {
          throw e;
        });
      }
    },
    inWords: (calls) => explainReturnValue(uri.name, calls),
    close() {
      if (closed) return;
      closed = true;
      try {
        library.C_CloseSession(handle);
      } catch {
        // the token is gone, and the session too
      }
      module.close();
    },
  };
}

/** CKR_DEVICE_ERROR, _REMOVED, SESSION_CLOSED, SESSION_HANDLE_INVALID, TOKEN_NOT_PRESENT. */
const GONE = [0x30, 0x32, 0xb0, 0xb3, 0xe0];

/** Far more than a token holds: a module that never ends its list must not block us. */
const MOST_OBJECTS = 10_000;

function findObjects(library: Pkcs11js, handle: Handle, template: Template): Handle[] {
  const found: Handle[] = [];
  library.C_FindObjectsInit(handle, template);
  try {
    for (;;) {
      const some = library.C_FindObjects(handle, 64);
      if (some.length === 0 || found.length > MOST_OBJECTS) return found;
      found.push(...some);
    }
  } finally {
    library.C_FindObjectsFinal(handle);
  }
}

/**
 * Returns the state of the PIN as the token reports it. "low": at least one wrong try since the last correct one;
 * "final": one try is left.
 */
export function pinState({ flags }: TokenInfo): "none" | "unset" | "ok" | "low" | "final" | "locked" {
  if (!(flags & ck.CKF_LOGIN_REQUIRED)) return "none";
  if (!(flags & ck.CKF_USER_PIN_INITIALIZED)) return "unset";
  if (flags & ck.CKF_USER_PIN_LOCKED) return "locked";
  if (flags & ck.CKF_USER_PIN_FINAL_TRY) return "final";
  return flags & ck.CKF_USER_PIN_COUNT_LOW ? "low" : "ok";
}

async function login(library: Pkcs11js, handle: Handle, slot: TokenSlot, uri: TokenUri, ask: Asking): Promise<string | undefined> {
  const before = pinState(slot.info);
  if (before === "none") return undefined;
  // do not ask for a PIN that will not be used: it teaches people to type it anywhere
  if (before === "locked" || before === "unset") {
    const [message, hint] = ck.CKR[before === "locked" ? 164 : 258] ?? ck.CKR_OTHER;
    throw new KeyFileError(`${uri.name}: ${message}`, hint, 3);
  }
  if (before === "final") warn(`token ${visible(slot.facts.token)}: one more wrong PIN locks it`);
  const pad = (slot.info.flags & ck.CKF_PROTECTED_AUTHENTICATION_PATH) !== 0;
  if (pad) warn(`token ${visible(slot.facts.token)}: type the PIN at the token itself`);
  const pin = pad ? undefined : await pinFrom(uri, ask, slot.facts.token);
  await signalsFree();
  try {
    library.C_Login(handle, ck.CKU_USER, pin);
  } catch (e) {
    const code = returnValueOf(e);
    if (code === ck.CKR_USER_ALREADY_LOGGED_IN) return pin;
    if (code === ck.CKR_PIN_INCORRECT) throw wrongPin(library, slot, uri);
    explainReturnValue(uri.name, () => {
      throw e;
    });
  }
  return pin;
}

function wrongPin(library: Pkcs11js, slot: TokenSlot, uri: TokenUri): KeyFileError {
  const [message, hint] = ck.CKR[ck.CKR_PIN_INCORRECT] ?? ck.CKR_OTHER;
  let state = pinState(slot.info);
  try {
    state = pinState(library.C_GetTokenInfo(slot.handle));
  } catch {
    // use the earlier state
  }
  const left = {
    final: "; one try is left before the token locks itself",
    locked: "; the token has locked itself",
    low: "; few tries are left",
  };
  const locked = ck.CKR[164]?.[1] ?? hint;
  return new KeyFileError(`${uri.name}: ${message}${left[state as keyof typeof left] ?? ""}`, state === "locked" ? locked : hint, 3);
}
