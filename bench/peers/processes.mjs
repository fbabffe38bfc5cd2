// Runs one program as several worker processes, and adds up what they did: the part that both queues from npm share.
//
// A worker module calls work(task): `task(until)` does jobs until the queue is empty or Date.now() >= until, and resolves
// to { count, first, last }: how many jobs were completed, and when the first began and the last was completed (ms).

import { fork } from "node:child_process";

export const connectionString = `postgres://postgres@${encodeURIComponent(process.env.PGHOST)}:${process.env.PGPORT}/${process.env.PGDATABASE}`;

/** Starts `workers` processes of `module`, for a task that it knows by name, lets them go at the same moment and prints "<jobs> <seconds>". */
export async function measure(module, workers, batch, seconds, task) {
    const names = ["worker", batch, seconds, 0, ...(task ? [task] : [])];
    const children = Array.from({ length: workers }, () => fork(module, names));
    const next = (child) => new Promise((resolve, reject) => {
        child.once("message", resolve);
        child.once("exit", (code) => reject(new Error(`worker ended with ${code}`)));
    });
    await Promise.all(children.map(next));
    const until = Date.now() + seconds * 1000;
    const done = children.map(next);
    children.forEach((child) => child.send(until));
    const results = (await Promise.all(done)).filter(({ count }) => count > 0);
    const count = results.reduce((sum, result) => sum + result.count, 0);
    const first = Math.min(...results.map((result) => result.first));
    const last = Math.max(...results.map((result) => result.last));
    console.log(`${count} ${((last - first) / 1000).toFixed(3)}`);
}

/** The worker's side: says that it is ready, waits for the word, does the task and reports. */
export async function work(task) {
    process.send("ready");
    const until = await new Promise((resolve) => process.once("message", resolve));
    const result = await task(until);
    await new Promise((resolve) => process.send(result, resolve));
    process.exit(0);
}
