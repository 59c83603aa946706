// Shared suites: what every driver of a contract must do, as vitest tests that a driver's own test file calls. They
// are public, so that a trainer or policy written elsewhere is held to the same. Read trainer-contract.ts first.
export { type PolicyContractOptions, policyContract } from "./policy-contract.ts";
export { type TrainerContractOptions, trainerContract } from "./trainer-contract.ts";
