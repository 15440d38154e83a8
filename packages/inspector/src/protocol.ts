// What the page asks the worker, and what it answers. The worker has the files, and does everything that takes time.

import type { PageData, Verified } from "@firmseal/report/page";

/** A row of the list of open files. `words`: what it is, in one sentence. */
export interface OpenFile {
  id: number;
  kind: "envelope" | "trust" | "key" | "payload" | "description";
  name: string;
  words: string;
  /** Files that it takes the place of. */
  closes?: number[];
}

/** A CBOR item in the tree. `kids`: whether it has items inside. The bytes from `at` to before `end`. */
export interface TreeNode {
  id: number;
  label: string;
  value: string;
  at: number;
  end: number;
  kids: boolean;
}

export interface SignatureRow {
  alg: string;
  kid: string;
  /** Name of the key that made it. Missing: none of the open keys. */
  by?: string;
  /** The published test key that made it, if it is not open. */
  testKey?: string;
}

export interface TrustRow {
  roles: string;
  alg: string;
  thumbprint: string;
  limits: string;
}

/** What the open files say together. `at`: the byte of the main file at which it was refused. */
export interface DeskVerdict {
  state: "good" | "bad" | "unknown";
  words: string;
  at?: number;
  signatures: SignatureRow[];
  /** A release that is good. */
  release?: { data: PageData; verified: Verified; length: number };
  /** A trust file, with what it lists. */
  trust?: { name: string; sequence: string; thresholds: string; keys: TrustRow[]; changes?: { number: string; lines: string[] } };
  /** What a person should also know. */
  notes: string[];
}

/** What the main file is, for the views below the verdict. */
export interface MainFile {
  name: string;
  kind: "envelope" | "trust";
  length: number;
  /** The bytes, for the hex view. */
  bytes: Blob;
  root?: TreeNode;
  vendors: string[];
  classes: string[];
  slots: number[];
  sequence?: string;
}

/** The simulated device. Identifiers in hex; `floor` is decimal. */
export interface DeviceSettings {
  vendor: string;
  class: string;
  device: string;
  slot: number;
  has: boolean;
  floor: string;
}

/** A command that the interpreter has executed for a component. `at` to `end`: the command with its argument. */
export interface TraceStep {
  during: "install" | "start";
  section: string;
  command: string;
  component: number;
  componentName: string;
  /** The name of the component in simulated devices. */
  storeName: string;
  depth: number;
  at: number;
  end: number;
  /** Parameters of the component before the command. */
  parameters: [name: string, value: string][];
  /** What the device does. Missing: nothing that is seen from outside. */
  action?: string;
  /** Whether the component is written. */
  writes: boolean;
  failed: boolean;
}

export interface Trace {
  verified: boolean;
  steps: TraceStep[];
  components: string[];
  /** How it ends: the refusal, or undefined if the release is installed and starts. */
  refused?: string;
}

export interface CutCell {
  what: string;
  boots: "old" | "new" | "none" | "mixed";
  cuts: number;
}

export interface DeskCuts {
  cells: CutCell[];
  faults: number;
  previous: string;
  update: string;
}

/** A file of the sample release. */
export interface SampleFile {
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
}

export interface Asks {
  open: [of: { file: Blob; name: string }, answer: OpenFile];
  paste: [of: string, answer: OpenFile];
  /** Makes the sample, or a copy of it with one changed byte. */
  sample: [of: { changed: boolean }, answer: SampleFile[]];
  remove: [of: number, answer: undefined];
  clear: [of: undefined, answer: undefined];
  verify: [of: { threshold: number; device: DeviceSettings | undefined }, answer: DeskVerdict];
  main: [of: undefined, answer: MainFile | undefined];
  children: [of: number, answer: TreeNode[]];
  /** The way from the root to the innermost item at an offset, with the items beside each. */
  locate: [of: number, answer: { path: number[]; levels: TreeNode[][] }];
  diagnostic: [of: undefined, answer: string];
  trace: [of: DeviceSettings, answer: Trace];
  cuts: [of: { device: DeviceSettings; model: string }, answer: DeskCuts];
}

export type AskName = keyof Asks;

export interface Request {
  id: number;
  ask: AskName;
  of: unknown;
}

/** The name of a lock that the worker holds as long as it lives, asked for and answered. */
export interface Life {
  alive: string;
}

/** `sentence`: what went wrong, for people. */
export type Reply = Life | { id: number; answer: unknown } | { id: number; sentence: string } | { id: number; done: number; total: number };
