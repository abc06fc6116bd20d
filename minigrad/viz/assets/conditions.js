// what an expression of a lesson is worth in a step that was worked out: trees come from Python, and no text is run
const worthOf = (live) => {
  const folding = new Set(["sum", "mean", "max", "min", "any", "all", "argmax"]);
  let start = null;
  const recorded = () => start || (start = { found: live.workOut(live.recorded()), state: live.recorded() });
  const named = ([kind, name], { found, state }) => {
    if (kind === "step") return state.step;
    if (kind === "rate") return state.settings[0].eta ?? state.settings[0].alpha;
    return kind === "new" ? found.theta[name] : live.look(name, found);
  };
  const worth = (tree, from) => {
    if (typeof tree === "number") return tree;
    const [head, ...rest] = tree;
    if (head === "value" || head === "new" || head === "rate" || head === "step") return named(tree, from);
    if (head === "start") return worth(rest[0], recorded());
    if (head === "item") return numpy.item(numpy.asarray(worth(rest[0], from)), rest[1].map((part) => (typeof part === "number" ? part : { slice: part })));
    const values = rest.map((part) => worth(part, from));
    return numpy[head](...(folding.has(head) ? values.map((value) => numpy.asarray(value)) : values));
  };
  return (tree) => {
    const found = worth(tree, { found: live.result(), state: live.now() });
    return typeof found === "object" ? numpy.dense(found)[0] : Number(found);
  };
};
