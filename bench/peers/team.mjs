// The same work, as a team would write it in the tasks of a queue from npm: check and look up, (send,) keep and log. The statements are in bench/sql.

import { readFileSync } from "node:fs";

const prepared = (name) => ({ name, text: readFileSync(new URL(`../sql/${name}.sql`, import.meta.url), "utf8") });
const check = prepared("team_check");
const record = prepared("team_record");

/**
 * Does the work around the payloads of some jobs. `query` runs a statement, prepared by its name; `recording` is handed what writes, for
 * whoever completes jobs in the same transaction.
 */
export async function remind(payloads, query, recording = (write) => write(query)) {
    const of = (rows, column) => rows.map((row) => row[column]);
    const { rows: wanted } = await query({
        ...check,
        values: ["assignment", "recipient", "silent_since", "due_at"].map((column) => of(payloads, column)),
    });
    // Here it would send.
    await recording(async (inTransaction) => {
        if (wanted.length === 0) return;
        const messages = wanted.map((row) => `${row.assignment}-${row.silent_since}`);
        const values = ["assignment", "recipient", "silent_since", "email"].map((column) => of(wanted, column));
        await inTransaction({ ...record, values: [...values, messages] });
    });
}

/** The payloads of all jobs, to be enqueued. */
export async function payloads(client, jobs) {
    const { rows } = await client.query("SELECT payload FROM bench.jobs WHERE number <= $1", [jobs]);
    return rows.map((row) => row.payload);
}
