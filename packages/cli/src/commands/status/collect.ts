import { Failure } from "@firmseal/keys";
import { grouped, isFile, isSameFile, plural, STDIO, sizeOf, usage, visible, warn } from "@firmseal/keys/internal";
import { type Collection, collectStatuses } from "@firmseal/release";
import { type BehindDevices, fleetDevices, nameWords, type RefusedStatus, type UnheardDevices } from "@firmseal/release/internal";
import { commandArgument, define, option } from "../../command.js";
import { productFile, statusKeys, wholeNumber } from "../../common/options.js";
import { checkOutput, deliver } from "../../common/output.js";
import { NAMES, REASONS } from "../../common/release/cohorts.js";
import { productAsked, withdrawnOfProduct } from "../../common/release/product-names.js";
import { membersOf, type Shape, WITHDRAWAL } from "../../common/shapes.js";
import { type StatusKeyOptions, statusAnchors } from "../../common/trust/status-keys.js";
import { runningWords, withdrawnFact } from "../../common/words.js";
import { RefusedWithFacts } from "../../show/render.js";

interface CollectCommandOptions extends StatusKeyOptions {
  nonces: string;
  fleet?: string;
  product?: string;
  trust?: string[];
  archive?: string;
  vendor?: string;
  class?: string;
  frozenAfter?: number;
  out: string;
  json?: boolean;
}

/** A fleet file replaces an existing file only if that is a fleet file too. */
function checkFleetOutput(path: string, others: readonly string[]): void {
  checkOutput(path, "--out", others);
  if (path === STDIO || !isFile(path) || sizeOf(path) === 0) return;
  try {
    fleetDevices(path);
  } catch {
    throw usage(`--out ${path} exists and is not a fleet file`, "choose another name, or move the file away");
  }
}

/** Days in one state. */
const FROZEN_AFTER = 7;

const some = ({ names }: { names: readonly string[] }) => ({ rows: names.length, names: names.slice(0, NAMES) });

const behindFacts = ({ names, frozen, ...more }: BehindDevices) => ({ ...more, ...some({ names }), frozen: some({ names: frozen }) });
const unheardFacts = ({ days, names }: UnheardDevices) => ({ days, ...some({ names }) });

function factsOf({ text: _, fell, withdrawn, behind, unheard, ...c }: Collection, out: string) {
  const running = withdrawn.map((one) => ({ ...withdrawnFact(one), ...some(one) }));
  return {
    file: out,
    ...c,
    fell: some({ names: fell }),
    withdrawn: running,
    behind: behind.map(behindFacts),
    unheard: unheard.map(unheardFacts),
  };
}

type Facts = ReturnType<typeof factsOf>;

const whoOf = ({ rows, names }: { rows: number; names: readonly string[] }) => nameWords({ rows, name: names[0] as string });

const reasonOf = ({ where, device, why }: RefusedStatus) => `${where}: ${device === null ? "" : `${device}: `}${why}`;

function bounded(lines: readonly string[]): void {
  for (const line of lines.slice(0, REASONS)) warn(visible(line));
  if (lines.length > REASONS) warn(`and ${grouped(lines.length - REASONS)} more; --json has them all`);
}

/** Names what a person must look at. */
function warnings({ refused, fell, withdrawn, behind }: Facts): void {
  // the first one is in the refusal itself
  bounded(refused.slice(1).map(reasonOf));
  if (fell.rows > 0) warn(visible(`${whoOf(fell)} has a lower floor or trust file than before: replaced, erased, or copied`));
  bounded(withdrawn.map((one) => runningWords(whoOf(one), one)));
  bounded(
    behind.flatMap((b) => {
      const newer = b.next === null ? `trust file ${b.newest} is the newest` : `${b.next} is its next file`;
      return b.frozen.rows === 0
        ? []
        : [`${whoOf(b.frozen)}: frozen at floor ${b.floor.lowest}, trust file ${b.trust ?? "-"} since ${b.since}: ${newer}`];
    }),
  );
}

/** Collects statuses into a fleet file. */
async function collect(statuses: string[], o: CollectCommandOptions) {
  if ((o.vendor === undefined) !== (o.class === undefined)) throw usage("--vendor and --class belong together", "give both, or neither");
  if (o.fleet === undefined && o.vendor === undefined)
    throw usage("no fleet file is given, so no device has a row", "give --fleet FILE, or --vendor and --class for new rows");
  const inputs = [...statuses, o.nonces, ...(o.secret === undefined ? [] : [o.secret]), ...(o.trust ?? [])];
  const isUpdate = o.fleet !== undefined && o.out !== STDIO && isSameFile(o.fleet, o.out);
  checkFleetOutput(o.out, isUpdate || o.fleet === undefined ? inputs : [...inputs, o.fleet]);
  const { secret: _, key: _key, json: _json, product, frozenAfter = FROZEN_AFTER, ...given } = o;
  const own = await productAsked(product);
  const found = await collectStatuses(statuses, {
    ...given,
    product: own,
    withdrawn: await withdrawnOfProduct(own),
    frozenAfter,
    anchors: await statusAnchors(o),
  });
  const facts = factsOf(found, o.out);
  // if nobody was heard, the fleet is as it was
  const delivered = { ...facts, ...(found.heard > 0 && deliver(o.out, new TextEncoder().encode(found.text), o.json)) };
  warnings(facts);
  const [first] = facts.refused;
  if (!first) return delivered;
  const failure = refusal(first, facts, o.out);
  if (found.heard > 0) throw new RefusedWithFacts(failure, delivered);
  failure.facts = delivered;
  throw failure;
}

