// Graders and how they become one number. Few and about the outcome: what is rewarded is what is learnt.
export { extractAnswer, givenAnswer, sameAnswer } from "./answer.ts";
export { correct, economy, format, isCorrect, toolFailures, toolUse } from "./components.ts";
export { type GradedReward, toReward } from "./to-reward.ts";
