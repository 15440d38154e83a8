// Signs an image for a boot loader: MCUboot, or Secure Boot v2 of ESP32. The signatures are in the image, and the use
// of each key is in its log like every other one, with the security counter and the version.

import type { BootFormat, BootImage, FormatKey, FormatRefusal, ImageOptions } from "@firmseal/formats";
import {
  type Abortable,
  type ClockOverride,
  keyName,
  type PassphraseOption,
  type Receipt,
  refuseTestKeys,
  type SequenceOverrides,
  type SigningKey,
  type SigningLogs,
  withSigners,
  withSigningLogs,
} from "@firmseal/keys";
import {
  type BootNumbers,
  bootVersionNumber,
  checkBootNumber,
  decidesBoot,
  logsFor,
  readAll,
  refusedInput,
  refuseKeyAsInput,
  scopeOfBootImage,
  sha256Hex,
  usage,
  visible,
  warn,
} from "@firmseal/keys/internal";
import { formatUuid, type PublicKey } from "@firmseal/signer";
import { identityOf } from "../input/identity.js";
import { LIMITS } from "../input/limits.js";
import { refuseAsImage } from "../input/wrong-kind.js";
import type { Product } from "../product/file/product.js";
import { refuseMovedKeys } from "../signing/coverage.js";
import { enterUses } from "../signing/enter-uses.js";
import { formatKeyOf, refuseProductKey, refuseProductReferences } from "./foreign-key.js";

/** Options of signImage(). */
export interface SignImageOptions extends SequenceOverrides, ClockOverride, Abortable {
  /** The format: mcuboot or esp32. */
  readonly format: string;
  /** Domain or UUID of the vendor. With `class`, it says for which devices the log counts the image. */
  readonly vendor: string;
  /** Name or UUID of the device class, or several of them. */
  readonly class: string | readonly string[];
  /** How messages name the content. Default: its file name, or "the input". */
  readonly name?: string;
  /** MCUboot: what an image says that is made from the binary of a build. Without it, the input is an image. */
  readonly image?: Omit<ImageOptions, "signer"> | undefined;
  /** Sign an image that has signatures by other keys, which stay. */
  readonly add?: boolean;
  /** A product whose keys must not sign: devices trust them for manifests. */
  readonly product?: Product | undefined;
  /** Where the passphrases of the keys come from. */
  readonly passphrases?: readonly PassphraseOption[];
  /** Names of published test keys that may sign. */
  readonly allowTestKey?: readonly string[];
  /** The signing log, if it is not beside the key, or in the state folder for a key without a file. */
  readonly log?: string | undefined;
}

/** A signed image. */
export interface SignedImage {
  /** The image, read: its bytes, and what it says. */
  readonly file: BootImage;
  /** The keys that signed now. */
  readonly keys: readonly PublicKey[];
  /** The entries in the signing logs, one for each key. */
  readonly receipts: Receipt[];
}

/**
 * Signs an image for a boot loader. Checks the security counter and the version against the logs of the keys, enters
 * the use of each key before it signs, and verifies the result. Writes no file.
 *
 * @param content - A file name, or the bytes of a file: an image, or with `image` the binary of a build.
 * @param keys - References as openKey() takes them, each opened and closed here; or open keys, which stay open. The
 *   first one decides the hash of an image that is made.
 * @param options - The format, the devices, what the image says, and what else to check.
 * @returns The image, and the entries in the logs.
 * @throws FormatRefusal for an image or a key that the format does not have; RangeError for a member of `image` that is
 *   out of its range; Failure for all else: ERR_SEQUENCE for a counter or a version that devices would refuse,
 *   ERR_KEY_ROLE if a key signs something else, ERR_ALREADY_SIGNED for an image with signatures without `add`. A
 *   refused call leaves no entry and no signature.
 * @example
 * ```ts
 * import { writeFileSync } from "node:fs";
 * import { signImage } from "@firmseal/release";
 *
 * const { file } = await signImage("app.bin", ["downloads.pem"], {
 *   format: "mcuboot",
 *   vendor: "example.com",
 *   class: "board-v2",
 *   image: { version: "1.4.2", headerSize: 0x200, counter: 7, slot: { size: 0x60000 } },
 * });
 * writeFileSync("app.signed.bin", file.bytes);
 * ```
 */
export async function signImage(
  content: string | Uint8Array,
  keys: readonly string[] | readonly SigningKey[],
  options: SignImageOptions,
): Promise<SignedImage> {
  // nothing of the caller's is read again later
  const bytes = typeof content === "string" ? readAll(content, LIMITS.image) : Uint8Array.from(content);
  const name = options.name ?? (typeof content === "string" ? content : "the input");
  const o = { ...options, class: [options.class].flat(), ...(options.image && { image: { ...options.image } }) };
  const references = keys.filter((key) => typeof key === "string");
  const open = keys.filter((key): key is SigningKey => typeof key !== "string");
  if (keys.length === 0) throw usage("no key signs", "name at least one key");
  if (references.length > 0 && open.length > 0)
    throw usage("keys: give references, or open keys, not both", "open all of them: withSigners()");
  refuseProductReferences(o.product, references, "image");
  const work = (signing: readonly SigningKey[]) => sign(name, bytes, signing, o);
  return open.length > 0 ? work(open) : withSigners(references, o.passphrases ?? [], work, o);
}

