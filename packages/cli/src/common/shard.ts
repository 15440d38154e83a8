// Which shards of a batch this machine makes: --shard, with the variables of services that start one job many times.

import { usage } from "@firmseal/keys/internal";

/** Every `of`th, from the `part`th. */
export interface ShardPart {
  readonly part: number;
  readonly of: number;
}

/** The jobs that one definition starts, with the base of their index. Kubernetes does not say how many there are. */
const SERVICES: readonly { readonly index: string; readonly total?: string; readonly from: 0 | 1 }[] = [
  { index: "JOB_COMPLETION_INDEX", from: 0 },
  { index: "AWS_BATCH_JOB_ARRAY_INDEX", total: "AWS_BATCH_JOB_ARRAY_SIZE", from: 0 },
  { index: "CI_NODE_INDEX", total: "CI_NODE_TOTAL", from: 1 },
];

const number = (text: string | undefined) => (/^(0|[1-9][0-9]{0,4})$/.test(text ?? "") ? Number(text) : undefined);

/** The part of --shard: I/N; auto, or auto/N where the service does not say how many jobs there are. */
export function shardPart(value: string, env: NodeJS.ProcessEnv): ShardPart {
  const [, first = "", total] = /^(auto|[0-9]+)(?:\/([0-9]+))?$/.exec(value) ?? [];
  const found = first === "auto" ? SERVICES.filter(({ index }) => number(env[index]) !== undefined) : [];
  const [service] = found;
  if (first === "auto" && !service) throw usage("`shard` auto: no variable of a job array is set", "give the part: `shard` 1/4");
  if (found.length > 1)
    throw usage(`\`shard\` auto: ${found.map(({ index }) => index).join(" and ")} are both set`, "give the part: `shard` 1/4");
  const part = service ? (number(env[service.index]) as number) + 1 - service.from : number(first);
  const of = number(total ?? (service?.total === undefined ? undefined : env[service.total]));
  if (of === undefined)
    throw usage(
      service ? `\`shard\` auto: ${service.index} does not say how many jobs there are` : `\`shard\` ${value} is not a part`,
      service ? "give it: `shard` auto/4" : "give which part of how many, from 1: `shard` 1/4",
    );
  if (part === undefined || part < 1 || part > of)
    throw usage(`\`shard\` ${value}: part ${part ?? first} of ${of}`, "parts count from 1 to their number");
  return { part, of };
}
