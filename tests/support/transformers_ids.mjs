// node transformers_ids.mjs PACKAGE FOLDER FILE: the ids that @huggingface/transformers, from its
// folder PACKAGE, makes of the file by the tokenizer of a model folder; and on the next line its
// first and last special tokens.  Only its tokenizers are used: what it would load for images and
// for running models is left out, since it is made for one machine.
import { readFileSync } from 'node:fs'
import { register } from 'node:module'
import { basename, dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const nothing = 'data:text/javascript,export default {}; export const InferenceSession = {};'
const hooks = `export async function resolve(name, context, next) {
  const left_out = /^(sharp|onnxruntime-node|onnxruntime-web)$/.test(name)
  return left_out ? { url: '${nothing}', shortCircuit: true } : next(name, context)
}`
register('data:text/javascript,' + encodeURIComponent(hooks))

const [, , packageFolder, folder, file] = process.argv
const entry = join(resolve(packageFolder), 'dist', 'transformers.node.mjs')
const { AutoTokenizer, AutoConfig, env } = await import(pathToFileURL(entry).href)
env.allowRemoteModels = false
env.localModelPath = dirname(resolve(folder)) + '/'
const tokenizer = await AutoTokenizer.from_pretrained(basename(folder))
const config = await AutoConfig.from_pretrained(basename(folder))
const text = readFileSync(file, 'utf8')
console.log(tokenizer.encode(text, { add_special_tokens: false }).join(' '))
console.log(JSON.stringify([tokenizer.bos_token, tokenizer.eos_token, config.eos_token_id]))
