// Episodes played by many processes: the trainer's side hands out jobs and serves the policy, workers play and send
// trajectories back, BullMQ on Redis is between them. Read dispatcher.ts first, then worker.ts and wire.ts.
export { type DispatcherOptions, openDispatcher } from "./dispatcher.ts";
export { type QueueOptions, queue } from "./queue.ts";
export { type RunningWorker, startWorker, type WorkerEvent, type WorkerOptions } from "./worker.ts";
