// graphile-worker: usage: graphile.mjs <workers> <batch> <seconds> <jobs>
//
// Batches as https://worker.graphile.org/docs/performance recommends for throughput: a local queue, many concurrent jobs
// per process and batched completion. A batch of 1 is its default: no local queue, one job after another.

import { run, runMigrations } from "graphile-worker";
import pg from "pg";
import { connectionString, measure, work } from "./processes.mjs";

const [first, batchSize, seconds, jobs] = process.argv.slice(2);
const batch = Number(batchSize);

async function fill(client) {
    await runMigrations({ connectionString, logger: quietLogger });
    await client.query("TRUNCATE graphile_worker._private_jobs");
    await client.query(
        `SELECT count(*) FROM graphile_worker.add_jobs(ARRAY(
             SELECT json_populate_record(NULL::graphile_worker.job_spec, json_build_object(
                 'identifier', 'deliver', 'payload', json_build_object('reminder', n)))
               FROM generate_series(1, $1::integer) AS n))`, [jobs]);
    await client.query("VACUUM ANALYZE graphile_worker._private_jobs");
}

async function deliver(until) {
    const result = { count: 0, first: 0, last: 0 };
    let finished;
    const drained = new Promise((resolve) => { finished = resolve; });
    const runner = await run({
        connectionString,
        parsedCronItems: [],
        noHandleSignals: true,
        taskList: { deliver() { result.first ||= Date.now(); } },
        preset: {
            worker: {
                logger: quietLogger,
                concurrentJobs: batch > 1 ? 24 : 1,
                maxPoolSize: batch > 1 ? 25 : 2,
                ...(batch > 1 ? { localQueue: { size: batch }, completeJobBatchDelay: 0, failJobBatchDelay: 0 } : {}),
            },
        },
    });
    // Every job that is completed in the database counts; a second without one means that none is left.
    runner.events.on("job:complete", () => {
        result.count += 1;
        result.last = Date.now();
    });
    const watch = setInterval(() => {
        const now = Date.now();
        if (now >= until || (result.last && now - result.last > 500)) finished();
    }, 20);
    await drained;
    clearInterval(watch);
    await runner.stop();
    return result;
}

const { Logger } = await import("graphile-worker");
const quietLogger = new Logger(() => (level, message) => { if (level === "error") console.error(message); });

if (first === "worker") {
    await work(deliver);
} else {
    const client = new pg.Client({ connectionString });
    await client.connect();
    await fill(client);
    await measure(import.meta.filename, Number(first), batch, Number(seconds));
    await client.end();
}
