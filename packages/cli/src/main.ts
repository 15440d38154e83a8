// The command line, and how it ends. Which commands there are, and their options: wiring/. What a command does lies in its own file in
// commands/, loaded when it is used.

import { Command, CommanderError, type Option } from "commander";
import about from "../package.json" with { type: "json" };
import { keyCommands, tokenCommands } from "./wiring/keys.js";
import { signCommands } from "./wiring/sign.js";
import { rotateCommands, trustCommands } from "./wiring/trust.js";
import { verifyCommands } from "./wiring/verify.js";

/** How --help describes an option: commander does not say which ones cannot be left out. */
function optionDescription(option: Option): string {
  const facts = option.argChoices ? [`choices: ${option.argChoices.join(", ")}`] : [];
  if (option.defaultValue !== undefined && !option.isBoolean() && !option.negate) facts.push(`default: ${option.defaultValue}`);
  if (option.mandatory && option.defaultValue === undefined) facts.push("required");
  return facts.length > 0 ? `${option.description} (${facts.join("; ")})` : option.description;
}

// Words before anything heavy is loaded: --version and --help answer at once.
const program = new Command("firmseal")
  .description("Sign, inspect, verify and install firmware updates (SUIT manifests)")
  .version(about.version, "-V, --version")
  .showHelpAfterError(false)
  .configureOutput({ writeErr: () => {} })
  .configureHelp({ optionDescription })
  .exitOverride();

// in the order of --help
keyCommands(program);
tokenCommands(program);
signCommands(program);
verifyCommands(program);
trustCommands(program);
rotateCommands(program);

/** Whether an object is asked for; known before the options are read, so that wrong use can be told in JSON too. */
function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return (end < 0 ? argv : argv.slice(0, end)).includes("--json");
}

/** Runs a command line, and gives the exit code. Nothing is thrown. */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    await program.parseAsync([...argv], { from: "user" });
    return 0;
  } catch (e) {
    if (e instanceof CommanderError && e.exitCode === 0) return 0;
    const { failureOf, wrongUse } = await import("./show/failure-of.js");
    const { fail, json } = await import("./show/ui.js");
    let failure = e instanceof CommanderError ? wrongUse(e, argv) : failureOf(e);
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
