// What the packages above the verifier throw: one base class, with a code, a number and words.

import { readdirSync, readFileSync } from "node:fs";
import { errors } from "@firmseal/verifier";
import { FirmsealError, isRefusal, OTHER_ERRORS, throwRefusal } from "@firmseal/verifier/tools";
import { describe, expect, it } from "vitest";
import * as behaviour from "../packages/behaviour/src/index.js";
import * as bundler from "../packages/bundler/src/index.js";
import { optionsOf } from "../packages/cli/src/command.js";
import { COMMANDS } from "../packages/cli/src/commands.generated.js";
import { asOptions } from "../packages/cli/src/show/ui.js";
import * as formats from "../packages/formats/src/index.js";
import * as images from "../packages/images/src/index.js";
import * as keys from "../packages/keys/src/index.js";
import * as release from "../packages/release/src/index.js";
import * as releaseInternal from "../packages/release/src/internal.js";
import * as signer from "../packages/signer/src/index.js";
import * as simulator from "../packages/simulator/src/index.js";

const PACKAGES = { behaviour, bundler, formats, images, keys, release, signer, simulator };

/** For mistakes of a programmer. */
const MISTAKES = ["NotLoaded"];

const key = signer.publicOf(signer.privateKey("ed25519", new Uint8Array(32).fill(1)));
const what = { kind: "envelope", digest: { alg: -16, bytes: new Uint8Array(32) } } as const;
const boot = { algs: ["ed25519"], features: [], format: "boot" } as const;

/** One error of each kind: the code, the number, the class, and how it comes about. */
const THROWN: readonly [code: string, number: number, name: string, work: () => unknown][] = [
  ["ERR_KEY", 206, "KeyError", () => signer.parseHss("1")],
  ["ERR_DESCRIPTION", 204, "DescriptionError", () => signer.validate({})],
  ["ERR_APPROVAL", 215, "ApprovalError", () => signer.checkApproval(new Uint8Array(1), what, key)],
  ["ERR_ALREADY_SIGNED", 203, "AlreadySigned", () => Promise.reject(new signer.AlreadySigned(signer.signedWith(key)))],
  ["ERR_TRUST_SIGNERS", errors.TRUST_SIGNERS, "NotRoot", () => Promise.reject(new signer.NotRoot(key))],
  ["ERR_TRUST_CONTENT", 253, "DifferentContent", () => Promise.reject(new signer.DifferentContent(1))],
  ["ERR_IMAGE", 205, "ImageError", () => images.parseImage(new Uint8Array(0), "ihex")],
  ["ERR_FORMAT_KEY", 601, "FormatRefusal", () => formats.formatKey("no key")],
  ["ERR_CBOR", 254, "NotWellFormed", () => behaviour.looseItem(Uint8Array.of(0x18))],
  ["ERR_RECORD", 252, "FirmsealError", () => behaviour.readRecordText("{}")],
  ["ERR_BUNDLE", 250, "FirmsealError", () => bundler.minifiedBundle(boot)],
  ["ERR_DEVICE", 251, "Unsimulated", () => Promise.reject(new simulator.Unsimulated("start", new Error("no")))],
  ["ERR_DEVICE", 251, "FlashMisuse", () => new simulator.FlashModel([new Uint8Array(4096)]).write(2, [1, 2, 3, 4])],
  ["ERR_KEY", 206, "KeyFileError", () => keys.openKey("nowhere:key")],
  ["ERR_USAGE", 200, "Failure", () => keys.publicKeys([], [])],
  ["ERR_ENVIRONMENT", 201, "Failure", () => release.signRelease("absent.bin", ["absent.pem"])],
  ["ERR_ROLLBACK", errors.ROLLBACK, "Failure", () => Promise.reject(releaseInternal.refusalFailure(refusal()))],
];

function refusal() {
  try {
    return throwRefusal(errors.ROLLBACK, -1);
  } catch (e) {
    if (!isRefusal(e)) throw e;
    return e;
  }
}

/** The sources of a package. */
const source = (name: string) => new URL(`../packages/${name}/src/`, import.meta.url);

/** A whole command of a program, with its options. */
const COMMAND = /\b(?:firmseal|keygen|az|git|imgtool|softhsm2-util|pkcs11-tool|objcopy)\b(?:\$\{[^}]*\}|[^:;,(])*|--nmagic/g;

/** Advice that is data and no error: steps of an incident, rules of lint, verdicts of a plan, advice for a board. */
const DATA = [
  "incident/incident.ts",
  "lint/",
  "rotation/plan/reach.ts",
  "release/lint.ts",
  "status/collect.ts",
  "targets.ts",
  "options.ts",
];

/** The lines of code of the packages below the command line that may hold messages. */
function linesOfErrors(): { path: string; line: string }[] {
  return [...Object.keys(PACKAGES), "report"].flatMap((name) =>
    readdirSync(source(name), { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".ts") && !DATA.some((one) => path.startsWith(one)))
      .flatMap((path) =>
        readFileSync(new URL(path, source(name)), "utf8")
          .split("\n")
          .filter((one) => !/^\s*(?:\/\/|\/?\*)/.test(one))
          .map((line) => ({ path: `${name}/${path}`, line: line.trim() })),
      ),
  );
}

describe("errors", () => {
  it.each(THROWN)("%s (%i) is a FirmsealError of the class %s", async (code, number, name, work) => {
    const e = await (async () => work())().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(e).toBeInstanceOf(FirmsealError);
    expect(e).toMatchObject({ code, number, name });
    expect((e as Error).message).toMatch(/^\S.*[^.\s]$/);
  });

  it.each(Object.entries(PACKAGES))("of %s extend FirmsealError, and each is thrown above", (_, exports) => {
    const classes = Object.values(exports).filter((one) => typeof one === "function" && one.prototype instanceof Error);
    for (const { name, prototype } of classes as { name: string; prototype: object }[]) {
      if (MISTAKES.includes(name)) continue;
      expect(prototype, name).toBeInstanceOf(FirmsealError);
      expect(THROWN.map(([, , of]) => of)).toContain(name);
    }
  });

  it("name no option of the command line below it, except in whole commands", () => {
    // what it adds to a command in a hint
    const part = "release/product/file/file-name.ts";
    const faulty = linesOfErrors().filter(
      ({ path, line }) => path !== part && /["`].*(?<![\w-])--(?:[a-z]|\$\{)/.test(line.replace(COMMAND, "")),
    );
    expect(faulty).toEqual([]);
  });

  it("name in backticks what the command line has as an option", async () => {
    const all = await Promise.all(COMMANDS.map(async ({ load }) => optionsOf((await load()).default)));
    const options = new Set(all.flat().map(({ long }) => long));
    const named = linesOfErrors().flatMap(({ path, line }) =>
      [...line.matchAll(/\\?`([a-z][A-Za-z-]*)\\?`/g)].map(([, name = ""]) => ({ path, name, option: asOptions(`\`${name}\``) })),
    );
    expect(named.length).toBeGreaterThan(100);
    expect(named.filter(({ option }) => !options.has(option))).toEqual([]);
  });

  it("have the numbers of the table in errors.md", () => {
    const page = readFileSync(new URL("../docs/reference/errors.md", import.meta.url), "utf8");
    const rows = [...page.matchAll(/^\| (2\d\d) \| `(\w+)` \|/gm)].map(([, number, name]) => [name, Number(number)]);
    expect(Object.fromEntries(rows)).toEqual(OTHER_ERRORS);
  });
});
