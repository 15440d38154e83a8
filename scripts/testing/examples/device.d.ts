// What device code in documents leaves to its reader. It is JavaScript: neither null nor the length of a list is
// checked.

type Verifier = typeof import("@firmseal/verifier");
type FlashModule = typeof import("@firmseal/verifier/device/flash");
type Octets = import("@firmseal/verifier").Bytes;

/** A device bundle. */
declare const firmseal: Omit<Verifier, "default"> & {
  flashDevice(
    flash: object,
    identity: import("@firmseal/verifier").Identity,
    layout: object,
    invoke: import("@firmseal/verifier/device/flash").FlashInvoke,
  ): ReturnType<FlashModule["flashDevice"]>;
  roleFloors: typeof import("@firmseal/verifier/device/roles").roleFloors;
};
declare module "*firmseal.js";
declare module "update" {
  export function device(): import("@firmseal/verifier/device/storage").StorageDevice;
}
declare const identity: import("@firmseal/verifier").Identity;
declare const packet: Octets, length: number, bytes: Octets, envelope: Octets;
declare const nonce: Octets, secret: Octets, serial: Octets;
declare const firmsealTrust: Octets, firmsealKey: { alg: string; key: Octets };
declare const progress: import("@firmseal/verifier").Progress, io: { host: import("@firmseal/verifier").Host };
declare const store: import("@firmseal/verifier").TrustStore;
declare const oldAnchor: import("@firmseal/verifier").Anchor, newAnchor: import("@firmseal/verifier").Anchor;
declare let device: ReturnType<FlashModule["flashDevice"]> & import("@firmseal/verifier/device/roles").RoleDevice;
declare let trust: import("@firmseal/verifier").Trust;
declare const firmware: { confirm(): void };
declare function run(address: number, size: number): boolean;
declare function print(text: string): void;
