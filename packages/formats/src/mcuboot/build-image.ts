// Makes an image from the binary of a build, as `imgtool sign` does. Signing it is the next step: BootImage.

import { createHash } from "node:crypto";
import type { BootImage } from "../format.js";
import type { FormatKey } from "../key/key.js";
import { refuseFormat } from "../refusal.js";
import { viewOf } from "../view.js";
import { bootRecord } from "./boot-record.js";
import { hasMagic, writeHeader } from "./header.js";
import { hashedKey, imageKey } from "./image-key.js";
import { counterOfVersion, parseImageVersion, writeVersion } from "./image-version.js";
import { laidOut } from "./mcuboot.js";
import {
  BOOT_RECORD,
  CUSTOM_FIRST,
  CUSTOM_LAST,
  DEPENDENCY,
  FLAGS,
  HEADER_BYTES,
  type ImageHash,
  PROTECTED,
  SEC_CNT,
  UUID_CID,
  UUID_VID,
} from "./numbers.js";
import { writeArea } from "./tlv.js";
import { type SlotRule, trailerSize } from "./trailer.js";

/** The slot of an image, and whether the file fills it. */
export interface ImageSlot extends Partial<SlotRule> {
  /** Bytes of the slot. */
  readonly size: number;
  /** Pads the file to the slot, with a trailer: the boot loader tests the image once, or keeps it. Default: neither. */
  readonly trailer?: "test" | "confirm";
}

/** What an image says beside its binary. */
export interface ImageOptions {
  /** MAJOR[.MINOR[.REVISION[+BUILD]]]. */
  readonly version: string;
  /** Bytes of the header, 32 to 65,535: what the linker has left in front of the vector table. */
  readonly headerSize: number;
  /** Whether the binary begins with as many zeros, which the header replaces. Default: the header is put in front. */
  readonly hasRoom?: boolean;
  /** The first key that signs: it decides the hash, and the boot record names it. Default: SHA-256 and no key. */
  readonly signer?: FormatKey;
  /** For Ed25519: "sha512" instead of "sha256". */
  readonly hash?: ImageHash;
  /** For Ed25519: signatures over the whole image, not over its hash. */
  readonly isPure?: boolean;
  /** Signatures carry the whole public key instead of its hash. */
  readonly hasFullKeys?: boolean;
  /** What the device never lets decrease; "auto": from the version. */
  readonly counter?: number | "auto";
  /** Type of the software, at most 12 bytes, for a boot record. */
  readonly bootRecord?: string;
  readonly dependencies?: readonly { readonly image: number; readonly version: string }[];
  /** UUIDs of 16 bytes. vendorUuid() and classUuid() of `@firmseal/signer` derive the same ones as imgtool. */
  readonly vendor?: Uint8Array;
  readonly class?: Uint8Array;
  /** TLVs of the vendor, of types 0xa0 to 0xfffe. */
  readonly custom?: readonly { readonly type: number; readonly value: Uint8Array }[];
  /** Where the boot loader copies the image to in RAM, or where it is in ROM. */
  readonly load?: { readonly to: "ram" | "rom"; readonly address: number };
  readonly isNonBootable?: boolean;
  /** The value of erased flash, 0xff or 0. Default: 0xff. */
  readonly erased?: 0xff | 0;
  readonly slot?: ImageSlot;
}

function number32(value: number): Uint8Array {
  if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) throw new RangeError(`not a number of 32 bits: ${value}`);
  const bytes = new Uint8Array(4);
  viewOf(bytes).setUint32(0, value, true);
  return bytes;
}

/** Facts in the order of imgtool. */
function factTlvs(o: ImageOptions, hash: ImageHash) {
  const version = parseImageVersion(o.version);
  return [
    ...(o.counter === undefined ? [] : [{ type: SEC_CNT, value: number32(o.counter === "auto" ? counterOfVersion(version) : o.counter) }]),
    ...(o.bootRecord === undefined
      ? []
      : [{ type: BOOT_RECORD, value: bootRecord(o.bootRecord, version, hash, o.signer && hashedKey(o.signer, hash)) }]),
    ...(o.dependencies ?? []).map(({ image, version: least }) => {
      if (!Number.isInteger(image) || image < 0 || image > 255) throw new RangeError(`not the number of an image: ${image}`);
      return { type: DEPENDENCY, value: Uint8Array.of(image, 0, 0, 0, ...writeVersion(parseImageVersion(least))) };
    }),
    ...(o.vendor ? [{ type: UUID_VID, value: o.vendor }] : []),
    ...(o.class ? [{ type: UUID_CID, value: o.class }] : []),
    ...(o.custom ?? []).map((tlv) => {
      if (!Number.isInteger(tlv.type) || tlv.type < CUSTOM_FIRST || tlv.type > CUSTOM_LAST)
        throw new RangeError(`not the type of a vendor's TLV: ${tlv.type}`);
      if (tlv.value.length > 0xffff) throw new RangeError(`a TLV has at most 65,535 bytes, and not ${tlv.value.length}`);
      return tlv;
    }),
  ];
}

