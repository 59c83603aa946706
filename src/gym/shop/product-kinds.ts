/** A kind of product: what its items are called, and what they can be like. */
export type ProductKind = {
  /** What one would search for. */
  query: string;
  /** From the department down. */
  categories: readonly [string, string, string];
  /** What the kind can be in a title; one is drawn for each item. */
  names: readonly string[];
  attributes: readonly string[];
  /** Values by option. No value stands under two options, and no two are alike enough to pass for one another. */
  options: Readonly<Record<string, readonly string[]>>;
  /** Dollars. */
  price: readonly [least: number, most: number];
};

const named = (names: string) => names.split(", ");

const color = "black white navy red green grey pink yellow brown purple orange teal".split(" ");
const size = ["xs", "s", "m", "l", "xl", "xxl"];
const shoe = ["6", "7", "8", "9", "10", "11", "12"];
const bed = ["twin", "full", "queen", "king"];
const pack = ["single", "pair", "four pack", "dozen"];

const wear = named("machine wash, long sleeve, quick drying, moisture wicking, loose fit, slim fit");
const shoes = named("memory foam, rubber sole, arch support, lace up, wide toe, non slip, breathable");
const skin = named("fragrance free, cruelty free, paraben free, dermatologist tested, vegan, hydrating");
const tasty = named("gluten free, low sodium, non gmo, kosher, organic, sugar free, resealable bag");
const device = named("fast charging, long battery, plug and play, lightweight, high resolution, compact");
const furniture = named("solid wood, easy assembly, space saving, heavy duty, eco friendly, scratch proof");

