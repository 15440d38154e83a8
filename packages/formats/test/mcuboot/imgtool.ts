// The options of `imgtool sign`, as the vectors name them, as options of buildMcuboot().

import { identityUuids, isUuid, parseUuid } from "@firmseal/signer";
import { fromHex } from "@firmseal/verifier/tools";
import type { ImageOptions } from "../../src/mcuboot/build-image.js";
import { publicOf } from "../common.js";

const SHORT: { readonly [short: string]: string } = { v: "version", H: "header-size", S: "slot-size", s: "security-counter", k: "key" };
const LATER: { readonly [short: string]: string } = {
  d: "dependencies",
  M: "max-sectors",
  R: "erased-val",
  L: "load-addr",
  F: "rom-fixed",
};
const SWITCHES = ["pad-header", "pure", "pad-sig", "pad", "confirm", "overwrite-only", "non-bootable", "clear"];

/** The values of each option of a command line without quotes. */
export function optionsOfImgtool(command: string): Map<string, string[]> {
  const words = command
    .replace(/\((\d), (\S+)\)/g, "$1:$2;")
    .split(" ")
    .slice(2);
  const found = new Map<string, string[]>();
  while (words[0]?.startsWith("-")) {
    const word = (words.shift() ?? "").replace(/^-+/, "");
    const name = SHORT[word] ?? LATER[word] ?? word;
    const count = SWITCHES.includes(name) ? 0 : name === "custom-tlv" ? 2 : 1;
    found.set(name, [...(found.get(name) ?? []), ...words.splice(0, count)]);
  }
  return found;
}

function idsOf(vendor: string | undefined, kind: string | undefined) {
  if (!vendor || !kind) return {};
  const raw = (text: string) => (isUuid(text) ? parseUuid(text) : fromHex(text));
  return isUuid(vendor) ? { vendor: raw(vendor), class: raw(kind) } : identityUuids(vendor, kind);
}

/** What the command says, for buildMcuboot(). */
export function imageOptions(command: string): ImageOptions {
  const given = optionsOfImgtool(command);
  const one = (name: string) => given.get(name)?.[0];
  const key = one("key") ?? one("fix-sig-pubkey");
  const counter = one("security-counter");
  const custom = given.get("custom-tlv") ?? [];
  const address = one("load-addr") ?? one("rom-fixed");
  const sha = one("sha");
  return {
    version: one("version") as string,
    headerSize: Number(one("header-size")),
    ...(key && { signer: publicOf(key.replace("keys/", "")) }),
    ...(sha && { hash: `sha${sha}` as "sha512" }),
    ...(given.has("pure") && { isPure: true }),
    ...(one("public-key-format") === "full" && { hasFullKeys: true }),
    ...(counter && { counter: counter === "auto" ? counter : Number(counter) }),
    ...(given.has("boot-record") && { bootRecord: one("boot-record") as string }),
    dependencies: [...(one("dependencies") ?? "").matchAll(/(\d):([^;]+);/g)].map(([, image, version = ""]) => ({
      image: Number(image),
      version,
    })),
    ...idsOf(one("vid"), one("cid")),
    custom: custom.flatMap((value, i) => {
      if (i % 2 === 0) return [];
      return [{ type: Number(custom[i - 1]), value: value.startsWith("0x") ? fromHex(value.slice(2)) : new TextEncoder().encode(value) }];
    }),
    ...(address && { load: { to: given.has("load-addr") ? "ram" : "rom", address: Number(address) } }),
    ...(given.has("non-bootable") && { isNonBootable: true }),
    ...(one("erased-val") === "0" && { erased: 0 }),
    slot: {
      size: Number(one("slot-size")),
      ...(given.has("align") && { align: Number(one("align")) }),
      ...(given.has("max-align") && { maxAlign: Number(one("max-align")) }),
      ...(given.has("max-sectors") && { maxSectors: Number(one("max-sectors")) }),
      ...(given.has("overwrite-only") && { isOverwriteOnly: true }),
      ...(given.has("pad") && { trailer: given.has("confirm") ? "confirm" : "test" }),
    },
  };
}
