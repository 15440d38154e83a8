import { Failure } from "@firmseal/keys";
import { grouped } from "@firmseal/keys/internal";
import { trustedKeys } from "@firmseal/release/internal";
import { Unsimulated } from "@firmseal/simulator";
import { commandArgument, define, option } from "../../command.js";
import { passphrases, payload, threshold, trusted, wholeNumber } from "../../common/options.js";
import { type SimulateCommandOptions, simulateRelease } from "../../common/release/simulate-release.js";
import { membersOf, NUMBER, TEST_KEYS, TRUST_SHAPE } from "../../common/shapes.js";
import { devicesWith } from "../../common/simulated.js";
import { numberWords } from "../../common/words.js";
import { failureOf } from "../../show/failure-of.js";
import { cutMap, outcomeTable } from "../../show/power-cuts.js";
import { RefusedWithFacts } from "../../show/render.js";

/** Installs an update on a simulated device, and cuts the power at every write and erase. */
export async function simulateUpdate(path: string, o: SimulateCommandOptions) {
  const whom = await trustedKeys(o);
  const { testKeys } = whom;
  let done: Awaited<ReturnType<typeof simulateRelease>>;
  try {
    done = await simulateRelease(path, whom, o);
  } catch (e) {
    const failure = e instanceof Unsimulated ? unsimulated(e, o) : failureOf(e);
    failure.facts = { testKeys };
    throw failure;
  }
  const facts = { ...done.facts, ...done.report, testKeys, ...(whom.trust && { trust: whom.trust }) };
  const [first] = facts.faults;
  if (!first) return facts;
  const where = `${first.what} (operation ${first.operation}, ${first.tear})${first.again ? `, then ${first.again.what} (${first.again.operation}, ${first.again.tear})` : ""}`;
  const what = first.fault ?? first.stuck ?? (first.floorFell ? "the floor fell" : `${first.boots} starts`);
  throw new RefusedWithFacts(
    new Failure(
      1,
      "ERR_POWER_CUT",
      `${grouped(facts.faultCount)} cuts end badly; the first: ${where}: ${what}`,
      "the table shows them in capitals, --json lists the first ones",
    ),
    facts,
  );
}

/** What fails even without a cut. */
function unsimulated({ step, cause }: Unsimulated, o: SimulateCommandOptions): Failure {
  const failure = failureOf(cause);
  const made = o.previousRelease === undefined;
  const what = {
    previous: made ? "the generated release" : "the previous release",
    update: "the update",
    again: "a second installation, as after a power cut",
    start: "the updated device",
  }[step];
  const hint = made ? `${failure.hint}; if the update needs the previous release, give it: --previous-release ENVELOPE` : failure.hint;
  return failure.with({ message: `without any power cut, ${what}: ${failure.message}`, hint, cause });
}

export default define({
  name: "simulate",
  summary: "install an update on a simulated device, cutting the power at every write and erase",
  arguments: [commandArgument("<envelope>", "envelope of the update, or - for stdin")],
  options: () => [
    option("--device <name>", `${devicesWith(false)}; ${devicesWith(true)}: with a micro verifier`, { required: true }),
    option("--without <names>", "storage-micro: leave out boot(); the boot file starts the app", { choices: ["boot"] }),
    ...trusted(),
    threshold(),
    option("--vendor <vendor>", "vendor of the device (domain or UUID; default: the one that the update names)"),
    option("--class <class>", "class of the device (name or UUID; default: the one that the update names)"),
    payload(),
    option("--previous-release <path>", "release on the device before the update (default: a generated one, with its own keys)"),
    option("--previous-payload <file>", "payload outside that envelope", { repeat: true }),
    option("--page-size <bytes>", "flash and storage: bytes that one erase clears (default: 4096)", { parse: wholeNumber }),
    option("--second-cuts <n>", "maximum number of power cuts during the recovery from each cut (default: all)", { parse: wholeNumber }),
    ...passphrases(),
  ],
  examples: [
    ["firmseal simulate fw.suit --device flash --key release.jwk", "raw flash"],
    [
      "firmseal simulate new.suit --device files --key release.jwk --previous-release old.suit --second-cuts 100",
      "files, over a given release",
    ],
  ],
  json: {
    device: ["string", "the device"],
    "without?": ["string", "what its verifier does not have"],
    ...NUMBER,
    previous: ["object", "the previous release"],
    ...membersOf("previous", { sequence: ["string", "its sequence number"], madeUp: ["boolean", "whether this command generated it"] }),
    pageSize: ["number", "bytes that one erase clears"],
    slotSize: ["number", "bytes in a slot"],
    cuts: ["number", "power cuts"],
    cutsDuringRecovery: ["number", "second cuts, during the recovery from the first"],
    leftOut: ["number", "second cuts left out because of --second-cuts"],
    courses: ["number", "different courses that were run; every other cut ends like one of them"],
    points: ["object[]", "every first cut, and how it ends"],
    faults: ["object[]", "the first cuts that end badly"],
    faultCount: ["number", "cuts that end badly"],
    ...TEST_KEYS,
    ...TRUST_SHAPE,
  },
  run: simulateUpdate,
  words: (f) => [
    { table: outcomeTable(f.points) },
    { map: cutMap(f.points) },
    `device ${f.device}${f.without ? ` without ${f.without}` : ""}: ${numberWords(f)}, over ${f.previous.madeUp ? "a generated release" : "the release"} with sequence number ${f.previous.sequence}`,
    `${grouped(f.cuts)} power cuts, and ${grouped(f.cutsDuringRecovery)} more during the recovery from each`,
    ...(f.leftOut > 0 ? [`left out during recovery, because of --second-cuts: ${grouped(f.leftOut)}`] : []),
    ...(f.faultCount === 0
      ? ["after each cut the old or the new release starts, the floor is no lower, and a second attempt installs the update"]
      : []),
  ],
});
