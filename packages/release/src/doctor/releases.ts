// The images, the releases and the waivers of a product, and the clock.

import { RECORD } from "@firmseal/behaviour";
import { isFolder, isSigning, lastTime, refuseClock, shellWord, someOf } from "@firmseal/keys/internal";
import { invalidity, today } from "../lint/lint.js";
import { productOption } from "../product/file/file-name.js";
import { refuseOutsideOut } from "../product/file/inside.js";
import type { Product } from "../product/file/product.js";
import type { SigningRole } from "../product/file/written.js";
import { checkFiles, type KnownRelease, NO_RELEASE_HINT, releaseFault, releasesIn, withoutRelease } from "../product/record.js";
import { scopeOfBoard } from "../release/board/devices.js";
import { imageFile } from "../release/board/image-file.js";
import { shelfPath } from "../release/names.js";
import { publishedAt } from "../release/number/numbers.js";
import { verifyProduct } from "../release/verify.js";
import { productWithdrawals } from "../release/withdrawn/known-withdrawals.js";
import { withdrawalOf, withdrawnHere } from "../release/withdrawn/withdrawn.js";
import { higher } from "../trust/quorum.js";
import type { Checks } from "./checks.js";
import type { CheckedKey } from "./keys.js";

const DAY = 24 * 3600_000;

/** Checks that the images of each board are there. */
export async function checkBoards(checks: Checks, product: Product): Promise<void> {
  for (const { name, images } of product.boards)
    await checks.run("board", name, () => {
      const files = images.flatMap((one) => one.files.map((_, i) => imageFile(product, one, i).path));
      checks.add("board", name, "ok", someOf(files));
    });
}

/** The releases in a role. Undefined if they cannot be read. */
export interface RoleShelf {
  readonly role: SigningRole;
  readonly path: string;
  readonly known: readonly KnownRelease[];
}

/** Reads the records of the releases in each role, and of the last published one. */
export async function readShelves(checks: Checks, product: Product): Promise<{ shelves: RoleShelf[]; published: readonly KnownRelease[] }> {
  const shelves: RoleShelf[] = [];
  for (const role of Object.keys(product.keys) as SigningRole[]) {
    const path = shelfPath(product, role);
    if (role !== "release" && product.keys[role].length === 0) continue;
    const known = await checks.run("releases", path, () => {
      refuseOutsideOut(product);
      const all = releasesIn(path, product, role);
      if (isFolder(path))
        for (const empty of withoutRelease(path, all)) checks.add("releases", empty, "warning", `has no ${RECORD}`, NO_RELEASE_HINT);
      return all;
    });
    if (known) shelves.push({ role, path, known });
  }
  const { previous } = product.sequence;
  const published =
    previous === undefined
      ? []
      : await checks.run("last published", previous, () => {
          const all = publishedAt(previous, product);
          checks.add("last published", previous, "ok", `version ${all.at(-1)?.version}`);
          return all;
        });
  return { shelves, published: published ?? [] };
}

/** Checks the newest release of each role: its files, and its signatures if that needs no secret. */
export async function checkReleases(checks: Checks, product: Product, shelves: readonly RoleShelf[], verifies: boolean): Promise<void> {
  for (const { role, path: shelf, known } of shelves) {
    const newest = known.at(-1);
    if (!newest?.record) {
      checks.add("releases", shelf, "ok", isFolder(shelf) ? "no release is in this folder" : "no release yet: the first one needs `first`");
      continue;
    }
    const { path, record, version } = newest;
    await checks.run("release", path, async () => {
      await checkFiles(path, record);
      const known = verifies ? (await productWithdrawals(product, { role })).withdrawn : withdrawnHere(product, { role });
      const withdrawn = withdrawalOf(newest, known);
      if (withdrawn)
        checks.add(
          "release",
          path,
          "warning",
          `withdrawn on ${withdrawn.time.slice(0, 10)}: ${withdrawn.reason}`,
          "release the last good build under a higher number: devices that run it learn of it only from that",
        );
      else if (record.missing.length > 0) {
        const boards = record.missing.map(({ board, signed, needed }) => `${board} ${signed} of ${needed}`);
        checks.add(
          "release",
          path,
          "warning",
          `signatures are missing: ${someOf(boards)}`,
          `firmseal verify ${shellWord(path)}${productOption(product.path)} --missing`,
        );
      } else if (verifies) {
        await verifyProduct(path, product, role === "release" ? {} : { role });
        checks.add("release", path, "ok", `version ${version} is complete and verified`);
      } else
        checks.add(
          "release",
          path,
          "not checked",
          "its files match SHA256SUMS, its signatures are not verified",
          `firmseal verify ${shellWord(path)}${productOption(product.path)}`,
        );
    });
  }
}

/** Checks that no log has a number above those of the known releases: somebody else has released. */
export async function checkAhead(
  checks: Checks,
  product: Product,
  keys: readonly CheckedKey[],
  known: readonly KnownRelease[],
): Promise<void> {
  const scopes = new Set(product.boards.flatMap((board) => scopeOfBoard(product, board)));
  const newest = lastNumber(known);
  for (const { name, log } of keys)
    await checks.run("numbers", name, () => {
      const ahead = log?.all.findLast((e) => isSigning(e) && e.scope?.some((one) => scopes.has(one)) && BigInt(e.sequence ?? 0) > newest);
      if (ahead)
        checks.add(
          "numbers",
          name,
          "warning",
          `entry ${ahead.n} of its log signed ${ahead.version === undefined ? `sequence number ${ahead.sequence}` : `version ${ahead.version}`}, and that release is not here`,
          `bring it to ${product.out}, or find out who signed it: firmseal audit ${shellWord(log?.path ?? "")}`,
        );
    });
}

export const lastNumber = (known: readonly KnownRelease[]): bigint => known.reduce((most, { sequence }) => higher(most, sequence), 0n);

/** Checks the waivers of the product file: one that has expired stops a release. */
export async function checkWaivers(checks: Checks, { path, policy }: Product): Promise<void> {
  for (const waiver of policy.waivers)
    await checks.run("waiver", waiver.rule, () => {
      const why = invalidity(waiver, today());
      if (why !== undefined) throw releaseFault(why, `repair what it accepts, or decide again: [[policy.waivers]] in ${path}`);
      const days = Math.round((Date.parse(waiver.until as string) - Date.parse(today())) / DAY);
      const isNear = days < 60;
      checks.add(
        "waiver",
        waiver.rule,
        isNear ? "warning" : "ok",
        `ends in ${days} days, on ${waiver.until}`,
        isNear ? "repair what it accepts before that day" : null,
      );
    });
}

/** Checks the clock, as every command that writes a log does, and by the releases. */
export async function checkClock(checks: Checks, keys: readonly CheckedKey[], known: readonly KnownRelease[]): Promise<void> {
  const subject = "of this machine";
  await checks.run("clock", subject, () => {
    refuseClock(keys.flatMap(({ log }) => (log ? lastTime(log) : [])));
    const created = known.flatMap(({ record }) => record?.created ?? []);
    const newest = Math.max(0, ...created.map((time) => Date.parse(time)).filter(Number.isFinite));
    const date = new Date(Date.now()).toISOString().slice(0, 10);
    if (Date.now() < newest - DAY)
      throw releaseFault(`it says ${date}, and the newest release is of ${new Date(newest).toISOString().slice(0, 10)}`, "set the clock");
    checks.add("clock", subject, "ok", date);
  });
}
