// A share of the fleet in a process of its own: rotation-fleet.test.ts bundles this, so that it runs as fast as it does in the field.

import { carry, type Run } from "./rotation-story.js";

// 300,000 refusals, of which nobody reads the stack
Error.stackTraceLimit = 0;
process.stdout.write(JSON.stringify(await carry(JSON.parse(process.argv[2] as string) as Run)));
