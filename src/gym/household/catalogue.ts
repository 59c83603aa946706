/** What a kind of receptacle is like, and how many of them a room has. */
export type ReceptacleKind = { count: readonly [least: number, most: number]; closed?: boolean };

/** What a kind of object can undergo, and where it is likely to be found, most likely first. */
export type ObjectKind = {
  likely: readonly string[];
  cleaned?: boolean;
  heated?: boolean;
  cooled?: boolean;
  /** Small and flat enough to be looked at under a lamp. */
  lit?: boolean;
  /** Found where it is and never carried. */
  fixed?: boolean;
};

export type RoomKind = {
  receptacles: Readonly<Record<string, ReceptacleKind>>;
  objects: Readonly<Record<string, ObjectKind>>;
};

const [food, dish] = [
  { cleaned: true, heated: true, cooled: true },
  { cleaned: true, heated: true, cooled: true },
];

/** The four rooms that a household can be, after those of ALFRED and ALFWorld (arXiv 2010.03768). */
export const rooms: Readonly<Record<string, RoomKind>> = {
  kitchen: {
    receptacles: {
      cabinet: { count: [2, 5], closed: true },
      drawer: { count: [1, 3], closed: true },
      countertop: { count: [1, 3] },
      diningtable: { count: [1, 1] },
      fridge: { count: [1, 1], closed: true },
      microwave: { count: [1, 1], closed: true },
      sinkbasin: { count: [1, 1] },
      stoveburner: { count: [1, 2] },
      coffeemachine: { count: [1, 1] },
      garbagecan: { count: [1, 1] },
      shelf: { count: [0, 2] },
    },
    objects: {
      apple: { ...food, likely: ["countertop", "diningtable", "fridge", "sinkbasin", "garbagecan"] },
      potato: { ...food, likely: ["countertop", "fridge", "sinkbasin", "diningtable", "garbagecan"] },
      tomato: { ...food, likely: ["fridge", "countertop", "diningtable", "sinkbasin"] },
      egg: { ...food, likely: ["fridge", "countertop", "sinkbasin", "garbagecan"] },
      lettuce: { cleaned: true, cooled: true, likely: ["fridge", "countertop", "diningtable"] },
      bread: { heated: true, cooled: true, likely: ["countertop", "diningtable", "fridge"] },
      mug: { ...dish, likely: ["coffeemachine", "cabinet", "countertop", "shelf", "sinkbasin"] },
      cup: { ...dish, likely: ["cabinet", "shelf", "countertop", "sinkbasin", "microwave"] },
      plate: { ...dish, likely: ["cabinet", "diningtable", "shelf", "countertop"] },
      bowl: { ...dish, likely: ["cabinet", "shelf", "diningtable", "fridge"] },
      pan: { cleaned: true, cooled: true, likely: ["stoveburner", "cabinet", "countertop"] },
      pot: { cleaned: true, cooled: true, likely: ["stoveburner", "cabinet", "sinkbasin"] },
      knife: { cleaned: true, likely: ["drawer", "countertop", "diningtable"] },
      fork: { cleaned: true, likely: ["drawer", "diningtable", "sinkbasin"] },
      spoon: { cleaned: true, likely: ["drawer", "sinkbasin", "diningtable"] },
      spatula: { cleaned: true, likely: ["drawer", "countertop", "stoveburner"] },
      saltshaker: { likely: ["cabinet", "shelf", "countertop", "drawer"] },
      dishsponge: { cleaned: true, likely: ["sinkbasin", "countertop", "drawer"] },
    },
  },
  bathroom: {
    receptacles: {
      cabinet: { count: [2, 4], closed: true },
      drawer: { count: [1, 3], closed: true },
      countertop: { count: [1, 2] },
      sinkbasin: { count: [1, 2] },
      bathtubbasin: { count: [1, 1] },
      toilet: { count: [1, 1] },
      shelf: { count: [0, 2] },
      towelholder: { count: [1, 2] },
      garbagecan: { count: [1, 1] },
    },
    objects: {
      soapbar: { cleaned: true, likely: ["sinkbasin", "countertop", "bathtubbasin", "toilet", "cabinet"] },
      cloth: { cleaned: true, likely: ["countertop", "bathtubbasin", "drawer", "cabinet"] },
      sponge: { cleaned: true, likely: ["sinkbasin", "bathtubbasin", "cabinet"] },
      handtowel: { likely: ["towelholder", "countertop", "shelf"] },
      toiletpaper: { likely: ["toilet", "cabinet", "drawer", "shelf"] },
      soapbottle: { likely: ["countertop", "cabinet", "sinkbasin", "shelf"] },
      spraybottle: { likely: ["cabinet", "countertop", "toilet", "garbagecan"] },
      candle: { likely: ["countertop", "toilet", "shelf", "drawer"] },
    },
  },
  bedroom: {
    receptacles: {
      bed: { count: [1, 1] },
      desk: { count: [1, 2] },
      drawer: { count: [2, 5], closed: true },
      dresser: { count: [0, 1] },
      shelf: { count: [1, 4] },
      sidetable: { count: [1, 2] },
      safe: { count: [0, 1], closed: true },
      laundryhamper: { count: [0, 1], closed: true },
      garbagecan: { count: [1, 1] },
    },
    objects: {
      desklamp: { fixed: true, likely: ["desk", "sidetable", "dresser"] },
      book: { lit: true, likely: ["desk", "bed", "shelf", "sidetable"] },
      pen: { lit: true, likely: ["desk", "drawer", "shelf", "garbagecan"] },
      pencil: { lit: true, likely: ["desk", "drawer", "sidetable", "shelf"] },
      cd: { lit: true, likely: ["shelf", "desk", "drawer", "safe"] },
      cellphone: { lit: true, likely: ["bed", "desk", "sidetable", "dresser"] },
      creditcard: { lit: true, likely: ["desk", "shelf", "drawer", "safe"] },
      keychain: { lit: true, likely: ["safe", "drawer", "dresser", "sidetable"] },
      alarmclock: { lit: true, likely: ["sidetable", "dresser", "shelf", "desk"] },
      laptop: { lit: true, likely: ["desk", "bed"] },
      pillow: { lit: true, likely: ["bed", "shelf"] },
    },
  },
  livingroom: {
    receptacles: {
      sofa: { count: [1, 1] },
      armchair: { count: [1, 2] },
      coffeetable: { count: [1, 2] },
      sidetable: { count: [1, 3] },
      cabinet: { count: [1, 3], closed: true },
      drawer: { count: [1, 3], closed: true },
      shelf: { count: [1, 3] },
      tvstand: { count: [1, 1] },
      garbagecan: { count: [1, 1] },
    },
    objects: {
      desklamp: { fixed: true, likely: ["sidetable", "coffeetable", "shelf"] },
      newspaper: { lit: true, likely: ["coffeetable", "sofa", "armchair", "garbagecan"] },
      remotecontrol: { lit: true, likely: ["sofa", "tvstand", "armchair", "coffeetable"] },
      book: { lit: true, likely: ["sofa", "coffeetable", "shelf"] },
      keychain: { lit: true, likely: ["drawer", "sidetable", "coffeetable"] },
      creditcard: { lit: true, likely: ["drawer", "coffeetable", "armchair"] },
      vase: { lit: true, likely: ["shelf", "cabinet", "sidetable", "coffeetable"] },
      statue: { lit: true, likely: ["shelf", "tvstand", "sidetable", "cabinet"] },
      box: { lit: true, likely: ["sofa", "coffeetable", "armchair"] },
      watch: { lit: true, likely: ["drawer", "sidetable", "shelf", "tvstand"] },
    },
  },
};

/** What a thing is called without its number: "mug 2" is a mug. */
export const kindOf = (name: string): string => name.slice(0, name.lastIndexOf(" "));
