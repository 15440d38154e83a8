// Tests that do not hold with the constants of a board say nothing about its mutants.

import { beforeEach } from "vitest";
import { board } from "./features.mjs";

const skipped = new Set(board().skipped);

/** The full name of a test, as the JSON reporter of vitest writes it. */
const nameOf = (task) => (task.suite?.name ? `${nameOf(task.suite)} ${task.name}` : task.name);

beforeEach(({ task, skip }) => {
  if (skipped.has(nameOf(task))) skip();
});
