// Power cuts on simulated devices: the simulation, its report, and the models of flash and files for simulated devices.

export { type ContractOptions, deviceContract, type Requirement } from "./contract.js";
export type { BootlessCode } from "./devices/bootless.js";
export { DEVICES, type SimulatedDevice } from "./devices/devices.js";
export { filesStore } from "./devices/files.js";
export { type FlashKind, FlashStore, flashStore, layoutOf, type StoreOptions } from "./devices/flash.js";
export { hostFor, nodeHost } from "./host.js";
export { PREVIOUS_SIZE, previousRelease } from "./previous.js";
export { addTally, type CutFault, type CutPoint, countPoint, type Report, type StartVerdict, type Tally, tally } from "./report.js";
export { type Simulated, type SimulateOptions, simulate } from "./simulate.js";
export { Simulation, Unsimulated } from "./simulation/simulation.js";
export type { Release } from "./simulation/start-install.js";
export { FlashModel } from "./storage-models/flash-model.js";
export { applyOperation, erasedFlash, FLASH_TEARS, type FlashTear, type Pages } from "./storage-models/flash-operations.js";
export { FsModel } from "./storage-models/fs-model.js";
export type { Cut, Machine, MakeStore, Setup, Started, Store } from "./store.js";
export { inPackets, slotName } from "./store.js";
