// Power cuts on simulated devices: what is simulated, what comes of it, and the models of flash and files that devices are simulated on.

export { DEVICES } from "./devices/devices.js";
export { type Release, Simulation, Unsimulated } from "./engine.js";
export { host } from "./host.js";
export { madeUp, PREVIOUS_SIZE } from "./previous.js";
export { add, count, type Fault, type Point, type Report, type Tally, tally, type Verdict } from "./report.js";
export type { Cut, Machine, MakeStore, Setup, Started, Store } from "./store.js";
