"""Tiny Shakespeare, letter by letter: nats a letter on the last tenth of the text.

The model learns from the first nine tenths and holds back the end of those to stop the training by;
the last tenth is read from its beginning to its end with the state carried on. Published on this
split: minLSTM 1.555 and minGRU 1.548 (arXiv:2410.01201), nanoGPT 1.470.

    python benchmarks/shakespeare.py --seeds 0 1 2

With ``--precision medium`` products round their operands to bfloat16 where the processor can, which
halves the time.
"""

import argparse
import os
import resource
from pathlib import Path

import numpy as np
import torch

from recurra.estimators import LanguageModel
from recurra.estimators.language.n_gram import n_gram_costs

DATA = Path(os.environ.get("RECURRA_DATA", Path(__file__).parents[2] / "shared" / "data"))
TEXT = DATA / "txt_tinyshakespeare" / "input.txt"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--seeds", type=int, nargs="+", default=[0])
    arguments.add_argument("--precision", default="highest", choices=["highest", "high", "medium"])
    arguments.add_argument("--letters", type=int, help="Learn from so many letters only.")
    arguments.add_argument("--save", type=Path, help="Write the model of the last seed there.")
    given = arguments.parse_args()
    torch.set_float32_matmul_precision(given.precision)
    text = TEXT.read_text(encoding="utf-8")
    edge = int(0.9 * len(text))
    learned, test = text[:edge][: given.letters], text[edge:]
    found = []
    for seed in given.seeds:
        before = _processor_seconds()
        model = LanguageModel(seed=seed).fit(learned)
        took = _processor_seconds() - before
        found.append(-model.score(test))
        print(model.report(), f"\nseed {seed}: {found[-1]:.4f} nats a letter on the last tenth;")
        print(f"{model.log_.seconds:.0f} s of training, {took:.0f} s of one processor\n")
        print(model.generate("ROMEO:", 600, temperature=0.8, seed=seed), "\n", flush=True)
        if given.save:
            model.save(given.save)
    print(f"{torch.get_num_threads()} threads, {given.precision}: ", end="")
    print(f"{np.mean(found):.4f} ± {np.std(found):.4f} over {len(found)} seeds; ", end="")
    print(f"5-gram (Witten-Bell) {_counting(learned, test):.4f}")


def _counting(learned: str, test: str) -> float:
    """Score the counting model on the same letters."""
    letters = sorted(set(learned + test))
    codes = [np.array([letters.index(each) for each in part]) for part in (learned, test)]
    return float(n_gram_costs(*codes, len(letters)).mean())


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
