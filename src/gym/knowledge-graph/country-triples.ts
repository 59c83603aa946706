import type { Countries } from "world-countries";
import records from "world-countries/countries.json" with { type: "json" };
import type { Triple } from "./graph.ts";
import type { Wording } from "./query.ts";

/** A relation to another thing, or a number. */
type Fact = { relation: string } & ({ type: string; name: string } | { value: number });

const countries = (records as unknown as Countries).filter(
  ({ unMember, independent, capital }) => unMember && independent && capital[0],
);

function factsOf(country: (typeof countries)[number], nameOf: (code: string) => string | undefined): Fact[] {
  const things = (relation: string, type: string, names: readonly (string | undefined)[]) =>
    names.flatMap((name) => (name ? [{ relation, type, name }] : []));
  return [
    ...things("capital", "city", country.capital),
    ...things("border", "country", country.borders.map(nameOf)),
    ...things(
      "currency",
      "currency",
      Object.values(country.currencies).map(({ name }) => name),
    ),
    ...things("language", "language", Object.values(country.languages)),
    ...things("region", "region", [country.region]),
    ...things("subregion", "subregion", [country.subregion]),
    ...things("demonym", "demonym", [country.demonyms["eng"]?.m]),
    ...things("coast", "coast", [country.landlocked ? "landlocked" : "coastal"]),
    { relation: "area", value: country.area },
    { relation: "latitude", value: country.latlng[0] },
    { relation: "longitude", value: country.latlng[1] },
  ];
}

/**
 * The independent members of the United Nations as triples (data: world-countries, ODbL 1.0). A name that belongs to
 * things of several types is the country's; the others bear their type: "Luxembourg (city)".
 */
export function countryTriples(): Triple[] {
  const nameByCode = new Map(countries.map(({ cca3, name }) => [cca3, name.common]));
  const facts = countries.map((country) => ({
    country: country.name.common,
    facts: factsOf(country, (code) => nameByCode.get(code)),
  }));
  const typesByName = new Map<string, Set<string>>();
  const claim = (name: string, type: string) =>
    void typesByName.set(name, (typesByName.get(name) ?? new Set()).add(type));
  for (const { country, facts: own } of facts) {
    claim(country, "country");
    for (const fact of own) if ("name" in fact) claim(fact.name, fact.type);
  }
  const label = (name: string, type: string) =>
    type === "country" || typesByName.get(name)!.size === 1 ? name : `${name} (${type})`;

  const triples: Triple[] = [];
  for (const { country, facts: own } of facts) {
    triples.push([country, "type", "country"]);
    for (const fact of own) {
      if ("value" in fact) triples.push([country, fact.relation, fact.value]);
      else {
        const object = label(fact.name, fact.type);
        triples.push([country, fact.relation, object], [object, "type", fact.type]);
      }
    }
  }
  return triples;
}

/** A border leads both ways. */
export const countryInverses = { border: "border" } as const;

export const countryWording: Wording = {
  relations: {
    capital: "the capitals of {}",
    capital_of: "the countries with capital {}",
    border: "the countries that border {}",
    currency: "the currencies of {}",
    currency_of: "the countries that pay in {}",
    language: "the official languages of {}",
    language_of: "the countries with official language {}",
    region: "the regions of {}",
    region_of: "the countries in region {}",
    subregion: "the subregions of {}",
    subregion_of: "the countries in subregion {}",
    demonym: "the demonyms of {}",
    demonym_of: "the countries with demonym {}",
    coast: "the kinds of coast of {}",
    coast_of: "the {} countries",
  },
  attributes: {
    area: { most: "the largest area", least: "the smallest area" },
    latitude: { most: "the highest latitude", least: "the lowest latitude" },
    longitude: { most: "the highest longitude", least: "the lowest longitude" },
  },
};
