import { defineRun, embedded, grpo } from "attune";
import booking from "./booking.ts";

export default defineRun({
  name: "booking",
  environments: [booking],
  trainer: embedded({ model: "nano" }),
  stages: [
    {
      name: "sft",
      sft: { demonstrations: { count: 500 }, steps: 80, optimizer: { kind: "muon", learningRate: 4e-3 } },
      evaluate: true,
    },
    {
      name: "rl",
      rl: { algorithm: grpo(), steps: 60, optimizer: { kind: "muon", learningRate: 4e-4 } },
      evaluate: true,
    },
  ],
});
