// Changes that a stranger could make by mistake. Each is made in a copy of the checkout. There, a test or a check must
// fail and say what is wrong. By default those that tests of the sources find; with FIRMSEAL_LONG=1 all.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { AT_LENGTH, LONG } from "../packages/test-support/src/environment/effort.js";
import { CheckoutCopy, type Ended, failuresIn } from "./checkout-copy.js";
import { read } from "./pages.js";

vi.setConfig({ testTimeout: 900_000, hookTimeout: 900_000 });

interface Fault {
  title: string;
  in: string;
  /** In the file once. */
  from: string;
  to: string;
  /** What a failure of `test`, or the output of `check`, has among its words. */
  says: readonly string[];
  /** The file of the test, and a part of its name. */
  test?: readonly [file: string, name: string];
  check?: string;
}

const HEX = { in: "packages/images/src/ihex.ts", file: "packages/images/test/image-refused.test.ts" };
const RULES = { in: "packages/verifier/src/install/admission.ts", file: "packages/verifier/test/admission.test.ts" };
const FLASH = "packages/verifier/src/device/flash.ts";
const LINT = "packages/cli/test/verify/lint-rules.test.ts";
const WRONG_USE = "packages/cli/test/all/wrong-use.test.ts";
const PAGES = "test/page-commands.test.ts";
const FD = '{ scheme: "fd", form: "fd:N", asks: () => "passphrase", load: async () => (await import("./fd.js")).openDescriptor },';
const L11 = { in: "packages/release/src/lint/rules/numbers.ts", title: "The sequence number jumps" };

