// Works out a document of ZEN many times: node zen.mjs GRAPH INPUT ENGINE_FOLDER. Prints
// the answer and what one call takes, one after another and with a hundred at once.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const [graph, input, folder] = process.argv.slice(2)
const { ZenEngine } = createRequire(join(folder, 'package.json'))('@gorules/zen-engine')
const decision = new ZenEngine().createDecision(readFileSync(graph))
const facts = JSON.parse(readFileSync(input, 'utf8'))

async function round(n, at) {
  const cpu = process.cpuUsage()
  const start = process.hrtime.bigint()
  for (let i = 0; i < n; i += at) {
    await Promise.all(Array.from({ length: at }, () => decision.evaluate(facts)))
  }
  const used = process.cpuUsage(cpu)
  return { clock: Number(process.hrtime.bigint() - start) / n, cpu: ((used.user + used.system) * 1000) / n }
}

async function best(at) {
  await round(1000, at)
  let out = await round(3000, at)
  for (let i = 0; i < 4; i++) {
    const r = await round(3000, at)
    out = { clock: Math.min(out.clock, r.clock), cpu: Math.min(out.cpu, r.cpu) }
  }
  return out
}

const { result } = await decision.evaluate(facts)
console.log(JSON.stringify({ limit: result.limit, one: await best(1), hundred: await best(100) }))
