// Options that several commands share.

import type { PassphraseOption } from "@firmseal/keys";
import { isVersion, KEY_SOURCES, refuseMissing, usage } from "@firmseal/keys/internal";
import { consumerNames, coseAlgNames } from "@firmseal/release/internal";
import { CommanderError, InvalidArgumentError, type Option } from "commander";
import { option } from "../command.js";

/** An unsigned decimal number of up to 64 bits. */
export function sequenceNumber(value: string): bigint {
  if (!/^[0-9]{1,100}$/.test(value)) throw new InvalidArgumentError("give a decimal number");
  const n = BigInt(value);
  if (n >= 2n ** 64n) throw new InvalidArgumentError("give a number below 2^64");
  return n;
}

/** The number of a leaf: up to 2^200. */
export function leafNumber(value: string): bigint {
  if (!/^[0-9]{1,61}$/.test(value)) throw new InvalidArgumentError("give a decimal number");
  return BigInt(value);
}

/** --seq: a number, or the next one by the logs of the keys. */
export function sequenceOrNext(value: string): bigint | "next" {
  if (value === "next") return value;
  if (!/^[0-9]+$/.test(value)) throw new InvalidArgumentError('give a decimal number, or "next"');
  return sequenceNumber(value);
}

/** A release: its version, or its sequence number. */
export function numberOrVersion(value: string): bigint | string {
  if (/^[0-9]+$/.test(value)) return sequenceNumber(value);
  if (!isVersion(value)) throw new InvalidArgumentError("give a version (1.4.2) or a sequence number");
  return value;
}

export function wholeNumber(value: string): number {
  if (!/^[0-9]{1,9}$/.test(value)) throw new InvalidArgumentError("give a whole number");
  return Number(value);
}

/** The place of a payload. "#…" names payloads of the envelope itself. */
function uriReference(value: string): string {
  if (!/^[!-~]+$/.test(value)) throw new InvalidArgumentError("write it in printable ASCII without spaces");
  if (value.startsWith("#"))
    throw new InvalidArgumentError("give a URI outside the envelope: one that begins with # names a payload inside it");
  return value;
}

/** The error of commander for an option that is required because no product file says it. */
export const missingOption = (flags: string): CommanderError =>
  new CommanderError(2, "commander.missingMandatoryOptionValue", `error: required option '${flags}' not specified`);

/** --key, repeatable. */
export function keys(what: string, required = true): Option {
  const kinds = ["a file", "- for stdin", ...KEY_SOURCES.map((source) => source.form)];
  return option("-k, --key <key>", `${what}: ${kinds.join(", ")}`, { repeat: true, required });
}

/**
 * Roles that a command can ask for. Root keys only sign trust files. A literal, so that --help need not load the
 * signer; a test compares it with ROLES.
 */
export const policyRoles = ["release", "debug", "recovery"];

/**
 * Refuses a path that is not there, before anything is said about missing keys. With keys, the options are judged
 * first, and what reads the path says that it is missing.
 */
export function refuseMissingFirst(path: string, o: { readonly key?: readonly string[]; readonly trust?: string }): void {
  if (!o.key && o.trust === undefined) refuseMissing(path);
}

/** --key, or --trust with what belongs to it: the trusted keys. */
export function trusted(): Option[] {
  return [
    option("-k, --key <key>", "trusted key, public or private: a file, or a reference as for sign", { repeat: true }),
    option("--trust <file>", "trust file, instead of --key"),
    option("--role <name>", "with --trust: role that the keys must have (default: release)", { choices: policyRoles }),
    ...rootOptions(),
  ];
}

/** With --trust: what verifies the trust file. */
export function rootOptions(): Option[] {
  return [
    option("--root <file>", "with --trust: public root key that must have signed the trust file", { repeat: true }),
    option("--previous-trust <file>", "with --trust: the previous trust file, whose roots must have signed it"),
  ];
}

/**
 * --passphrase-env and --passphrase-fd, repeatable, in the order of the command line. A passphrase is never an
 * argument: other processes can read the arguments of a process.
 */
export function passphrases(): Option[] {
  let all: PassphraseOption[] = [];
  const keep = (one: PassphraseOption) => {
    all = [...all, one];
    return all;
  };
  return [
    option("--passphrase-env <name>", "environment variable with the passphrase, in the order of the keys", {
      repeat: true,
      parse: (name) => keep({ env: name }),
    }),
    option("--passphrase-fd <n>", "file descriptor to read the passphrase from", {
      repeat: true,
      parse: (n) => keep({ fd: wholeNumber(n) }),
    }),
  ];
}

