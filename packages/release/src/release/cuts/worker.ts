// A worker thread that cuts the power of simulated devices, one after another.

import { parentPort } from "node:worker_threads";
import { type CutsTask, runCuts } from "./task.js";

parentPort?.on("message", (task: CutsTask | "end") => {
  if (task === "end") {
    parentPort?.close();
    return;
  }
  // the caller tries a failed task again, and gets its error
  runCuts(task).then(
    (result) => parentPort?.postMessage(result),
    () => parentPort?.postMessage("failed"),
  );
});
