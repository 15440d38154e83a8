// The command line: which commands there are, and how each ends. What a command does lies in its own file, loaded when it is used.

import { Argument, Command, CommanderError, Option } from "commander";
import about from "../package.json" with { type: "json" };
import {
  collect,
  leafNumber,
  sequenceNumber,
  wholeNumber,
  withImage,
  withJson,
  withKeys,
  withPassphrases,
  withTarget,
  withTrust,
} from "./options.js";

const HYBRIDS = ["ed25519", "es256"].flatMap((classic) => ["44", "65", "87"].map((n) => `${classic}+ml-dsa-${n}`));

// Words before anything heavy is loaded: --version and --help answer at once.
const program = new Command("firmseal")
  .description("Sign, inspect, verify and install firmware updates (SUIT manifests)")
  .version(about.version, "-V, --version")
  .showHelpAfterError(false)
  .configureOutput({ writeErr: () => {} })
  .exitOverride();

function command(name: string, description: string, under: Command = program): Command {
  return withJson(
    under
      .command(name)
      .description(description)
      .exitOverride()
      .configureOutput({ writeErr: () => {} }),
  );
}

withTarget(withPassphrases(command("keygen", "make a private key, encrypted by default")))
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
    o.alg === "hsslms" ? (await import("./commands/keygen-hss.js")).keygenHss(o) : (await import("./commands/keygen.js")).keygen(o),
  );

withPassphrases(command("pubkey", "write the public part of a key"))
  .argument("<key>", "private or public key file")
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
  .action(async (key, o) => (await import("./commands/pubkey.js")).pubkey(key, o));

command("hss", "what is used of an HSS/LMS key, and how to go on with its state")
  .addArgument(
    new Argument("<what>", "status; skip: give leaves up; adopt: sign on this machine from now on").choices(["status", "skip", "adopt"]),
  )
  .argument("<key>", "private key file")
  .addOption(new Option("--to <n>", "skip: the number of the next signature").argParser(leafNumber))
  .option("--no-other-copy-signs", "adopt: no other copy of the key signs any more")
  .action(async (what, key, o) => (await import("./commands/hss.js")).hss(what, key, o));

withPassphrases(command("convert", "write a key in another form, or under another passphrase"))
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
  .action(async (key, o) => (await import("./commands/convert.js")).convert(key, o));

command("create", "make an unsigned envelope from a description")
  .requiredOption("--from <file>", "description (JSON), or - for stdin")
  .option("-o, --out <file>", "output file, or - for stdout (default: the input's name with .suit)")
  .action(async (o) => (await import("./commands/create.js")).create(o));

const allowTestKey = () =>
  new Option("--allow-test-key <name>", "sign although this published test key is used (repeatable)").argParser(collect);

withImage(
  withTarget(withPassphrases(withKeys(command("sign", "sign an image, a description or an envelope"), "private key")))
    .argument("<input>", "image (raw, Intel HEX, UF2, ELF), description or envelope; - for stdin")
    .option("-o, --out <file>", "output file, or - for stdout (default: the input's name with .suit; an envelope is signed in place)"),
)
  .addOption(allowTestKey())
  .option("--log <file>", "log of the keys (default: KEY.log beside the key)")
  .option("--allow-lower-sequence", "sign although a higher sequence number was signed")
  .option("--allow-sequence-reuse", "sign although another manifest has this sequence number")
  .option("--allow-sequence-jump", "sign although the sequence number is higher than the last by more than 2^32")
  .action(async (input, o) => (await import("./commands/sign.js")).sign(input, o));

withImage(
  withPassphrases(withKeys(command("tbs", "write the bytes that a key somewhere else has to sign"), "public key of who will sign"))
    .argument("<input>", "image (raw, Intel HEX, UF2, ELF), description or envelope; - for stdin")
    .option("-o, --out <path>", "output file, - for stdout, or a folder (default: here, named after envelope and key)")
    .option("--envelope <file>", "image or description: where the unsigned envelope goes (default: the input's name with .suit)"),
)
  .addOption(allowTestKey())
  .action(async (input, o) => (await import("./commands/tbs.js")).tbs(input, o));

withPassphrases(command("attach", "add a signature that was made somewhere else, after verifying it"))
  .argument("<envelope>", "envelope, or - for stdin")
  .requiredOption("-k, --key <file>", "public key of who signed")
  .requiredOption("--signature <file>", "the signature: raw, hex or base64, also DER for es256; - for stdin")
  .option("-o, --out <file>", "output file, or - for stdout (default: the envelope, in place)")
  .addOption(allowTestKey())
  .action(async (file, o) => (await import("./commands/attach.js")).attach(file, o));

