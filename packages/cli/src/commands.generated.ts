// GENERATED from the files in commands/. DO NOT EDIT: add a file there, then build (scripts/tables/commands.mjs).
// biome-ignore-all format: a row for each command

import type { Listed } from "./command.js";

const SIGN: Listed = { name: "sign", summary: "sign an image, a description or an envelope", load: () => import("./commands/sign/sign.js") };
const VERIFY: Listed = { name: "verify", summary: "verify an envelope and its payloads", load: () => import("./commands/verify/verify.js") };

/** Those that are programs of their own, which then do without the others. */
export const FIRST: readonly Listed[] = [SIGN, VERIFY];

export const COMMANDS: readonly Listed[] = [
  { name: "convert", summary: "write a key in another format, or under another passphrase", load: () => import("./commands/keys/convert.js") },
  { name: "hss", summary: "show how many signatures an HSS/LMS key has left, or change its state", load: () => import("./commands/keys/hss.js") },
  { name: "keygen", summary: "generate a private key, encrypted by default", load: () => import("./commands/keys/keygen.js") },
  { name: "keys move", summary: "continue the sequence numbers of a key with another key, for example in a token", load: () => import("./commands/keys/move.js") },
  { name: "pubkey", summary: "write the public key of a private key", load: () => import("./commands/keys/pubkey.js") },
  { name: "token keygen", summary: "generate a key pair in a token; the private key cannot leave the token", load: () => import("./commands/token/keygen.js") },
  { name: "token list", summary: "list tokens and the keys that they show without a PIN", load: () => import("./commands/token/list.js") },
  { name: "init", summary: "write a product file, from options or from the project in this folder", load: () => import("./commands/product/init.js") },
  { name: "release", summary: "make a release of a product: sign, check and record all boards, or write nothing if one fails", load: () => import("./commands/product/release.js") },
  { name: "approve", summary: "approve an envelope or a trust file that another person will sign", load: () => import("./commands/sign/approve.js") },
  { name: "attach", summary: "add a signature from another machine, after verifying it", load: () => import("./commands/sign/attach.js") },
  { name: "audit", summary: "verify and show signing logs, and compare them with each other and with trust files", load: () => import("./commands/sign/audit.js") },
  { name: "create", summary: "create an unsigned envelope from a description", load: () => import("./commands/sign/create.js") },
  SIGN,
  { name: "tbs", summary: "write the bytes that a key on another machine has to sign", load: () => import("./commands/sign/tbs.js") },
  { name: "bundle", summary: "write a device verifier as a single JavaScript file", load: () => import("./commands/device/bundle.js") },
  { name: "diff", summary: "show what changes for devices between two releases, without verifying signatures", load: () => import("./commands/verify/diff.js") },
  { name: "explain", summary: "describe in plain English what a device will do with a release, without verifying signatures", load: () => import("./commands/verify/explain.js") },
  { name: "inspect", summary: "show the contents and commands of an envelope, without verifying signatures", load: () => import("./commands/verify/inspect.js") },
  { name: "install", summary: "install an envelope on a simulated A/B device in a folder", load: () => import("./commands/device/install.js") },
  { name: "lint", summary: "check a release against rules about keys, numbers, devices, images and installation", load: () => import("./commands/verify/lint.js") },
  { name: "report", summary: "write a page that shows a release and verifies it when it is opened", load: () => import("./commands/verify/report.js") },
  { name: "simulate", summary: "install an update on a simulated device, cutting the power at every write and erase", load: () => import("./commands/device/simulate.js") },
  VERIFY,
  { name: "whosigned", summary: "show which known keys signed an envelope", load: () => import("./commands/verify/whosigned.js") },
  { name: "trust attach", summary: "add a signature from another machine", load: () => import("./commands/trust/attach.js") },
  { name: "trust chain", summary: "join trust files into a chain, for devices that missed some of them", load: () => import("./commands/trust/chain.js") },
  { name: "trust create", summary: "create an unsigned trust file from a description", load: () => import("./commands/trust/create.js") },
  { name: "trust diff", summary: "describe what changes between two trust files", load: () => import("./commands/trust/diff.js") },
  { name: "trust export", summary: "write a trust file, or the keys of one role, in a form that a device can embed", load: () => import("./commands/trust/export.js") },
  { name: "trust merge", summary: "put the signatures that roots made on copies of a trust file into one file", load: () => import("./commands/trust/merge.js") },
  { name: "trust show", summary: "show the contents of a trust file, and which roots have signed it", load: () => import("./commands/trust/show.js") },
  { name: "trust sign", summary: "sign a trust file", load: () => import("./commands/trust/sign.js") },
  { name: "trust tbs", summary: "write the bytes that a root on another machine has to sign", load: () => import("./commands/trust/tbs.js") },
  { name: "trust verify", summary: "verify a trust file as a device does", load: () => import("./commands/trust/verify.js") },
  { name: "rotate bridge", summary: "make or sign a release that moves devices to the next trust file", load: () => import("./commands/rotate/bridge.js") },
  { name: "rotate next", summary: "show which file of an archive each cohort of a fleet needs next", load: () => import("./commands/rotate/next.js") },
  { name: "rotate plan", summary: "show what happens to each cohort of a fleet if you offer it these steps in order", load: () => import("./commands/rotate/plan.js") },
  { name: "rotate retire", summary: "make or sign the next trust file, with a key removed or limited", load: () => import("./commands/rotate/retire.js") },
  { name: "incident", summary: "guide you from a stolen, lost, expired or leaked key to a safe fleet", load: () => import("./commands/incident/incident.js") },
  { name: "status ask", summary: "make a nonce for each device of a fleet file, to send to the device", load: () => import("./commands/status/ask.js") },
  { name: "status collect", summary: "update a fleet file from the statuses that devices have sent", load: () => import("./commands/status/collect.js") },
  { name: "status verify", summary: "verify a device's status message", load: () => import("./commands/status/verify.js") },
  { name: "completion", summary: "write a script that lets a shell complete firmseal's commands and options", load: () => import("./commands/shell/completion.js") },
];

/** What is said of commands that share the first word of their names. */
export const GROUPS: { readonly [name: string]: string } = {
  keys: "continue the sequence numbers of a key with another key",
  token: "list the keys in PKCS#11 tokens, and make new ones there",
  trust: "make, sign, show, verify and export trust files: which keys a device trusts, and for what",
  rotate: "move a fleet from one trust file to the next",
  status: "ask devices for their status, verify the messages, and update a fleet file from them",
};
