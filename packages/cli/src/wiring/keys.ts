// Commands that make, show and change keys: in files, and in tokens.

import { Argument, type Command, Option } from "commander";
import { leafNumber, wholeNumber, withPassphrases, withTarget } from "../common/options.js";
import { command, group } from "./command.js";

const HYBRIDS = ["ed25519", "es256"].flatMap((classic) => ["44", "65", "87"].map((n) => `${classic}+ml-dsa-${n}`));

/** keygen, pubkey, convert, hss. */
export function keyCommands(program: Command): void {
  withTarget(withPassphrases(command(program, "keygen", "make a private key, encrypted by default")))
    .addOption(
      new Option("--alg <name>", "algorithm; two with + make a hybrid pair, KEY.pem and KEY.pq.pem")
        .choices(["ed25519", "es256", "hsslms", "ml-dsa-44", "ml-dsa-65", "ml-dsa-87", ...HYBRIDS])
        .default("ed25519"),
    )
    .option(
      "--hss <levels>",
      "hsslms: HEIGHT/WIDTH of each level from the top, with commas, n24: before them for SHA-256/192 (default: 15/4)",
    )
    .addOption(
      new Option("--format <name>", "form of the key; hsslms has one of its own")
        .choices(["pkcs8", "openssh", "jwk", "cose"])
        .default("pkcs8"),
    )
    .requiredOption("-o, --out <file>", "where to write the key (mode 0600); never overwritten")
    .option("--no-passphrase", "write the key unencrypted")
    .action(async (o) =>
      o.alg === "hsslms"
        ? (await import("../commands/keys/keygen-hss.js")).keygenHss(o)
        : (await import("../commands/keys/keygen.js")).keygen(o),
    );

  withPassphrases(command(program, "pubkey", "write the public part of a key"))
    .argument("<key>", "private or public key: a file, - for stdin, or named as for sign")
    .addOption(
      new Option("--format <name>", "output format (default: pem, or js with --device)").choices([
        "pem",
        "openssh",
        "jwk",
        "cose",
        "js",
        "h",
        "raw",
      ]),
    )
    .option("--device", "with a table worked out beforehand, which makes verification faster (Ed25519; js)")
    .addOption(new Option("--table-size <size>", "characters in the table").choices(["1k", "2k", "4k", "8k"]))
    .option("--table-numbers", "the table as an array of numbers, for devices with RAM: faster than text")
    .action(async (key, o) => (await import("../commands/keys/pubkey.js")).pubkey(key, o));

  withPassphrases(command(program, "convert", "write a key in another form, or under another passphrase"))
    .argument("<key>", "private or public key: a file, env:NAME, fd:N, or - for stdin")
    .addOption(
      new Option("--format <name>", "form of the new file: pkcs8 for a private key, pem or raw for a public one, the others for both")
        .choices(["pkcs8", "openssh", "jwk", "cose", "pem", "raw"])
        .makeOptionMandatory(),
    )
    .requiredOption("-o, --out <file>", "where to write it (a private key with mode 0600); never overwritten")
    .option("--new-passphrase-env <name>", "environment variable that holds the passphrase of the new file")
    .addOption(new Option("--new-passphrase-fd <n>", "file descriptor to read the passphrase of the new file from").argParser(wholeNumber))
    .option("--no-passphrase", "write a private key unencrypted")
    .action(async (key, o) => (await import("../commands/keys/convert.js")).convert(key, o));

  command(program, "hss", "what is used of an HSS/LMS key, and how to go on with its state")
    .addArgument(
      new Argument("<what>", "status; skip: give leaves up; adopt: sign on this machine from now on").choices(["status", "skip", "adopt"]),
    )
    .argument("<key>", "private key file")
    .addOption(new Option("--to <n>", "skip: the number of the next signature").argParser(leafNumber))
    .option("--no-other-copy-signs", "adopt: no other copy of the key signs any more")
    .action(async (what, key, o) => (await import("../commands/keys/hss.js")).hss(what, key, o));
}

/** token list, token keygen. */
export function tokenCommands(program: Command): void {
  const token = group(program, "token", "list the keys in PKCS#11 tokens, and make new ones there");

  withPassphrases(command(token, "list", "list tokens and their keys; what is shown without a PIN"))
    .argument("[uri]", "which ones: pkcs11:token=…;object=… (RFC 7512)", "pkcs11:")
    .option("--login", "with the user PIN: private keys are listed, too")
    .action(async (uri, o) => (await import("../commands/token/list.js")).list(uri, o));

  withPassphrases(command(token, "keygen", "make a key pair in a token, which the private key cannot leave"))
    .argument("<uri>", "pkcs11:token=TOKEN;object=NAME: the token, and how the key will be called")
    .addOption(new Option("--alg <name>", "algorithm").choices(["ed25519", "es256"]).default("ed25519"))
    .action(async (uri, o) => (await import("../commands/token/list.js")).keygen(uri, o));
}