const need = () => new Option("--need <n>", "how many different keys must have signed (default: 1)").argParser(wholeNumber);
const payload = () =>
  new Option("--payload <file>", "payload outside of the envelope; URI=FILE where there are several (repeatable)").argParser(collect);

withPassphrases(withTrust(command("verify", "verify an envelope and its payloads")))
  .argument("<envelope>", "envelope, or - for stdin")
  .addOption(need())
  .addOption(new Option("--floor <n>", "refuse sequence numbers below").argParser(sequenceNumber))
  .addOption(payload())
  .action(async (file, o) => (await import("./commands/verify.js")).verify(file, o));

command("inspect", "show what an envelope says and does, without verifying signatures")
  .argument("<envelope>", "envelope, or - for stdin")
  .option("--diag", "CBOR diagnostic notation")
  .action(async (file, o) => (await import("./commands/inspect.js")).inspect(file, o));

withPassphrases(command("whosigned", "tell which of the known keys signed an envelope"))
  .argument("<envelope>", "envelope, or - for stdin")
  .addOption(new Option("-k, --key <ref>", "key that may have signed, public or private (repeatable)").argParser(collect))
  .option("--keys <folder>", "folder of keys that may have signed")
  .option("--trust <file>", "trust file: its keys, with their roles")
  .addOption(new Option("--root <file>", "with --trust: root key that must have signed it (repeatable)").argParser(collect))
  .option("--previous-trust <file>", "with --trust: the trust file before, whose roots must have signed it")
  .action(async (file, o) => (await import("./commands/whosigned.js")).whosigned(file, o));

withPassphrases(withTrust(command("install", "install an envelope on a simulated A/B device in a folder")))
  .argument("<envelope>", "envelope, or - for stdin")
  .requiredOption("--device <dir>", "the device's folder")
  .addOption(need())
  .option("--vendor <vendor>", "first use: the device's vendor (domain or UUID)")
  .option("--class <class>", "first use: the device's class (name or UUID)")
  .addOption(payload())
  .action(async (file, o) => (await import("./commands/install.js")).install(file, o));

withPassphrases(withTrust(command("simulate", "install an update on a simulated device, cutting the power at every write and erase")))
  .argument("<envelope>", "envelope of the update, or - for stdin")
  .requiredOption("--device <name>", "flash, storage, files or memory")
  .addOption(need())
  .option("--vendor <vendor>", "the device's vendor (domain or UUID); left out: the one that the update names")
  .option("--class <class>", "the device's class (name or UUID); left out: the one that the update names")
  .addOption(payload())
  .option("--previous <envelope>", "the release that is there before; left out: one that is made up, under keys of its own")
  .addOption(new Option("--previous-payload <file>", "payload outside of that envelope (repeatable)").argParser(collect))
  .addOption(new Option("--page-size <bytes>", "flash and storage: bytes that an erase empties (default: 4096)").argParser(wholeNumber))
  .addOption(
    new Option("--second-cuts <n>", "at most so many cuts during the recovery from each cut; left out: all").argParser(wholeNumber),
  )
  .action(async (file, o) => (await import("./commands/simulate.js")).simulate(file, o));

withPassphrases(command("audit", "verify the log of what a key has signed, and show it"))
  .argument("<key or log...>", "key whose log is meant, or log file")
  .option("--envelope <file>", "was this signed according to the log?")
  .option("--accept-restored", "go on with a log that was cut, restored or edited, and enter that")
  .action(async (refs, o) => (await import("./commands/audit.js")).audit(refs, o));

command("bundle", "write a device verifier in one JavaScript file")
  .option("--alg <names>", "algorithms, with commas: ed25519, es256, hsslms, hmac256")
  .option("--features <names>", "with commas: install, errors, copy (these three where it is left out), prepared, flash, storage, trust")
  .addOption(
    new Option(
      "--form <name>",
      "umd: CommonJS or one global; espruino: a module for require(); script: one global, for a snapshot; boot: Espruino's boot file",
    )
      .choices(["umd", "espruino", "script", "boot"])
      .default("umd"),
  )
  .option("-o, --out <file>", "output file, or - for stdout", "-")
  .option("--source <file>", "also write it as people read it")
  .action(async (o) => (await import("./commands/bundle.js")).bundle(o));

