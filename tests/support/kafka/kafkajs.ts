/**
 * The client of kafkajs, for what only an administrator does. Its queue of requests sets a timer to a negative time while no
 * broker throttles it, and Node prints a warning about that: here it is the time between two looks.
 */
import kafkajs from "kafkajs";
import queueModule from "npm:kafkajs@2.2.4/src/network/requestQueue/index.js";

interface RequestQueue {
  throttledUntil: number;
  scheduleCheckPendingRequests(): void;
}

const { prototype } = queueModule as unknown as { readonly prototype: RequestQueue };
const { scheduleCheckPendingRequests } = prototype;
prototype.scheduleCheckPendingRequests = function () {
  const { throttledUntil } = this;
  // Its own interval, in milliseconds.
  this.throttledUntil = Math.max(throttledUntil, Date.now() + 10);
  scheduleCheckPendingRequests.call(this);
  this.throttledUntil = throttledUntil;
};

export default kafkajs;
export type { Admin, Kafka } from "kafkajs";
