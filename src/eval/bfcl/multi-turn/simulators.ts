import { gorillaFileSystem } from "./gorilla-file-system.ts";
import { mathApi } from "./math-api.ts";
import { messageApi } from "./message-api.ts";
import type { SimulatorClass } from "./simulator.ts";
import { ticketApi } from "./ticket-api.ts";
import { tradingBot } from "./trading-bot.ts";
import { travelApi } from "./travel-api.ts";
import { twitterApi } from "./twitter-api.ts";
import { vehicleControlApi } from "./vehicle-control-api.ts";

/** The classes that the multi-turn categories play with, by the name that items call them. */
export const simulators: Readonly<Record<string, SimulatorClass>> = {
  GorillaFileSystem: gorillaFileSystem,
  MathAPI: mathApi,
  MessageAPI: messageApi,
  TwitterAPI: twitterApi,
  TicketAPI: ticketApi,
  TradingBot: tradingBot,
  TravelAPI: travelApi,
  VehicleControlAPI: vehicleControlApi,
};
