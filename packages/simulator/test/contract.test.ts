// The contract holds for every device that is ready-made, and is broken by devices that break it.

import { expect, it } from "vitest";
import { LONG } from "../../test-support/src/environment/effort.js";
import { deviceContract } from "../src/contract.js";
import { DEVICES, type SimulatedDevice } from "../src/devices/devices.js";
import type { MakeStore, Started, Store } from "../src/store.js";
import { describeDevice } from "../src/vitest.js";

const device = (name: string) => (DEVICES[name] as SimulatedDevice).make;

// simulate.test.ts has more cuts during recovery
for (const [i, name] of Object.keys(DEVICES).entries())
  describeDevice(`the device ${name}`, device(name), { secondCuts: LONG ? 2 : i === 1 ? 1 : 0 });

/** The device in memory, with something in it changed each time that it is started. */
function spoilt(spoil: (started: Started) => void): MakeStore {
  const around = (store: Store): Store => ({
    power() {
      const machine = store.power();
      return {
        start() {
          const started = machine.start();
          spoil(started);
          return started;
        },
        *cuts(from) {
          for (const cut of machine.cuts(from)) yield { ...cut, left: () => around(cut.left()) };
        },
        cutCount: () => machine.cutCount(),
        sameCourse: () => false,
        off: () => around(machine.off()),
      };
    },
    content: () => store.content(),
  });
  return (setup) => around(device("memory")(setup));
}

/** What the contract says about a device, without the demands that it meets. */
async function complaints(make: MakeStore): Promise<string[]> {
  const out: string[] = [];
  for (const { name, run } of deviceContract(make, { secondCuts: 0 }))
    await run().catch((e: unknown) => {
      out.push(`${name.split(":")[0]}: ${(e as Error).message}`);
    });
  return out;
}

it("a device that forgets its floor takes an older release", async () => {
  const forgetful = spoilt(({ device }) => {
    device.floor = () => [0, 0];
  });
  expect(await complaints(forgetful)).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^a new device .*the floor is 0,0/),
      expect.stringMatching(/^an older release is refused.*it was installed/),
    ]),
  );
});

it("a device that claims to have written, and has not, starts none of it", async () => {
  const lazy = spoilt(({ device }) => {
    device.write = () => {};
  });
  expect((await complaints(lazy)).length).toBeGreaterThan(3);
});

it("a device that does not say which manifest it has accepts neither its own release again nor another one with that number", async () => {
  const silent = spoilt(({ device }) => {
    delete device.counters;
  });
  const found = await complaints(silent);
  expect(found).toEqual(
    expect.arrayContaining([expect.stringMatching(/^the installed release is accepted again.*: firmseal refusal 101/)]),
  );
  expect(found.filter((c) => c.startsWith("another manifest"))).toEqual([]);
});

it("a device that forgets which manifest it has after another number accepts a different one", async () => {
  const forgetful = spoilt(({ device }) => {
    device.counters = () => null;
    device.floor = () => [0, 0];
  });
  expect(await complaints(forgetful)).toEqual(expect.arrayContaining([expect.stringMatching(/^another manifest .*it was installed/)]));
});
