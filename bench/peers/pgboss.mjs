// pg-boss: usage: pgboss.mjs <workers> <batch> <seconds> <jobs> [work]
//
// fetch() with a batch size and complete() of the whole batch, one after the other, are what its work() does between polls.
//
// work: the work around the reminders of a batch (team.mjs); what was sent is kept and logged in one transaction with complete(), as the
// option `db` of its documentation allows.

import pg from "pg";
import { PgBoss } from "pg-boss";
import { connectionString, measure, work } from "./processes.mjs";
import { payloads, remind } from "./team.mjs";

const [first, batchSize, seconds, jobs, task] = process.argv.slice(2);
const batch = Number(batchSize);
const queue = "deliver";

function connect(isWorker) {
    const boss = new PgBoss({ connectionString, supervise: false, schedule: false, migrate: !isWorker, max: 2 });
    boss.on("error", console.error);
    return boss.start();
}

async function client() {
    const connected = new pg.Client({ connectionString });
    await connected.connect();
    return connected;
}

async function enqueued() {
    if (task !== "work") return Array.from({ length: Number(jobs) }, (_, n) => ({ reminder: n }));
    const reader = await client();
    const found = await payloads(reader, jobs);
    await reader.end();
    return found;
}

async function fill() {
    const boss = await connect(false);
    await boss.createQueue(queue);
    await boss.deleteAllJobs(queue);
    const all = await enqueued();
    for (let at = 0; at < all.length; at += 10000) {
        await boss.insert(queue, all.slice(at, at + 10000).map((data) => ({ data })));
    }
    await boss.getDb().executeSql("VACUUM ANALYZE");
    await boss.stop({ graceful: false });
}

/** Completes jobs of which nothing is to be done. */
async function complete(boss, fetched) {
    await boss.complete(queue, fetched.map((job) => job.id));
}

/** Does the team's work around jobs, on a connection of its own, and completes them. */
function completeWith(team) {
    const query = (statement) => team.query(statement);
    const db = { executeSql: (text, values) => team.query(text, values) };
    return (boss, fetched) => remind(fetched.map((job) => job.data), query, async (write) => {
        await team.query("BEGIN");
        await write(query);
        await boss.complete(queue, fetched.map((job) => job.id), null, { db });
        await team.query("COMMIT");
    });
}

async function deliver(boss, handle, until) {
    const result = { count: 0, first: Date.now(), last: 0 };
    while (Date.now() < until) {
        const fetched = await boss.fetch(queue, { batchSize: batch });
        if (fetched.length === 0) break;
        await handle(boss, fetched);
        result.count += fetched.length;
        result.last = Date.now();
    }
    return result;
}

if (first === "worker") {
    const boss = await connect(true);
    const handle = task === "work" ? completeWith(await client()) : complete;
    await work((until) => deliver(boss, handle, until));
} else {
    await fill();
    await measure(import.meta.filename, Number(first), batch, Number(seconds), task);
    process.exit(0);
}
