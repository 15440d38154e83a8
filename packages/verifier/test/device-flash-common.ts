// Records on raw flash, word by word.

import { FlashModel } from "../../simulator/src/storage-models/flash-model.js";
import { erasedFlash } from "../../simulator/src/storage-models/flash-operations.js";
import { type FlashDevice, type FlashLayout, flashDevice } from "../src/device/flash.js";
import { ID, identity } from "./releases.js";

export const PAGE = 2048;
export const RECORDS = [6 * PAGE, 7 * PAGE] as const;

/** One component and the envelopes, two pages of each to a slot and one, the records in the last pages. */
export const layout: FlashLayout = {
  components: [{ id: ID, slots: [0, 2 * PAGE], size: 2 * PAGE }],
  envelopes: { slots: [4 * PAGE, 5 * PAGE], size: PAGE },
  records: [...RECORDS],
  tries: 3,
};
export const blankFlash = () => new FlashModel(erasedFlash(8, PAGE));
export const on = (flash: FlashModel, l = layout): FlashDevice => flashDevice(flash, identity, l, () => true);
