"""procrastinate: usage: procrastinate_peer.py <workers> <batch> <seconds> <jobs>

It fetches one job at a time; what its documentation offers for throughput is the worker's concurrency, which the batch
size sets here. Prints "<jobs> <seconds>".
"""

import asyncio
import logging
import multiprocessing
import os
import sys
import time

import procrastinate
import psycopg

logging.disable(logging.CRITICAL)
WHERE = f"host={os.environ['PGHOST']} port={os.environ['PGPORT']} user=postgres dbname={os.environ['PGDATABASE']}"

app = procrastinate.App(
    connector=procrastinate.PsycopgConnector(conninfo=WHERE, min_size=1, max_size=25)
)
# When this process began its first job.
began: list[float] = []


@app.task(name="deliver")
async def deliver(reminder: int) -> None:
    if not began:
        began.append(time.time())


async def fill(jobs: int) -> None:
    async with app.open_async():
        with psycopg.connect(WHERE, autocommit=True) as client:
            if client.execute("SELECT to_regclass('procrastinate_jobs')").fetchone() == (None,):
                await app.schema_manager.apply_schema_async()
            client.execute("TRUNCATE procrastinate_jobs CASCADE")
            for start in range(0, jobs, 10_000):
                numbers = range(start, min(start + 10_000, jobs))
                await deliver.batch_defer_async(*({"reminder": n} for n in numbers))
            client.execute("VACUUM ANALYZE procrastinate_jobs")


async def work(concurrency: int, until: float) -> None:
    async with app.open_async():
        worker = asyncio.create_task(
            app.run_worker_async(concurrency=concurrency, wait=False, install_signal_handlers=False, delete_jobs="never")
        )
        done, _ = await asyncio.wait({worker}, timeout=max(0.0, until - time.time()))
        if not done:
            worker.cancel()
            await asyncio.wait({worker})


def process(concurrency: int, until: float, times: multiprocessing.Queue) -> None:
    asyncio.run(work(concurrency, until))
    times.put((began[0] if began else None, time.time()))


def main() -> None:
    workers, batch, seconds, jobs = map(int, sys.argv[1:])
    asyncio.run(fill(jobs))
    times: multiprocessing.Queue = multiprocessing.Queue()
    until = time.time() + seconds
    processes = [multiprocessing.Process(target=process, args=(batch, until, times)) for _ in range(workers)]
    for each in processes:
        each.start()
    ends = [times.get() for _ in processes]
    for each in processes:
        each.join()
    with psycopg.connect(WHERE) as client:
        (count,) = client.execute("SELECT count(*) FROM procrastinate_jobs WHERE status = 'succeeded'").fetchone()
    first = min(start for start, _ in ends if start is not None)
    print(f"{count} {max(end for _, end in ends) - first:.3f}")


if __name__ == "__main__":
    main()
