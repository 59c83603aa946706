import {
  database,
  defineRun,
  embedded,
  grpo,
  knowledgeGraph,
  math,
  normalizedPerEnvironment,
  os,
  search,
  text2api,
} from "attune";

/** Very different worlds in one run; each environment's credit is normalised by itself. */
export default defineRun({
  name: "six-worlds",
  environments: [
    math({ kinds: ["power"] }),
    database({ kinds: ["lookup"], showSchema: false }),
    os({ kinds: ["missing"] }),
    knowledgeGraph({ kinds: ["one-hop"] }),
    search({ kinds: ["noted"] }),
    text2api({ kinds: ["look-up"] }),
  ],
  trainer: embedded({ model: "nano", contextLength: 512 }),
  stages: [
    {
      name: "sft",
      sft: {
        demonstrations: { count: 14400 },
        steps: 4800,
        optimizer: { kind: "muon", learningRate: 4e-3 },
      },
      evaluate: true,
    },
    {
      name: "rl",
      rl: {
        algorithm: normalizedPerEnvironment(grpo()),
        steps: 20,
        groupsPerStep: 24,
        optimizer: { kind: "muon", learningRate: 4e-4 },
      },
      evaluate: true,
    },
  ],
  evaluation: { tasks: 60 },
});