/** The format of images with this name. Throws a Failure (usage) if there is none. */
export async function bootFormatOf(name: string): Promise<BootFormat> {
  const { BOOT_FORMATS } = await import("@firmseal/formats");
  const format = BOOT_FORMATS.find((one) => one.name === name);
  if (format) return format;
  throw usage(`\`format\` ${name} is not a format of images`, `give one of ${BOOT_FORMATS.map((one) => one.name).join(", ")}`);
}

async function sign(name: string, content: Uint8Array, keys: readonly SigningKey[], o: SignImageOptions): Promise<SignedImage> {
  const format = await bootFormatOf(o.format);
  refuseTestKeys(
    keys.map((key) => key.public),
    o.allowTestKey ?? [],
  );
  const by: FormatKey[] = [];
  for (const key of keys) {
    if (by.length > 0 && keys.slice(0, by.length).some((one) => keyName(one.public) === keyName(key.public)))
      throw refusedInput("ERR_ALREADY_SIGNED", `${key.name}: this key is given twice`, "name each key once");
    by.push(await formatKeyOf(key, format.name));
    if (o.product) await refuseProductKey(o.product, key, "image");
  }
  const { image, messages } = await bootDraft(name, content, format, by, o);
  for (const text of image.facts.warnings) warn(`${name}: ${text}`);
  const numbers = numbersOf(image, format, o);
  let file = image;
  const receipts = await withSigningLogs(
    keys,
    o.log,
    async (logs) => {
      refuseMovedKeys(keys, logs.deciding.flat());
      const overrides = permit(keys, logs, numbers, o);
      return enterUses(logs, "sign", keys, messages, { ...factsOf(numbers), ...(overrides.length > 0 && { overrides }) });
    },
    o,
  );
  for (const [i, key] of keys.entries()) file = file.withSignature(by[i] as FormatKey, await key.signer.sign(messages[i] as Uint8Array));
  // as a boot loader reads it
  const made = format.read(file.bytes);
  made.verify(by);
  return { file: made, keys: keys.map((key) => key.public), receipts };
}

/** An image that is not signed yet. */
export interface BootDraft {
  readonly image: BootImage;
  /** What each key signs. */
  readonly messages: readonly Uint8Array[];
  /** The image with signatures as long as they can be, which nobody has made. */
  readonly trial: BootImage;
}

/**
 * The image that keys must sign. Signs without keys first, with signatures that take the most bytes: what does not fit
 * into the slot or the sector is refused before anything is entered.
 */
export async function bootDraft(
  name: string,
  content: Uint8Array,
  format: BootFormat,
  by: readonly FormatKey[],
  o: Pick<SignImageOptions, "image" | "add">,
): Promise<BootDraft> {
  const { schemeLength } = await import("@firmseal/formats");
  const image = await draftOf(name, content, format, by[0] as FormatKey, o);
  const messages: Uint8Array[] = [];
  let trial = image;
  for (const key of by) {
    messages.push(image.toBeSigned(key).message);
    trial = trial.withSignature(key, new Uint8Array(schemeLength(key.kind)).fill(0x80));
  }
  return { image, messages, trial };
}

async function draftOf(
  name: string,
  content: Uint8Array,
  format: BootFormat,
  signer: FormatKey,
  o: Pick<SignImageOptions, "image" | "add">,
): Promise<BootImage> {
  const { buildMcuboot } = await import("@firmseal/formats");
  if (o.image && format.name !== "mcuboot")
    throw usage(`\`image\` is for mcuboot, and an image in the format ${format.name} says all of it itself`, "leave it out");
  if (o.image && !o.add && !format.looksLike(content)) {
    await refuseNoBinary(name, content, o.image);
    return buildMcuboot(content, { ...o.image, signer });
  }
  if (!o.image && format.name === "mcuboot" && !format.looksLike(content))
    throw usage(`${name} has no header of MCUboot: it is not an image yet`, "to make one, give its version and the size of its header");
  if (o.add && o.image) throw usage("`add` is for an image that has signatures, and a binary has none", "leave out one of the two");
  const image = format.read(content);
  const { signatures, version } = image.facts;
  if (o.image)
    throw usage(
      `${name} already is an image, of version ${version}`,
      "to sign it as it is, leave out what an image says; or give the binary of the build",
    );
  if (signatures.length > 0 && !o.add)
    throw refusedInput(
      "ERR_ALREADY_SIGNED",
      `${name} has signatures, by ${signatures.map(({ algorithm, key }) => `${algorithm}${key === null ? "" : `, key hash ${key.slice(0, 16)}…`}`).join("; by ")}`,
      "to put one more signature in it: `add`",
    );
  if (signatures.length > 0 && image.facts.sizes["slot"] !== undefined)
    throw usage(`${name} fills its slot: how much of it the boot loader needs is not known`, "sign the binary with all keys at once");
  if (signatures.length > 0) refuseBroken(image, signer);
  return image;
}