const trust = program
  .command("trust")
  .description("make, sign, show, verify and export trust files: which keys a device believes, and for what")
  .exitOverride()
  .configureOutput({ writeErr: () => {} });
const testKey = () => new Option("--allow-test-key <name>", "allow this published test key (repeatable)").argParser(collect);
const roots = () => new Option("--root <file>", "root key that must have signed, from elsewhere (repeatable)").argParser(collect);
const previous = () => new Option("--previous <file>", "the trust file before");
const trustFile = ["<file>", "trust file"] as const;

withPassphrases(command("create", "make a trust file, not signed yet, from a description", trust))
  .requiredOption("--from <file>", "description (JSON), or - for stdin")
  .addOption(previous())
  .addOption(testKey())
  .option("-o, --out <file>", "output file, never overwritten, or - for stdout (default: the input's name with .trust)")
  .action(async (o) => (await import("./commands/trust.js")).create(o));

withPassphrases(withKeys(command("sign", "sign a trust file", trust), "private key of a root"))
  .argument(...trustFile)
  .addOption(previous())
  .addOption(testKey())
  .option("--log <file>", "log of the keys (default: KEY.log beside the key)")
  .option("-o, --out <file>", "output file, or - for stdout (default: in place)")
  .action(async (file, o) => (await import("./commands/trust.js")).sign(file, o));

withPassphrases(command("tbs", "write the bytes that a root signs elsewhere", trust))
  .argument(...trustFile)
  .requiredOption("-k, --key <file>", "public key of the root")
  .addOption(previous())
  .addOption(testKey())
  .option("-o, --out <file>", "output file, or - for stdout", "-")
  .action(async (file, o) => (await import("./commands/trust.js")).tbs(file, o));

withPassphrases(command("attach", "add a signature that was made elsewhere", trust))
  .argument(...trustFile)
  .requiredOption("-k, --key <file>", "public key of the root")
  .requiredOption("--signature <file>", "raw signature over what trust tbs wrote")
  .addOption(previous())
  .addOption(testKey())
  .option("-o, --out <file>", "output file, or - for stdout (default: in place)")
  .action(async (file, o) => (await import("./commands/trust.js")).attach(file, o));

command("show", "show what a trust file says, and who has signed it", trust)
  .argument(...trustFile)
  .action(async (file, o) => (await import("./commands/trust.js")).show(file, o));

withPassphrases(command("verify", "verify a trust file as a device does", trust))
  .argument(...trustFile)
  .addOption(roots())
  .addOption(previous())
  .action(async (file, o) => (await import("./commands/trust.js")).verify(file, o));

withPassphrases(command("export", "write what a device embeds", trust))
  .argument(...trustFile)
  .addOption(roots())
  .addOption(previous())
  .addOption(
    new Option("--format <name>", "js: for a bundle; h: a C header; bin: the file itself").choices(["js", "h", "bin"]).default("js"),
  )
  .addOption(new Option("--role <name>", "only the keys of this role, as data").choices(["release", "debug", "recovery"]))
  .option("--vendor <vendor>", "with --role: the device's vendor (domain or UUID)")
  .option("--class <class>", "with --role: the device's class (name or UUID)")
  .option("-o, --out <file>", "output file, or - for stdout", "-")
  .action(async (file, o) => (await import("./commands/trust.js")).exportTrust(file, o));

const token = program
  .command("token")
  .description("list the keys in PKCS#11 tokens, and make new ones there")
  .exitOverride()
  .configureOutput({ writeErr: () => {} });

withPassphrases(command("list", "list tokens and their keys; what is shown without a PIN", token))
  .argument("[uri]", "which ones: pkcs11:token=…;object=… (RFC 7512)", "pkcs11:")
  .option("--login", "with the user PIN: private keys are listed, too")
  .action(async (uri, o) => (await import("./commands/token.js")).list(uri, o));

withPassphrases(command("keygen", "make a key pair in a token, which the private key cannot leave", token))
  .argument("<uri>", "pkcs11:token=TOKEN;object=NAME: the token, and how the key will be called")
  .addOption(new Option("--alg <name>", "algorithm").choices(["ed25519", "es256"]).default("ed25519"))
  .action(async (uri, o) => (await import("./commands/token.js")).keygen(uri, o));

const rotate = program
  .command("rotate")
  .description("move a fleet from one trust file to the next: plan, bridge, retire")
  .exitOverride()
  .configureOutput({ writeErr: () => {} });
