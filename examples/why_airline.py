"""Why a forecast says what it says: airline passengers, a year ahead, month by month.

A year ahead, passengers are foretold from the same month of the last years. Is that what the
network looks at? Its own slopes say so: by how much the forecast of a month rises if a month of the
past had one passenger more.

    python examples/why_airline.py
"""

import runpy
from pathlib import Path

import recurra as rc

AIRLINE = runpy.run_path(str(Path(__file__).with_name("airline.py")))


def main(out: Path = Path("out"), steps: int = 1000) -> None:
    """Learn; ask why, for each of twelve months; draw it."""
    passengers, columns = AIRLINE["read"](), AIRLINE["COLUMNS"]
    training = rc.Training(steps=steps)
    model = rc.Forecaster("lstm", columns=columns, training=training, seed=0).fit(passengers)

    # Which months of the past move the forecast? A row for each month ahead.
    ahead = range(1, 13)
    why = model.explain(passengers, h=ahead, method="gradient", checks=False)
    print(why)
    slopes = abs(why.by_step("target"))
    same = [slopes[row, h - 13] for row, h in enumerate(ahead)]
    ranks = (slopes > [[each] for each in same]).sum(1) + 1
    print(f"\nThe same month of last year is first of 144 for {(ranks == 1).sum()} of 12 months")
    print(f"ahead, and among the first three for {(ranks <= 3).sum()}.\n")

    # Why so many in July? What each month adds to the usual, and whether that can be believed.
    print(model.explain(passengers, h=7))

    out.mkdir(parents=True, exist_ok=True)
    why.plot().savefig(out / "why_airline.png")
    print(f"\nThe slopes are drawn in {out / 'why_airline.png'}.")


if __name__ == "__main__":
    main()
