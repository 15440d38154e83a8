// Every combination of what `firmseal bundle` can be asked for, and a board on which one is tried.

import { encode, privateKey, type Signer, signEnvelopeWithoutLog, signer, singleImage, splitEnvelope } from "@firmseal/signer";
import type { Device, Trust } from "@firmseal/verifier";
import { array, block, bytes, digest, int, MAC_KEY, map, tag, text } from "../../../test-vectors/src/pieces/assemble.js";
import { FlashModel } from "../../simulator/src/storage-models/flash-model.js";
import { erasedFlash } from "../../simulator/src/storage-models/flash-operations.js";
import { powerOn } from "../../simulator/src/storage-models/storage-model.js";
import { hex, sha256Hex, utf8 } from "../../test-support/src/bytes.js";
import { lmsSigner, stack } from "../../test-support/src/keys/lms.js";
import type { NativeBoard } from "../../test-support/src/native-board.js";
import { identity, uuid } from "../../verifier/test/releases.js";
import {
  type AlgName,
  BUNDLE_ALGS,
  BUNDLE_DEVICE_NAMES,
  BUNDLE_FORMATS,
  type BundleDevice,
  type BundleFormat,
  HOST_HASHES,
  type HostHash,
  KERNEL_TARGETS,
  type KernelTarget,
} from "../src/index.js";

/** What was asked for. `host`: undefined for a general verifier. */
export interface Combination {
  format: BundleFormat;
  alg: AlgName;
  host: readonly HostHash[] | undefined;
  device: BundleDevice | "none";
  target: KernelTarget | undefined;
}

const subsets = <T>(of: readonly T[]): T[][] => Array.from({ length: 2 ** of.length }, (_, n) => of.filter((_one, i) => (n >> i) & 1));

export const COMBINATIONS: readonly Combination[] = BUNDLE_FORMATS.flatMap((format) =>
  BUNDLE_ALGS.flatMap((alg) =>
    [undefined, ...subsets(HOST_HASHES)].flatMap((host) =>
      (["none", ...BUNDLE_DEVICE_NAMES] as const).flatMap((device) =>
        [undefined, ...KERNEL_TARGETS].map((target) => ({ format, alg, host, device, target })),
      ),
    ),
  ),
);

export const nameOf = ({ format, alg, host, device, target }: Combination) =>
  [format, alg, host ? `micro ${host.join("+") || "own hashes"}` : "general", device, target ?? "no target"].join(", ");

const level = { lms: 5, ots: 3, q: 5 };
const tree = () => lmsSigner("product").tree(level);
const SIGNERS: { readonly [alg in Exclude<AlgName, "hmac256">]: () => Signer } = {
  ed25519: () => signer(privateKey("ed25519", hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))),
  es256: () => signer(privateKey("es256", hex("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721"))),
  hsslms: () => ({
    alg: -46,
    publicKey: stack([tree()], Uint8Array.of()).key,
    sign: async (tbs) => stack([tree()], tbs).signature,
  }),
};

/** An image that is an app. */
export const IMAGE = utf8(`ran = "the app"; // ${"-".repeat(300)}`);

/** A release of IMAGE, and the key that signed it. */
export async function releaseOf(alg: AlgName): Promise<{ key: Uint8Array; envelope: Uint8Array }> {
  const facts = { sequence: 7, ...uuid, digest: sha256Hex(IMAGE), size: IMAGE.length, uri: "#firmware", payload: IMAGE };
  const unsigned = encode(singleImage(facts));
  if (alg === "hmac256") {
    const { manifest } = splitEnvelope(unsigned);
    const whole = bytes(manifest);
    const body = digest(whole);
    const auth = array(bytes(body), bytes(await block(body, { key: "m" })));
    const envelope = tag(107, map([int(2), bytes(auth)], [int(3), whole], [text("#firmware"), bytes(IMAGE)]));
    return { key: Uint8Array.from(MAC_KEY), envelope: Uint8Array.from(envelope) };
  }
  const by = SIGNERS[alg]();
  return { key: by.publicKey, envelope: await signEnvelopeWithoutLog(unsigned, [by]) };
}

/** What a bundle exports. */
export interface Api {
  open(envelope: Uint8Array, trust: object, host?: object): { sequence: number[] };
  install(envelope: Uint8Array, trust: Trust, device: Device, host?: object): { next(): unknown };
  boot(envelope: unknown, trust: Trust, device: Device, host?: object): { next(): unknown };
  anchor(alg: string, key: Uint8Array): Trust["anchors"][number];
  kernel?(E: object, process: object, host: object, storage: object): number;
  espruinoIo(storage: object, E: object, crypto: object): { host: object };
  storageDevice(io: object, identity: object, ids: number[][][], room: number, tries: number): StoredDevice;
  flashDevice(flash: object, identity: object, layout: object, run: (...args: number[]) => boolean): StoredDevice;
}
type StoredDevice = Device & { start(): unknown; invoked?: string[] };

/** Flash that counts, for a device of `kind`. */
export function flashFor(board: NativeBoard, kind: Combination["device"]) {
  const flash = new FlashModel(erasedFlash(16, 4096));
  // a flash device has pages of its own
  const { storage } = powerOn(new FlashModel(erasedFlash(16, 4096)));
  const counting = <T extends object>(what: T, names: string[]): T =>
    new Proxy(what, {
      get: (of, name) => {
        if (names.includes(String(name))) board.count(`${kind} ${String(name)}`);
        const value = Reflect.get(of, name) as unknown;
        return typeof value === "function" ? value.bind(of) : value;
      },
    });
  return { flash: counting(flash, ["write", "read"]), storage: board.inFlash(counting(storage, ["write", "read"])) };
}

export const LAYOUT = {
  components: [{ id: [Uint8Array.of(0)], slots: [0, 4096], size: 4096 }],
  envelopes: { slots: [8192, 16384], size: 8192 },
  records: [24576, 28672],
};
export { identity };
