// pg-boss: usage: pgboss.mjs <workers> <batch> <seconds> <jobs>
//
// fetch() with a batch size and complete() of the whole batch, one after the other, are what its work() does between polls.

import { PgBoss } from "pg-boss";
import { connectionString, measure, work } from "./processes.mjs";

const [first, batchSize, seconds, jobs] = process.argv.slice(2);
const batch = Number(batchSize);
const queue = "deliver";

function connect(isWorker) {
    const boss = new PgBoss({ connectionString, supervise: false, schedule: false, migrate: !isWorker, max: 2 });
    boss.on("error", console.error);
    return boss.start();
}

async function fill() {
    const boss = await connect(false);
    await boss.createQueue(queue);
    await boss.deleteAllJobs(queue);
    const total = Number(jobs);
    for (let at = 0; at < total; at += 10000) {
        const size = Math.min(10000, total - at);
        await boss.insert(queue, Array.from({ length: size }, (_, n) => ({ data: { reminder: at + n } })));
    }
    await boss.getDb().executeSql("VACUUM ANALYZE");
    await boss.stop({ graceful: false });
}

async function deliver(boss, until) {
    const result = { count: 0, first: Date.now(), last: 0 };
    while (Date.now() < until) {
        const fetched = await boss.fetch(queue, { batchSize: batch });
        if (fetched.length === 0) break;
        await boss.complete(queue, fetched.map((job) => job.id));
        result.count += fetched.length;
        result.last = Date.now();
    }
    return result;
}

if (first === "worker") {
    const boss = await connect(true);
    await work((until) => deliver(boss, until));
} else {
    await fill();
    await measure(import.meta.filename, Number(first), batch, Number(seconds));
    process.exit(0);
}
