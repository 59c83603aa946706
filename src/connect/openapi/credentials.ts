import { isNode, type OpenApiDocument, resolved } from "./document.ts";

/** Headers that carry credentials or that the request itself decides. */
const ownHeaders =
  /^(accept|content-type|content-length|authorization|proxy-authorization|cookie|host|connection|transfer-encoding)$/i;

/** Whether a parameter is not the model's to give. */
export function withheldFrom(
  document: OpenApiDocument,
  given: { headers: string[]; query: string[] },
): (place: string, key: string) => boolean {
  const components = isNode(document.components) ? document.components : {};
  const schemes = isNode(components.securitySchemes) ? Object.values(components.securitySchemes) : [];
  const keys = schemes
    .map((scheme) => resolved(document, scheme, "components: securitySchemes"))
    .filter(({ type }) => type === "apiKey");
  const headers = new Set(
    [...given.headers, ...keys.filter((key) => key.in === "header").map(({ name }) => String(name))].map(
      (name) => name.toLowerCase(),
    ),
  );
  const query = new Set([
    ...given.query,
    ...keys.filter((key) => key.in === "query").map(({ name }) => String(name)),
  ]);
  return (place, key) =>
    place === "header"
      ? ownHeaders.test(key) || headers.has(key.toLowerCase())
      : place === "query" && query.has(key);
}
