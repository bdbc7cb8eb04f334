"""Training on more records than memory holds: peak memory, and how long the loader is waited for.

Writes a set of Parquet files of a given size in the long layout (ten channels, records of 50 to 500
steps), piece by piece; then, each in a child process of one thread, trains a GRU on it step by
step, trains a `Classifier`, and reads the whole set once. Each prints what it took. A folder that
is there already, from a run with --keep, is used as it is and not removed.

    python benchmarks/larger_than_memory.py FOLDER [--gigabytes 5] [--steps 300] [--keep]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

CHANNELS, SHORTEST, LONGEST = 10, 50, 500
RECORDS_WRITTEN = 1_000
FILES = 16
GROUP_ROWS = 131_072
HIDDEN, BATCH, BLOCK = 128, 64, 1024


def generate(folder: Path, size: float) -> None:
    """Write the set, a few thousand records at a time; classes differ in the mean of channel 0."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    chance = np.random.default_rng(0)
    folder.mkdir(parents=True)
    first = 0
    for k in range(FILES):
        path, writer = folder / f"part-{k}.parquet", None
        while writer is None or path.stat().st_size < size / FILES:
            lengths = chance.integers(SHORTEST, LONGEST + 1, RECORDS_WRITTEN)
            rows = int(lengths.sum())
            ids = np.repeat(np.arange(first, first + len(lengths)), lengths)
            first += len(lengths)
            labels = chance.integers(0, 2, len(lengths))
            starts = np.repeat(np.cumsum(lengths) - lengths, lengths)
            columns = {"id": ids, "time": np.arange(rows) - starts}
            columns["label"] = np.repeat(labels, lengths).astype(np.int8)
            for c in range(CHANNELS):
                columns[f"x{c}"] = chance.standard_normal(rows, np.float32)
            columns["x0"] += np.where(columns["label"] > 0, 0.2, -0.2).astype(np.float32)
            table = pa.table(columns)
            if writer is None:
                # only the columns that repeat have dictionaries: noise would not gain by one
                writer = pq.ParquetWriter(
                    path, table.schema, compression="none", use_dictionary=["id", "label"]
                )
            writer.write_table(table, GROUP_ROWS)
        writer.close()


def resident() -> float:
    """Give the memory in use now, in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("/proc/self/status names no VmRSS")


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def open_records(folder: Path):
    from recurra.data.batching import ParquetRecords

    channels = [f"x{c}" for c in range(CHANNELS)]
    return ParquetRecords(folder, id="id", time="time", target="label", channels=channels)


def batches_of(records, epochs: range) -> Iterator:
    """Give padded batches, epoch after epoch."""
    from recurra.data.batching import Batches, pad_records

    for epoch in epochs:
        for k, block in enumerate(records.blocks(BLOCK, shuffle=epoch)):
            for places in Batches(block, BATCH, seed=k):
                yield pad_records(block, places)


def train(folder: Path, steps: int) -> dict[str, object]:
    import torch

    from recurra.layers import GRU

    torch.set_num_threads(1)
    torch.manual_seed(0)
    bare = resident()
    begun = time.perf_counter()
    records = open_records(folder)
    count = len(records)
    counted = time.perf_counter() - begun
    layer = GRU(CHANNELS, HIDDEN, batch_first=True)
    head = torch.nn.Linear(HIDDEN, 2)
    optimizer = torch.optim.Adam([*layer.parameters(), *head.parameters()], 1e-3)
    rows, waited, memory, losses = 0, 0.0, [], []
    batches = batches_of(records, range(1000))
    next(batches)  # the first block is read while nothing else can be done
    begun = time.perf_counter()
    for step in range(steps):
        asked = time.perf_counter()
        batch = next(batches)
        waited += time.perf_counter() - asked
        x = batch.streams["x"]
        _, state = layer(torch.from_numpy(x.values), lengths=torch.from_numpy(x.lengths))
        target = torch.from_numpy(batch.targets["label"][:, 0])
        loss = torch.nn.functional.cross_entropy(head(state[-1]), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        rows += int(x.lengths.sum())
        if step % max(1, steps // 12) == 0:
            memory.append(round(resident()))
    took = time.perf_counter() - begun
    batches.close()
    return {
        "records": count,
        "seconds to count the records": round(counted, 2),
        "steps": steps,
        "seconds a step": round(took / steps, 4),
        "rows a second": round(rows / took),
        "share waited for the loader": round(waited / took, 4),
        "loss of the first and last steps": [
            round(float(np.mean(part)), 3) for part in (losses[:20], losses[-20:])
        ],
        "resident with torch loaded, MB": round(bare),
        "resident over time, MB": memory,
        "peak resident, MB": round(peak()),
    }


def estimate(folder: Path, steps: int) -> dict[str, object]:
    """Let a Classifier do the same: treatments, holding back and all."""
    import torch

    from recurra import Classifier, Training

    torch.set_num_threads(1)
    training = Training(steps, BATCH, learning_rate=1e-3, check_every=steps, progress=False)
    begun = time.perf_counter()
    model = Classifier(hidden_size=HIDDEN, training=training).fit(open_records(folder))
    took = time.perf_counter() - begun
    return {
        "steps": steps,
        "seconds": round(took, 1),
        "loss of the first and last steps": [
            round(float(np.mean(part)), 3) for part in (model.log_.loss[:20], model.log_.loss[-20:])
        ],
        "peak resident, MB": round(peak()),
    }


def read(folder: Path) -> dict[str, object]:
    records = open_records(folder)
    bare, rows, memory = resident(), 0, []
    begun = time.perf_counter()
    for k, batch in enumerate(batches_of(records, range(1))):
        rows += int(batch.streams["x"].lengths.sum())
        if k % 500 == 0:
            memory.append(round(resident()))
    took = time.perf_counter() - begun
    return {
        "rows": rows,
        "seconds": round(took, 1),
        "rows a second": round(rows / took),
        "resident at the start, MB": round(bare),
        "resident over time, MB": memory,
        "peak resident, MB": round(peak()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--gigabytes", type=float, default=5.0)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--child", choices=["train", "estimate", "read"])
    options = parser.parse_args()
    if options.child:
        learn = {"train": train, "estimate": estimate}.get(options.child)
        told = learn(options.folder, options.steps) if learn else read(options.folder)
        print(json.dumps(told))
        return
    size = options.gigabytes * 1e9
    written_here = not options.folder.exists()
    if written_here:
        free = shutil.disk_usage(options.folder.resolve().parent).free
        if free < 1.2 * size:
            sys.exit(f"{size / 1e9:.1f} GB are wanted, but only {free / 1e9:.1f} GB are free.")
        begun = time.perf_counter()
        generate(options.folder, size)
        print(f"written in {time.perf_counter() - begun:.0f} s, at most {peak():.0f} MB resident")
    sizes = [path.stat().st_size for path in options.folder.glob("*.parquet")]
    print(f"{len(sizes)} files, {sum(sizes) / 1e9:.2f} GB")
    for child in ("train", "estimate", "read"):
        command = [sys.executable, __file__, str(options.folder), "--child", child]
        command += ["--steps", str(options.steps)]
        done = subprocess.run(
            command, env={**os.environ, "OMP_NUM_THREADS": "1"}, stdout=subprocess.PIPE, check=True
        )
        print(f"\n{child}")
        for name, value in json.loads(done.stdout).items():
            print(f"  {name}: {value}")
    if written_here and not options.keep:
        shutil.rmtree(options.folder)


if __name__ == "__main__":
    main()
