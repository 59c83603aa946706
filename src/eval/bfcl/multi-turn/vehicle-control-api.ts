import { join } from "../python/lines.ts";
import { assign, dictFor, increased, toFloat } from "../python/methods.ts";
import { compare, isTrue, iterate, operate, subscript } from "../python/operators.ts";
import { isEqual, isIn, type PythonDict, type PythonValue, toDict } from "../python/value.ts";
import { longContext } from "./long-context.ts";
import { createPythonRandom, type PythonRandom } from "./random.ts";
import type { Method, SimulatorClass } from "./simulator.ts";
import { distances, zipCodes } from "./vehicle-map.ts";

/** A car: engine, doors, climate, brakes, tires and the way to somewhere. */
export const vehicleControlApi: SimulatorClass = {
  name: "VehicleControlAPI",
  create(config, { longContext: isLong }) {
    const state: PythonDict = new Map();
    for (const [name, value] of Object.entries(defaults()))
      state.set(name, config.get(configNames[name] ?? name) ?? value);
    state.set("remainingUnlockedDoors", unlockedDoors(state.get("doorStatus")!));
    state.set("long_context", isLong);
    // what the original keeps to itself when it compares two cars
    const hidden: Hidden = {
      parkingBrakeForce: config.get("parkingBrakeForce") ?? 0,
      slopeAngle: config.get("slopeAngle") ?? 0,
      brakePedalForce: config.get("brakePedalForce") ?? 0,
    };
    const random = createPythonRandom(config.get("random_seed") ?? 141_053n);
    const methods = {
      ...driving(state, hidden, random),
      ...comfort(state, hidden, random),
      ...wayfinding(state),
    };
    return { methods, state: () => state };
  },
};

type Hidden = { parkingBrakeForce: PythonValue; slopeAngle: PythonValue; brakePedalForce: PythonValue };

const configNames: Readonly<Record<string, string>> = { engine_state: "engineState" };

const defaults = (): Record<string, PythonValue> => ({
  fuelLevel: 0,
  batteryVoltage: 12.6,
  engine_state: "stopped",
  remainingUnlockedDoors: 4n,
  doorStatus: toDict({
    driver: "unlocked",
    passenger: "unlocked",
    rear_left: "unlocked",
    rear_right: "unlocked",
  }),
  acTemperature: 25,
  fanSpeed: 50n,
  acMode: "auto",
  humidityLevel: 50,
  headLightStatus: "off",
  parkingBrakeStatus: "released",
  brakePedalStatus: "released",
  distanceToNextVehicle: 50,
  cruiseStatus: "inactive",
  destination: "None",
  frontLeftTirePressure: 32,
  frontRightTirePressure: 32,
  rearLeftTirePressure: 30,
  rearRightTirePressure: 30,
});

const tires = [
  "frontLeftTirePressure",
  "frontRightTirePressure",
  "rearLeftTirePressure",
  "rearRightTirePressure",
] as const;

const fullTank = 50n;
const milesPerGallon = 20;
const error = (text: PythonValue) => toDict({ error: text });

function unlockedDoors(doors: PythonValue): bigint {
  const locked = [...dictFor(doors, "keys").values()].filter((status) => isEqual(status, "locked"));
  return 4n - BigInt(locked.length);
}

/** `low <= value <= high`. */
function isBetween(low: PythonValue, value: PythonValue, high: PythonValue): boolean {
  return compare(low, "<=", value) && compare(value, "<=", high);
}