/** The kinds of product that the shop sells. */
export const productKinds: readonly ProductKind[] = [
  {
    query: "running shoes",
    categories: ["Clothing", "Shoes", "Athletic"],
    names: ["Running Shoes", "Road Running Shoes", "Jogging Running Shoes"],
    attributes: [...shoes, "reflective trim", "shock absorbing", "carbon plate"],
    options: { color, size: shoe, width: ["narrow", "regular", "wide"] },
    price: [35, 140],
  },
  {
    query: "hiking boots",
    categories: ["Clothing", "Shoes", "Outdoor"],
    names: ["Hiking Boots", "Trail Hiking Boots", "Mid Hiking Boots"],
    attributes: [...shoes, "waterproof", "steel shank", "ankle padding"],
    options: { color, size: shoe },
    price: [45, 180],
  },
  {
    query: "house slippers",
    categories: ["Clothing", "Shoes", "Home"],
    names: ["House Slippers", "Cozy House Slippers", "Indoor House Slippers"],
    attributes: [...shoes, "fleece lined", "closed back", "faux fur"],
    options: { color, size: shoe },
    price: [12, 45],
  },
  {
    query: "rain jacket",
    categories: ["Clothing", "Tops", "Jackets"],
    names: ["Rain Jacket", "Hooded Rain Jacket", "Packable Rain Jacket"],
    attributes: [...wear, "windproof", "taped seams", "zip pockets", "adjustable hood"],
    options: { color, size },
    price: [28, 160],
  },
  {
    query: "dress shirt",
    categories: ["Clothing", "Tops", "Shirts"],
    names: ["Dress Shirt", "Office Dress Shirt", "Oxford Dress Shirt"],
    attributes: [...wear, "wrinkle free", "button closure", "stretch cotton", "french cuffs"],
    options: { color, size, collar: ["spread", "point", "mandarin"] },
    price: [18, 80],
  },
  {
    query: "yoga pants",
    categories: ["Clothing", "Bottoms", "Active"],
    names: ["Yoga Pants", "High Waist Yoga Pants", "Flare Yoga Pants"],
    attributes: [...wear, "tummy control", "side pockets", "squat proof", "four way stretch"],
    options: { color, size, inseam: ["short", "ankle", "full length"] },
    price: [15, 70],
  },
  {
    query: "hand cream",
    categories: ["Beauty", "Skin Care", "Hands"],
    names: ["Hand Cream", "Repair Hand Cream", "Night Hand Cream"],
    attributes: [...skin, "shea butter", "non greasy", "dry skin", "vitamin e"],
    options: { scent: ["lavender", "rose", "coconut", "unscented", "almond"], pack },
    price: [5, 30],
  },
  {
    query: "sunscreen lotion",
    categories: ["Beauty", "Skin Care", "Sun"],
    names: ["Sunscreen Lotion", "Face Sunscreen Lotion", "Mineral Sunscreen Lotion"],
    attributes: [...skin, "reef safe", "water resistant", "zinc oxide", "broad spectrum"],
    options: { strength: ["spf 15", "spf 30", "spf 50"], volume: ["50 ml", "90 ml", "200 ml"] },
    price: [7, 40],
  },
  {
    query: "shampoo",
    categories: ["Beauty", "Hair Care", "Cleansing"],
    names: ["Shampoo", "Daily Shampoo", "Volume Shampoo"],
    attributes: [...skin, "sulfate free", "argan oil", "color safe", "anti dandruff", "tea tree"],
    options: { scent: ["mint", "citrus", "vanilla", "rosemary"], volume: ["8 oz", "16 oz", "32 oz"] },
    price: [6, 35],
  },
  {
    query: "electric toothbrush",
    categories: ["Beauty", "Oral Care", "Toothbrushes"],
    names: ["Electric Toothbrush", "Sonic Electric Toothbrush", "Travel Electric Toothbrush"],
    attributes: [...device, "soft bristles", "two minute timer", "teeth whitening", "pressure sensor"],
    options: { color, heads: ["two heads", "five heads", "eight heads"] },
    price: [18, 120],
  },
  {
    query: "trail mix",
    categories: ["Grocery", "Snacks", "Nuts"],
    names: ["Trail Mix", "Mountain Trail Mix", "Sweet and Salty Trail Mix"],
    attributes: [...tasty, "high protein", "dark chocolate", "dried fruit"],
    options: { flavor: ["cranberry", "tropical", "cashew", "peanut"], weight: ["4 oz", "12 oz", "26 oz"] },
    price: [5, 28],
  },
  {
    query: "green tea",
    categories: ["Grocery", "Drinks", "Tea"],
    names: ["Green Tea", "Loose Leaf Green Tea", "Ceremony Green Tea"],
    attributes: [...tasty, "caffeine free", "hand picked", "individually wrapped"],
    options: { flavor: ["jasmine", "lemon", "ginger", "plain"], count: ["20 ct", "50 ct", "100 ct"] },
    price: [4, 32],
  },
  {
    query: "ground coffee",
    categories: ["Grocery", "Drinks", "Coffee"],
    names: ["Ground Coffee", "Breakfast Ground Coffee", "House Ground Coffee"],
    attributes: [...tasty, "fair trade", "single origin", "low acid"],
    options: { roast: ["light roast", "espresso", "decaf"], weight: ["10 oz", "24 oz", "48 oz"] },
    price: [7, 38],
  },
  {
    query: "bluetooth headphones",
    categories: ["Electronics", "Audio", "Headphones"],
    names: ["Bluetooth Headphones", "Over Ear Bluetooth Headphones", "Wireless Bluetooth Headphones"],
    attributes: [...device, "noise cancelling", "deep bass", "built in microphone", "foldable"],
    options: { color, bundle: ["with case", "with stand", "headset only"] },
    price: [20, 260],
  },
  {
    query: "portable speaker",
    categories: ["Electronics", "Audio", "Speakers"],
    names: ["Portable Speaker", "Mini Portable Speaker", "Party Portable Speaker"],
    attributes: [...device, "stereo sound", "dust proof", "floats on water", "led lights"],
    options: { color },
    price: [15, 180],
  },
  {
    query: "usb cable",
    categories: ["Electronics", "Accessories", "Cables"],
    names: ["USB Cable", "Braided USB Cable", "Charging USB Cable"],
    attributes: [...device, "tangle free", "gold plated", "data transfer", "right angle"],
    options: { color, length: ["1 foot", "3 feet", "6 feet", "10 feet"] },
    price: [4, 25],
  },
  {
    query: "computer monitor",
    categories: ["Electronics", "Computers", "Monitors"],
    names: ["Computer Monitor", "Curved Computer Monitor", "Office Computer Monitor"],
    attributes: [...device, "wall mountable", "blue light filter", "height adjustable", "thin bezel"],
    options: { screen: ["22 in", "27 in", "34 in"], refresh: ["60 hz", "144 hz", "240 hz"] },
    price: [90, 600],
  },
  {
    query: "coffee table",
    categories: ["Home", "Furniture", "Tables"],
    names: ["Coffee Table", "Lift Top Coffee Table", "Round Coffee Table"],
    attributes: [...furniture, "storage shelf", "tempered glass", "metal legs", "rustic style"],
    options: { finish: ["walnut", "oak", "espresso", "whitewash"], shape: ["oval", "square", "rectangle"] },
    price: [60, 420],
  },
  {
    query: "desk chair",
    categories: ["Home", "Furniture", "Chairs"],
    names: ["Desk Chair", "Ergonomic Desk Chair", "Mesh Desk Chair"],
    attributes: [...furniture, "lumbar support", "swivel base", "padded arms", "high back"],
    options: { color, base: ["wheels", "glides"] },
    price: [55, 380],
  },
  {
    query: "bed sheets",
    categories: ["Home", "Bedding", "Sheets"],
    names: ["Bed Sheets", "Cooling Bed Sheets", "Hotel Bed Sheets"],
    attributes: named(
      "machine wash, wrinkle free, deep pocket, egyptian cotton, bamboo viscose, " +
        "hypoallergenic, fade proof, super soft, thermal weave, eco friendly",
    ),
    options: { color, size: bed },
    price: [18, 130],
  },
  {
    query: "throw pillow",
    categories: ["Home", "Bedding", "Pillows"],
    names: ["Throw Pillow", "Decorative Throw Pillow", "Velvet Throw Pillow"],
    attributes: named(
      "machine wash, removable cover, hidden zipper, hypoallergenic, double sided, " +
        "super soft, hand woven, fade proof, plush filling, tassel edge",
    ),
    options: { color, dimensions: ["16 in", "18 in", "24 in"] },
    price: [9, 60],
  },
  {
    query: "water bottle",
    categories: ["Home", "Kitchen", "Drinkware"],
    names: ["Water Bottle", "Insulated Water Bottle", "Sport Water Bottle"],
    attributes: named(
      "leak proof, bpa free, stainless steel, double wall, dishwasher safe, " +
        "straw lid, wide mouth, carry loop, lightweight, powder coated",
    ),
    options: { color, capacity: ["18 oz", "32 oz", "64 oz"] },
    price: [9, 55],
  },
  {
    query: "frying pan",
    categories: ["Home", "Kitchen", "Cookware"],
    names: ["Frying Pan", "Ceramic Frying Pan", "Chef Frying Pan"],
    attributes: named(
      "non stick, oven safe, cast iron, dishwasher safe, induction ready, " +
        "stay cool handle, heavy duty, glass lid, pfoa free, pour spout",
    ),
    options: { diameter: ["8 in", "10 in", "12 in"], color },
    price: [14, 110],
  },
  {
    query: "camping tent",
    categories: ["Sports", "Outdoor", "Camping"],
    names: ["Camping Tent", "Pop Up Camping Tent", "Family Camping Tent"],
    attributes: named(
      "waterproof, easy setup, mesh windows, lightweight, uv protection, " +
        "heavy duty, carry bag, aluminum poles, blackout lining, storage pockets",
    ),
    options: { color, capacity: ["two person", "four person", "eight person"] },
    price: [40, 320],
  },
  {
    query: "yoga mat",
    categories: ["Sports", "Fitness", "Mats"],
    names: ["Yoga Mat", "Thick Yoga Mat", "Studio Yoga Mat"],
    attributes: named(
      "non slip, extra thick, eco friendly, carrying strap, natural rubber, " +
        "tear resistant, alignment lines, odor free, easy clean, lightweight",
    ),
    options: { color, thickness: ["4 mm", "6 mm", "10 mm"] },
    price: [14, 90],
  },
];
