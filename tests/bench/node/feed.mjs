// Feeds a file's bytes, read beforehand, to eventsource-parser in reads of the given size, some times over; prints the best run's
// milliseconds, and its events.
import { readFileSync } from 'node:fs'
import { createParser } from 'eventsource-parser'

const [file, read, runs] = process.argv.slice(2)
const bytes = readFileSync(file)
let best = [Infinity, 0]
for (let run = 0; run < Number(runs); run++) {
  let count = 0
  const start = performance.now()
  const parser = createParser({ onEvent: () => count++ })
  const decoder = new TextDecoder()
  for (let at = 0; at < bytes.length; at += Number(read)) {
    parser.feed(decoder.decode(bytes.subarray(at, at + Number(read)), { stream: true }))
  }
  const took = performance.now() - start
  if (took < best[0]) best = [took, count]
}
console.log(best.join(' '))
