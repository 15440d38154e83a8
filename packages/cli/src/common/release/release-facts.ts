// The facts of a release before it is signed, and their words.

import { realpathSync } from "node:fs";
import { resolve } from "node:path";
import type { Artifact } from "@firmseal/behaviour";
import { grouped, visible } from "@firmseal/keys/internal";
import type { Product, ReleasePlan } from "@firmseal/release";
import {
  type BoardChange,
  type ConsumerName,
  consumerNames,
  consumerOf,
  lastOf,
  productNames,
  type ShownMember,
  shownMembers,
  trustedThumbprints,
} from "@firmseal/release/internal";
import { unlessThrown } from "@firmseal/signer";
import type { Picture } from "../../show/bars.js";
import type { Line } from "../../show/render.js";
import { differenceLines } from "./difference.js";

/** What a release has, or would have: without a key, nothing is known of its envelopes. */
type ArtifactFacts = Pick<Artifact, "kind" | "file" | "board" | "component" | "slot" | "size" | "uri" | "digest">;

export const shown = ({ kind, file, board, component, slot, size, uri, digest }: ArtifactFacts): ArtifactFacts => ({
  kind,
  file,
  board,
  component,
  slot,
  size,
  uri,
  digest,
});

/** The images of a plan, in the envelope or beside it. `cuts`: the power cuts that each board was tried with. */
export function planned(plan: ReleasePlan, cuts: ReleasePlan["cuts"]) {
  return plan.boards.map(({ board, images }) => ({
    board: board.name,
    classes: [...board.classes],
    for: board.for ?? null,
    images: images.map(({ path, real, component, slot, slotSize, bytes, digest, uri, file }) => ({
      path,
      real,
      component,
      slot: slot ?? null,
      size: bytes.length,
      slotSize: slotSize ?? null,
      digest: `sha-256:${digest}`,
      uri,
      file: file ?? null,
    })),
    ...cuts.get(board.name),
  }));
}

/** What a product file leads to: what opens a key, what is read, and where it is written. */
export async function references({ product, options, folder, lists }: ReleasePlan) {
  const { file, root, carry, keys } = product.trust;
  const reads = [
    file,
    ...root,
    carry,
    ...keys,
    ...product.boot.trusted,
    ...product.approval.keys,
    product.policy.sbom,
    product.sequence.previous,
  ].filter((path) => path !== undefined);
  return {
    product: realpathSync(product.path),
    keys: [...product.keys[options.role ?? "release"], ...product.boot.keys],
    reads: reads.map((path) => unlessThrown(() => realpathSync(path)) ?? resolve(path)),
    writes: resolve(folder),
    members: shownMembers(product),
    thumbprints: await trustedThumbprints(product, lists ?? []),
  };
}

/** A member as people write it in TOML: boards.puck.class, or policy.waivers[0].rule. */
const memberWords = (pointer: string): string =>
  pointer
    .slice(1)
    .split("/")
    .map((name, i) => (/^\d+$/.test(name) ? `[${name}]` : `${i > 0 ? "." : ""}${/^[\w-]+$/.test(name) ? name : JSON.stringify(name)}`))
    .join("");

/** Members that neither the lines before nor the table of images show. */
const otherMembers = (members: readonly ShownMember[]) =>
  members
    .filter(({ refersTo, member }) => refersTo !== "key" && refersTo !== "path" && !member.endsWith("/uri"))
    .map(({ member, value }) => `product file: ${memberWords(member)} = ${JSON.stringify(value)}`);

export function referenceLines(plan: Awaited<ReturnType<typeof references>>, boards: PlannedBoards): Line[] {
  const images = boards.flatMap((one) => one.images.map(({ real }) => real));
  return [
    ...plan.keys.map((key) => `would be signed by ${key}`),
    ...[plan.product, ...plan.reads, ...images].map((path) => `reads ${path}`),
    `would write ${plan.writes}`,
    ...plan.members.flatMap(({ value, startsProgram }) => (startsProgram ? [`would start the program of ${value}`] : [])),
    ...plan.thumbprints.map((thumbprint) => `devices trust ${thumbprint}`),
    ...otherMembers(plan.members),
  ].map((text) => ({ text: visible(text) }));
}

/** The last release that is known. */
export function lastKnown({ known }: ReleasePlan) {
  const last = lastOf(known);
  return {
    compared: last !== undefined,
    previous: last ? { path: last.path, version: last.version, sequence: String(last.sequence) } : null,
  };
}

/** With names of the product instead of identifiers, and in words. */
export function changeFacts(change: BoardChange, product: Product) {
  let text = JSON.stringify(change);
  for (const [id, name] of productNames(product)) text = text.replaceAll(id, () => JSON.stringify(name).slice(1, -1));
  const named = JSON.parse(text) as BoardChange;
  return { ...named, lines: named.difference ? differenceLines(named.difference) : [] };
}

type PlannedBoards = ReturnType<typeof planned>;

/** How much of its slot an image takes. */
function slotCell({ size, slotSize }: PlannedBoards[number]["images"][number]): string | Picture {
  if (slotSize === null) return "";
  const share = size / slotSize;
  return { share, words: `${String(Math.ceil(share * 100)).padStart(3)}%` };
}

export function imageTable(boards: PlannedBoards): Line {
  const isSized = boards.some(({ images }) => images.some(({ slotSize }) => slotSize !== null));
  const columns = [
    { title: "board" },
    { title: "image" },
    { title: "bytes", right: true },
    ...(isSized ? [{ title: "of slot" }] : []),
    { title: "uri" },
    { title: "sha-256" },
  ];
  const rows = boards.flatMap(({ board, images }) =>
    images.map((one) => [
      `${board}${one.slot === null ? "" : ` ${one.slot}`}`,
      one.path,
      grouped(one.size),
      ...(isSized ? [slotCell(one)] : []),
      one.uri,
      one.digest.slice(8, 24),
    ]),
  );
  return { table: { columns, rows } };
}

/** `lines`: what changes for the devices of the board. */
export function changeLines({
  board,
  state,
  before,
  lines,
}: Omit<BoardChange, "difference"> & { readonly lines: readonly string[] }): string[] {
  const head = before
    ? `${board}, compared with ${before.version} (${before.file}):`
    : `${board}: ${state === "new" ? "new: the previous release does not have it" : "gone: only the previous release has it"}`;
  return [head, ...lines.map((line) => `  ${line}`)];
}

/** What the releases for each consumer do without. */
export function givenUpWords(boards: readonly { board: string; for: ConsumerName | null }[]): string[] {
  return consumerNames.flatMap((name) => {
    const own = boards.filter((one) => one.for === name).map(({ board }) => board);
    return own.length > 0 ? [`for ${name} (${own.join(", ")}); left out: ${consumerOf(name).givenUp}`] : [];
  });
}
