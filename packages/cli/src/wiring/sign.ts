// Commands that make and sign envelopes, and tell what was signed.

import type { Command } from "commander";
import { allowTestKey, withCover, withImage, withKeys, withPassphrases, withSequenceChecks, withTarget } from "../common/options.js";
import { command } from "./command.js";

/** create, sign, tbs, attach, audit. */
export function signCommands(program: Command): void {
  command(program, "create", "make an unsigned envelope from a description")
    .requiredOption("--from <file>", "description (JSON), or - for stdin")
    .option("-o, --out <file>", "output file, or - for stdout (default: the input's name with .suit)")
    .action(async (o) => (await import("../commands/sign/create.js")).create(o));

  withCover(
    withSequenceChecks(
      withImage(
        withTarget(withPassphrases(withKeys(command(program, "sign", "sign an image, a description or an envelope"), "private key")))
          .argument("<input>", "image (raw, Intel HEX, UF2, ELF), description or envelope; - for stdin")
          .option(
            "-o, --out <file>",
            "output file, or - for stdout (default: the input's name with .suit; an envelope is signed in place)",
          ),
      ),
    ),
  )
    .addOption(allowTestKey())
    .action(async (input, o) => (await import("../commands/sign/sign.js")).sign(input, o));

  withCover(
    withImage(
      withPassphrases(
        withKeys(command(program, "tbs", "write the bytes that a key somewhere else has to sign"), "public key of who will sign"),
      )
        .argument("<input>", "image (raw, Intel HEX, UF2, ELF), description or envelope; - for stdin")
        .option("-o, --out <path>", "output file, - for stdout, or a folder (default: here, named after envelope and key)")
        .option("--envelope <file>", "image or description: where the unsigned envelope goes (default: the input's name with .suit)"),
    ),
  )
    .addOption(allowTestKey())
    .action(async (input, o) => (await import("../commands/sign/tbs.js")).tbs(input, o));

  withCover(withPassphrases(command(program, "attach", "add a signature that was made somewhere else, after verifying it")))
    .argument("<envelope>", "envelope, or - for stdin")
    .requiredOption("-k, --key <key>", "public key of who signed")
    .requiredOption("--signature <file>", "the signature: raw, hex or base64, also DER for es256; - for stdin")
    .option("-o, --out <file>", "output file, or - for stdout (default: the envelope, in place)")
    .addOption(allowTestKey())
    .action(async (file, o) => (await import("../commands/sign/attach.js")).attach(file, o));

  withPassphrases(command(program, "audit", "verify the log of what a key has signed, and show it"))
    .argument("<key or log...>", "key whose log is meant, or log file")
    .option("--envelope <file>", "was this signed according to the log?")
    .option("--accept-restored", "go on with a log that was cut, restored or edited, and enter that")
    .action(async (refs, o) => (await import("../commands/sign/audit.js")).audit(refs, o));
}
