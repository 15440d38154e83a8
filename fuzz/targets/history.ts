// Histories of a device on raw flash and in Espruino's Storage: sessions in a row, releases in several roles, trials
// and ways back, power cuts, a session that another one overtakes, firmware with and without a floor for each role. The
// model of floors of the verifier's tests says what each step leaves: no floor goes down, and the device always starts.

import { FLASH_TEARS } from "../../packages/simulator/src/storage-models/flash-operations.js";
import { type Action, boards, play, type Release, ROLES } from "../../packages/verifier/test/model/history.js";

import { Choices } from "../common/bits.js";
import { Finding, type Target } from "../common/verdict.js";

export { ready } from "../../packages/verifier/test/model/history.js";

const LONGEST = 12;

/** What an octet that begins an action stands for. */
const KINDS = ["nothing", "confirm", "install", "cut", "overtaken"] as const;

function releaseFrom(c: Choices): Release {
  const [role, more] = [c.one(ROLES), c.byte()];
  return { role, sequence: more % 10, bytes: 1 + ((more >> 4) & 1), roles: more < 192 };
}

function actionFrom(c: Choices): Action {
  const kind = c.one(KINDS);
  if (kind === "install") return { do: kind, release: releaseFrom(c) };
  if (kind === "cut") return { do: kind, release: releaseFrom(c), after: c.byte() - 8, tear: c.one(FLASH_TEARS) };
  if (kind === "overtaken") return { do: kind, release: releaseFrom(c), by: releaseFrom(c), after: c.below(4) };
  return { do: kind };
}

/** An input is read from its end: the board, the first firmware, then actions. */
const input = (...octets: number[]) => Uint8Array.from(octets).reverse();

export const seeds = () =>
  [0, 1].flatMap((board) =>
    [0, 1].flatMap((firmware) => [
      input(board, firmware),
      // two releases, of which the second is not confirmed, and starts until the device goes back
      input(board, firmware, 2, 0, 1, 1, 2, 0, 2, 0, 0, 0, 0, 2, 0, 1),
      // a release in another role, by firmware with one floor
      input(board, firmware, 2, 1, 5, 1, 2, 0, 199, 1, 2, 2, 3, 1),
      ...FLASH_TEARS.map((_, tear) => input(board, firmware, 2, 0, 1, 1, 3, 1, 2, 4 * tear, tear, 0, 2, 1, 3)),
      input(board, firmware, 2, 0, 1, 1, 4, 0, 3, 1, 2, 1, 0, 1),
    ]),
  );

export const fuzz: Target = async (bytes) => {
  const c = new Choices(bytes);
  const make = c.one(Object.values(boards));
  const factory = c.below(2) === 1;
  const actions: Action[] = [];
  while (c.more && actions.length < LONGEST) actions.push(actionFrom(c));
  try {
    await play(make(), factory, actions);
  } catch (e) {
    throw new Finding(`${(e as Error).message}, after ${JSON.stringify(actions)}`);
  }
};
