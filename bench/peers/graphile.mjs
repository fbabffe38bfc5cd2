// graphile-worker: usage: graphile.mjs <workers> <batch> <seconds> <jobs> [work | work-of-100]
//
// Batches as https://worker.graphile.org/docs/performance recommends for throughput: a local queue, many concurrent jobs
// per process and batched completion. A batch of 1 is its default: no local queue, one job after another.
//
// work: each job's task does the work around a reminder (team.mjs), in statements of its own: jobs are completed by the worker, in another
// transaction, whatever the task does. work-of-100: one job for 100 reminders, its payload an array (what its documentation calls a batch job),
// so that the task can do the work of all in one statement; one that fails is then tried again with them.

import { run, runMigrations } from "graphile-worker";
import pg from "pg";
import { connectionString, measure, work } from "./processes.mjs";
import { remind } from "./team.mjs";

const [first, batchSize, seconds, jobs, task] = process.argv.slice(2);
const batch = Number(batchSize);

const enqueue = {
    nothing: "SELECT json_build_object('reminder', n) AS payload FROM generate_series(1, $1::integer) AS n",
    work: "SELECT payload FROM bench.jobs WHERE number <= $1::integer",
    "work-of-100": "SELECT jsonb_agg(payload) AS payload FROM bench.jobs WHERE number <= $1::integer GROUP BY (number - 1) / 100",
};
const tasks = {
    nothing() {},
    work: (payload, { withPgClient }) => remind([payload], (statement) => withPgClient((client) => client.query(statement))),
    "work-of-100": (payload, { withPgClient }) => remind(payload, (statement) => withPgClient((client) => client.query(statement))),
};

async function fill(client) {
    await runMigrations({ connectionString, logger: quietLogger });
    await client.query("TRUNCATE graphile_worker._private_jobs");
    await client.query(
        `SELECT count(*) FROM graphile_worker.add_jobs(ARRAY(
             SELECT json_populate_record(NULL::graphile_worker.job_spec, json_build_object(
                 'identifier', 'deliver', 'payload', j.payload))
               FROM (${enqueue[task ?? "nothing"]}) AS j))`, [jobs]);
    await client.query("VACUUM ANALYZE graphile_worker._private_jobs");
}

/** How many jobs a worker takes at once, and how many it runs concurrently. */
function settings() {
    if (batch === 1) return { concurrentJobs: 1, maxPoolSize: 2 };
    const batched = { completeJobBatchDelay: 0, failJobBatchDelay: 0 };
    if (task === "work-of-100") return { concurrentJobs: 4, maxPoolSize: 5, localQueue: { size: 8 }, ...batched };
    return { concurrentJobs: 24, maxPoolSize: 25, localQueue: { size: batch }, ...batched };
}

async function deliver(until) {
    const result = { count: 0, first: 0, last: 0 };
    let finished;
    const drained = new Promise((resolve) => { finished = resolve; });
    const runner = await run({
        connectionString,
        parsedCronItems: [],
        noHandleSignals: true,
        taskList: {
            deliver(payload, helpers) {
                result.first ||= Date.now();
                return tasks[task ?? "nothing"](payload, helpers);
            },
        },
        preset: { worker: { logger: quietLogger, ...settings() } },
    });
    // Every job that is completed in the database counts; a second without one means that none is left.
    runner.events.on("job:complete", ({ job, error }) => {
        if (error) throw error;
        result.count += Array.isArray(job.payload) ? job.payload.length : 1;
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
    await measure(import.meta.filename, Number(first), batch, Number(seconds), task);
    await client.end();
}
