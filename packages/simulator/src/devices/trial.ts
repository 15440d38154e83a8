// The start of a device that keeps an envelope itself and has releases on trial.

import type { FlashDevice } from "@firmseal/verifier/device/flash";
import { nodeHost } from "../host.js";
import { inPackets, type Started, type Verifier } from "../store.js";

/** Starts the device. `receiving`: envelopes arrive in packets, which the device stores. */
export function startedTrial(device: FlashDevice, receiving: boolean, verifier?: Verifier): Started {
  const started: Started = {
    device,
    envelope: device.start(),
    confirm: () => device.confirm(),
    ...(verifier && { verifier }),
  };
  if (receiving)
    started.receive = (envelope, trust) => {
      inPackets(envelope, (packet) => device.receive(packet, envelope.length, trust, nodeHost));
      return device.received();
    };
  return started;
}
