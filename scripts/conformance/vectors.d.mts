import type { Vector } from "../../test-vectors/index.mjs";

export function plain(vector: Vector): object;
export function isFor(algs: readonly string[], all: readonly string[]): (vector: Vector) => boolean;
