import { expect, it } from "vitest";
import { extractAnswer, givenAnswer, sameAnswer } from "./answer.ts";

it.each([
  ["42", "42", true],
  ["42.0", "42", true],
  ["1,234", "1234", true],
  ["0.1", "0.10000000000000001", true],
  ["42", 42, true],
  ["41.9999", "42", false],
  ["forty-two", "42", false],
  ["0x2A", "42", false],
  ["1,2", "12", false],
  ["+7", "7", true],
  ["1000000000001", "1000000000000", false],
  ["3.14159265359", "3.141592653589793", true],
  ["1e2", "100", true],
  ["Infinity", "Infinity", true],
  ["sao tome", "São Tomé", true],
  ["  The  Hague ", "the hague", true],
  ["Hague", "The Hague", true],
  ["Niger", "Nigeria", false],
  ["Congo, Democratic", "Congo", false],
  ["true", true, true],
  ["[1,2]", [1, 2], true],
  ["", "", false],
  ["", "0", false],
])("compares %j with %j", (given, expected, same) => {
  expect(sameAnswer(given, expected)).toBe(same);
});

it("takes the last whole pair of tags", () => {
  expect(extractAnswer("<answer>a</answer><answer>b</answer><answer>c")).toBe("b");
  expect(extractAnswer("</answer>a<answer>")).toBeUndefined();
  expect(extractAnswer("no tags")).toBeUndefined();
});

it("takes the whole message where there are no tags", () => {
  expect(givenAnswer(" Lima \n")).toBe("Lima");
  expect(givenAnswer("I say <answer>Lima</answer>")).toBe("Lima");
});
