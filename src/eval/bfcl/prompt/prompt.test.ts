import { describe, expect, it } from "vitest";
import { toNativeTools } from "../native-tools.ts";
import { readJson } from "../python/json.ts";
import type { PythonDict } from "../python/value.ts";
import { functionsText } from "./functions-text.ts";
import { withLanguageNotes } from "./language-notes.ts";
import { systemPrompt } from "./system-prompt.ts";
import { leaderboardPrompt, promptVariations, readVariation, variationText } from "./variation.ts";

const power = readJson(
  '{"name":"math.power","description":"Raises.","parameters":{"type":"dict","required":["base"],"properties":{"base":{"type":"float","description":"The base, as given."},"options":{"type":"dict","description":"More.","properties":{"mode":{"type":"string","enum":["a","b"],"description":"How.","default":"a, b"}}},"many":{"type":"array","items":{"type":"integer"},"description":"Many.","default":[1.0,2]}}}}',
) as PythonDict;

// The expected texts were written by the original.
describe("functions in a prompt", () => {
  it("are XML with types of elements, choices, and defaults without commas", () => {
    expect(functionsText([power], "xml")).toBe(
      '<function name="math.power">\n  <desc>Raises.</desc>\n  <params>\n    <param name="base" type="float" required="true">\n      <desc>The base, as given.</desc>\n    </param>\n    <param name="options" type="dict" required="false">\n      <desc>More.</desc>\n      <params>\n        <param name="mode" type="string" required="true" default="\'a b\'">\n          <desc>How. Enum values: [\'a\', \'b\'].</desc>\n        </param>\n      </params>\n    </param>\n    <param name="many" type="array[integer]" required="false" default="[1.0 2]">\n      <desc>Many.</desc>\n    </param>\n  </params>\n</function>\n',
    );
  });

  it("are Python docstrings", () => {
    expect(functionsText([power], "python")).toBe(
      "# Function: math.power\n    \"\"\"\n    Raises.\n\n    Args:\n        base (float): The base, as given.\n        options (dict): More.\n            mode (str, default='a, b'): How. Enum values: ['a', 'b'].\n        many (list[int], default=[1.0, 2]): Many.\n    \"\"\"\n\n\n\n",
    );
  });

  it("are JSON that keeps floats apart from integers", () => {
    const text = functionsText([power], "json");
    expect(text).toContain('"default": [\n                        1.0,\n                        2\n');
    expect(readJson(text)).toEqual([power]);
  });
});

describe("the system prompt", () => {
  it("names types only for XML, and the tag only where calls are tagged", () => {
    const tagged = systemPrompt({ ...leaderboardPrompt, returnFormat: "concise_xml", tagged: true }, []);
    expect(tagged).toContain("</function></functions></TOOLCALL>. The type fields of the parameters");
    const plain = systemPrompt(leaderboardPrompt, []);
    expect(plain).toMatch(
      /^You are an expert in composing functions\.You are given a question .* func_name2\(params\)\]\. {2}You SHOULD NOT include any other text/s,
    );
    expect(plain).toMatch(/Here is a list of functions in json format that you can invoke\.\n\[\]\n$/);
    expect(plain).not.toContain("TOOLCALL");
  });

  it("has headings in markdown, and other words in the experimental style", () => {
    expect(systemPrompt({ ...leaderboardPrompt, layout: "markdown" }, [])).toContain(
      "composing functions.\n\n## Task\nYou are given",
    );
    expect(systemPrompt({ ...leaderboardPrompt, style: "experimental" }, [])).toMatch(
      /^You are an expert in generating structured function calls\.You are given a user query/,
    );
  });
});

describe("a prompt variation", () => {
  it("is one of 26, spelled and read as ids spell it", () => {
    const texts = promptVariations.map(variationText);
    expect(new Set(texts).size).toBe(26);
    expect(texts[0]).toBe(
      "ret_fmt=python&tool_call_tag=True&func_doc_fmt=python&prompt_fmt=plaintext&style=classic",
    );
    expect(texts.map(readVariation)).toEqual(promptVariations);
  });

  it("may be named by its return format alone, and nothing else", () => {
    expect(readVariation("json")).toEqual({ ...leaderboardPrompt, returnFormat: "json" });
    expect(() => readVariation("yaml")).toThrow(/got "yaml", expected one of python, json/);
  });
});

describe("notes on the language", () => {
  const java = readJson(
    '{"name":"f","description":"Does.","parameters":{"type":"dict","properties":{"a":{"type":"ArrayList","items":{"type":"String"},"description":"List."},"b":{"type":"any","description":"Any."}}}}',
  ) as PythonDict;

  it("make text of every Java value, and take the elements' type into the description", () => {
    const [noted] = toNativeTools(withLanguageNotes([java], "simple_java"));
    expect(noted).toEqual({
      name: "f",
      description: "Does. Note that the provided function is in Java 8 SDK syntax.",
      parameters: {
        type: "object",
        properties: {
          a: {
            type: "string",
            description:
              "List. This is Java ArrayList type parameter in string representation. The list elements are of type String; they are not in string representation.",
          },
          b: {
            type: "string",
            description: "Any. This parameter can be of any type of Java object in string representation.",
          },
        },
      },
    });
  });

  it("leave the documents as they are, and Python's parameters too", () => {
    const before = structuredClone(power);
    const [noted] = withLanguageNotes([power], "live_simple");
    expect(noted?.get("description")).toBe("Raises. Note that the provided function is in Python 3 syntax.");
    expect(noted?.get("parameters")).toBe(power.get("parameters"));
    expect(power).toEqual(before);
  });
});

describe("native tools", () => {
  it("have names without dots and the types of JSON Schema", () => {
    expect(toNativeTools([power])).toEqual([
      {
        name: "math_power",
        description: "Raises.",
        parameters: {
          type: "object",
          required: ["base"],
          properties: {
            base: {
              type: "number",
              format: "float",
              description: "The base, as given. This is a float type value.",
            },
            options: {
              type: "object",
              description: "More.",
              properties: {
                mode: { type: "string", enum: ["a", "b"], description: "How.", default: "a, b" },
              },
            },
            many: { type: "array", items: { type: "integer" }, description: "Many.", default: [1, 2] },
          },
        },
      },
    ]);
  });

  it("take what they do not know for a string, also a document without parameters", () => {
    const odd = readJson(
      '{"name":"constructor","parameters":{"properties":{"a":{"type":"toString"},"b":{"type":"tuple","items":{"type":"array","items":{"type":"Set"}}}}}}',
    ) as PythonDict;
    expect(toNativeTools([odd, readJson('{"name":"g"}') as PythonDict])).toEqual([
      {
        name: "constructor",
        description: "",
        parameters: {
          type: "object",
          properties: {
            a: { type: "string" },
            b: { type: "array", items: { type: "array", items: { type: "string" } } },
          },
        },
      },
      { name: "g", description: "", parameters: { type: "object", properties: {} } },
    ]);
  });
});