/** Tests of the sources find these. */
const ON_SOURCES: readonly Fault[] = [
  {
    title: "a bound of the HEX reader: the last byte of 4 GiB",
    in: HEX.in,
    from: "address + count > 2 ** 32",
    to: "address + count >= 2 ** 32",
    test: [HEX.file, "reads the last byte of 4 GiB"],
    says: ["the data at 0xffffffff runs past the end of its 4 GiB"],
  },
  {
    title: "a bound of the HEX reader: the end of a segment",
    in: HEX.in,
    from: "offset + count > 0x10000",
    to: "offset + count > 0x10001",
    test: [HEX.file, "refuses data over 64 KiB without a base"],
    says: ["not refused: /64 KiB segment/"],
  },
  {
    title: "a bound of the HEX reader: the longest record",
    in: HEX.in,
    from: "LONGEST_RECORD = 255 + 5",
    to: "LONGEST_RECORD = 255 + 4",
    test: [HEX.file, "reads the longest possible record"],
    says: ["a record of 520 digits"],
  },
  {
    title: "a mark that is not raised",
    in: "packages/keys/src/recording/recording.ts",
    from: "  else raiseMark(open, seen);\n",
    to: "",
    test: ["packages/keys/test/last-seen.test.ts", "of a log is raised by each use of the key"],
    says: ['-   "seen": 1n', '+   "seen": undefined'],
  },
  {
    title: "a mark that is raised to the count that it has",
    in: "packages/keys/src/signing-log/last-seen.ts",
    from: "seen.count > now.count",
    to: "seen.count >= now.count",
    test: ["packages/keys/test/last-seen.test.ts", "raised, read, and never lowered"],
    says: ["to the count that it has"],
  },
  {
    title: "a device rule: an installation starts an image",
    in: RULES.in,
    from: "if (starts && installing) return INVOKE_MISPLACED;",
    to: "",
    test: [RULES.file, "judges what a command does: an invocation while installing"],
    says: ["expected 'none' to be 'INVOKE_MISPLACED'"],
  },
  {
    title: "a device rule: a write before the identity is checked",
    in: RULES.in,
    from: "if (!identified) return IDENTITY_UNCHECKED;",
    to: "",
    test: [RULES.file, "judges what a command does: a fetch without an identity"],
    says: ["expected 'none' to be 'IDENTITY_UNCHECKED'"],
  },
  {
    title: "a device rule: a copy into itself",
    in: RULES.in,
    from: "c === other && fresh[c])",
    to: "c === other)",
    test: [RULES.file, "judges what a command does: a copy of a component into itself, first"],
    says: ["expected 'NOT_SUPPORTED' to be 'none'"],
  },
  {
    title: "flash is not read again: a record",
    in: FLASH,
    from: 'if (!equalConstantTime(flash.read(at, body.length), body)) throw new Error("the record was not written");',
    to: "",
    test: ["packages/verifier/test/device-flash-commit.test.ts", "is not a record if flash has changed it on its way"],
    says: ["the seal of a record that is wrong in itself"],
  },
  {
    title: "flash is not read again: a confirmation",
    in: FLASH,
    from: 'if (!found || !found.confirmed) throw new Error("the mark was not written");',
    to: "",
    test: ["packages/verifier/test/flash-tries.test.ts", "does not count a release as confirmed if the flash has not kept the mark"],
    says: ["expected [Function] to throw an error", "b.device.confirm()"],
  },
  {
    title: "flash is not read again: a start that is counted",
    in: FLASH,
    from: " || equalConstantTime(flash.read(r.next, 4), octets([ERASED]))",
    to: "",
    test: ["packages/verifier/test/device-flash.test.ts", "that cannot be counted goes back at once"],
    says: ['+   "rolledBack": false'],
  },
  {
    title: "flash is not read again: an image, after another write",
    in: "packages/verifier/src/install/slots.ts",
    from: "if (w) w.passed = false;",
    to: "",
    test: ["packages/verifier/test/install.test.ts", "starts nothing that a later write may have changed"],
    says: ['-   "refusal": "INVOKE_UNVERIFIED"', '+   "refusal": "none"'],
  },
  {
    title: "a row twice: a refusal",
    in: "packages/verifier/src/tools/refusal-table.ts",
    from: '  row(\n    130,\n    "TEMPLATE_MISMATCH",',
    to: '  row(128, "TRUST_EPOCH", "the epoch is too low", "wait", "trust.md#the-format"),\n  row(\n    130,\n    "TEMPLATE_MISMATCH",',
    test: ["scripts/test/refusals.test.mjs", "has each number and each name once"],
    says: ['+   "128 TRUST_EPOCH"'],
  },
  {
    title: "a row twice: a key source",
    in: "packages/keys/src/sources/key-sources.ts",
    from: FD,
    to: `${FD}\n  ${FD}`,
    test: ["packages/keys/test/key-sources.test.ts", "each scheme has one row"],
    says: ['+   "fd"'],
  },
  {
    title: "a typo in a page: a command",
    in: "docs/guides/lint.md",
    from: "firmseal lint fw-1.1.0.suit --previous-release fw-1.0.0.suit --sarif-out lint.sarif",
    to: "firmseal lnit fw-1.1.0.suit --previous-release fw-1.0.0.suit --sarif-out lint.sarif",
    test: [PAGES, "docs/guides/lint.md"],
    says: ["firmseal lnit fw-1.1.0.suit --previous-release fw-1.0.0.suit --sarif-out lint.sarif: firmseal has no such command"],
  },
  {
    title: "a typo in a page: an option",
    in: "docs/guides/trust.md",
    from: "firmseal verify app.suit --trust board.trust --role release",
    to: "firmseal verify app.suit --trust board.trust --rol release",
    test: [PAGES, "docs/guides/trust.md"],
    says: ["verify has no option --rol"],
  },
];

/** Tests of the command line find these, which is built. */
const ON_BUILD: readonly Fault[] = [
  {
    title: "an option that may be given twice",
    in: "packages/cli/src/parser.ts",
    from: "times > 1 &&",
    to: "times > 2 &&",
    test: [WRONG_USE, "is given twice"],
    says: ["option '--seq <n>' is given twice"],
  },
  {
    title: "a wrong severity: lower",
    in: L11.in,
    from: `severity: "error",\n    title: "${L11.title}"`,
    to: `severity: "warning",\n    title: "${L11.title}"`,
    test: [LINT, "L11 number-jump catches one release"],
    says: ['"warning: 8589934592 is 8589934584 above 8"', "/^error: 8589934592 is"],
  },
  {
    title: "a wrong severity: higher",
    in: "packages/release/src/lint/rules/content.ts",
    from: 'severity: "note",\n    title: "The release has no bill of materials"',
    to: 'severity: "error",\n    title: "The release has no bill of materials"',
    test: [LINT, "L40 no-sbom catches one release"],
    says: ['"error: no suit-coswid element', "/^note: .*no SPDX"],
  },
];

