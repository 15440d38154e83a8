// Commands that read envelopes, install them, and make what verifies them on a device.

import { type Command, Option } from "commander";
import { collect, need, payload, sequenceNumber, wholeNumber, withPassphrases, withRoots, withTrust } from "../common/options.js";
import { command } from "./command.js";

/** verify, inspect, whosigned, install, simulate, bundle. */
export function verifyCommands(program: Command): void {
  withPassphrases(withTrust(command(program, "verify", "verify an envelope and its payloads")))
    .argument("<envelope>", "envelope, or - for stdin")
    .addOption(need())
    .addOption(new Option("--floor <n>", "refuse sequence numbers below").argParser(sequenceNumber))
    .addOption(payload())
    .action(async (file, o) => (await import("../commands/verify/verify.js")).verify(file, o));

  command(program, "inspect", "show what an envelope says and does, without verifying signatures")
    .argument("<envelope>", "envelope, or - for stdin")
    .option("--diag", "CBOR diagnostic notation")
    .action(async (file, o) => (await import("../commands/verify/inspect.js")).inspect(file, o));

  withRoots(
    withPassphrases(command(program, "whosigned", "tell which of the known keys signed an envelope"))
      .argument("<envelope>", "envelope, or - for stdin")
      .addOption(new Option("-k, --key <ref>", "key that may have signed, public or private (repeatable)").argParser(collect))
      .option("--keys <folder>", "folder of keys that may have signed")
      .option("--trust <file>", "trust file: its keys, with their roles"),
  ).action(async (file, o) => (await import("../commands/verify/whosigned.js")).whosigned(file, o));

  withPassphrases(withTrust(command(program, "install", "install an envelope on a simulated A/B device in a folder")))
    .argument("<envelope>", "envelope, or - for stdin")
    .requiredOption("--device <dir>", "the device's folder")
    .addOption(need())
    .option("--vendor <vendor>", "first use: the device's vendor (domain or UUID)")
    .option("--class <class>", "first use: the device's class (name or UUID)")
    .addOption(payload())
    .action(async (file, o) => (await import("../commands/verify/install.js")).install(file, o));

  withPassphrases(
    withTrust(command(program, "simulate", "install an update on a simulated device, cutting the power at every write and erase")),
  )
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
    .action(async (file, o) => (await import("../commands/verify/simulate.js")).simulate(file, o));

  command(program, "bundle", "write a device verifier in one JavaScript file")
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
    .action(async (o) => (await import("../commands/verify/bundle.js")).bundle(o));
}
