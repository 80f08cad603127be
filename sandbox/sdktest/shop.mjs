// What both scripts need: the settings, the sandbox's control API, a shop that
// is told by callback, and a list of what came of each step.
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'

// settings is what sdk_test.go writes to the standard input.
export const settings = JSON.parse(await text(process.stdin))

// control calls the sandbox's control API, as anybody may with curl.
export async function control(method, path, body) {
  const answer = await fetch(`${settings.baseUrl}/sandbox/${path}`, { method, body: body && JSON.stringify(body) })
  const result = await answer.json()
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(result)}`)
  return result
}

export const arm = (op, fault, outTradeNo) => control('POST', 'faults', { op, fault, outTradeNo })
export const advance = (by) => control('POST', 'clock', { advance: by })

// chinaDay is the day in China, as bills are named after it.
export const chinaDay = (time) => new Date(new Date(time).getTime() + 8 * 3600e3).toISOString().slice(0, 10)

// Shop receives callbacks. judge gets the headers and the raw body; what it
// returns is kept for told, and its ok chooses the answer.
export class Shop {
  #told = []
  #waiting = []

  static async open(judge, accept, refuse) {
    const shop = new Shop()
    shop.server = createServer(async (request, response) => {
      const result = judge(request.headers, await text(request))
      const [status, body] = result.ok ? accept : refuse
      response.writeHead(status).end(body)
      shop.#told.push(result)
      shop.#waiting.splice(0).forEach((look) => look())
    })
    await new Promise((ready) => shop.server.listen(0, '127.0.0.1', ready))
    shop.url = `http://127.0.0.1:${shop.server.address().port}/notify`
    return shop
  }

  // told waits for the first callback that fits and takes it from the list.
  async told(fits) {
    const { promise: late, cancel } = deadline(20e3)
    try {
      for (;;) {
        const i = this.#told.findIndex(fits)
        if (i >= 0) return this.#told.splice(i, 1)[0]
        await Promise.race([late, new Promise((look) => this.#waiting.push(look))])
      }
    } finally {
      cancel()
    }
  }

  close() {
    this.server.closeAllConnections()
    this.server.close()
  }
}

// deadline fails after some milliseconds, unless it is cancelled.
function deadline(milliseconds) {
  let timer
  const promise = new Promise((_, fail) => {
    timer = setTimeout(() => fail(new Error('no callback came in time')), milliseconds)
  })
  promise.catch(() => {}) // nobody may be waiting any more
  return { promise, cancel: () => clearTimeout(timer) }
}

// pick takes some members of an object, by paths with dots.
export const pick = (from, ...paths) =>
  paths.map((path) => path.split('.').reduce((value, name) => value?.[name], from) ?? null)

// run does the steps in order and writes what came of each to the standard
// output, also when one of them breaks off.
export async function run(steps, close) {
  const results = {}
  let failed
  try {
    await steps(async (name, step) => { results[name] = await step() })
  } catch (error) {
    failed = error
  }
  close()
  process.stdout.write(JSON.stringify(results))
  if (failed) {
    console.error(failed.stack) // and not the whole object: it is pages of headers
    process.exitCode = 1
  }
}