/** Checks find these. */
const BY_CHECKS: readonly Fault[] = [
  {
    title: "an export that nobody uses: a function",
    in: "packages/release/src/lint/rule.ts",
    from: "export interface Rule ",
    to: "/** Trims. */\nexport const trimmedWords = (words: string): string => words.trim();\n\nexport interface Rule ",
    check: "unused",
    says: ["trimmedWords", "packages/release/src/lint/rule.ts"],
  },
  {
    title: "an export that nobody uses: a type",
    in: "packages/images/src/layout.ts",
    from: "export interface AddressedBytes ",
    to: "export type Piece = AddressedBytes;\n\nexport interface AddressedBytes ",
    check: "unused",
    says: ["Piece", "packages/images/src/layout.ts"],
  },
  {
    title: "an import upwards",
    in: "packages/verifier/src/base/number.ts",
    from: 'import { refuse } from "./refuse.js";',
    to: 'import { compareBytes } from "../../../signer/src/bytes.js";\nimport { refuse } from "./refuse.js";',
    check: "imports",
    says: ["verifier-imports-downwards: packages/verifier/src/base/number.ts → packages/signer/src/bytes.ts"],
  },
  {
    title: "an import upwards, of a type",
    in: "packages/images/src/layout.ts",
    from: 'import { IMAGE_LIMITS } from "./limits.js";',
    to: 'import type { OpenedKey } from "../../keys/src/source.js";\nimport { IMAGE_LIMITS } from "./limits.js";',
    check: "imports",
    says: ["images-imports-downwards: packages/images/src/layout.ts → packages/keys/src/source.ts"],
  },
];

const titled = (faults: readonly Fault[]) => faults.map((fault) => [fault.title, fault] as const);

it.each(titled([...ON_SOURCES, ...ON_BUILD, ...BY_CHECKS]))("can be made: %s", (_, { in: path, from }) => {
  expect(read(path).split(from).length, `${path} must have this once: ${from}`).toBe(2);
});

let copy: CheckoutCopy | undefined;

/** Makes the changes in the copy, runs a line of shell there for each, and takes the changes back. */
async function changed(faults: readonly Fault[], lines: readonly string[], variables: NodeJS.ProcessEnv = {}): Promise<Ended[]> {
  copy ??= new CheckoutCopy();
  const { folder } = copy;
  const before = new Map(faults.map(({ in: path }) => [path, read(path)]));
  for (const { in: path, from, to } of faults) {
    const file = join(folder, path);
    writeFileSync(
      file,
      readFileSync(file, "utf8").replace(from, () => to),
    );
  }
  const ended: Ended[] = [];
  for (const line of lines) ended.push(await copy.run(line, variables));
  for (const [path, text] of before) writeFileSync(join(folder, path), text);
  return ended;
}

/** Runs the tests that must find the faults. Returns what they print. */
async function tested(faults: readonly Fault[], variables?: NodeJS.ProcessEnv): Promise<string> {
  const files = new Set(faults.map(({ test }) => test?.[0]));
  const names = faults.map(({ test }) => test?.[1].replaceAll(/[.()]/g, "\\$&"));
  const [ended] = await changed(faults, [`vitest run ${[...files].join(" ")} -t '${names.join("|")}'`], variables);
  return ended?.output ?? "";
}

function expectFound(output: string, { test, says }: Fault): void {
  const failures = failuresIn(output).filter((failure) => failure.includes(test?.[1] as string));
  expect(failures, output).not.toEqual([]);
  for (const words of says) expect(failures.join("\n")).toContain(words);
}

describe("tests of the sources find", () => {
  let output = "";
  beforeAll(async () => {
    // as for mutants: what is built stays as it is
    output = await tested(ON_SOURCES, { FIRMSEAL_LONG: "0" });
  });
  it.each(titled(ON_SOURCES))("%s", (_, fault) => expectFound(output, fault));
});

describe.skipIf(!LONG)(`tests of the command line find${AT_LENGTH}`, () => {
  let output = "";
  beforeAll(async () => {
    output = await tested(ON_BUILD);
  });
  it.each(titled(ON_BUILD))("%s", (_, fault) => expectFound(output, fault));
});

describe.skipIf(!LONG)(`checks find${AT_LENGTH}`, () => {
  const { scripts } = JSON.parse(read("package.json")) as { scripts: { readonly [name: string]: string } };
  const checks = [...new Set(BY_CHECKS.map(({ check }) => `check:${check}`))];
  let ended: readonly Ended[];
  beforeAll(async () => {
    ended = await changed(
      BY_CHECKS,
      checks.map((name) => scripts[name] as string),
    );
  });
  it.each(titled(BY_CHECKS))("%s", (_, { check, says }) => {
    const { status, output } = ended[checks.indexOf(`check:${check}`)] as Ended;
    expect(status, output).not.toBe(0);
    for (const words of says) expect(output).toContain(words);
  });
});