function driving(state: PythonDict, hidden: Hidden, random: PythonRandom): Record<string, Method> {
  const of = (name: string) => state.get(name) as PythonValue;

  return {
    startEngine: {
      parameters: [{ name: "ignitionMode" }],
      call(mode = null) {
        if (isEqual(mode, "STOP")) state.set("engine_state", "stopped");
        if (compare(of("remainingUnlockedDoors"), ">", 0n)) {
          const open = [...dictFor(of("doorStatus"), "items")].flatMap(([door, status]) =>
            isEqual(status, "unlocked") ? [door] : [],
          );
          return error(
            `All doors must be locked before starting the engine. Here are the unlocked doors: ${join(", ", open)}`,
          );
        }
        if (!isEqual(of("brakePedalStatus"), "pressed"))
          return error("Brake pedal needs to be pressed when starting the engine.");
        if (!isEqual(hidden.brakePedalForce, 1000))
          return error("Must press the brake fully before starting the engine.");
        if (compare(of("fuelLevel"), "<", 0)) return error("Fuel tank is empty.");
        if (!isEqual(mode, "START")) return error("Invalid ignition mode.");
        state.set("engine_state", "running");
        return toDict({
          engineState: "running",
          fuelLevel: of("fuelLevel"),
          batteryVoltage: of("batteryVoltage"),
        });
      },
    },
    fillFuelTank: {
      parameters: [{ name: "fuelAmount" }],
      call(amount = null) {
        if (compare(amount, "<", 0n)) return error("Fuel amount cannot be negative.");
        const filled = operate(of("fuelLevel"), "+", amount);
        if (compare(filled, ">", fullTank)) return error("Cannot fill gas above the tank capacity.");
        if (compare(filled, "<", 0)) return error("Fuel tank is empty. Min fuel level is 0 gallons.");
        state.set("fuelLevel", filled);
        return toDict({ fuelLevel: filled });
      },
    },
    lockDoors: {
      parameters: [{ name: "unlock" }, { name: "door" }],
      call(unlock = null, doors = null) {
        const status = isTrue(unlock) ? "unlocked" : "locked";
        for (const door of iterate(doors)) {
          if (isEqual(subscript(of("doorStatus"), door), status)) continue;
          assign(of("doorStatus"), door, status);
          const open = of("remainingUnlockedDoors");
          state.set("remainingUnlockedDoors", isTrue(unlock) ? increased(open) : operate(open, "-", 1n));
        }
        return toDict({ lockStatus: status, remainingUnlockedDoors: of("remainingUnlockedDoors") });
      },
    },
    activateParkingBrake: {
      parameters: [{ name: "mode" }],
      call(mode = null) {
        if (!isIn(mode, ["engage", "release"])) return error("Invalid mode");
        const [status, force] = isEqual(mode, "engage")
          ? (["engaged", 500] as const)
          : (["released", 0] as const);
        state.set("parkingBrakeStatus", status);
        hidden.parkingBrakeForce = force;
        hidden.slopeAngle = 10;
        return toDict({
          ...(isTrue(of("long_context")) && {
            parkingBrakeInstruction: longContext("PARKING_BRAKE_INSTRUCTION"),
          }),
          parkingBrakeStatus: status,
          _parkingBrakeForce: force,
          _slopeAngle: 10,
        });
      },
    },
    pressBrakePedal: {
      parameters: [{ name: "pedalPosition" }],
      call(position = null) {
        if (!isBetween(0n, position, 1n)) return error("Pedal position must be between 0 and 1.");
        if (isEqual(position, 0n)) return release(state, hidden);
        const force = operate(position, "*", 1000n);
        state.set("brakePedalStatus", "pressed");
        hidden.brakePedalForce = force;
        return toDict({ brakePedalStatus: "pressed", brakePedalForce: toFloat(force) });
      },
    },
    releaseBrakePedal: { parameters: [], call: () => release(state, hidden) },
    setCruiseControl: {
      parameters: [{ name: "speed" }, { name: "activate" }, { name: "distanceToNextVehicle" }],
      call(givenSpeed = null, activate = null, givenDistance = null) {
        const distance = toFloat(givenDistance);
        const speed = toFloat(givenSpeed);
        if (isEqual(of("engine_state"), "stopped"))
          return error("Start the engine before activating the cruise control.");
        state.set("distanceToNextVehicle", distance);
        if (isTrue(activate) && (speed < 0 || speed > 120 || speed % 5 !== 0)) return error("Invalid speed");
        const status = isTrue(activate) ? "active" : "inactive";
        state.set("cruiseStatus", status);
        return toDict({ cruiseStatus: status, currentSpeed: speed, distanceToNextVehicle: distance });
      },
    },
    get_current_speed: {
      parameters: [],
      call: () => toDict({ currentSpeed: random.uniform(0, 120) }),
    },
  };
}

function release(state: PythonDict, hidden: Hidden): PythonValue {
  state.set("brakePedalStatus", "released");
  hidden.brakePedalForce = 0;
  return toDict({ brakePedalStatus: "released", brakePedalForce: 0 });
}

