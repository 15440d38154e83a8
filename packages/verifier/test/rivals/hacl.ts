import { createRequire } from "node:module";

/** HACL*, verified code compiled to WebAssembly; the package has no types of its own. */
export interface Hacl {
  Ed25519: { verify(key: Uint8Array, message: Uint8Array, signature: Uint8Array): [boolean] };
  P256: { ecdsa_verif_sha2(message: Uint8Array, xy: Uint8Array, r: Uint8Array, s: Uint8Array): [boolean] };
}

let loaded: Promise<Hacl> | undefined;

/** Once for each thread: a compilation takes time. */
export function loadHacl(): Promise<Hacl> {
  const { getInitializedHaclModule } = createRequire(import.meta.url)("hacl-wasm") as { getInitializedHaclModule(): Promise<Hacl> };
  loaded ??= getInitializedHaclModule();
  return loaded;
}
