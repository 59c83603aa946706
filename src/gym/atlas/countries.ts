import type { Countries } from "world-countries";
import records from "world-countries/countries.json" with { type: "json" };

export type Field = "capital" | "region" | "area" | "currency" | "borders";

/** What the agent can ask about a country. `borders` are names of countries in this table. */
export type Country = {
  name: string;
  capital: string;
  region: string;
  area: number;
  currency: string;
  borders: string[];
};

const independent = (records as unknown as Countries).filter(
  ({ unMember, independent }) => unMember && independent,
);
const nameByCode = new Map(independent.map(({ cca3, name }) => [cca3, name.common]));

/** The independent members of the United Nations, by name (data: world-countries, ODbL 1.0). */
export const atlasCountries: readonly Country[] = independent
  .map((country) => ({
    name: country.name.common,
    capital: country.capital[0] ?? "",
    region: country.region,
    area: country.area,
    currency: Object.keys(country.currencies)[0] ?? "",
    borders: country.borders.flatMap((code) => nameByCode.get(code) ?? []),
  }))
  .filter(({ capital, currency }) => capital !== "" && currency !== "");

const countryByName = new Map(atlasCountries.map((country) => [country.name.toLowerCase(), country]));
const countryByCapital = new Map(atlasCountries.map((country) => [country.capital.toLowerCase(), country]));

export const countryNamed = (name: string) => countryByName.get(name.trim().toLowerCase());
export const countryOfCapital = (capital: string) => countryByCapital.get(capital.trim().toLowerCase());

/** A field as the tools show it; of the neighbours the first three. */
export function showField(country: Country, field: Field): string {
  if (field === "borders") return country.borders.slice(0, 3).join(", ") || "none";
  return String(country[field]);
}
