// The built-in environments, one folder each, written as an outsider would write them. Read calculator first.
import type { Environment } from "../spec/environment.ts";
import { atlas } from "./atlas/atlas.ts";
import { type BfclInput, type BfclOptions, bfcl, bfclCategories } from "./bfcl/bfcl.ts";
import { calculator } from "./calculator/calculator.ts";
import { database } from "./database/database.ts";
import { echo } from "./echo/echo.ts";
import { files } from "./files/files.ts";
import { household } from "./household/household.ts";
import { knowledgeGraph } from "./knowledge-graph/knowledge-graph.ts";
import { math } from "./math/math.ts";
import { os } from "./os/os.ts";
import { search } from "./search/search.ts";
import { shop } from "./shop/shop.ts";
import { text2api } from "./text2api/text2api.ts";
import { web } from "./web/web.ts";

export type { AtlasInput } from "./atlas/atlas.ts";
export type { CalculatorInput } from "./calculator/calculator.ts";
export type { DatabaseInput, DatabaseOptions, DatabaseOutcome } from "./database/database.ts";
export type { GivenFile } from "./database/given-files.ts";
export type { EchoInput } from "./echo/echo.ts";
export type { FilesAnswer, FilesInput } from "./files/files.ts";
export type { HouseholdOptions } from "./household/household.ts";
export type {
  GivenQuestion,
  KnowledgeGraphInput,
  KnowledgeGraphOptions,
  Triple,
} from "./knowledge-graph/knowledge-graph.ts";
export type { MathOptions } from "./math/math.ts";
export type { OsTask } from "./os/given-tasks.ts";
export type { OsInput, OsOptions, OsOutcome } from "./os/os.ts";
export { type HttpEngineOptions, httpEngine } from "./search/http-engine.ts";
export type { NoiseCurriculum } from "./search/noise.ts";
export { recordedEngine, replayedEngine } from "./search/record.ts";
export type { SearchEnvironmentOptions } from "./search/search.ts";
export type { SearchEngine, SearchHit, SearchResult } from "./search/search-engine.ts";
export type { ShopOptions } from "./shop/shop.ts";
export type { Text2ApiInput } from "./text2api/text2api.ts";
export type { Screenshot, WebOptions } from "./web/web.ts";
export type { BfclInput, BfclOptions };
export {
  atlas,
  bfcl,
  bfclCategories,
  calculator,
  database,
  echo,
  files,
  household,
  knowledgeGraph,
  math,
  os,
  search,
  shop,
  text2api,
  web,
};

/** By name, as the command line knows them. */
export const gym: Record<string, (options?: { kinds?: readonly string[] }) => Environment> = {
  calculator,
  atlas,
  files,
  echo,
  math,
  database,
  os,
  "knowledge-graph": knowledgeGraph,
  search,
  household,
  shop,
  text2api,
  web,
};