/** Bytes at the start of an image: a vector table, or code. */
const START = 8;

/**
 * Refuses what a boot loader would start although it is not code, and a header that is not where the linker left room.
 */
async function refuseNoBinary(
  name: string,
  content: Uint8Array,
  { headerSize, hasRoom, slot }: Omit<ImageOptions, "signer">,
): Promise<void> {
  const { DETECT_BYTES, detectFormat } = await import("@firmseal/images");
  const format = detectFormat(content.subarray(0, DETECT_BYTES), name);
  if (format !== "raw")
    throw usage(
      `${name} is a file in the format ${format}, and an image is made from a raw binary`,
      "convert it: objcopy -O binary IN OUT; in Zephyr it is zephyr.bin",
    );
  if (content.length === 0) throw refusedInput("ERR_IMAGE", `${name} is empty`, "give the binary that the build wrote");
  refuseAsImage(name, content.subarray(0, 4096));
  await refuseKeyAsInput(name, [], content, { isFirmware: true, hint: "give the binary that the build wrote" });
  if (headerSize % 4 !== 0)
    throw usage(`a header of ${headerSize} bytes puts the code at an odd place`, "give the size that the linker has left: 0x200 in Zephyr");
  if (slot?.align !== undefined && slot.size % slot.align !== 0)
    throw usage(`a slot of ${slot.size} bytes is not a multiple of its smallest write, ${slot.align}`, "give the size of the partition");
  const zeros = content.findIndex((byte) => byte !== 0);
  if (hasRoom && zeros >= 0 && zeros < headerSize)
    throw usage(
      `${name} has no room for the header: its first ${headerSize} bytes must be 0`,
      "correct `headerSize`, or have the header put in front: `padHeader`",
    );
  const start = content.subarray(hasRoom ? headerSize : 0).subarray(0, START);
  for (const byte of [0, 0xff])
    if (start.every((one) => one === byte))
      throw usage(
        `the code behind the header begins with ${start.length} bytes ${byte === 0 ? "00" : "ff"}: the header is not where the linker left room for it`,
        "correct `headerSize`; `padHeader` is for a binary that has no room for a header",
      );
}

/** Refuses an image whose signatures would keep it from starting, as far as that is known without their keys. */
function refuseBroken(image: BootImage, signer: FormatKey): void {
  try {
    image.verify([signer]);
  } catch (e) {
    if ((e as Partial<FormatRefusal>).reason !== "FORMAT_NO_KEY") throw e;
  }
}

/** What the log says about an image. */
function numbersOf({ covered, facts }: BootImage, format: BootFormat, o: SignImageOptions): BootNumbers {
  const { counter, version } = facts;
  const devices = [o.class].flat().map((name) => identityOf(o.vendor, name));
  refuseOtherDevices(facts, devices);
  if (version !== null && bootVersionNumber(version) === undefined)
    warn(`version ${visible(version)} has no order: it is not compared with earlier ones`);
  // a boot loader of an ESP32 has no counter, and its apps have
  const kind = format.name === "esp32" && counter === null ? "esp32-boot" : format.name;
  return {
    digest: `sha-256:${sha256Hex(covered)}`,
    scope: devices.flatMap((one) => scopeOfBootImage(kind, one)),
    counter: counter === null ? undefined : BigInt(counter),
    version: version ?? undefined,
  };
}

/** Refuses an image that names devices, and not those that its log counts. */
export function refuseOtherDevices({ details }: BootImage["facts"], devices: readonly { vendor: Uint8Array; class: Uint8Array }[]): void {
  for (const what of ["vendor", "class"] as const) {
    const named = details.find(({ name }) => name === what)?.value;
    if (named !== undefined && !devices.some((one) => formatUuid(one[what]) === named))
      throw refusedInput(
        "ERR_IMAGE",
        `the image is for ${what} ${named}, and \`${what}\` names another one`,
        "give the vendor and the class that the image names",
      );
  }
}

const factsOf = ({ digest, scope, counter, version }: BootNumbers) => ({
  digest,
  ...(counter !== undefined && { sequence: String(counter) }),
  ...(version !== undefined && { version }),
  scope: [...scope],
});

/** Throws the refusals of the logs. Returns what was overridden. */
function permit(
  keys: readonly SigningKey[],
  logs: Pick<SigningLogs, "logs" | "deciding">,
  numbers: BootNumbers,
  o: SequenceOverrides,
): string[] {
  const known = logs.deciding.flat();
  if (known.length > 0 && !known.some((e) => e.scope?.some((one) => numbers.scope.includes(one))))
    warn("the log has no image for this vendor and class yet, so nothing was compared: check that both are written right");
  const compared = logsFor(keys, logs, ({ entries }) => decidesBoot(entries, numbers));
  const overrides = checkBootNumber(compared, numbers, o);
  for (const override of overrides) warn(`the image is signed because of \`${override}\``);
  return overrides;
}
