// The module (shared library) of a token: found, loaded once, initialized, and finalized after its last use.

import { createRequire } from "node:module";
import { isAbsolute, join } from "node:path";
import { KeyFileError } from "../../errors/key-file.js";
import { isFile } from "../../files/read.js";
import { CKR, CKR_CRYPTOKI_ALREADY_INITIALIZED, CKR_OTHER } from "./names.js";
import { checkedPath } from "./own-path.js";
import type { TokenUri } from "./uri.js";

export type Handle = Buffer;
export type Template = readonly { readonly type: number; readonly value?: number | boolean | string | Buffer }[];

export interface TokenInfo {
  readonly label: string;
  readonly manufacturerID: string;
  readonly model: string;
  readonly serialNumber: string;
  readonly flags: number;
}

/** The part of pkcs11js that is used here, declared so that this builds without pkcs11js. */
export interface Pkcs11js {
  load(path: string): void;
  close(): void;
  C_Initialize(): void;
  C_Finalize(): void;
  C_GetInfo(): { manufacturerID: string; libraryDescription: string; libraryVersion: { major: number; minor: number } };
  C_GetSlotList(present: boolean): Handle[];
  C_GetSlotInfo(slot: Handle): { slotDescription: string; manufacturerID: string };
  C_GetTokenInfo(slot: Handle): TokenInfo;
  C_OpenSession(slot: Handle, flags: number): Handle;
  C_CloseSession(session: Handle): void;
  C_GetSessionInfo(session: Handle): { state: number };
  C_Login(session: Handle, user: number, pin?: string): void;
  C_FindObjectsInit(session: Handle, template: Template): void;
  C_FindObjects(session: Handle, most: number): Handle[];
  C_FindObjectsFinal(session: Handle): void;
  C_GetAttributeValue(session: Handle, object: Handle, template: Template): { value: Buffer }[];
  C_GenerateKeyPair(
    session: Handle,
    mechanism: { mechanism: number },
    publicKey: Template,
    privateKey: Template,
  ): { publicKey: Handle; privateKey: Handle };
  C_DestroyObject(session: Handle, object: Handle): void;
  C_SignInit(session: Handle, mechanism: { mechanism: number }, key: Handle): void;
  C_Sign(session: Handle, data: Buffer, out: Buffer): Buffer;
}

export interface OpenModule {
  readonly library: Pkcs11js;
  /** PINs by slot, while the module is open: for keys that require one for each signature. */
  readonly pins: Map<string, string>;
  /** Ends one use of the module. */
  close(): void;
}

/** The error code of a PKCS#11 function. Returns undefined for other errors. */
export function returnValueOf(e: unknown): number | undefined {
  const { code, name } = e as { code?: unknown; name?: unknown };
  return name === "Pkcs11Error" && typeof code === "number" ? code : undefined;
}

/**
 * Runs calls of the module. Converts their errors to one line and one hint, without any data from the module or the
 * call.
 */
export function explainReturnValue<T>(name: string, calls: () => T): T {
  try {
    return calls();
  } catch (e) {
    const code = returnValueOf(e);
    // an error of pkcs11js itself: a call that it could not make
    if (code === undefined && (e as Error)?.name === "NativeError") throw new KeyFileError(`${name}: ${CKR_OTHER[0]}`, CKR_OTHER[1], 3);
    if (code === undefined) throw e;
    const [message, hint] = CKR[code] ?? CKR_OTHER;
    throw new KeyFileError(`${name}: ${message} (PKCS#11 error 0x${code.toString(16)})`, hint, 3);
  }
}

const openModules = new Map<string, { library: Pkcs11js; pins: Map<string, string>; users: number }>();

