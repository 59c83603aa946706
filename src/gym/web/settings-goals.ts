import type { Random } from "../../kit/random.ts";
import type { Field, Values } from "./fields.ts";
import { change, dayOf, type Goal, type PlanStep } from "./goal.ts";
import { type Section, type SettingsData, sections } from "./settings.ts";

const givenNames = ["Ada", "Boris", "Clara", "David", "Elif", "Farid", "Greta", "Hugo", "Ines", "Jonas"];
const familyNames = ["Arslan", "Brandt", "Costa", "Dubois", "Eriksen", "Fischer", "Garcia", "Haddad"];
const places = ["Lisbon", "Ghent", "Turin", "Izmir", "Porto", "Lyon", "Krakow", "Bergen", "Graz", "Leeds"];

export const drawName = (random: Random) => `${random.pick(givenNames)} ${random.pick(familyNames)}`;

/** Turns preferences on, off or to another value; two at a time in one section. */
export function preferences(random: Random): Goal {
  const data = drawSettings(random);
  const section = random.pick(sections.slice(1));
  const fields = random.shuffle(section.fields).slice(0, 2).sort(inOrderOf(section.fields));
  return goal({ random, data, section, fields, key: fields.map(({ name }) => name).join(" ") });
}

/** Fills text, a date and a choice into the profile. */
export function profile(random: Random): Goal {
  const data = drawSettings(random);
  const section = sections[0]!;
  const fields = random.shuffle(section.fields).slice(0, 3).sort(inOrderOf(section.fields));
  const city = random.pick(places);
  return goal({
    random,
    data,
    section,
    fields,
    key: `${fields.map(({ name }) => name).join(" ")} ${city}`,
    city,
  });
}

const inOrderOf = (fields: readonly Field[]) => (a: Field, b: Field) => fields.indexOf(a) - fields.indexOf(b);

function goal({
  random,
  data,
  section,
  fields,
  key,
  city = random.pick(places),
}: {
  random: Random;
  data: SettingsData;
  section: Section;
  fields: readonly Field[];
  key: string;
  city?: string;
}): Goal {
  const before = data[section.name]!;
  const changes: Values = {};
  const plan: PlanStep[] = [{ click: `link "${section.title}"` }];
  const wishes: string[] = [];
  for (const { name, label, control, options = [] } of fields) {
    const old = before[name]!;
    const draw = () => (name === "city" ? city : drawValue(random, { name, control, options }));
    let value = draw();
    for (let draws = 0; value === old && draws < 100; draws++) value = draw();
    changes[name] = value;
    if (control === "checkbox") {
      wishes.push(`turn ${value === "yes" ? "on" : "off"} "${label}"`);
      plan.push({ click: `checkbox "${label}"` });
    } else {
      wishes.push(`set "${label}" to ${value}`);
      if (control === "select") plan.push({ select: `combobox "${label}"`, option: value });
      else if (control === "radio") plan.push({ click: `radio "${value}"` });
      else plan.push({ type: `${control === "date" ? "date" : "textbox"} "${label}"`, text: value });
    }
  }
  plan.push({ click: 'button "Save"' });
  // a section that is open already needs no visit
  const start = random.integer(2) === 0 ? section : sections[0]!;
  return change({
    goal: `In the settings under ${section.title}: ${wishes.join(", ")}. Save.`,
    site: "settings",
    data,
    expected: { ...data, [section.name]: { ...before, ...changes } },
    path: `/${start.name}`,
    plan: start === section ? plan.slice(1) : plan,
    key,
  });
}

function drawSettings(random: Random): SettingsData {
  return Object.fromEntries(
    sections.map(({ name, fields }) => [
      name,
      Object.fromEntries(fields.map((field) => [field.name, drawValue(random, field)])),
    ]),
  );
}

function drawValue(
  random: Random,
  { name, control, options = [] }: Pick<Field, "name" | "control" | "options">,
): string {
  if (options.length > 0) return random.pick(options);
  if (control === "checkbox") return random.pick(["yes", ""]);
  if (control === "date")
    return dayOf(random, { year: name === "birthday" ? 1960 + random.integer(45) : 2027 });
  if (name === "email")
    return `${random.pick(givenNames).toLowerCase()}${random.integer(100)}@${random.pick(["post.test", "work.test"])}`;
  return name === "city" ? random.pick(places) : drawName(random);
}
