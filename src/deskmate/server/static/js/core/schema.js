// Screens, core: reads a JSON Schema: what a reference points at, what may be nothing, which choices there are.

/** Follow references inside the schema, and see through "this or nothing". @param {any} schema @param {any} root @returns {{schema: any, nullable: boolean}} */
export function resolve(schema, root) {
  let found = schema && typeof schema === "object" ? schema : {};
  let nullable = false;
  for (let hops = 0; hops < 20; hops += 1) {
    const { $ref, anyOf, oneOf, allOf, ...rest } = found;
    const options = anyOf ?? oneOf;
    const some = options?.filter((/** @type {any} */ one) => one?.type !== "null");
    if ($ref) found = { ...pointed($ref, root), ...rest };
    else if (allOf?.length === 1) found = { ...allOf[0], ...rest };
    else if (options && some.length === 1) {
      nullable ||= some.length < options.length;
      found = { ...some[0], ...rest };
    } else break;
  }
  if (Array.isArray(found.type) && found.type.includes("null")) nullable = true;
  return { schema: found, nullable };
}

/** @param {string} reference @param {any} root */
function pointed(reference, root) {
  if (!reference.startsWith("#/")) return reference === "#" ? {} : {};
  let found = root;
  for (const step of reference.slice(2).split("/")) {
    found = found?.[decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~")];
  }
  return found ?? {};
}

/** The choices of an enum, or of constants with titles. @param {any} schema @param {any} root */
export function choicesOf(schema, root) {
  const some = schema.enum ?? (schema.const !== undefined ? [schema.const] : undefined);
  if (Array.isArray(some)) {
    return some.filter((one) => one !== null).map((value) => ({ value, label: labelOf(value) }));
  }
  const options = schema.oneOf ?? schema.anyOf;
  if (!options?.length) return undefined;
  const known = options.map((/** @type {any} */ one) => resolve(one, root).schema);
  if (known.some((/** @type {any} */ one) => one.const === undefined)) return undefined;
  return known.map((/** @type {any} */ one) => ({ value: one.const, label: one.title ?? labelOf(one.const) }));
}

/** @param {unknown} value */
const labelOf = (value) =>
  value === true ? "Yes" : value === false ? "No" : typeof value === "string" ? value : JSON.stringify(value);

/** @param {any} schema @returns {string} */
export function typeOf(schema) {
  const types = (Array.isArray(schema.type) ? schema.type : [schema.type]).filter(
    (/** @type {any} */ one) => one && one !== "null",
  );
  if (types.length === 1) return types[0];
  return types.length === 0 && schema.properties ? "object" : "";
}

/** "order_id" reads "Order id". @param {string} name */
export function words(name) {
  const text = name
    .replace(/[_-]+/g, " ")
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .trim();
  return text ? text[0].toUpperCase() + text.slice(1) : name;
}
