// A reporter for vitest: counts, and the skipped tests with the reasons they give, as JSON in the file that FIRMSEAL_REPORT names.

import { writeFileSync } from "node:fs";
import { relative } from "node:path";

export default class Report {
  onTestRunEnd(modules, unhandled) {
    const report = { passed: 0, failed: unhandled.length, skipped: [] };
    for (const module of modules) {
      // a file that cannot be loaded has no tests to count
      if (module.errors().length > 0) report.failed++;
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === "passed") report.passed++;
        else if (result.state === "failed") report.failed++;
        else report.skipped.push({ file: relative(process.cwd(), module.moduleId), name: test.fullName, note: result.note ?? "" });
      }
      for (const suite of module.children.allSuites()) report.failed += suite.errors().length;
    }
    writeFileSync(process.env.FIRMSEAL_REPORT, JSON.stringify(report));
  }
}
