// Commands about whom a fleet believes: trust files, and moving from one to the next.

import { type Command, Option } from "commander";
import {
  allowTestKey,
  collect,
  policyRoles,
  sequenceNumber,
  withAllowRootKey,
  withImage,
  withKeys,
  withPassphrases,
  withSequenceChecks,
  withTrustChecks,
} from "../common/options.js";
import { command, group } from "./command.js";

const roots = () => new Option("--root <file>", "root key that must have signed, from elsewhere (repeatable)").argParser(collect);
const previous = () => new Option("--previous <file>", "the trust file before");
const trustFile = ["<file>", "trust file"] as const;
const allowStranded = () =>
  new Option("--allow-stranded <cohort>", "leave this cohort of the fleet behind (repeatable)").argParser(collect);

/** trust create, sign, tbs, attach, show, verify, export. */
export function trustCommands(program: Command): void {
  const trust = group(program, "trust", "make, sign, show, verify and export trust files: which keys a device believes, and for what");

  withPassphrases(command(trust, "create", "make a trust file, not signed yet, from a description"))
    .requiredOption("--from <file>", "description (JSON), or - for stdin")
    .addOption(previous())
    .addOption(allowTestKey())
    .option("-o, --out <file>", "output file, never overwritten, or - for stdout (default: the input's name with .trust)")
    .action(async (o) => (await import("../commands/trust/sign.js")).create(o));

  withTrustChecks(withPassphrases(withKeys(command(trust, "sign", "sign a trust file"), "private key of a root")))
    .argument(...trustFile)
    .addOption(allowTestKey())
    .option("-o, --out <file>", "output file, or - for stdout (default: in place)")
    .action(async (file, o) => (await import("../commands/trust/sign.js")).sign(file, o));

  withTrustChecks(withPassphrases(command(trust, "tbs", "write the bytes that a root signs elsewhere")))
    .argument(...trustFile)
    .requiredOption("-k, --key <file>", "public key of the root")
    .addOption(allowTestKey())
    .option("-o, --out <file>", "output file, or - for stdout", "-")
    .action(async (file, o) => (await import("../commands/trust/sign.js")).tbs(file, o));

  withTrustChecks(withPassphrases(command(trust, "attach", "add a signature that was made elsewhere")))
    .argument(...trustFile)
    .requiredOption("-k, --key <file>", "public key of the root")
    .requiredOption("--signature <file>", "the signature over what trust tbs wrote: raw, hex or base64, also DER for es256; - for stdin")
    .addOption(allowTestKey())
    .option("-o, --out <file>", "output file, or - for stdout (default: in place)")
    .action(async (file, o) => (await import("../commands/trust/sign.js")).attach(file, o));

  command(trust, "show", "show what a trust file says, and who has signed it")
    .argument(...trustFile)
    .action(async (file, o) => (await import("../commands/trust/verify.js")).show(file, o));

  withPassphrases(command(trust, "verify", "verify a trust file as a device does"))
    .argument(...trustFile)
    .addOption(roots())
    .addOption(previous())
    .action(async (file, o) => (await import("../commands/trust/verify.js")).verify(file, o));

  withPassphrases(command(trust, "export", "write what a device embeds"))
    .argument(...trustFile)
    .addOption(roots())
    .addOption(previous())
    .addOption(
      new Option("--format <name>", "js: for a bundle; h: a C header; bin: the file itself").choices(["js", "h", "bin"]).default("js"),
    )
    .addOption(new Option("--role <name>", "only the keys of this role, as data").choices(policyRoles))
    .option("--vendor <vendor>", "with --role: the device's vendor (domain or UUID)")
    .option("--class <class>", "with --role: the device's class (name or UUID)")
    .option("-o, --out <file>", "output file, or - for stdout", "-")
    .action(async (file, o) => (await import("../commands/trust/verify.js")).exportTrust(file, o));
}

/** rotate plan, bridge, retire. */
export function rotateCommands(program: Command): void {
  const rotate = group(program, "rotate", "move a fleet from one trust file to the next: plan, bridge, retire");

  command(rotate, "plan", "say what becomes of each cohort of a fleet that is offered these releases in order")
    .requiredOption("--fleet <file>", "the devices in the field (JSON)")
    .addOption(new Option("--step <envelope>", "a release that is offered (repeatable, in order)").argParser(collect).makeOptionMandatory())
    .addOption(new Option("--lost <key>", "a key that cannot sign any more (repeatable)").argParser(collect))
    .addOption(new Option("--stolen <key>", "a key that somebody else has (repeatable)").argParser(collect))
    .addOption(allowStranded())
    .action(async (o) => (await import("../commands/rotate/plan.js")).plan(o));

  withAllowRootKey(
    withSequenceChecks(
      withImage(
        withPassphrases(
          withKeys(command(rotate, "bridge", "sign a release that moves devices to the next trust file"), "release key, private"),
        )
          .argument("[image]", "image (raw, Intel HEX, UF2, ELF), or - for stdin; it is not fetched where it is there already")
          .requiredOption("--trust <file>", "the trust file that devices have")
          .requiredOption("--next <file>", "the trust file that they are to have")
          .requiredOption("-o, --out <file>", "output file, or - for stdout"),
      ),
    ),
  )
    .option("--fleet <file>", "the devices in the field: refuse what would leave some behind")
    .addOption(allowStranded())
    .addOption(allowTestKey())
    .action(async (image, o) => (await import("../commands/rotate/plan.js")).bridge(image, o));

  withSequenceChecks(withPassphrases(command(rotate, "retire", "sign the next trust file, without a key")))
    .argument("<key>", "the key: a file, or its thumbprint")
    .requiredOption("--trust <file>", "the trust file of today")
    .addOption(new Option("--root <key>", "root key, private (repeatable)").argParser(collect).makeOptionMandatory())
    .addOption(new Option("--until <n>", "keep the key for releases up to this sequence number").argParser(sequenceNumber))
    .requiredOption("--fleet <file>", "the devices in the field: refuse what would leave some behind")
    .addOption(allowStranded())
    .addOption(allowTestKey())
    .requiredOption("-o, --out <file>", "output file, or - for stdout")
    .action(async (key, o) => (await import("../commands/rotate/plan.js")).retire(key, o));
}