function refusal(first: RefusedStatus, { heard, refused }: Facts, out: string): Failure {
  const n = refused.length;
  return new Failure(
    1,
    "ERR_STATUS",
    `${grouped(n)} ${n === 1 ? "status is" : "statuses are"} refused; ${reasonOf(first)}`,
    `${heard > 0 ? `${out} has the others` : "nothing is written"}: ask these devices again, with new nonces (firmseal status ask)`,
  );
}

const SOME: Shape = {
  rows: ["number", "how many rows of the fleet file"],
  names: ["string[]", "their names, the first 8"],
};

const ageWords = (days: number | null) => (days === null ? "longer, or never" : days === 1 ? "1 day" : `${days} days`);

export default define({
  name: "status collect",
  summary: "update a fleet file from the statuses that devices have sent",
  arguments: [commandArgument("<statuses...>", "JSON Lines with a status in each, or a file with one status; - for stdin")],
  options: () => [
    option("--nonces <file>", "the nonces that were sent to the devices: status ask writes them", { required: true }),
    ...statusKeys(),
    option("--fleet <file>", "the fleet file to update; without it, a new one is made"),
    productFile(),
    option("--trust <file>", "a trust file that devices may have, if the fleet file does not name it", { repeat: true }),
    option("--archive <folder>", "folder with everything published for the devices: .suit and .trust"),
    option("--vendor <vendor>", "vendor of devices that have no row yet; otherwise these are refused"),
    option("--class <class>", "class of devices that have no row yet"),
    option(
      "--frozen-after <days>",
      `report devices that are behind as frozen after this many days in one state (default: ${FROZEN_AFTER})`,
      {
        parse: wholeNumber,
      },
    ),
    option("-o, --out <file>", "the new fleet file (.json or .jsonl), or that of --fleet; - for stdout", { required: true }),
  ],
  examples: [
    [
      "firmseal status collect answers.jsonl --nonces sent.jsonl --secret devices.jwks --fleet fleet.jsonl --out fleet.jsonl",
      "the fleet file, updated",
    ],
    [
      "firmseal status collect answers.jsonl --nonces sent.jsonl --secret devices.jwks --fleet fleet.csv --archive published --out fleet.jsonl",
      "the same, and which devices do not get newer releases",
    ],
  ],
  json: {
    file: ["string", "the new fleet file"],
    "data?": ["string", "the fleet file in base64, if it goes to stdout"],
    heard: ["number", "devices that have answered"],
    added: ["number", "how many of them had no row before"],
    states: ["object", "of these devices"],
    ...membersOf("states", {
      confirmed: ["number", "run a confirmed release"],
      trial: ["number", "run a release on trial"],
      "rolled-back": ["number", "have gone back to the previous release"],
    }),
    refused: ["object[]", "statuses that change nothing"],
    ...membersOf("refused[]", {
      where: ["string", "the file, and the line"],
      device: ["string|null", "the device that it names; null: none"],
      why: ["string", "the reason"],
    }),
    fell: ["object", "devices with a lower floor or trust file than before"],
    ...membersOf("fell", SOME),
    withdrawn: ["object[]", "with a product file: withdrawn releases that some of these devices run"],
    ...membersOf("withdrawn[]", { ...WITHDRAWAL, ...SOME }),
    behind: ["object[]", "devices that have answered and are behind; devices in the same state share an entry"],
    ...membersOf("behind[]", {
      ...SOME,
      frozen: ["object", "those that have been in this state for too long"],
      ...membersOf("frozen", SOME),
      trust: ["string|null", "number of their trust file; null: keys in the firmware"],
      newest: ["string|null", "number of the newest one of their line"],
      floor: ["object", "their floors"],
      ...membersOf("floor", { lowest: ["string", "the lowest"], highest: ["string", "the highest"] }),
      next: ["string|null", "what they need next; null: nothing of the archive"],
      since: ["string", "when the first of them entered this state"],
    }),
    unheard: ["object[]", "rows without an answer, by age"],
    ...membersOf("unheard[]", { days: ["number|null", "seen within this many days; null: longer ago, or never"], ...SOME }),
  },
  run: collect,
  words: (f) => [
    `${f.file}: ${plural(f.heard, "device")} heard${f.added > 0 ? `, ${grouped(f.added)} of them new` : ""}`,
    ...(f.states["rolled-back"] > 0 ? [`${plural(f.states["rolled-back"], "device")} went back to the previous release`] : []),
    ...(f.behind.length === 0
      ? []
      : [
          {
            table: {
              columns: [{ title: "behind" }, { title: "devices", right: true }, { title: "trust" }, { title: "next" }, { title: "since" }],
              rows: f.behind.map((b) => [
                whoOf(b),
                grouped(b.rows),
                b.trust === b.newest ? (b.trust ?? "-") : `${b.trust} of ${b.newest}`,
                b.next ?? "-",
                b.since,
              ]),
            },
          },
        ]),
    ...(f.unheard.length === 0
      ? []
      : [
          {
            table: {
              columns: [{ title: "not heard for" }, { title: "rows", right: true }, { title: "which" }],
              rows: f.unheard.map((u) => [ageWords(u.days), grouped(u.rows), whoOf(u)]),
            },
          },
        ]),
  ],
});