function comfort(state: PythonDict, hidden: Hidden, random: PythonRandom): Record<string, Method> {
  const of = (name: string) => state.get(name) as PythonValue;
  const isLong = () => isTrue(of("long_context"));
  const shown: Readonly<Record<string, () => Record<string, PythonValue>>> = {
    fuel: () => ({ fuelLevel: of("fuelLevel") }),
    battery: () => ({ batteryVoltage: of("batteryVoltage") }),
    doors: () => ({ doorStatus: of("doorStatus") }),
    climate: () => ({
      currentACTemperature: of("acTemperature"),
      fanSpeed: of("fanSpeed"),
      climateMode: of("acMode"),
      humidityLevel: of("humidityLevel"),
    }),
    headlights: () => ({ headlightStatus: of("headLightStatus") }),
    parkingBrake: () => ({
      parkingBrakeStatus: of("parkingBrakeStatus"),
      parkingBrakeForce: hidden.parkingBrakeForce,
      slopeAngle: hidden.slopeAngle,
    }),
    brakePedal: () => ({
      brakePedalStatus: of("brakePedalStatus"),
      brakePedalForce: hidden.brakePedalForce,
    }),
    engine: () => ({ engineState: of("engine_state") }),
  };

  return {
    adjustClimateControl: {
      parameters: [
        { name: "temperature" },
        { name: "unit", default: "celsius" },
        { name: "fanSpeed", default: 50n },
        { name: "mode", default: "auto" },
      ],
      call(temperature = null, unit = null, fanSpeed = null, mode = null) {
        if (!isBetween(0n, fanSpeed, 100n)) return error("Fan speed must be between 0 and 100.");
        state.set("acTemperature", temperature);
        if (isEqual(unit, "fahrenheit")) {
          const above = operate(operate(temperature, "-", 32n), "*", 5n);
          state.set("acTemperature", operate(above, "/", 9n));
        }
        state.set("fanSpeed", fanSpeed);
        state.set("acMode", mode);
        return toDict({
          currentACTemperature: temperature,
          climateMode: mode,
          humidityLevel: of("humidityLevel"),
        });
      },
    },
    get_outside_temperature_from_google: {
      parameters: [],
      call() {
        const outside = random.uniform(-10, 40);
        if (!isLong()) return toDict({ outsideTemperature: outside });
        const weather = new Map(dictFor(longContext("LONG_WEATHER_EXTENSION"), "items"));
        return weather.set("outsideTemperature", outside);
      },
    },
    get_outside_temperature_from_weather_com: { parameters: [], call: () => error(404n) },
    setHeadlights: {
      parameters: [{ name: "mode" }],
      call(mode = null) {
        if (!isIn(mode, ["on", "off", "auto"])) return error("Invalid headlight mode.");
        const status = isEqual(mode, "on") ? "on" : "off";
        state.set("headLightStatus", status);
        return toDict({ headlightStatus: status });
      },
    },
    displayCarStatus: {
      parameters: [{ name: "option" }],
      call(option = null) {
        const show = typeof option === "string" && Object.hasOwn(shown, option) ? shown[option] : undefined;
        return toDict({
          ...(isLong() && { metadata: longContext("CAR_STATUS_METADATA_EXTENSION") }),
          ...(show?.() ?? { error: "Invalid option" }),
        });
      },
    },
    display_log: {
      parameters: [{ name: "messages" }],
      call: (messages = null) => toDict({ log: messages }),
    },
    check_tire_pressure: {
      parameters: [],
      call() {
        const sum = tires.slice(1).reduce((total, tire) => operate(total, "+", of(tire)), of(tires[0]));
        const status = tires.map((tire) => [tire, of(tire)] as const);
        return toDict({
          ...Object.fromEntries(status),
          healthy_tire_pressure: isBetween(30n, operate(sum, "/", 4n), 35n),
          car_info: isLong() ? longContext("CAR_STATUS_METADATA_EXTENSION") : new Map(),
        });
      },
    },
    find_nearest_tire_shop: {
      parameters: [],
      call: () => toDict({ shopLocation: "456 Oakwood Avenue, Rivermist, 83214" }),
    },
  };
}

function wayfinding(state: PythonDict): Record<string, Method> {
  const of = (name: string) => state.get(name) as PythonValue;
  const converted = (unit: string, name: string, factor: number): Method => ({
    parameters: [{ name }],
    call: (amount = null) => toDict({ [unit]: operate(amount, "*", factor) }),
  });

  return {
    estimate_drive_feasibility_by_mileage: {
      parameters: [{ name: "distance" }],
      call: (distance = null) =>
        toDict({ canDrive: !compare(operate(of("fuelLevel"), "*", milesPerGallon), "<", distance) }),
    },
    liter_to_gallon: converted("gallon", "liter", 0.264172),
    gallon_to_liter: converted("liter", "gallon", 3.78541),
    estimate_distance: {
      parameters: [{ name: "cityA" }, { name: "cityB" }],
      call(from = null, to = null) {
        const known = distances.find(
          ([a, b]) => (isEqual(from, a) && isEqual(to, b)) || (isEqual(from, b) && isEqual(to, a)),
        );
        const found = known ? toDict({ distance: known[2] }) : error("distance not found in database.");
        if (isTrue(of("long_context"))) found.set("intermediaryCities", longContext("INTERMEDIARY_CITIES"));
        return found;
      },
    },
    get_zipcode_based_on_city: {
      parameters: [{ name: "city" }],
      call: (city = null) => {
        const known = typeof city === "string" && Object.hasOwn(zipCodes, city) ? zipCodes[city] : undefined;
        return toDict({ zipcode: known ?? "00000" });
      },
    },
    set_navigation: {
      parameters: [{ name: "destination" }],
      call(destination = null) {
        state.set("destination", destination);
        return toDict({ status: operate("Navigating to ", "+", destination) });
      },
    },
  };
}
