// Shared suites and public fakes: what every driver of a contract must do, as vitest tests that a driver's own test
// file calls, and players and tokenizers that need no model. Read trainer-contract.ts first.
export { byteRenderer, byteTokenizer, endOfTurn } from "./byte-tokenizer.ts";
export { type EnvironmentContractOptions, environmentContract } from "./environment-contract.ts";
export { type PlayedMessages, playMessages } from "./play-messages.ts";
export { type PolicyContractOptions, policyContract } from "./policy-contract.ts";
export { type EscapeAttempt, sandboxContract } from "./sandbox-contract.ts";
export { scriptedPolicy } from "./scripted-policy.ts";
export { type TrainerContractOptions, trainerContract } from "./trainer-contract.ts";
