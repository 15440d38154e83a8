// A signer of the load tests: claims numbers until it is killed, and says each one when nothing can take it back.
//   node load-worker.mjs PLACE CLAIMS SKEW
// Each claim is also one of a one-time leaf. `SKEW`: milliseconds that its clock is ahead.

import { nextSequence, withSigningLogs } from "@firmseal/keys";
import { privateKey, publicOf } from "@firmseal/signer";

const [place, claims, skew] = process.argv.slice(2);
const real = Date.now;
Date.now = () => real() + Number(skew);
const key = { name: "a.pem", public: publicOf(privateKey("ed25519", new Uint8Array(32).fill(5))) };

for (let done = 0; done < Number(claims); ) {
  const digest = `sha-256:${process.pid}-${done}`;
  try {
    const number = await withSigningLogs([key], place, async ({ deciding, record }) => {
      const n = nextSequence(deciding, ["v/a"], { first: "known" });
      record(key, { operation: "sign", sequence: String(n), leaf: String(n), digest, scope: ["v/a"] });
      return n;
    });
    done++;
    process.stdout.write(`${number} ${digest}\n`);
  } catch (e) {
    process.stdout.write(`- ${e.exit} ${e.message}\n`);
    // a fault of the environment passes; everything else is a fault of ours
    if (e.exit !== 3 || e.reason !== "ENVIRONMENT") process.exit(1);
    await new Promise((next) => setTimeout(next, 50));
  }
}
