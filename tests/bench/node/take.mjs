// Takes the event stream at the given URL through eventsource-parser and prints: milliseconds, events.
import { createParser } from 'eventsource-parser'

let count = 0
const parser = createParser({ onEvent: () => count++ })
const start = performance.now()
const response = await fetch(process.argv[2])
const decoder = new TextDecoder()
for await (const bytes of response.body) parser.feed(decoder.decode(bytes, { stream: true }))
console.log(`${performance.now() - start} ${count}`)
