// Options that several commands share, each told once.

import type { PassphraseOption } from "@firmseal/keys";
import type { Command } from "commander";
import { InvalidArgumentError, Option } from "commander";

export function collect(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value];
}

/** An unsigned decimal number of up to 64 bits. */
export function sequenceNumber(value: string): bigint {
  if (!/^[0-9]{1,20}$/.test(value)) throw new InvalidArgumentError("a decimal number is needed.");
  const n = BigInt(value);
  if (n >= 2n ** 64n) throw new InvalidArgumentError("a sequence number ends below 2^64.");
  return n;
}

/** A number of a leaf: up to 2^200. */
export function leafNumber(value: string): bigint {
  if (!/^[0-9]{1,61}$/.test(value)) throw new InvalidArgumentError("a decimal number is needed.");
  return BigInt(value);
}

/** --seq: a number, or the next one by the logs of the keys. */
function sequenceOrNext(value: string): bigint | "next" {
  return value === "next" ? value : sequenceNumber(value);
}

export function wholeNumber(value: string): number {
  if (!/^[0-9]{1,9}$/.test(value)) throw new InvalidArgumentError("a whole number is needed.");
  return Number(value);
}

/** Where a payload will lie. "#…" names payloads of the envelope itself. */
export function uriReference(value: string): string {
  if (!/^[!-~]+$/.test(value)) throw new InvalidArgumentError("a URI is printable ASCII without space.");
  if (value.startsWith("#")) throw new InvalidArgumentError("a URI that begins with # is one inside of the envelope.");
  return value;
}

/** --key, repeatable. */
export function withKeys(command: Command, what: string): Command {
  return command.addOption(
    new Option(
      "-k, --key <key>",
      `${what}: a file, - for stdin, env:NAME, fd:N, pkcs11:…, exec:PROGRAM, awskms:…, gcpkms:…, azurekv:… (repeatable)`,
    )
      .argParser(collect)
      .makeOptionMandatory(),
  );
}

/** What a trust file can be asked for: root is for trust files alone. */
export const policyRoles = ["release", "debug", "recovery"];

/** --key, or --trust with what belongs to it: whom to believe. */
export function withTrust(command: Command): Command {
  return withRoots(
    command
      .addOption(
        new Option("-k, --key <key>", "trusted key, public or private: a file, or named as for sign (repeatable)").argParser(collect),
      )
      .option("--trust <file>", "trust file, in place of --key")
      .addOption(new Option("--role <name>", "with --trust: in which role (default: release)").choices(policyRoles)),
  );
}

/** With --trust: what the trust file is held against. */
export function withRoots(command: Command): Command {
  return command
    .addOption(new Option("--root <file>", "with --trust: root key that must have signed the trust file (repeatable)").argParser(collect))
    .option("--previous-trust <file>", "with --trust: the trust file before, whose roots must have signed it");
}

/**
 * --passphrase-env and --passphrase-fd, repeatable, kept in the order in which they stand on the command line. A passphrase is never
 * taken from the command line itself: other processes can read that.
 */
export function withPassphrases(command: Command): Command {
  const add = (option: PassphraseOption, before: PassphraseOption[] | undefined) => [...(before ?? []), option];
  let all: PassphraseOption[] = [];
  const keep = (option: PassphraseOption) => {
    all = add(option, all);
    return all;
  };
  return command
    .addOption(
      new Option(
        "--passphrase-env <name>",
        "environment variable that holds the passphrase (repeatable, in the order of the keys)",
      ).argParser((name: string) => keep({ env: name })),
    )
    .addOption(
      new Option("--passphrase-fd <n>", "file descriptor to read the passphrase from (repeatable)").argParser((n: string) =>
        keep({ fd: wholeNumber(n) }),
      ),
    );
}

/** --target: what is said about the algorithm depends on it, and nothing else does. */
export function withTarget(command: Command): Command {
  return command.option("--target <name>", "engine or board that will verify: say which algorithm suits it");
}

export function withJson(command: Command): Command {
  return command.option("--json", "one JSON object on stdout, whatever happens");
}

/** What a manifest is made with where the input is an image. */
export function withImage(command: Command): Command {
  return command
    .option("--vendor <vendor>", "image: vendor's domain, or its UUID")
    .option("--class <class>", "image: name of the class of devices, or its UUID")
    .addOption(
      new Option(
        "--seq <n>",
        "image: sequence number, higher than that of the release before; sign: next, the next by the key's log",
      ).argParser(sequenceOrNext),
    )
    .addOption(new Option("--uri <uri>", "image: keep it outside of the envelope, to be fetched from here").argParser(uriReference))
    .option("--image-out <file>", "image: also write the bytes that go to flash");
}

/** --log, and what is signed although the log speaks against it. */
export function withSequenceChecks(command: Command): Command {
  return command
    .addOption(log())
    .option("--allow-lower-sequence", "sign although a higher sequence number was signed")
    .option("--allow-sequence-reuse", "sign although another manifest or trust file has this sequence number")
    .option("--allow-sequence-jump", "sign although the sequence number is higher than the last by more than 2^32");
}

/** What a key that signs manifests is held against. */
export function withCover(command: Command): Command {
  return withAllowRootKey(
    command
      .option("--trust <file>", "trust file: refuse a key that it does not list for what is signed")
      .addOption(new Option("--role <name>", "with --trust: in which role the key signs (default: release)").choices(policyRoles)),
  );
}

export function withAllowRootKey(command: Command): Command {
  return command.option("--allow-root-key", "go on although the key has signed trust files by its log");
}

/** What a root that signs a trust file is held against. */
export function withTrustChecks(command: Command): Command {
  return withSequenceChecks(
    command.addOption(new Option("--previous <file>", "the trust file before: what changes is shown, and its roots may sign as well")),
  ).option("--allow-no-previous", "sign without --previous although the key has signed another file of this line");
}

function log(): Option {
  return new Option("--log <file>", "log of the keys (default: KEY.log beside the key)");
}

export function allowTestKey(): Option {
  return new Option("--allow-test-key <name>", "go on although this published test key is used (repeatable)").argParser(collect);
}

export function need(): Option {
  return new Option("--need <n>", "how many different keys must have signed (default: 1)").argParser(wholeNumber);
}

export function payload(): Option {
  return new Option("--payload <file>", "payload outside of the envelope; URI=FILE where there are several (repeatable)").argParser(
    collect,
  );
}