const strandedOption = () =>
  new Option("--allow-stranded <cohort>", "leave this cohort of the fleet behind (repeatable)").argParser(collect);

command("plan", "say what becomes of each cohort of a fleet that is offered these releases in order", rotate)
  .requiredOption("--fleet <file>", "the devices in the field (JSON)")
  .addOption(new Option("--step <envelope>", "a release that is offered (repeatable, in order)").argParser(collect).makeOptionMandatory())
  .addOption(new Option("--lost <key>", "a key that cannot sign any more (repeatable)").argParser(collect))
  .addOption(new Option("--stolen <key>", "a key that somebody else has (repeatable)").argParser(collect))
  .addOption(strandedOption())
  .action(async (o) => (await import("./commands/rotate.js")).plan(o));

withImage(
  withPassphrases(withKeys(command("bridge", "sign a release that moves devices to the next trust file", rotate), "release key, private"))
    .argument("[image]", "image (raw, Intel HEX, UF2, ELF), or - for stdin; it is not fetched where it is there already")
    .requiredOption("--trust <file>", "the trust file that devices have")
    .requiredOption("--next <file>", "the trust file that they are to have")
    .requiredOption("-o, --out <file>", "output file, or - for stdout"),
)
  .option("--fleet <file>", "the devices in the field: refuse what would leave some behind")
  .addOption(strandedOption())
  .addOption(allowTestKey())
  .option("--log <file>", "log of the keys (default: KEY.log beside the key)")
  .option("--allow-lower-sequence", "sign although a higher sequence number was signed")
  .option("--allow-sequence-reuse", "sign although another manifest has this sequence number")
  .option("--allow-sequence-jump", "sign although the sequence number is higher than the last by more than 2^32")
  .action(async (image, o) => (await import("./commands/rotate.js")).bridge(image, o));

withPassphrases(command("retire", "sign the next trust file, without a key", rotate))
  .argument("<key>", "the key: a file, or its thumbprint")
  .requiredOption("--trust <file>", "the trust file of today")
  .addOption(new Option("--root <key>", "root key, private (repeatable)").argParser(collect).makeOptionMandatory())
  .addOption(new Option("--until <n>", "keep the key for releases up to this sequence number").argParser(sequenceNumber))
  .requiredOption("--fleet <file>", "the devices in the field: refuse what would leave some behind")
  .addOption(strandedOption())
  .addOption(allowTestKey())
  .option("--log <file>", "log of the keys (default: KEY.log beside the key)")
  .requiredOption("-o, --out <file>", "output file, or - for stdout")
  .action(async (key, o) => (await import("./commands/rotate.js")).retire(key, o));

/** Whether an object is asked for; known before the options are read, so that wrong use can be told in JSON too. */
function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return (end < 0 ? argv : argv.slice(0, end)).includes("--json");
}

/** What was typed behind an option may be the passphrase itself, by a slip: it is not told to logs. */
function withoutSecrets(message: string): string {
  return message
    .replace(/^(unknown option '-[^=']*)=.*'/, "$1'")
    .replace(/^(option '--(?:passphrase|pin)-[^']*') argument '.*' is/, "$1: its argument is");
}

async function main(argv: readonly string[]): Promise<number> {
  try {
    await program.parseAsync([...argv], { from: "user" });
    return 0;
  } catch (e) {
    if (e instanceof CommanderError && e.exitCode === 0) return 0;
    const { failureOf, usage } = await import("./failure.js");
    const { fail, json } = await import("./ui.js");
    let failure =
      e instanceof CommanderError
        ? usage(
            // a suggestion stands in a line of its own there
            e.code === "commander.help" ? "no command is given" : withoutSecrets(e.message.replace(/^error: /, "").replaceAll("\n", " ")),
            "firmseal --help lists the commands, firmseal COMMAND --help its options",
          )
        : failureOf(e);
    try {
      if (wantsJson(argv))
        json({
          ok: false,
          code: failure.code,
          reason: failure.reason,
          exit: failure.exit,
          message: failure.message,
          hint: failure.hint,
          ...(["verify", "install", "whosigned"].includes(argv[0] ?? "") ? { sequence: null, signers: [], testKeys: [] } : {}),
          ...failure.facts,
        });
    } catch (x) {
      failure = failureOf(x);
    }
    fail(failure);
    return failure.exit;
  }
}

process.exitCode = await main(process.argv.slice(2));
// All is written. A library of a key service may go on trying what it was told to give up, and that must not keep the process.
setTimeout(() => process.exit(), 2_000).unref();