/** The payload of a binary. */
function payloadOf(binary: Uint8Array, { headerSize, hasRoom }: ImageOptions): Uint8Array {
  if (!Number.isInteger(headerSize) || headerSize < HEADER_BYTES || headerSize > 0xffff)
    throw new RangeError(`a header has 32 to 65,535 bytes, and not ${headerSize}`);
  if (hasMagic(binary)) refuseFormat("MCUBOOT_INPUT", 0, "it has a header: it is an image");
  if (binary.length >= 4 && viewOf(binary).getUint32(0, false) === 0x7f454c46) refuseFormat("MCUBOOT_INPUT", 0, "it is an ELF file");
  const skipped = hasRoom ? headerSize : 0;
  if (binary.length <= skipped) refuseFormat("MCUBOOT_INPUT", 0, `${binary.length} bytes`);
  const used = binary.subarray(0, skipped).findIndex((byte) => byte !== 0);
  if (used >= 0) refuseFormat("MCUBOOT_INPUT", used, `the first ${headerSize} bytes must be 0, to leave room for the header`);
  return binary.subarray(skipped);
}

function flagsOf({ load, isNonBootable }: ImageOptions): number {
  return (load ? FLAGS[load.to === "ram" ? "ram-load" : "rom-fixed"] : 0) | (isNonBootable ? FLAGS["non-bootable"] : 0);
}

function hashFor({ signer, hash, isPure }: ImageOptions): ImageHash {
  const allowed: readonly ImageHash[] = signer ? imageKey(signer).hashes : ["sha256", "sha384", "sha512"];
  const chosen = hash ?? (isPure ? "sha512" : (allowed[0] as ImageHash));
  if (!allowed.includes(chosen)) refuseFormat("MCUBOOT_HASH_KIND", -1, `${chosen} with a key ${signer?.kind}`);
  if (isPure && (chosen !== "sha512" || (signer && signer.kind !== "ed25519")))
    refuseFormat("MCUBOOT_HASH_KIND", -1, `pure signatures with ${signer?.kind ?? chosen}`);
  return chosen;
}

/**
 * Makes an image without signatures.
 *
 * @param binary - The raw binary of a build.
 * @param o - What the image says.
 * @returns The image, to be signed. withSignature() checks again that it fits the slot.
 * @throws FormatRefusal; RangeError for an option that is out of its range.
 * @example
 * ```ts
 * import { generateKeyPairSync } from "node:crypto";
 * import { buildMcuboot, formatKey, signScheme } from "@firmseal/formats";
 *
 * const pair = generateKeyPairSync("ed25519");
 * const key = formatKey(pair.publicKey);
 * const file = buildMcuboot(image, { version: "1.4.2", headerSize: 0x200, counter: 7, signer: key });
 * const { message, scheme } = file.toBeSigned(key);
 * const signed = file.withSignature(key, signScheme(pair.privateKey, scheme, message));
 * signed.verify([key]);
 * ```
 */
export function buildMcuboot(binary: Uint8Array, o: ImageOptions): BootImage {
  const payload = payloadOf(binary, o);
  const erased = o.erased ?? 0xff;
  const hash = hashFor(o);
  const facts = factTlvs(o, hash);
  const area = facts.length > 0 ? writeArea(PROTECTED, facts) : new Uint8Array(0);
  const header = {
    loadAddress: o.load?.address ?? 0,
    headerSize: o.headerSize,
    protectedSize: area.length,
    imageSize: payload.length,
    flags: flagsOf(o),
    version: parseImageVersion(o.version),
  };
  // where the binary left room, imgtool leaves the zeros behind the header's 32 bytes
  const region = Buffer.concat([writeHeader(header, o.hasRoom ? 0 : erased), payload, area]);
  const align = o.slot?.align ?? 1;
  if (![1, 2, 4, 8, 16, 32].includes(align)) throw new RangeError(`a write to the flash has 1, 2, 4, 8, 16 or 32 bytes, and not ${align}`);
  const rule = { align, maxAlign: Math.max(8, align), maxSectors: 128, isOverwriteOnly: false, ...o.slot };
  const parts = {
    header,
    region: new Uint8Array(region),
    facts: [],
    hash,
    digest: new Uint8Array(createHash(hash).update(region).digest()),
    isPure: o.isPure ?? false,
    signatures: [],
    encryption: undefined,
    trailer: o.slot?.trailer && {
      slotSize: o.slot.size,
      erased,
      maxAlign: rule.maxAlign,
      // a boot loader that copies has no such mark, and imgtool sets none
      isConfirmed: o.slot.trailer === "confirm" && !rule.isOverwriteOnly,
    },
  };
  return laidOut(parts, { hasFullKeys: o.hasFullKeys ?? false, room: o.slot && o.slot.size - trailerSize(rule) });
}
