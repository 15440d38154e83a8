// The packages, each above those that it may import: `pnpm build` makes them in this order, and each is checked as it
// will be published.

export const PACKAGES = [
  "verifier",
  "kernel",
  "bundler",
  "images",
  "behaviour",
  "report",
  "signer",
  "simulator",
  "keys",
  "formats",
  "release",
  "cli",
];

/** The folders of all that is published: the packages, and the vectors, which have no build. */
export const PUBLISHED = [...PACKAGES.map((name) => `packages/${name}`), "test-vectors"];

/** Those with types to import. The command line is a program. */
export const LIBRARIES = PACKAGES.filter((name) => name !== "cli");
