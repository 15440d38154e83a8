// A reporter for vitest: counts, the failed tests, and the skipped tests with the reasons they give, as JSON in the
// file that FIRMSEAL_REPORT names.

import { writeFileSync } from "node:fs";
import { relative } from "node:path";

const firstLine = (error) => String(error?.message ?? error).split("\n", 1)[0];

export default class Report {
  onTestRunEnd(modules, unhandled) {
    const report = { passed: 0, failed: [], skipped: [] };
    /** By title: a list of failed tests has to tell one from another. */
    const files = new Map();
    const fail = (file, name, error) => report.failed.push({ file, name, note: firstLine(error) });
    for (const error of unhandled) fail("outside of a test", error.name ?? "error", error);
    for (const module of modules) {
      const file = relative(process.cwd(), module.moduleId);
      // a file that cannot be loaded has no tests to count
      if (module.errors().length > 0) fail(file, "cannot be loaded", module.errors()[0]);
      for (const test of module.children.allTests()) {
        const result = test.result();
        const other = files.get(test.fullName);
        files.set(test.fullName, file);
        if (result.state === "failed") fail(file, test.fullName, result.errors[0]);
        else if (other) fail(file, test.fullName, `${other} has a test with this title`);
        else if (result.state === "passed") report.passed++;
        else report.skipped.push({ file, name: test.fullName, note: result.note ?? "" });
      }
      for (const suite of module.children.allSuites()) {
        for (const error of suite.errors()) fail(file, suite.fullName, error);
      }
    }
    writeFileSync(process.env.FIRMSEAL_REPORT, JSON.stringify(report));
  }
}
