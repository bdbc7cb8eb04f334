"""Loading opens nothing but the file, imports nothing and runs nothing that is in it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parents[1] / "golden"
SCRIPT = """
import json, sys, warnings
import recurra
warnings.simplefilter("ignore")
good, *paths = sys.argv[1:]
for each in good.split(";"):  # the first load of each class may import and compile
    recurra.load(each)
seen = []
WATCHED = ("open", "import", "exec", "compile", "os.", "subprocess.", "ctypes.", "socket.",
           "shutil.", "marshal.", "pickle.", "code.", "glob.", "tempfile.", "mmap.",
           "fcntl.", "sys._getframe")
def hook(event, given):
    if event.startswith(WATCHED) and listening:
        seen.append([event, str(given[:1])])
listening = []
sys.addaudithook(hook)
found = {}
for path in paths:
    seen.clear()
    listening.append(1)
    try:
        recurra.load(path)
        said = "loaded"
    except recurra.errors.FileError:
        said = "refused"
    listening.clear()
    found[path] = [said, list(seen)]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What is seen of loading a good file of each class, and a few that are not."""
    sys.path.insert(0, str(Path(__file__).parent))
    folder = tmp_path_factory.mktemp("files")
    newest = max(path.parent for path in GOLDEN.glob("*/*.recurra"))
    good, paths = sorted(newest.glob("*.recurra")), {}
    for path in good:
        paths[folder / path.name] = "loaded"
        (folder / path.name).write_bytes(path.read_bytes())
    from recurra.artifact import read_model, write_model

    for k, (way, value) in enumerate(HARMFUL):
        header, arrays = read_model(newest / "Classifier.recurra")
        place = header
        for name in way[:-1]:
            place = place[name]
        place[way[-1]] = value
        write_model(folder / f"bad{k}", header, arrays)
        paths[folder / f"bad{k}"] = "refused"
    first = ";".join(map(str, good))
    command = [sys.executable, "-c", SCRIPT, first, *map(str, paths)]
    run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=250)
    return paths, json.loads(run.stdout)


HARMFUL = [
    (("estimator",), "os.system"),
    (("preprocessor", 0, "kind"), "os.system"),
    (("preprocessor", 0, "kind"), "import_module"),
    (("preprocessor", 0, "options", "method"), "__import__('os').system('touch harmed')"),
    (("parameters", "layer"), "eval('1')"),
    (("parameters", "training", "optimizer"), "torch.optim.SGD"),
    (("network", "inputs", 0, 1, "kind"), "subprocess.Popen"),
    (("network", "pooling"), ["exec", "eval", "compile"]),
    (("shapes", "x", "kind"), ["../../etc/passwd"]),
    (("learned", "units"), {"x": "/etc/passwd"}),
]


def test_good_files_are_loaded_and_harmful_ones_refused(found):
    paths, seen = found
    assert {path: said for path, (said, _) in seen.items()} == {str(k): v for k, v in paths.items()}


def test_loading_opens_nothing_but_the_named_file(found):
    for path, (_, events) in found[1].items():
        opened = [given for event, given in events if event == "open"]
        assert opened, "the hook sees nothing"
        others = [each for each in opened if path not in each and not each[1:-2].isdigit()]
        assert not others, (path, others)


def test_loading_imports_nothing_and_runs_nothing(found):
    for path, (_, events) in found[1].items():
        others = [each for each in events if each[0] not in ("open", "sys._getframe")]
        assert not others, (path, others)
