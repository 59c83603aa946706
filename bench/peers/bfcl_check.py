"""The benchmark's own checker over the same rows: one line of JSON in, the seconds of its inner loop out."""

import json
import sys
import time
import types
from pathlib import Path

# The table of models brings in every vendor's client, and the checker asks it only whether names lose their dots.
table = types.ModuleType("bfcl_eval.constants.model_config")
table.MODEL_CONFIG_MAPPING = {
    "plain": types.SimpleNamespace(underscore_to_dot=False),
    "dotless": types.SimpleNamespace(underscore_to_dot=True),
}
sys.modules[table.__name__] = table

from bfcl_eval.constants.enums import Language  # noqa: E402
from bfcl_eval.eval_checker.ast_eval.ast_checker import ast_checker  # noqa: E402
from bfcl_eval.eval_checker.multi_turn_eval import multi_turn_utils  # noqa: E402
from bfcl_eval.eval_checker.multi_turn_eval.multi_turn_checker import multi_turn_checker  # noqa: E402

languages = {"simple_java": Language.JAVA, "simple_javascript": Language.JAVASCRIPT}


def read(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def items(folder, category):
    questions = read(folder / "questions" / f"BFCL_v4_{category}.json")
    answers = read(folder / "possible_answer" / f"BFCL_v4_{category}.json")
    by_id = {answer["id"]: answer for answer in answers}
    return {
        question["id"]: (question, by_id.get(question["id"], answer)["ground_truth"])
        for question, answer in zip(questions, answers)
    }


def load(request):
    folder = Path(request["folder"])
    checks, replays = [], []
    for category in request["categories"]:
        known = items(folder, category)
        for row in read(folder / "conformance" / f"{category}.jsonl"):
            # what has the wrong shape never comes to the checker
            if row["error_type"] == "ast_decoder:decoder_wrong_output_format":
                continue
            question, truth = known[row["id"]]
            model = "dotless" if row.get("underscore_to_dot") else "plain"
            language = languages.get(category, Language.PYTHON)
            checks.append((question["function"], row["output"], truth, language, category, model))
    for category in request["multiTurn"]:
        for question, truth in items(folder, category).values():
            replays.append((category, question, truth, [[turn] for turn in truth]))
    return checks, replays


def run_checks(work):
    started = time.perf_counter()
    for each in work:
        ast_checker(*each)
    return time.perf_counter() - started


def run_replays(work):
    started = time.perf_counter()
    for category, question, truth, turns in work:
        multi_turn_checker(turns, truth, question, category, "m")
    seconds = time.perf_counter() - started
    # it keeps its objects in the module, by name: the next round starts afresh
    for name in [name for name in vars(multi_turn_utils) if name.endswith("_instance")]:
        delattr(multi_turn_utils, name)
    return seconds


checks, replays = [], []
for line in sys.stdin:
    request = json.loads(line)
    if "folder" in request:
        checks, replays = load(request)
        answer = {"checks": len(checks), "replays": len(replays)}
    elif request["run"] == "checks":
        answer = {"seconds": sum(run_checks(checks) for _ in range(request["passes"]))}
    else:
        answer = {"seconds": sum(run_replays(replays) for _ in range(request["passes"]))}
    print(json.dumps(answer), flush=True)