/** --target changes only what is said about the algorithm. */
export function target(): Option {
  return option("--target <name>", "engine or board that will verify: adds advice on which algorithm suits it");
}

export function productFile(): Option {
  return option("--product <file>", "product file (default: firmseal.toml)");
}

/** What a release is compared with. */
export function previousReleaseOption(): Option {
  return option(
    "--previous-release <path>",
    "the last published release: a folder of releases, a release, its release.json, or an envelope",
  );
}

/** --sarif-out, for commands that run lint. */
export function sarifOut(): Option {
  return option("--sarif-out <file>", "also write the findings of lint as SARIF, for code review");
}

/** Folders outside that of the product file. */
export function allowOutside(): Option {
  return option("--allow-outside <folder>", "also take images from this folder outside that of the product file, and put releases there", {
    repeat: true,
  });
}

export function imagesFolder(): Option {
  return option(
    "--images <folder>",
    "folder that the images of the product file are relative to, and must be in (default: that of the file)",
  );
}

/** The version of what is signed. */
export function releaseVersion(): Option {
  return option(
    "--version <version>",
    "if the input is an image: its version, for the text of the manifest; without --seq, also gives the sequence number",
  );
}

/** --for: the verifier on the devices. */
export function forVerifier(): Option {
  return option("--for <consumer>", "the verifier on the devices: refuse a release that it does not accept", {
    choices: consumerNames,
  });
}

/** --cose-alg: the number that the protected header names. */
export function coseAlgOption(): Option {
  return option(
    "--cose-alg <name>",
    "COSE algorithm that the signature names, for devices that know only one of two names (default: that of the consumer, or esp256 and ed25519)",
    { choices: coseAlgNames, repeat: true },
  );
}

/** What a manifest is made from if the input is an image. `counter`: what else --seq means. */
export function imageInputOptions(counter = ""): Option[] {
  return [
    option("--vendor <vendor>", "if the input is an image: domain of the vendor, or vendor UUID"),
    option("--class <class>", "if the input is an image: name of the device class, or class UUID"),
    option(
      "--seq <n>",
      'if the input is an image: sequence number, higher than that of the last release; "next" (not with tbs): the next number in the signing log' +
        counter,
      {
        parse: sequenceOrNext,
      },
    ),
    option("--first", "with --seq next: confirm that nothing has been released yet; the signing log must be empty"),
    option("--uri <uri>", "if the input is an image: leave the image out of the envelope; devices fetch it from this URI", {
      parse: uriReference,
    }),
    option("--image-out <file>", "if the input is an image: also write the bytes for flash to this file"),
    allowKeyAsImage(),
  ];
}

export function replace(): Option {
  return option("--replace", "replace an existing release at the output, even a newer one or one for other devices");
}

export function allowKeyAsImage(): Option {
  return option("--allow-key-as-image", "continue even though the image is a key, or a payload of the description is a private key");
}

/** A log in a file or a ledger. */
const LOG = "signing log, or the place of a ledger (default: KEY.log beside the key, or the ledger of the product file)";

/**
 * --log, and what is signed although the log speaks against it. `entered`: of a command that enters the use of the key.
 */
export function sequenceChecks({ entered = true } = {}): Option[] {
  return [
    option("--log <file>", LOG),
    option("--allow-lower-sequence", "sign even though the key has signed a higher sequence number or version"),
    option("--allow-sequence-reuse", "sign even though the key has signed a different manifest or trust file with this sequence number"),
    option("--allow-sequence-jump", "sign even though the sequence number is more than 2^32 above the last one, or 2^64 - 1"),
    ...(entered ? [allowClock()] : []),
  ];
}

/** Of every command that writes a log. */
export function allowClock(): Option {
  return option("--allow-clock", "continue even though the clock is before the signing log or more than 400 days after it");
}

/** A second person who must have approved what is signed. `entered`: of a command that enters the use of the key. */
export function approvals({ entered = true } = {}): Option[] {
  const removal = option(
    "--remove-approver <thumbprint>",
    "person whose approval the log of the key no longer requires, at least 16 hex digits",
    { repeat: true },
  );
  return [
    option("--approver <file>", "public key of a person who must approve this", { repeat: true }),
    option("--approval <file>", "file that firmseal approve wrote; one for each approver", { repeat: true }),
    ...(entered ? [removal] : []),
    option("--allow-no-approval", "sign this once without an approval that the log of the key requires"),
  ];
}

