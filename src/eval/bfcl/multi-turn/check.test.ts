import { describe, expect, it } from "vitest";
import type { BfclItem } from "../data.ts";
import { readJson } from "../python/json.ts";
import type { PythonDict } from "../python/value.ts";
import { checkTurns, type Turns } from "./check.ts";

const item: BfclItem = {
  id: "multi_turn_base_0",
  category: "multi_turn_base",
  turns: [],
  functions: [],
  groundTruth: [["touch('a')", "pwd()"], [], ["ls()"]],
  involvedClasses: ["GorillaFileSystem", "TwitterAPI"],
  initialConfig: readJson('{"TwitterAPI": {"authenticated": true}}') as PythonDict,
  excludedFunctions: [],
  missedFunctions: new Map(),
  scenario: undefined,
  hopCount: undefined,
};

/** The error type of these turns, or `valid`. */
function judge(turns: Turns, groundTruth = item.groundTruth): string {
  const { valid, errorType } = checkTurns({ ...item, groundTruth }, turns);
  return valid ? "valid" : errorType;
}

const right: Turns = [[["touch('a')"], ["pwd()"]], [], [["ls(a=False)"]]];

describe("turns of calls against the answer", () => {
  it("are right in any order, with more that changes nothing, and with steps without calls", () => {
    expect(judge(right)).toBe("valid");
    expect(judge([[["pwd()", "du()", "touch('a')"]], [], [[], ["ls()"], [""]]])).toBe("valid");
  });

  it("may have made a call in an earlier turn, but not a later one", () => {
    expect(judge([[["touch('a')", "ls()", "pwd()"]], [], [["du()"]]])).toBe("valid");
    expect(judge([[["touch('a')"]], [["pwd()"]], [["ls()"]]])).toBe("multi_turn:execution_response_mismatch");
  });

  it("fail by the first thing that is wrong", () => {
    expect(judge(right.slice(0, 2))).toBe("multi_turn:force_terminated");
    expect(judge([[["touch('a')", "pwd()"]], [], []])).toBe("multi_turn:empty_turn_model_response");
    expect(judge([[["touch('a')", "pwd()"]], [], [[""]]])).toBe("multi_turn:empty_turn_model_response");
    expect(judge([[["touch('b')", "pwd()"]], [], [["ls()"]]])).toBe("multi_turn:instance_state_mismatch");
    expect(judge([[["touch('a')"]], [], [["ls()"]]])).toBe("multi_turn:execution_response_mismatch");
  });

  it("are not judged by a turn without an answer, but by what it changed", () => {
    expect(judge([right[0] as string[][], [["du()"]], [["ls()"]]])).toBe("valid");
    expect(judge([right[0] as string[][], [["touch('b')"]], [["ls()"]]])).toBe(
      "multi_turn:instance_state_mismatch",
    );
  });

  it("need a repeated result as often as the answer has it", () => {
    expect(judge([[["pwd()"]]], [["pwd()", "pwd()"]])).toBe("multi_turn:execution_response_mismatch");
    expect(judge([[["pwd()"], ["pwd()"]]], [["pwd()", "pwd()"]])).toBe("valid");
  });

  it("give the texts of all results per turn, whatever the verdict", () => {
    expect(checkTurns(item, [[["pwd()"], ["nothing()"]], [["pwd()"]]]).results).toEqual([
      ['{"current_working_directory": "//"}', "Error during execution: name 'nothing' is not defined"],
      ['{"current_working_directory": "//"}'],
    ]);
  });

  it("share the list of mentions that the original keeps in its class", () => {
    const posts = (...calls: string[][]): Turns => calls.map((step) => [step]);
    const answer = [["post_tweet('a')"], ["mention(0, ['@x'])"]];
    const twice = posts(["post_tweet('a')"], ["mention(0, ['@x'])", "mention(0, ['@x'])"]);
    expect(judge(twice, answer)).toBe("valid");
    expect(judge(posts(["post_tweet('a')"], ["pwd()"]), answer)).toBe(
      "multi_turn:execution_response_mismatch",
    );
  });
});

it("names an answer that is no list of call texts", () => {
  expect(() => judge(right, [["pwd()"], "pwd()", []])).toThrow(
    "multi_turn_base_0: ground_truth: got a str, expected lists of call texts",
  );
});