/** Opens the module for a URI. Throws KeyFileError (exit 3) if there is none. */
export function openModule(uri: TokenUri): OpenModule {
  const path = checkedPath(findModule(uri), "a PKCS#11 module is code that runs here");
  // C_Initialize is per process: keys of one module share it
  const known = openModules.get(path) ?? { library: loadModule(path, uri.name), pins: new Map(), users: 0 };
  openModules.set(path, known);
  known.users++;
  let closed = false;
  return {
    library: known.library,
    pins: known.pins,
    close() {
      if (closed) return;
      closed = true;
      if (--known.users > 0) return;
      openModules.delete(path);
      known.pins.clear();
      try {
        known.library.C_Finalize();
      } catch {
        // the token is gone: nothing to close
      }
      known.library.close();
    },
  };
}

function loadModule(path: string, name: string): Pkcs11js {
  const require = createRequire(import.meta.url);
  let library: Pkcs11js;
  try {
    const { PKCS11 } = require("pkcs11js") as { PKCS11: new () => Pkcs11js };
    library = new PKCS11();
  } catch {
    throw new KeyFileError(
      "pkcs11: the npm package pkcs11js, which firmseal needs for tokens, is not installed or was not built",
      "npm install pkcs11js, where firmseal is installed (it needs python3, make, a C++ compiler, and the Node headers from nodejs.org, or those that npm_config_nodedir names)",
      3,
    );
  }
  try {
    library.load(path);
  } catch {
    throw new KeyFileError(`${path}: not a PKCS#11 module that can be loaded`, "name another: module-path, or FIRMSEAL_PKCS11_MODULE", 3);
  }
  try {
    explainReturnValue(name, () => {
      try {
        library.C_Initialize();
      } catch (e) {
        if (returnValueOf(e) !== CKR_CRYPTOKI_ALREADY_INITIALIZED) throw e;
      }
    });
  } catch (e) {
    library.close();
    throw e;
  }
  return library;
}

const TRIPLETS: { [arch: string]: string } = { x64: "x86_64-linux-gnu", arm64: "aarch64-linux-gnu", arm: "arm-linux-gnueabihf" };

function moduleFolders(): string[] {
  const triplet = TRIPLETS[process.arch];
  return [...(triplet ? [`/usr/lib/${triplet}`] : []), "/usr/lib64", "/usr/lib", "/usr/local/lib"];
}

/** The usual file names in distributions: p11-kit's module for all configured ones, then SoftHSM. */
const USUAL = ["p11-kit-proxy.so", "p11-kit-proxy.dylib", "softhsm/libsofthsm2.so", "pkcs11/libsofthsm2.so"];

function findModule(uri: TokenUri): string {
  const variable = process.env["FIRMSEAL_PKCS11_MODULE"];
  const hint = "name the token's module: module-path=/…/NAME.so after a ? in the URI, or FIRMSEAL_PKCS11_MODULE";
  for (const [path, where] of [
    [uri.modulePath, "module-path"],
    [uri.moduleName === undefined ? variable || undefined : undefined, "FIRMSEAL_PKCS11_MODULE"],
  ]) {
    if (path === undefined) continue;
    // the dynamic linker would search for a bare name in folders that others may control (LD_LIBRARY_PATH)
    if (!isAbsolute(path))
      throw new KeyFileError(`${where}: not an absolute path`, "write the full path of the module, beginning with /", 2);
    if (!isFile(path)) throw new KeyFileError(`${path}: PKCS#11 module not found`, hint, 3);
    return path;
  }
  const name = uri.moduleName;
  if (name !== undefined && !/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name))
    throw new KeyFileError("module-name: not the name of a module", "for example softhsm2; a path is given by module-path", 2);
  const files =
    name === undefined
      ? USUAL
      : ["pkcs11", "softhsm", "."].flatMap((sub) => [`${sub}/${name}.so`, `${sub}/lib${name}.so`, `${sub}/${name}.dylib`]);
  const found = moduleFolders()
    .flatMap((folder) => files.map((file) => join(folder, file)))
    .find(isFile);
  if (found === undefined)
    throw new KeyFileError(`pkcs11: ${name === undefined ? "no PKCS#11 module" : `no module ${name}`} in the usual places`, hint, 3);
  return found;
}
