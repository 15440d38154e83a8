// What an image says, for people and as JSON.

import { formatUuid } from "@firmseal/signer";
import { toHex } from "@firmseal/verifier/tools";
import type { FormatDetail, FormatFacts } from "../format.js";
import { viewOf } from "../view.js";
import { flagNames, hasFlag } from "./header.js";
import { formatImageVersion, readVersion } from "./image-version.js";
import { DEPENDENCY, ECDSA, SEC_CNT, UUID_CID, UUID_VID } from "./numbers.js";
import { factNumber, hashFits, type ImageParts, isCompressed } from "./parts.js";
import { nameOfTlv, rowOfTlv } from "./tlv.js";

const SIGNATURE_NAMES: { readonly [name: string]: string } = { "rsa2048-pss": "rsa2048-pss-sha256", "rsa3072-pss": "rsa3072-pss-sha256" };

/** As schemeName() names it. The type is the same for both curves, and the hash is not. */
function algorithmOf(type: number, { hash, isPure }: ImageParts): string {
  if (type === ECDSA) return hash === "sha384" ? "ecdsa-p384-sha384" : "ecdsa-p256-sha256";
  const name = rowOfTlv(type)?.name ?? "";
  return isPure ? `${name}-pure` : (SIGNATURE_NAMES[name] ?? name);
}

function factDetails({ facts }: ImageParts): FormatDetail[] {
  return facts
    .filter(({ type }) => type !== SEC_CNT)
    .map(({ type, value }) => {
      const name = rowOfTlv(type)?.name ?? "";
      if (type === DEPENDENCY)
        return { name, value: `image ${value[0]}, version ${formatImageVersion(readVersion(viewOf(value), 4))} or later` };
      if (type === UUID_VID || type === UUID_CID) return { name, value: formatUuid(value) };
      return { name: name === "custom" ? `tlv-${nameOfTlv(type)}` : name, value: toHex(value) };
    });
}

/** The facts of an image in a file of `bytes` bytes. */
export function imageFacts(parts: ImageParts, bytes: number): FormatFacts {
  const { header, trailer } = parts;
  const isEncrypted = hasFlag(header.flags, "aes-128") || hasFlag(header.flags, "aes-256");
  const isClear = isEncrypted && hashFits(parts);
  const flags = flagNames(header.flags);
  return {
    format: "mcuboot",
    bytes,
    version: formatImageVersion(header.version),
    counter: factNumber(parts.facts, SEC_CNT) ?? null,
    sizes: {
      header: header.headerSize,
      image: header.imageSize,
      "protected-tlvs": header.protectedSize,
      tlvs: parts.end - parts.region.length,
      ...(trailer && { slot: trailer.slotSize }),
    },
    signatures: parts.signatures.map(({ key, signature }) => ({ algorithm: algorithmOf(signature.type, parts), key: toHex(key.value) })),
    encrypted: isEncrypted && !isClear,
    details: [
      { name: "hash", value: `${parts.hash} ${toHex(parts.digest)}` },
      ...(flags.length > 0 ? [{ name: "flags", value: flags.join(", ") }] : []),
      ...(hasFlag(header.flags, "ram-load") || hasFlag(header.flags, "rom-fixed")
        ? [{ name: "load-address", value: `0x${header.loadAddress.toString(16).padStart(8, "0")}` }]
        : []),
      ...factDetails(parts),
      ...(parts.encryption ? [{ name: "wrapped-key", value: rowOfTlv(parts.encryption.type)?.name ?? "" }] : []),
      ...(trailer ? [{ name: "trailer", value: trailer.isConfirmed ? "confirmed" : "to be tested" }] : []),
    ],
    warnings: [
      ...(isClear ? ["the payload is not encrypted, although the image says so"] : []),
      ...(trailer?.isConfirmed ? ["no signature covers the trailer: anybody could have confirmed the image"] : []),
      ...(isCompressed(parts) ? ["the image is compressed: what it becomes is not checked"] : []),
    ],
  };
}
