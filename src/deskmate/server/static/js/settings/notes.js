// Screens, settings: what the schemas of policies leave unsaid: units, words for people, and members of which a rule has only one.

/** By kind of policy: notes on members by their name, wherever they stand, and on models by theirs; "" is the policy itself.
 * @type {Record<string, Record<string, any>>} */
const NOTES = {
  sla: {
    time_to_human: { hint: "From the hand-off to the first words of an operator." },
    first_response: { hint: "From the customer's first words to the first answer." },
    next_response: { hint: "From any later words to the next answer." },
    resolution: { hint: "Without the time in which the customer owes the next word." },
    priorities: { label: "Other times for a priority", part: "priority" },
    warn: { label: "Warn at, in percent", hint: "People are told when so much of the time is over.", none: "Never" },
    always: { label: "Count around the clock", hint: "Also while the queue is closed." },
  },
  response: {
    seconds: { label: "An operator may take" },
    every_seconds: { label: "Then, between actions", hint: "Empty: the same time again." },
    actions: { label: "What happens then, one after the other" },
    misses_until_away: { label: "Set away after so many misses", hint: "In a row. Empty: never." },
    holding_message: { label: "What the customer is told when the AI goes on" },
  },
  chain: {
    on: { label: "For" },
    steps: { part: "step" },
    ChainStep: { apart: ["wait", "notify", "page", "reassign", "repeat"], choose: "What happens" },
    wait: { label: "Wait", unit: "seconds" },
    notify: { label: "Tell", options: [{ label: "A group" }, { label: "People", source: "operators" }] },
    page: { label: "Page one person", source: "operators" },
    reassign: { label: "Give it to", source: "takers" },
    repeat: { label: "Begin again", hint: "So many times more." },
  },
  notification: {
    kinds: { label: "Of what", hint: "request.opened, thread.waiting, mention, clock.*, chain.*, response.*, or * for everything." },
    channels: { label: "Over" },
    quiet: { label: "Quiet hours", none: "At any hour." },
    urgent_anyway: { label: "What is urgent comes in quiet hours too" },
    from: { label: "From", input: "time" },
    until: { label: "Until", input: "time" },
    days: { none: "Every day." },
    to: { options: [{ label: "A group", enum: ["queue", "leads", "holder"] }, { label: "People", source: "operators" }] },
    webhook: { label: "Address of the channel" },
  },
  limit: {
    "": { apart: ["window", "bucket"], choose: "How it is counted" },
    of: { label: "How many" },
    per: { label: "For each" },
    names: { label: "Only for", hint: "Ids of customers, names of agents or queues.", none: "For all of them" },
    fallback: { label: "What becomes of an escalation", none: "It waits for its time" },
    text: { label: "What is said", none: "" },
    window: { label: "So many in a time" },
    bucket: { label: "So many at once, and more as time goes by" },
    seconds: { label: "In each" },
    capacity: { label: "At once" },
    refill: { label: "Then so many more" },
    reserve: { label: "Put aside for each run", hint: "Tokens only." },
  },
  price: {
    currency: { hint: "Three letters, such as EUR." },
    models: { hint: "Names such as gpt-5*, or a provider such as openai:*." },
    input: { label: "A million tokens read", hint: "In the currency, such as 1.25." },
    output: { label: "A million tokens written", hint: "In the currency, such as 10.00." },
  },
  rate: {
    currency: { hint: "Three letters, such as EUR." },
    per_hour: { label: "An hour costs", unit: "money" },
    operators: { none: "For everybody.", hint: "Only their work." },
    queues: { none: "For all queues.", hint: "Only work in these." },
  },
  route: {
    rules: { hint: "Each in turn: the first whose conditions all hold decides." },
    name: { hint: "As it is told where it has decided." },
    when: { hint: "All of it has to hold; of several words, tags or customers, one." },
    asks_for_person: { label: "The customer asks for a person" },
    words: { label: "They write", hint: "Found whole, whatever their case.", none: "Anything" },
    tags: { none: "Any" },
    customers: { hint: "Their ids.", none: "Everybody" },
    languages: { hint: "Such as de.", none: "Any" },
    priorities: { none: "Any." },
    closed: { label: "The queue is closed", none: "Open or closed", titles: { true: "Yes, it is closed", false: "No, it is open" } },
    to: { label: "Then", titles: { ai: "The AI answers alone", draft: "The AI drafts, a person sends", human: "People answer" } },
    queue: { label: "In the queue", none: "As the thread has it" },
    safety: { label: "Safety gate", none: "No moderation model reads along." },
    input: { label: "What customers write, before the AI reads it" },
    output: { label: "What the AI writes, before customers read it" },
    unavailable: { label: "Where it does not answer", titles: { closed: "People decide", open: "The AI goes on" } },
    classifier: { label: "Classifier", hint: "Judges a message before the AI answers.", none: "Nothing judges messages before the AI answers." },
    by: { label: "Judges by", titles: { learned: "What was learned from the team", llm: "A language model" } },
    examples: { label: "Nearest examples", hint: "People answer what is most like what people had to answer.", none: "Messages are not compared with earlier ones." },
    most: { label: "How many have a vote" },
    floor: { label: "Floor", hint: "How sure the AI has to be to answer alone.", none: "The AI goes by what it says of itself." },
    of: { label: "What has to be sure", titles: { confidence: "The agent, of its answer", classifier: "The classifier, of the message" } },
    max_error: { label: "Wrong at most", unit: "percent", hint: "Of what the AI answers alone." },
    delta: { label: "Doubt that is left", unit: "percent", hint: "10 % of doubt is 90 % of certainty." },
    audit_rate: { label: "Checked by people", unit: "percent", hint: "Of all messages, whatever their score. The floor is learned from them." },
    below: { label: "Below the floor", titles: { draft: "The AI drafts, a person sends", human: "People answer" } },
    fixed: { label: "Set by hand", hint: "From 0 to 1. Empty: learned from checks. What is set by hand promises nothing." },
  },
};

/** The schema of a kind of policy, with the notes there are on it. @param {string} kind @param {any} schema @returns {any} */
export function noted(kind, schema) {
  const notes = NOTES[kind] ?? {};
  const { $defs = {}, ...rules } = schema;
  const models = Object.entries($defs).map(([name, model]) => [name, withNotes(model, notes, name)]);
  return { ...withNotes(rules, notes, ""), $defs: Object.fromEntries(models) };
}

/** @param {any} schema @param {Record<string, any>} notes @param {string} name */
function withNotes(schema, notes, name) {
  const parts = Object.entries(schema.properties ?? {}).map(([member, part]) => [member, { .../** @type {any} */ (part), ui: notes[member] ?? {} }]);
  const properties = schema.properties ? { properties: Object.fromEntries(parts) } : {};
  return { ...schema, ...properties, ui: notes[name] ?? {}, description: undefined };
}
