// llama_cpp.mjs: llama.cpp as a judge of the GGUF files that `slm convert` makes, through the npm
// package node-llama-cpp, whose folder is the first argument.
//
//   node llama_cpp.mjs PACKAGE MODEL TEXT IDS T PREFIX
//
// writes, one a line, PREFIX.ids: the ids of a text file; PREFIX.losses: of a file of ids in
// windows of T, the loss of each target in nats; PREFIX.greedy: after the first T / 2 of these ids,
// the likeliest tokens that follow one after the other, T / 2 of them.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, modelPath, textPath, idsPath, window_size, prefix] = process.argv.slice(2);
const package_url = pathToFileURL(join(folder, "dist", "index.js")).href;
const { getLlama, LlamaLogLevel } = await import(package_url);
const llama = await getLlama({ gpu: false, build: "never", maxThreads: 1,
                               logLevel: LlamaLogLevel.error });
const model = await llama.loadModel({ modelPath, gpuLayers: 0 });

// Room beyond the window: llama.cpp would drop the first tokens of a context that is full.
const T = Number(window_size);
const contextSize = T + 8;
const context = await model.createContext({
    contextSize, batchSize: contextSize, threads: 1, sequences: 1, flashAttention: false,
    experimentalKvCacheKeyType: "F32", experimentalKvCacheValueType: "F32" });
const sequence = context.getSequence();
const ids = readFileSync(idsPath, "utf8").trim().split(/\s+/).map(Number);
const write = (end, lines) => writeFileSync(`${prefix}.${end}`, lines.join("\n") + "\n");

write("ids", model.tokenize(readFileSync(textPath, "utf8"), false));

const uncut = { temperature: 1, topK: 0, topP: 1, minP: 0 };
const losses = [];
for (let first = 0; first + 1 < ids.length; first += T) {
    const inputs = ids.slice(first, Math.min(first + T, ids.length - 1));
    const next = { generateNext: { probabilities: true, options: uncut } };
    await sequence.clearHistory();
    const results = await sequence.controlledEvaluate(inputs.map((id) => [id, next]));
    results.forEach((result, i) => {
        losses.push((-Math.log(result.next.probabilities.get(ids[first + i + 1]))).toFixed(8));
    });
}
write("losses", losses);

const likeliest = { generateNext: { token: true, options: { temperature: 0 } } };
const greedy = [];
let inputs = ids.slice(0, T / 2);
await sequence.clearHistory();
while (greedy.length < T / 2) {
    const last = inputs.length - 1;
    const asked = inputs.map((id, i) => (i === last ? [id, likeliest] : id));
    const token = (await sequence.controlledEvaluate(asked))[last].next.token;
    greedy.push(token);
    inputs = [token];
}
write("greedy", greedy);
await llama.dispose();
