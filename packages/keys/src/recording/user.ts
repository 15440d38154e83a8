// Who uses a key, where, and in which job.

import { hostname, userInfo } from "node:os";
import type { EntryFacts } from "../signing-log/entry.js";

/** The user of a key, as the system reports it; the environment is not trusted. */
export function currentUser(): Pick<EntryFacts, "user" | "host" | "job"> {
  let user: string;
  try {
    user = userInfo().username;
  } catch {
    // in many containers, the user has no name
    user = `uid ${process.getuid?.() ?? "unknown"}`;
  }
  const name = CI_JOBS.find((variable) => /^[\w.:/@-]{1,128}$/.test(process.env[variable] ?? ""));
  return { user, host: hostname(), ...(name !== undefined && { job: `${name}=${process.env[name]}` }) };
}

/**
 * The variables with a job identifier of CI services: GitHub, GitLab, Jenkins, Buildkite, CircleCI, Azure, Travis,
 * Bitbucket, AWS, Woodpecker.
 */
const CI_JOBS = [
  "GITHUB_RUN_ID",
  "CI_JOB_ID",
  "BUILD_TAG",
  "BUILDKITE_JOB_ID",
  "CIRCLE_WORKFLOW_JOB_ID",
  "BUILD_BUILDID",
  "TRAVIS_JOB_ID",
  "BITBUCKET_BUILD_NUMBER",
  "CODEBUILD_BUILD_ID",
  "CI_PIPELINE_NUMBER",
];

/** What an entry has of its user where nobody is to learn it: a ledger of several machines. */
export const NOBODY: ReturnType<typeof currentUser> = { user: "", host: "" };
