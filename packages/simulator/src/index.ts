// Power cuts on simulated devices: what is simulated, what comes of it, and the models of flash and files that devices are simulated on.

export { type ContractOptions, contract, type Demand } from "./contract.js";
export { DEVICES } from "./devices/devices.js";
export { filesStore } from "./devices/files.js";
export { type FlashKind, FlashStore, flashStore, layoutOf } from "./devices/flash.js";
export { type Release, Simulation, Unsimulated } from "./engine.js";
export { host } from "./host.js";
export { applied, blank, FlashModel, type Pages, TEARS, type Tear } from "./models/flash-model.js";
export { FsModel } from "./models/fs-model.js";
export { madeUp, PREVIOUS_SIZE } from "./previous.js";
export { add, count, type Fault, type Point, type Report, type Tally, tally, type Verdict } from "./report.js";
export { type Simulated, type SimulateOptions, simulate } from "./simulate.js";
export type { Cut, Machine, MakeStore, Setup, Started, Store } from "./store.js";
export { inPackets, slotName } from "./store.js";
