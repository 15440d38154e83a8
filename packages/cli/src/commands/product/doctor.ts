import { Failure } from "@firmseal/keys";
import { plural } from "@firmseal/keys/internal";
import { type Check, examineProduct, PRODUCT_FILE } from "@firmseal/release/internal";
import about from "../../../package.json" with { type: "json" };
import { define, option } from "../../command.js";
import { allowOutside, imagesFolder, productFile } from "../../common/options.js";
import { membersOf } from "../../common/shapes.js";
import { failureOf } from "../../show/failure-of.js";
import { RefusedWithFacts } from "../../show/render.js";
import { asOptions } from "../../show/ui.js";

interface DoctorOptions {
  product?: string;
  allowOutside?: string[];
  images?: string;
  openKeys?: boolean;
  failOn: "error" | "warning";
}

/** Looks at everything that a release of the product here needs. */
async function doctor(o: DoctorOptions) {
  const { checks: found, failure } = await examineProduct(o.product ?? PRODUCT_FILE, o, failureOf);
  const versions: Check = {
    check: "versions",
    subject: `firmseal ${about.version}`,
    state: "ok",
    what: `on Node ${process.versions.node}`,
    hint: null,
  };
  const checks = [...found, versions].map((one) => ({
    ...one,
    what: asOptions(one.what),
    hint: one.hint === null ? null : asOptions(one.hint),
  }));
  const has = (state: Check["state"]) => checks.some((one) => one.state === state);
  if (failure) throw new RefusedWithFacts(failure, { checks });
  if (has("fails") || (o.failOn === "warning" && has("warning")))
    throw new RefusedWithFacts(
      new Failure(1, "ERR_DOCTOR", countWords(checks), "do what the line below each of them says, then run the command again"),
      { checks },
    );
  return { checks };
}

/** How many checks have each result. */
function countWords(checks: readonly Check[]): string {
  const counts = (["fails", "warning", "not checked"] as const).flatMap((state) => {
    const n = checks.filter((one) => one.state === state).length;
    return n > 0 ? [`${n} ${state}`] : [];
  });
  return `${plural(checks.length, "check")}: ${counts.join(", ") || "all ok"}`;
}

export default define({
  name: "doctor",
  summary: "check whether a product can be released: its file, images, keys, logs, trust, releases and clock",
  options: () => [
    productFile(),
    allowOutside(),
    imagesFolder(),
    option("--open-keys", "also open keys in tokens, services and programs, as pubkey does; asks for no PIN"),
    option("--fail-on <severity>", "lowest severity that causes exit code 1", { choices: ["error", "warning"], default: "error" }),
  ],
  examples: [
    ["firmseal doctor", "the product in this folder; writes nothing and asks for no passphrase"],
    ["firmseal doctor --open-keys --fail-on warning", "in a CI job, with a key in a token or a service"],
  ],
  json: {
    checks: ["object[]", "what was checked"],
    ...membersOf("checks[]", {
      check: ["string", "what it is: product file, board, key, log and others"],
      subject: ["string", "which one: usually a path"],
      state: ["string", "ok, warning, fails or not checked"],
      what: ["string", "what is known of it"],
      hint: ["string|null", "what to do about it; null if it is good"],
    }),
  },
  run: doctor,
  words: (f) => [
    ...f.checks.flatMap(({ state, check, subject, what, hint }) => [
      { text: `${state.padEnd(11)}  ${check} ${subject}: ${what}`, danger: state === "fails" },
      ...(hint === null ? [] : [{ text: `${" ".repeat(13)}${hint}` }]),
    ]),
  ],
});