/** What a key that signs manifests is checked against. */
export function coverage(): Option[] {
  return [
    option("--trust <file>", "trust file that must list the key for this release; if there are several, one of them", {
      repeat: true,
    }),
    option("--role <name>", "with --trust: role in which the key signs (default: release)", { choices: policyRoles }),
    allowRootKey(),
  ];
}

export function allowRootKey(): Option {
  return option("--allow-root-key", "continue even though the signing log says that the key has signed trust files");
}

/** What devices refuse, or install and never start. */
export function refusalOverrides(): Option[] {
  return [
    option("--allow-no-device", "accept a release that every device refuses"),
    option("--allow-no-start", "accept a release that devices could never start"),
  ];
}

export function allowTestKey(): Option {
  return option("--allow-test-key <name>", "allow this published test key", { repeat: true });
}

export function failOnVerdicts(byDefault: readonly string[]): Option {
  return option(
    "--fail-on <verdicts>",
    `comma-separated verdicts that cause exit code 1, or none; assumed: any that assumes a release (default: ${byDefault.join(",")})`,
  );
}

export function allowStranded(): Option {
  return option("--allow-stranded <cohort>", "allow this cohort of the fleet to be left behind", { repeat: true });
}

export function threshold(): Option {
  return option("--threshold <n>", "number of different keys that must have signed (default: 1); not with --trust", { parse: wholeNumber });
}

export function payload(): Option {
  return option(
    "--payload <file>",
    "file with the payload that is outside the envelope; URI=FILE if there are several (default: the file beside the envelope whose name is the last part of the URI)",
    { repeat: true },
  );
}

/** The keys with which devices authenticate their statuses. */
export function statusKeys(): Option[] {
  return [
    option("--secret <file>", "secret of the device: a JWK of type oct, or a JWK Set with one for each device"),
    option("-k, --key <key>", "public key of the device, if it signs: a file, or a reference as for sign", { repeat: true }),
  ];
}

/** Formats of signature files. A literal, so that --help need not load them; a test compares it with them. */
export const signatureFormats = ["minisign", "signify", "sshsig", "der", "aws", "raw"];

/** The names of the formats of images. A literal too. */
export const bootFormats = ["mcuboot", "esp32"];

/** Refuses options of signature files where there is none. `hint`: the option that names it. */
export function refuseSignatureOptions(o: object, hint: string): void {
  const given = (names: readonly string[]) => names.find((one) => (o as { [name: string]: unknown })[one] !== undefined);
  const name = given(["format", "namespace", "comment", "trustedComment", "publicKey"]);
  if (name !== undefined) throw usage(`\`${name}\` is for signature files`, hint);
  const image = given(["headerSize", "padHeader", "slotSize", "align", "pad", "add"]);
  if (image !== undefined) throw usage(`\`${image}\` is for images of boot loaders`, hint);
}

export function signatureFormat(what: string, choices: readonly string[] = signatureFormats): Option {
  return option("--format <name>", what, { choices: [...choices] });
}

/** --shard-size */
export function shardSize(value: string): number {
  const size = /^[1-9][0-9]{0,3}$/.test(value) ? Number(value) : 0;
  if (size < 1 || size > 4096) throw new InvalidArgumentError("give a number from 1 to 4096");
  return size;
}

/** A number of bytes, also in hexadecimal: linkers and device trees have it so. */
function byteNumber(value: string): number {
  if (!/^(0x[0-9a-f]{1,8}|[0-9]{1,10})$/i.test(value)) throw new InvalidArgumentError("give a number of bytes: 512 or 0x200");
  return Number(value);
}

/** What an image of MCUboot says that is made from the binary of a build, beside its version. */
export function bootImageOptions(): Option[] {
  return [
    option("--header-size <bytes>", "with --format mcuboot: size of the header; the binary begins with as many zeros", {
      parse: byteNumber,
    }),
    option("--pad-header", "with --format mcuboot: put the header in front of the binary, which has no room for it"),
    option("--slot-size <bytes>", "with --format mcuboot: size of the slot, which the image must fit", { parse: byteNumber }),
    option("--align <bytes>", "with --format mcuboot: smallest write to the flash (default: 1)", { parse: byteNumber }),
    option("--pad <name>", "with --format mcuboot: fill the slot, so that the boot loader tests the image once, or keeps it", {
      choices: ["test", "confirm"],
    }),
    option("--add", "with --format mcuboot or esp32: add a signature to an image that others have signed"),
  ];
}

export function signatureNamespace(when: string): Option {
  return option("--namespace <text>", `${when}: purpose of the signature, which both sides name`);
}
