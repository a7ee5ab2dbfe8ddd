// A small Transformer that reads a text and writes another, computed from the weights of a record.
// Letters: S positions of the source, T of the target, D width, H heads. A matrix is a list of rows.
window.courseTransformer = (() => {
  const [PAD, START, END] = [0, 1, 2];
  const BASE = 10000; // of the waves that tell the positions
  const EPS = 1e-5; // of a layer norm, so that nothing is divided by zero

  // Whole numbers in base64, each row with a scale of its own; a vector is one row.
  const unpack = ({ shape, scales, values }) => {
    const numbers = Int8Array.from(atob(values), (character) => character.charCodeAt(0));
    const width = shape.at(-1);
    return scales.map((scale, i) => Float64Array.from(numbers.subarray(i * width, (i + 1) * width), (n) => n * scale));
  };

  const dot = (a, b) => {
    let sum = 0;
    for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
    return sum;
  };
  const add = (x, y) => x.map((row, t) => row.map((entry, i) => entry + y[t][i]));
  const largest = (row) => row.indexOf(Math.max(...row));

  const softmax = (scores) => {
    const highest = Math.max(...scores);
    if (highest === -Infinity) return scores.map(() => 0); // nothing may be seen
    const powers = scores.map((score) => Math.exp(score - highest));
    const sum = powers.reduce((a, b) => a + b);
    return powers.map((power) => power / sum);
  };

  // The vectors of positions 0 to length - 1: (length, D).
  const waves = (length, width) =>
    Array.from({ length }, (_, t) =>
      Float64Array.from({ length: width }, (_, i) => {
        const angle = t * BASE ** (-(i - (i % 2)) / width);
        return i % 2 ? Math.cos(angle) : Math.sin(angle);
      }),
    );

  const build = (record) => {
    const weights = new Map(record.weights.map((each) => [each.name, unpack(each)]));
    const heads = record.num_heads;
    const characters = [...record.characters];
    const numbers = new Map(characters.map((character, i) => [character, i + END + 1]));
    const embedding = weights.get("source_embedding.weight"); // (V, D), for source, target and output
    const width = embedding[0].length;
    const depth = (part) => 
      [...weights.keys()].filter((name) => name.startsWith(`${part}.`) && name.endsWith(".norm_1.bias")).length;

    const linear = (x, name) => {
      const [bias] = weights.get(`${name}.bias`);
      const matrix = weights.get(`${name}.weight`); // (out, in)
      return x.map((row) => Float64Array.from(matrix, (each, i) => dot(each, row) + bias[i]));
    };

    const norm = (x, name) => {
      const [[weight], [bias]] = [weights.get(`${name}.weight`), weights.get(`${name}.bias`)];
      return x.map((row) => {
        const mean = row.reduce((a, b) => a + b) / width;
        const variance = row.reduce((sum, entry) => sum + (entry - mean) ** 2, 0) / width;
        return row.map((entry, i) => (weight[i] * (entry - mean)) / Math.sqrt(variance + EPS) + bias[i]);
      });
    };

    const relu = (x) => x.map((row) => row.map((entry) => Math.max(0, entry)));
    const feedForward = (x, name) => linear(relu(linear(x, `${name}.linear_1`)), `${name}.linear_2`);

    // `allowed(i, j)` says whether position i of `asking` may look at position j of `asked`. The weights are (H, T, S).
    const attend = (asking, asked, allowed, name) => {
      const [query, key, value] = [
        [asking, "q"],
        [asked, "k"],
        [asked, "v"],
      ].map(([x, part]) => linear(x, `${name}.${part}_proj`));
      const size = width / heads;
      const joined = query.map(() => new Float64Array(width));
      const maps = Array.from({ length: heads }, (_, h) => {
        const [from, to] = [h * size, (h + 1) * size];
        return query.map((row, i) => {
          const scores = key.map((other, j) =>
            allowed(i, j) ? dot(row.subarray(from, to), other.subarray(from, to)) / Math.sqrt(size) : -Infinity,
          );
          const found = softmax(scores);
          for (const [j, weight] of found.entries()) {
            for (let d = from; d < to; d++) joined[i][d] += weight * value[j][d];
          }
          return found;
        });
      });
      return { output: linear(joined, `${name}.out_proj`), maps };
    };

    const embed = (tokens) => {
      const positions = waves(tokens.length, width);
      return tokens.map((token, t) => embedding[token].map((entry, i) => entry * Math.sqrt(width) + positions[t][i]));
    };

    const encode = (source, readable) => {
      let x = embed(source);
      const maps = [];
      for (let l = 0; l < depth("encoder"); l++) {
        const name = `encoder.${l}`;
        const y = norm(x, `${name}.norm_1`);
        const found = attend(y, y, readable, `${name}.self_attention`);
        maps.push(found.maps);
        x = add(x, found.output);
        x = add(x, feedForward(norm(x, `${name}.norm_2`), name));
      }
      return { memory: norm(x, "encoder_norm"), maps };
    };

    const decode = (inputs, memory, past, readable) => {
      let x = embed(inputs);
      const maps = { decoder: [], cross: [] };
      for (let l = 0; l < depth("decoder"); l++) {
        const name = `decoder.${l}`;
        const y = norm(x, `${name}.norm_1`);
        const own = attend(y, y, past, `${name}.self_attention`);
        x = add(x, own.output);
        const cross = attend(norm(x, `${name}.norm_2`), memory, readable, `${name}.cross_attention`);
        x = add(x, cross.output);
        x = add(x, feedForward(norm(x, `${name}.norm_3`), name));
        maps.decoder.push(own.maps);
        maps.cross.push(cross.maps);
      }
      const last = norm(x, "decoder_norm");
      return { logits: last.map((row) => embedding.map((each) => dot(each, row))), maps };
    };

    // Writes greedily, then looks once at all that is written. `padding` positions stand behind the text. A mask that
    // is off lets everything be seen. Maps are (L, H, ...) for `encoder`, `decoder` and `cross`; logits are (T, V).
    const run = (text, { padding = 0, causalMask = true, paddingMask = true } = {}) => {
      const source = [...[...text].map((character) => numbers.get(character)), ...Array(padding).fill(PAD)];
      const readable = (_, j) => !paddingMask || source[j] !== PAD;
      const past = (i, j) => !causalMask || j <= i;
      const { memory, maps } = encode(source, readable);
      const inputs = [START];
      let next;
      let found;
      do {
        if (next !== undefined) inputs.push(next);
        found = decode(inputs, memory, past, readable);
        next = largest(found.logits.at(-1));
      } while (next !== END && inputs.length < record.target_length);
      const written = next === END ? inputs.slice(1) : [...inputs.slice(1), next];
      return {
        written: written.map((token) => characters[token - END - 1] ?? ""),
        ended: next === END,
        logits: found.logits.map((row) => [...row]),
        maps: { encoder: maps, ...found.maps },
      };
    };

    return { run, unknown: (text) => [...text].find((character) => !numbers.has(character)) };
  };

  return build;
})();
